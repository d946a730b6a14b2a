"""What the turns of a commit message come to, and messages that need no turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field

from aircher.domain.classes import dataclass
from aircher.domain.commits import CommitAsk, CommitMessage, Source, Written
from aircher.domain.errors import NothingToDo
from aircher.domain.events import Failed, TurnResult
from aircher.domain.usage import Tokens
from aircher.engine.totals import total
from aircher.policy.commit.brief import Brief

TASK = "commit_messages"


@dataclass(slots=True)
class Spent:
    """What the turns of one message have used."""

    results: list[TurnResult] = field(default_factory=list)

    def written(
        self, messages: Sequence[CommitMessage], source: Source, notes: Sequence[str]
    ) -> Written:
        """The last event: the messages with the sums of their turns."""
        last = self.results[-1] if self.results else None
        return Written(
            messages=tuple(messages),
            source=source,
            task=last.task if last else TASK,
            ref=last.ref if last else None,
            cost=total([attempt for result in self.results for attempt in result.attempts]),
            tokens=_sum([result.tokens for result in self.results]),
            duration_s=sum(result.duration_s for result in self.results),
            notes=tuple(notes),
        )


def without_model(ask: CommitAsk) -> Written | Failed | None:
    """What there is to say before any model or rule is thought of: git's own message for a merge,
    revert or cherry-pick, or that there is nothing to describe; None where there is work to do.
    """
    setting = ask.setting
    if setting.prepared and setting.operation and not (ask.earlier or ask.hint):
        note = f"git's own message for this {setting.operation} is kept"
        return Spent().written([_prepared(setting.prepared)], "git", [note])
    if not ask.changes:
        return Failed(NothingToDo("There is nothing to describe."), no_result())
    return None


def by_rules(brief: Brief) -> Written:
    """Messages made by rules alone; the note says so."""
    notes = ["written by rules from names and paths, without a model"]
    return Spent().written(brief.by_rules(brief.ask.count), "rules", notes)


def _prepared(text: str) -> CommitMessage:
    subject, _, rest = text.partition("\n")
    return CommitMessage(subject, rest.strip("\n"))


def no_result() -> TurnResult:
    """The result of a turn that was not made."""
    return TurnResult("", TASK, None, cost=total([]))


def _sum(parts: Sequence[Tokens]) -> Tokens:
    """Input and output of all calls; unknown where one did not say."""
    inputs, outputs = [t.input for t in parts], [t.output for t in parts]
    return Tokens(
        input=sum(n or 0 for n in inputs) if inputs and None not in inputs else None,
        output=sum(n or 0 for n in outputs) if outputs and None not in outputs else None,
    )
