"""A conversation that has outgrown a window is summarised, openly; nothing is deleted."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from aircher.domain.chat import ChatRequest
from aircher.domain.errors import AircherError
from aircher.domain.events import Event, LimitAlert, Usage
from aircher.domain.messages import user
from aircher.domain.models import ModelRef
from aircher.domain.routes import Candidate
from aircher.domain.sessions import StoredMessage
from aircher.domain.usage import Cost
from aircher.engine.conversation import live, transcript
from aircher.engine.errand import Errand
from aircher.engine.leg import Leg
from aircher.engine.ports import EnginePorts
from aircher.engine.totals import total
from aircher.policy.estimate import estimate

INSTRUCTION = (
    "Summarise this conversation so that it can go on without its beginning. Keep decisions, "
    "facts, names, numbers, file names, code that is still needed, and open questions. "
    "Write plain prose, no preamble."
)

KEPT_SHARE = 0.3
"""Of the window, what the newest messages may keep as they are."""

UNKNOWN_WINDOW = 8192
"""Taken for the window of a model whose window is not known."""

SUMMARY_TOKENS = 512
"""Room for the summary itself."""


class Compaction:
    """One compaction; read ``summary``, ``covered``, ``before`` after ``events`` has ended."""

    def __init__(
        self,
        ports: EnginePorts,
        errand: Errand,
        ref: ModelRef,
        *,
        kept_share: float = KEPT_SHARE,
        target: ModelRef | None = None,
    ) -> None:
        """``ref`` sums up; ``kept_share`` is of the window of ``target``, which is to be asked then."""
        self._ports = ports
        self._errand = errand
        self._ref = ref
        window = ports.catalog.facts(target or ref).context_window
        self._kept = int((window or UNKNOWN_WINDOW) * kept_share)
        self.summary = ""
        self.covered = 0
        self.before = 0
        self._first = len(errand.attempts)

    async def events(
        self, stored: Sequence[StoredMessage], reason: AircherError
    ) -> AsyncGenerator[Event, None]:
        """Summarises all but the newest messages, in pieces that fit, and stores the summary.

        Raises ``reason`` where there is nothing to summarise (the new message alone is too
        long) or nothing came of it.  A failing call raises its own error.
        """
        old = self._old(live(stored))
        if all(item.summary_of for item in old):
            raise reason
        self.covered = sum(item.summary_of or 1 for item in old)
        self.before = self._size("\n".join(item.message.text for item in stored))
        for piece in self._pieces(transcript(old)):
            text = f"Summary so far: {self.summary}\n\n{piece}" if self.summary else piece
            leg = self._leg(text)
            try:
                async with aclosing(leg.events()) as events:
                    async for event in events:
                        if isinstance(event, Usage | LimitAlert):
                            yield event
            finally:
                self._errand.attempts.append(leg.attempt)
            if leg.error is not None:
                raise leg.error
            self.summary = leg.reply.text.strip() or self.summary
        if not self.summary:
            raise reason
        self._ports.sessions.compact(self._errand.session_id, old[-1].id, self.summary)

    @property
    def cost(self) -> Cost:
        """What its calls cost so far."""
        return total(self._errand.attempts[self._first :])

    def _old(self, messages: Sequence[StoredMessage]) -> Sequence[StoredMessage]:
        """The messages to be covered: all but those at the end that fit the kept share."""
        room = self._kept
        cut = len(messages)
        while cut > 0:
            room -= self._size(messages[cut - 1].message.text)
            if room < 0:
                break
            cut -= 1
        # An answer without its question would make no sense: cut before a question.
        while cut < len(messages) and messages[cut].message.role != "user":
            cut += 1
        return messages[:cut]

    def _pieces(self, text: str) -> list[str]:
        """The transcript cut, between paragraphs where possible, into parts that fit."""
        room = self._window - 2 * SUMMARY_TOKENS - self._size(INSTRUCTION) - 64
        # Characters that surely fit: the estimate, made strict by a third.
        size = max(1, self._size(text))
        most = max(400, int(len(text) / size * room * 0.66))
        pieces = []
        while len(text) > most:
            at = text.rfind("\n\n", most // 2, most)
            at = at if at > 0 else most
            pieces.append(text[:at])
            text = text[at:]
        return [*pieces, text]

    @property
    def _window(self) -> int:
        return self._ports.catalog.facts(self._ref).context_window or UNKNOWN_WINDOW

    def _size(self, text: str) -> int:
        return self._ports.catalog.count_text(self._ref, text)

    def _leg(self, text: str) -> Leg:
        ports = self._ports
        facts = ports.catalog.facts(self._ref)
        at = ports.clock.now()

        prompt = self._size(text) + self._size(INSTRUCTION)
        expected = estimate(
            facts,
            prompt,
            "summaries",
            SUMMARY_TOKENS,
            lambda tokens: ports.catalog.cost(self._ref, tokens, at),
        )
        request = ChatRequest(
            model=self._ref.model,
            messages=(user(text),),
            system=INSTRUCTION,
            max_output=SUMMARY_TOKENS,
            stream=ports.settings.calls_to(self._ref.provider).stream,
        )
        candidate = Candidate(self._ref, "summary of the conversation", expected)
        # Not kept as a message: a summary is no answer; `compact` stores it.
        number = len(self._errand.attempts) + 1
        return Leg(ports, self._errand, candidate, request, number=number, keep=False)
