"""Sending, queueing and stopping: how a turn begins, and how the user ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import Any

from textual import on
from textual.worker import Worker, WorkerState

from aircher.domain.errors import Bug
from aircher.tui import messages as msg
from aircher.tui.attaching import Attaching

Post = Callable[[msg.TurnMessage], object]


class Sending(Attaching):
    """Starts the worker in which the bridge consumes the turn."""

    _turn = 0
    _worker: Worker[None] | None = None
    _asked = ""
    """What the user waits for an answer to; "" for work that answers nothing."""
    _worker_began = False
    """True once the worker has begun; one that is cancelled before never does."""

    # -- sending

    def submit(self, text: str) -> None:
        """Sends a message to the model, or queues it while there is an answer to wait for."""
        text = text.strip()
        if not text:
            return
        if self.chat.busy or self.services is None:
            self.chat.queued.append(text)
            self.show_chips()
            return
        self.chat.said.append(text)
        self.prompt.set_history([*self.chat.before, *self.chat.said])
        self.leave_welcome()
        self.transcript.add("user", text, title="You")
        self._begin(text, "working out who should answer", partial(self._run, text))

    def compact(self) -> None:
        """Summarises the chat so far, because the user asks."""
        if self.chat.busy:
            self.notify("An answer is under way: stop it first.", severity="warning")
        elif not self.chat.session_id:
            self.tell("There is nothing to summarise yet.")
        else:
            self._begin("", f"summarising · {self.key('reply.stop')} stops it", self._compact)

    def _begin(
        self, asked: str, activity: str, work: Callable[[Post], Coroutine[Any, Any, None]]
    ) -> None:
        """Starts the worker of one turn; what it posts carries the turn's number."""
        self.chat.busy = self.prompt.busy = True
        self._asked = asked
        self._turn += 1
        self._worker_began = False
        turn = self._turn

        def post(message: msg.TurnMessage) -> None:
            message.turn = turn
            self.post_message(message)

        async def run() -> None:
            self._worker_began = True
            await work(post)

        self.set_status(activity=activity, problem="")
        self.show_hints()
        self._worker = self.work(run, "turn", exit_on_error=False)

    async def _run(self, text: str, post: Post) -> None:
        """Attaches files, then lets the bridge consume the turn."""
        if self.services is None:
            return
        from aircher.domain.turns import TurnRequest
        from aircher.tui.bridge import run_turn

        try:
            attached = await self.attachments(text)
        except asyncio.CancelledError:
            post(msg.TurnStopped())
            raise
        chat = self.chat
        chat.files.clear()
        self.show_chips()
        request = TurnRequest(
            text,
            chat.session_id,
            attachments=tuple(attached.values()),
            files=tuple(attached),
            wish=chat.wish,
        )
        if chat.task_once:
            chat.wish, chat.task_once = replace(chat.wish, task=""), False
        await run_turn(self.services.engine.turn(request), post)

    async def _compact(self, post: Post) -> None:
        """Lets the bridge consume the summary's events; they end without an answer."""
        if self.services is None:
            return
        from aircher.tui.bridge import run_turn

        await run_turn(
            self.services.engine.compact(self.chat.session_id, local=self.chat.wish.local), post
        )
        post(msg.WorkDone())

    # -- stopping

    def stop_reply(self) -> bool:
        """Stops the answer, keeping what came; False if there was none."""
        if not self.chat.busy or self._worker is None:
            return False
        self.set_status(activity="stopping")
        self._worker.cancel()
        if not self._worker_began:  # then nothing of it runs that could say that it ended
            self._post_end(msg.TurnStopped())
        return True

    @on(Worker.StateChanged)
    def _worker_changed(self, event: Worker.StateChanged) -> None:
        """A worker that ended without a last word, as by a fault of ours."""
        if event.worker is not self._worker or not self.chat.busy:
            return
        if event.state is WorkerState.CANCELLED:
            self._post_end(msg.TurnStopped())
        elif event.state is WorkerState.ERROR:
            fault = type(event.worker.error).__name__
            error = Bug(f"A fault in Aircher ended this turn ({fault}).")
            self._post_end(msg.TurnBroken(error, None))

    def _post_end(self, last: msg.TurnMessage) -> None:
        last.turn = self._turn
        self.post_message(last)

    def action_skip_wait(self) -> None:
        """Ends the wait before a retry."""
        if self.services is not None and self.chat.busy:
            self.services.engine.skip_wait()

    def _stale(self, message: msg.TurnMessage) -> bool:
        return message.turn != self._turn or not self.chat.busy or self.leaving

    # -- what waits, and what comes back

    def _send_queued(self) -> None:
        if self.chat.queued and not self.chat.busy:
            text = self.chat.queued.pop(0)
            self.show_chips()
            self.submit(text)

    def _take_back(self, *, with_asked: bool) -> None:
        """Gives unanswered texts back for editing, where the prompt is free."""
        texts = [self._asked] if with_asked and self._asked else []
        texts += self.chat.queued
        if texts and not self.prompt.text.strip():
            self.chat.queued.clear()
            self.show_chips()
            self.prompt.put("\n".join(texts))
