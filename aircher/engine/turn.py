"""A turn, from the user's text to the recorded answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from aircher.domain.budget import CapState
from aircher.domain.events import Event
from aircher.domain.turns import Preview, TurnRequest


class Engine:
    """Runs turns.  One instance serves all sessions of a process."""

    def turn(self, request: TurnRequest) -> AsyncGenerator[Event, None]:
        """The events of one turn; closing the generator stops it, keeping what came."""
        raise NotImplementedError

    async def preview(self, request: TurnRequest) -> Preview:
        """What ``turn`` would do, without a call: task, candidates, estimated cost."""
        raise NotImplementedError

    def budget(self) -> Sequence[CapState]:
        """Every configured day and month limit with what is spent under it now."""
        raise NotImplementedError

    def skip_wait(self) -> None:
        """Ends the present wait before a retry."""
        raise NotImplementedError
