"""From a request to its task and its plan: signals and sizes gathered, policy asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice

from aircher.domain.classes import dataclass
from aircher.domain.errors import AircherError
from aircher.domain.messages import Document, Message, Text, user
from aircher.domain.models import ModelRef
from aircher.domain.routes import Candidate, Estimate, Plan, Wish
from aircher.domain.sessions import StoredMessage
from aircher.domain.tasks import Detection, Evidence, Signals
from aircher.domain.turns import TurnRequest
from aircher.engine.conversation import as_prompt, last_task, user_texts
from aircher.engine.ports import EnginePorts
from aircher.policy.complexity import complexity
from aircher.policy.estimate import estimate
from aircher.policy.route import Board, Situation, escalation, obstacle
from aircher.policy.route import plan as choose

PDF = "application/pdf"


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of a request, and the task it is taken for."""

    signals: Signals
    detection: Detection


class Routing:
    """Detects and plans; keeps the sizes of conversations that were counted."""

    def __init__(self, ports: EnginePorts) -> None:
        self._ports = ports
        self._board = Board(ports.settings.rules, ports.catalog.facts)
        self._sizes: dict[tuple[str, int, ModelRef, str], tuple[int, bool]] = {}

    async def look(self, request: TurnRequest, stored: Sequence[StoredMessage]) -> Look:
        """The signals and the task: the user's word, else what the text and the work tree say."""
        rules = self._ports.settings.rules
        wants_git = not request.wish.task or any(rule.when.branches for rule in rules.special)
        workspace = self._ports.workspace
        git = await workspace.git() if wants_git else None
        open_files = (
            () if request.wish.task else await workspace.open_files(git.changed if git else ())
        )
        signals = Signals(
            text=request.text if request.sample is None else request.sample,
            history=user_texts(stored),
            previous_task=last_task(stored),
            command=request.command,
            files=request.files,
            git=git,
            open_files=tuple(open_files),
        )
        return Look(signals, self._detect(request.wish, signals))

    def weigh(self, signals: Signals, wish: Wish) -> tuple[Detection, Plan | AircherError]:
        """Task and plan from values alone; the error where no model can take it."""
        detection = self._detect(wish, signals)
        request = TurnRequest(signals.text, files=signals.files, wish=wish)
        try:
            return detection, self.plan(
                request, (), user(signals.text), Look(signals, detection), escalate=False
            )
        except AircherError as error:
            return detection, error

    def _detect(self, wish: Wish, signals: Signals) -> Detection:
        if wish.task:
            chosen = Evidence("user", "you chose this task", 1.0, wish.task)
            return Detection(wish.task, 1.0, (chosen,), {wish.task: 1.0})
        return self._ports.detector.detect(signals, self._ports.corrections.all())

    def plan(
        self,
        request: TurnRequest,
        stored: Sequence[StoredMessage],
        asked: Message,
        look: Look,
        *,
        escalate: bool = True,
    ) -> Plan:
        """The models to try.  Raises ``NoModel`` or ``ContextTooLong``."""
        ports = self._ports
        situation = self._situation(request, stored, asked, look)
        chosen = choose(ports.settings.rules, situation, ports.strategies)
        most = ports.settings.gates.most
        gated = escalate and ports.settings.gates.escalate_on
        if not (most and gated and request.wish.fallback) or request.wish.model:
            return chosen  # what was asked for by name is not replaced by something else
        better = escalation(chosen.first.ref, ports.settings.rules, situation)
        return replace(chosen, stronger=tuple(islice(better, most)))

    def others(
        self,
        request: TurnRequest,
        stored: Sequence[StoredMessage],
        asked: Message,
        look: Look,
        planned: Plan,
    ) -> Sequence[Candidate]:
        """Configured models that could take the request as well, the longest window first."""
        rules = self._ports.settings.rules
        situation = self._situation(request, stored, asked, look)
        known = {*(one.ref for one in planned.candidates), *situation.blocked}
        found = [
            Candidate(ref, "a configured model", situation.estimate(ref))
            for ref in rules.named
            if ref not in known and not obstacle(ref, rules, situation)
        ]
        facts = self._ports.catalog.facts
        return sorted(found, key=lambda one: -(facts(one.ref).context_window or 0))

    def _situation(
        self,
        request: TurnRequest,
        stored: Sequence[StoredMessage],
        asked: Message,
        look: Look,
    ) -> Situation:
        ports = self._ports
        task, signals = look.detection.task, look.signals
        now = ports.clock.now()
        estimates: dict[ModelRef, Estimate] = {}

        def estimated(ref: ModelRef) -> Estimate:
            if ref not in estimates:
                estimates[ref] = self._estimate(ref, request, stored, asked, task, now)
            return estimates[ref]

        return Situation(
            task=task,
            wish=request.wish,
            facts=ports.catalog.facts,
            estimate=estimated,
            blocked=self._passed_over(task),
            needs=_needs(request),
            asks=_asks(request),
            speeds=ports.speeds,
            confidence=look.detection.confidence,
            now=now,
            branch=signals.git.branch if signals.git else "",
            files=signals.files,
            complexity=complexity(signals.text, task, signals.files, len(signals.history)),
            board=self._board,
        )

    def _passed_over(self, task: str) -> Mapping[ModelRef, str]:
        """Paused models, where another may be asked in their place without a word.

        Elsewhere the paused one stays first, and the chain asks the user, or goes no further.
        """
        settings = self._ports.settings.fallback
        free = settings.consent_for(task) == "auto" and settings.reaction("paused") == "next"
        return self._ports.health.blocked() if free else {}

    def _estimate(
        self,
        ref: ModelRef,
        request: TurnRequest,
        stored: Sequence[StoredMessage],
        asked: Message,
        task: str,
        at: datetime,
    ) -> Estimate:
        ports = self._ports
        size, exact = self._history_size(ref, request, stored)
        added, added_exact = ports.catalog.count_tokens(ref, (asked,))
        return estimate(
            ports.catalog.facts(ref),
            size + added,
            task,
            request.max_output or ports.settings.calls_to(ref.provider).max_output,
            lambda tokens: ports.catalog.cost(ref, tokens, at),
            exact=exact and added_exact,
        )

    def _history_size(
        self, ref: ModelRef, request: TurnRequest, stored: Sequence[StoredMessage]
    ) -> tuple[int, bool]:
        """Tokens of all that came before; counted once per conversation state and model."""
        newest = max((message.id for message in stored), default=0)
        key = (request.session_id, newest, ref, self.system(request))
        if key not in self._sizes:
            if len(self._sizes) > 256:
                self._sizes.clear()
            counted = self._ports.catalog.count_tokens(ref, as_prompt(stored), self.system(request))
            self._sizes[key] = counted
        return self._sizes[key]

    def system(self, request: TurnRequest) -> str:
        """The system prompt of a request: its own, else the configured one."""
        return self._ports.settings.system if request.system is None else request.system


def _needs(request: TurnRequest) -> frozenset[str]:
    """The features this very request requires of a model."""
    kinds = {type(part).__name__ for part in request.attachments if not isinstance(part, Text)}
    needs = set()
    if "Image" in kinds:
        needs.add("vision")
    if request.tools:
        needs.add("tools")
    return frozenset(needs)


def _asks(request: TurnRequest) -> frozenset[str]:
    """What the request is about besides, for the user's own rules; no model is left out by it."""
    asks = set()
    if any(isinstance(p, Document) and p.media_type == PDF for p in request.attachments):
        asks.add("documents")
    if request.json_schema is not None:
        asks.add("json")
    return frozenset(asks)
