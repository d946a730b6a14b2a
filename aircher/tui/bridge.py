"""Engine events in, Textual messages out.  The only file that knows both.

Text deltas are gathered and passed on at most ``FRAMES_PER_S`` times a second: a fast model
sends hundreds of tiny pieces, and each message costs a trip through Textual's queue.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from aircher.domain import events as ev
from aircher.domain.chat import RefusalDelta, TextDelta, ThinkingDelta, ToolCallDelta
from aircher.domain.errors import AircherError
from aircher.domain.guarding import guarded
from aircher.domain.inert import inert
from aircher.tui import messages as msg
from aircher.tui.words import count, price, seam, sentence

FRAMES_PER_S = 30

Post = Callable[[msg.TurnMessage], object]


def translate(event: ev.Event) -> msg.TurnMessage | None:
    """The message for an event that is not a delta."""
    match event:
        case ev.Detected(detection, signals):
            return msg.TaskNamed(detection, signals)
        case ev.Routed(plan):
            return msg.ModelsChosen(plan)
        case ev.Reserved(_, nano_usd):
            return msg.MoneyHeld(nano_usd)
        case ev.Started(ref, attempt, session_id, _):
            return msg.ReplyBegan(ref, attempt, session_id)
        case ev.Retrying(ref, _, wait_s, error):
            return msg.Waiting(ref, wait_s, error)
        case ev.Asking(question):
            return msg.QuestionAsked(question)
        case ev.Queued(ref, position, wait_s, reason):
            return msg.QueuedUp(ref, position, wait_s, inert(reason))
        case ev.Usage(ref, tokens, cost):
            return msg.UsageArrived(ref, tokens, cost)
        case ev.Finished(result):
            return msg.TurnDone(result)
        case ev.Failed(error, result):
            return msg.TurnBroken(error, result)
        case _:
            return _in_words(event)


def _in_words(event: ev.Event) -> msg.TurnMessage | None:
    """The events that become one sentence in the conversation."""
    match event:
        case ev.FallingBack(failed, to, error, kept, continues, reason):
            why = error.message
            if error.needs_user and error.hint:
                why = f"{sentence(why)} {error.hint}"
            said = seam(failed, to, why, kept=kept, continues=continues)
            said += f" ({sentence(reason)[:-1]})" if reason else ""
            return msg.SwitchedModel(inert(said), to, continues=continues)
        case ev.Escalating(failed, to, reason, kept):
            then = "begins anew; the part above stays" if kept else "is asked"
            return msg.SwitchedModel(
                inert(f"{failed}: {reason}. {to}, which is stronger, {then}."), to
            )
        case ev.Downgraded(wanted, to, reason):
            return msg.SwitchedModel(inert(f"{to} instead of {wanted}: {reason}"), to)
        case ev.Compacted(number, before, after, _, cost):
            paid = f" for {price(cost)}" if cost and cost.nano_usd else ""
            return msg.Told(
                f"{number} earlier messages were summarised{paid} to make room: "
                f"{count(before)} tokens became {count(after)}. All of them stay on disk."
            )
        case ev.LimitAlert(text=text):
            return msg.LimitTold(inert(text))
        case ev.Guarded(findings):
            return msg.Told(inert(sentence(guarded(findings))))
        case ev.Notice(text):
            return msg.Told(inert(text))
        case _:
            return None


def delta(event: ev.Event) -> tuple[str, str] | None:
    """("text" or "thinking", what to add) for a delta, else None."""
    match event:
        case TextDelta(text) | RefusalDelta(text):
            return "text", text
        case ThinkingDelta(text, _):
            return "thinking", text
        case ToolCallDelta(_, _, name, arguments):
            start = f"\n\nThe model wants to use the tool {name}: " if name else ""
            return "text", start + arguments
        case _:
            return None


class _Gathered:
    """Deltas waiting for the next frame."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._kind = ""
        self._pieces: list[str] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, kind: str, text: str) -> None:
        if kind != self._kind:
            self.flush()
            self._kind = kind
        self._pieces.append(text)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(1 / FRAMES_PER_S, self.flush)

    def flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        text = inert("".join(self._pieces))
        self._pieces.clear()
        if text:
            self._post(msg.TextArrived(text, "thinking" if self._kind == "thinking" else "text"))


async def run_turn(stream: AsyncGenerator[ev.Event, None], post: Post) -> None:
    """Consumes one turn to its end, posting what happens.

    Cancelling the task that runs this stops the turn: the generator is closed, which makes the
    engine keep and price what came, and ``TurnStopped`` is the last message.
    """
    gathered = _Gathered(post)
    try:
        async with aclosing(stream):
            async for event in stream:
                piece = delta(event)
                if piece is not None:
                    gathered.add(*piece)
                    continue
                message = translate(event)
                if message is not None:
                    gathered.flush()
                    post(message)
    except asyncio.CancelledError:
        gathered.flush()
        post(msg.TurnStopped())
        raise
    except AircherError as error:
        gathered.flush()
        post(msg.TurnBroken(error, None))
    finally:
        gathered.flush()
