"""The answer's message on disk, over all the legs that write it; and where the disk does not take it."""

from __future__ import annotations

from aircher.domain.errors import StorageError
from aircher.domain.sessions import MessageState
from aircher.engine.ending import not_kept
from aircher.engine.leg import Leg
from aircher.engine.ports import EnginePorts


class Keeping:
    """``message_id`` is the message that is being written (None: none is).

    ``lost`` says why the answer, or a part of it, could not be kept.
    """

    def __init__(self, ports: EnginePorts) -> None:
        self._ports = ports
        self.message_id: int | None = None
        self.lost: StorageError | None = None

    def end(self, leg: Leg, state: MessageState) -> None:
        """Ends the message with what the leg wrote.  Never awaits, and raises nothing."""
        if self.message_id is None:
            return
        try:
            self._ports.sessions.end(
                self.message_id,
                leg.parts(),
                state,
                ref=leg.ref,
                tokens=leg.attempt.tokens,
                cost=leg.attempt.cost,
                duration_s=leg.attempt.duration_s,
                finish_reason=leg.reply.finish_reason,
                error=leg.attempt.error,
            )
        except StorageError as error:
            self.lost = error

    def rescue(self, text: str) -> None:
        """Keeps the whole text elsewhere, where the disk did not take it."""
        if self.lost is not None:
            self.lost = not_kept(self.lost, self._ports.rescue(text) if text else "", text)
