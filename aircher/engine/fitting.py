"""From a conversation to one that fits: planned, and summarised first where it has grown too long."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from aircher.domain.errors import AircherError, ContextTooLong, NoModel, UsageError
from aircher.domain.events import Compacted, Event, Notice
from aircher.domain.messages import Message, user
from aircher.domain.models import ModelRef
from aircher.domain.routes import Plan, Wish
from aircher.domain.sessions import StoredMessage
from aircher.domain.turns import TurnRequest
from aircher.engine.compaction import KEPT_SHARE, Compaction
from aircher.engine.errand import Errand
from aircher.engine.ports import EnginePorts
from aircher.engine.routing import Look, Routing


class Fitting:
    """Plans one request; read ``route`` and ``stored`` after ``events`` has ended.

    A conversation that fits no window is summarised, or the turn fails.  One that fills more than
    [chat] compact_at of the window of the model to be asked is summarised, if that can be done.
    ``row`` is the stored request, None where there is no conversation.
    """

    route: Plan

    def __init__(
        self,
        ports: EnginePorts,
        routing: Routing,
        request: TurnRequest,
        errand: Errand,
        asked: Message,
        look: Look,
        row: StoredMessage | None,
    ) -> None:
        self._ports = ports
        self._routing = routing
        self._request = request
        self._errand = errand
        self._asked = asked
        self._look = look
        self._row = row
        self.stored: Sequence[StoredMessage] = ()

    async def events(self, stored: Sequence[StoredMessage]) -> AsyncGenerator[Event, None]:
        """The summary's events, where there is one.  Raises ``NoModel`` and ``ContextTooLong``."""
        self.stored = stored
        too_long: ContextTooLong | None = None
        try:
            self.route = self._plan()
            target = self._overfull()
            by = self._summariser(target) if target else None
        except ContextTooLong as error:
            if self._row is None:
                raise  # there is no conversation to summarise
            too_long = error
            target = by = ModelRef(error.provider, error.model)
        if target is None or by is None:
            return
        share = KEPT_SHARE if too_long else min(KEPT_SHARE, self._ports.settings.compact_at / 2)
        made = Compaction(self._ports, self._errand, by, kept_share=share, target=target)
        nothing = too_long or UsageError("There is nothing to summarise in this conversation yet.")
        try:
            async with aclosing(made.events(stored, nothing)) as events:
                async for event in events:
                    yield event
        except AircherError as error:
            if too_long:
                raise
            if error is not nothing:  # as it is, the conversation still fits
                yield Notice(f"the conversation is sent whole; its summary failed: {error.message}")
            return
        self._read_anew()
        self.route = self._plan()
        after = self.route.first.estimate.prompt if self.route.first.estimate else 0
        # Both with the new message: what would have been sent, and what will be.
        before = made.before + self._ports.catalog.count_text(target, self._asked.text)
        yield Compacted(made.covered, before, after, made.summary, made.cost)

    def _plan(self) -> Plan:
        return self._routing.plan(self._request, self.stored, self._asked, self._look)

    def _overfull(self) -> ModelRef | None:
        """The model to be asked, where the conversation fills too much of its window."""
        first = self.route.first
        window = self._ports.catalog.facts(first.ref).context_window
        if self._row is None or not self.stored or window is None or first.estimate is None:
            return None
        full = first.estimate.prompt > window * self._ports.settings.compact_at
        return first.ref if full else None

    def _summariser(self, target: ModelRef) -> ModelRef:
        """Who sums up: the model for summaries of the same provider; one asked for by name itself."""
        if self._request.wish.model:
            return target
        wish = Wish(task="summaries", provider=target.provider, fallback=False)
        wish = replace(wish, local=self._request.wish.local)
        asks = TurnRequest("", wish=wish)
        detection = replace(self._look.detection, task="summaries")
        try:
            look = Look(self._look.signals, detection)
            return self._routing.plan(asks, (), user(""), look, escalate=False).first.ref
        except (NoModel, ContextTooLong):
            return target

    def _read_anew(self) -> None:
        row = self._row
        if row is not None:
            messages = self._ports.sessions.messages(row.session_id)
            self.stored = [message for message in messages if message.id != row.id]
