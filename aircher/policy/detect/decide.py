"""Which task a request is: the model's scores, what surrounds the request, the user's word.

Scores are added up in one place and in one unit (log-odds), so that each reason can be shown
with what it weighed.  The user's own patterns and corrections come last and may overrule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, lru_cache

from aircher.domain.classes import dataclass
from aircher.domain.tasks import TASKS, Correction, Detection, Evidence, Signals, task_name
from aircher.policy.detect import rules
from aircher.policy.detect.features import Lexicon, Reading, read
from aircher.policy.detect.learning import likeness, weight
from aircher.policy.detect.model import Known as Weighed
from aircher.policy.detect.model import Model
from aircher.policy.detect.rules import Patterns, around, noisy_or, said
from aircher.policy.detect.words import in_words

UNSURE = 0.2
"""A best share below this is a guess, and guesses go to ``default``; by chance it is 1 in 9."""

CHEAP = frozenset({"commit_messages", "summaries", "quick_questions"})
CODE = frozenset({"code_generation", "debugging", "refactoring", "code_review"})
CHEAP_MARGIN = 1.1
"""A cheap task must be so many times as likely as work on code: taking work for a question costs
a wrong answer, the reverse some cents."""

BRIEF, SHORT = 8, 12
"""Words: a message this brief goes on with the task where it shows none of its own; a short one
leans on what came before and on the work tree."""

PREVIOUS, AROUND, EARLIER = 0.8, 0.9, 0.35
"""Log-odds for the previous task, and for a sign of files or git; the share of the previous text's scores."""

SURE = 0.5
"""A brief message whose own best share is below this keeps the previous task."""


@dataclass(frozen=True, slots=True)
class Known:
    """What detection was made with: the built-in rules, concepts and weights."""

    patterns: Patterns
    lexicon: Lexicon
    model: Model


class Detector:
    """Detects; loads what it knows at the first use.

    ``own`` are the patterns of the user's [tasks.*].
    """

    def __init__(self, load: Callable[[], Known], own: Patterns | None = None) -> None:
        self._load = load
        self._own = own
        self._read = lru_cache(maxsize=2_048)(self._reading)

    @cached_property
    def known(self) -> Known:
        """The built-in rules and weights; some milliseconds the first time."""
        return self._load()

    @property
    def tasks(self) -> tuple[str, ...]:
        """The built-in tasks and the user's."""
        own = (one.task for one in self._own.tasks) if self._own else ()
        return tuple(dict.fromkeys((*TASKS, *own)))

    def features(self, text: str) -> tuple[str, ...]:
        """The names of all features of a text, as the model is trained on."""
        reading, found = self._reading(text)
        return (*reading.names, *rules.features(found))

    def detect(self, signals: Signals, corrections: Sequence[Correction] = ()) -> Detection:
        """The task, how sure, and why."""
        if settled := self._by_command(signals.command):
            return settled
        reading, found = self._reading(signals.text)
        model = self.known.model
        known = model.known((*reading.names, *rules.features(found)))
        scores = dict(zip(model.tasks, model.scores(known), strict=True))
        reasons = list(self._beside(signals, reading, scores))
        reasons += self._corrected(reading, corrections)
        for one in reasons:
            scores[one.task] = scores.get(one.task, min(scores.values())) + one.weight
        shares = dict(zip(scores, model.shares(list(scores.values())), strict=True))
        own = list(self._own_signs(signals, reading))
        shares = _overruled(shares, noisy_or(own))
        taught = any(one.source in {"correction", "yours"} for one in (*reasons, *own))
        task = max(shares, key=lambda one: shares[one]) if taught else _chosen(shares)
        why = [
            *own,
            *sorted(reasons, key=lambda one: -abs(one.weight)),
            *self._in_words(known, task, shares, reading, found),
        ]
        return self._decided(signals, reading, task, shares, why, taught=taught)

    def _in_words(
        self,
        known: Weighed,
        task: str,
        shares: dict[str, float],
        reading: Reading,
        found: Sequence[tuple[str, Evidence]],
    ) -> Iterator[Evidence]:
        """The model's reasons for a task rather than for the next best one, for people."""
        model = self.known.model
        if task in model.tasks:
            rival = max((one for one in model.tasks if one != task), key=lambda one: shares[one])
            reasons = model.reasons(known, task, rival)
            yield from in_words(reasons, task, found, reading, self.known.lexicon)

    def _decided(
        self,
        signals: Signals,
        reading: Reading,
        task: str,
        shares: dict[str, float],
        why: list[Evidence],
        *,
        taught: bool,
    ) -> Detection:
        best = shares[task]
        before = signals.previous_task
        unclear = task == "default" or best < SURE
        if before and reading.words <= BRIEF and unclear and not taught:
            share = max(SURE, shares.get(before, 0.0))
            kept = Evidence("conversation", "a short follow-up keeps its task", 1.0, before)
            return Detection(before, round(share, 3), (kept, *why), _rounded(shares))
        if best < UNSURE and not taught:
            guess = Evidence(
                "text",
                f"no task stands out: {task} would be the best guess, at {best:.0%}",
                0.0,
                "default",
            )
            return Detection("default", round(best, 3), (guess, *why), _rounded(shares))
        if not why:
            why = [Evidence("text", "its wording as a whole", 0.0, task)]
        return Detection(task, round(best, 3), tuple(why), _rounded(shares))

    def _reading(self, text: str) -> tuple[Reading, list[tuple[str, Evidence]]]:
        reading = read(text, self.known.lexicon)
        return reading, list(said(reading.ask, self.known.patterns))

    def _by_command(self, command: str) -> Detection | None:
        for known in (self._own, self.known.patterns) if command else ():
            for one in known.tasks if known else ():
                if command in one.commands:
                    why = Evidence("command", command, 1.0, one.task)
                    return Detection(one.task, 0.99, (why,), {one.task: 0.99})
        return None

    def _beside(
        self, signals: Signals, reading: Reading, scores: dict[str, float]
    ) -> Iterator[Evidence]:
        """What the conversation and the work tree add; a long message speaks for itself."""
        short = reading.words <= SHORT
        if short and signals.previous_task in scores:
            detail = f"the task before was {task_name(signals.previous_task)}"
            yield Evidence("conversation", detail, PREVIOUS, signals.previous_task)
        if short and signals.history:
            yield from self._earlier(signals.history[-1])
        for one in around(signals, self.known.patterns):
            if short or one.source == "file":
                yield Evidence(one.source, one.detail, AROUND if short else AROUND / 3, one.task)

    def _earlier(self, text: str) -> Iterator[Evidence]:
        reading, found = self._read(text)
        model = self.known.model
        shares = model.shares(model.scores(model.known((*reading.names, *rules.features(found)))))
        best = max(range(len(shares)), key=shares.__getitem__)
        if model.tasks[best] != "default":
            detail = "what you asked before"
            yield Evidence("conversation", detail, EARLIER * shares[best], model.tasks[best])

    def _corrected(self, reading: Reading, made: Iterable[Correction]) -> Iterator[Evidence]:
        """The most similar correction of each task, if similar enough."""
        closest: dict[str, tuple[float, Correction]] = {}
        for one in made:
            near = likeness(reading, self._read(one.text)[0])
            if near > closest.get(one.task, (0.0,))[0]:
                closest[one.task] = (near, one)
        for near, one in closest.values():
            if (pull := weight(near)) > 0:
                excerpt = " ".join(one.text.split())[:50]
                yield Evidence("correction", f"you corrected {excerpt!r}", pull, one.task)

    def _own_signs(self, signals: Signals, reading: Reading) -> Iterator[Evidence]:
        if self._own is None:
            return
        for _, one in said(reading.ask, self._own):
            yield Evidence("yours", one.detail, one.weight, one.task)
        for one in around(signals, self._own):
            yield Evidence("yours", one.detail, one.weight, one.task)


def _overruled(shares: dict[str, float], own: dict[str, float]) -> dict[str, float]:
    """The shares where the user's own signs take theirs first."""
    if not own:
        return shares
    whole = sum(own.values())
    room = max(own.values())
    return {
        task: shares.get(task, 0.0) * (1.0 - room) + room * own.get(task, 0.0) / whole
        for task in dict.fromkeys((*shares, *own))
    }


def _chosen(shares: dict[str, float]) -> str:
    """The likeliest task; a cheap one only where it is clearly likelier than work on code."""
    best = max(shares, key=lambda one: shares[one])
    if best not in CHEAP:
        return best
    work = max(CODE & shares.keys(), key=lambda one: shares[one], default=best)
    return work if shares[best] < CHEAP_MARGIN * shares[work] else best


def _rounded(shares: dict[str, float]) -> dict[str, float]:
    ranked = sorted(shares.items(), key=lambda item: -item[1])
    return {task: round(share, 4) for task, share in ranked}
