"""What the bridge tells of a turn, on the screen: streaming, waiting, switching, ending."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from textual import on

from aircher.domain.errors import AircherError, StorageError
from aircher.domain.usage import Cost, Tokens
from aircher.tui import messages as msg
from aircher.tui.figures import rate
from aircher.tui.questions import Questions
from aircher.tui.widgets.costs import CostPanel
from aircher.tui.widgets.providers import ProviderPanel
from aircher.tui.words import seconds, sentence

if TYPE_CHECKING:  # annotations only: the first frame needs none of it
    from aircher.domain.events import TurnResult
    from aircher.domain.models import ModelRef

_LIVE_EVERY_S = 0.5

LONG_ANSWER_S = 15.0
"""An answer that took so long is told as [ui] notify says: its user may have looked away."""


class Turns(Questions):
    """Handles what the bridge posts.  Messages of an earlier, stopped turn are ignored."""

    _block: int | None = None
    """The transcript's key of the answer that is being written; None between answers."""
    _ref: ModelRef | None = None
    _reopen = ""
    """The fence that a continuation stands in."""
    _began = 0.0
    _first: float | None = None
    _written = 0
    _prompt_tokens: int | None = None
    _shown_live = 0.0
    _told_queue = False
    """The conversation says once that a call waits; the countdown is in the status line."""

    # -- what the bridge tells

    @on(msg.TaskNamed)
    def _task_named(self, message: msg.TaskNamed) -> None:
        if not self._stale(message):
            self.chat.detection, self.chat.signals = message.detection, message.signals
            self.set_status(task=message.detection.task)

    @on(msg.ModelsChosen)
    def _models_chosen(self, message: msg.ModelsChosen) -> None:
        if self._stale(message):
            return
        first = message.plan.first
        if self.chat.detection is not None:
            from aircher.domain.turns import Preview

            seen, here = self.chat.signals, self.stays_here
            self.chat.latest = Preview(self.chat.detection, message.plan, seen, here)
        self._prompt_tokens = first.estimate.prompt if first.estimate else None
        self.set_status(
            task=message.plan.task, model=str(first.ref), activity=f"asking {first.ref}"
        )

    @on(msg.MoneyHeld)
    def _money_held(self, message: msg.MoneyHeld) -> None:
        if not self._stale(message):
            self._live(None, Tokens())
            panel = self.home.query_one(CostPanel)
            panel.figures = replace(panel.figures, held=message.nano_usd)

    @on(msg.ReplyBegan)
    def _reply_began(self, message: msg.ReplyBegan) -> None:
        if self._stale(message) or self.services is None:
            return
        self.workers.cancel_group(self, "countdown")
        self._told_queue = False
        self.chat.session_id = message.session_id or self.chat.session_id
        self._ref = message.ref
        self._began, self._first = self.services.clock.monotonic(), None
        self._written = 0
        self.home.query_one(ProviderPanel).current = message.ref.provider
        self.set_status(
            model=str(message.ref),
            activity=f"waiting for {message.ref} · {self.key('reply.stop')} stops it",
        )

    @on(msg.TextArrived)
    def _text_arrived(self, message: msg.TextArrived) -> None:
        if self._stale(message) or self._ref is None:
            return
        if self._block is None:  # not before its first word: a model may fail without one
            self._block = self.transcript.begin("assistant", str(self._ref))
            if self._reopen:  # the code block in which the part above broke off
                self.transcript.append(self._block, f"{self._reopen}\n")
                self._reopen = ""
        if message.kind == "thinking":
            if self.services is not None and self.services.settings.ui.thinking:
                self.transcript.append_thinking(self._block, message.text)
        else:
            self.transcript.append(self._block, message.text)
        self._count_live(message.text)

    def _count_live(self, text: str) -> None:
        """Tokens, speed and cost so far, twice a second; all of them estimates."""
        if self.services is None or self._ref is None:
            return
        now = self.services.clock.monotonic()
        if self._first is None:
            self._first = now
            self.set_status(activity=f"{self._ref} is writing · {self.key('reply.stop')} stops it")
        self._written += self.services.catalog.count_text(self._ref, text)
        if now - self._shown_live >= _LIVE_EVERY_S:
            self._shown_live = now
            tokens = Tokens(input=self._prompt_tokens, output=self._written)
            cost = self.services.catalog.cost(self._ref, tokens, self.services.clock.now())
            known = Cost(cost.nano_usd, "estimated") if cost.nano_usd else cost
            lasted = now - self._first
            self._live(known, tokens, self._written / lasted if lasted > 0.5 else None)

    def _live(self, cost: Cost | None, tokens: Tokens, speed: float | None = None) -> None:
        panel = self.home.query_one(CostPanel)
        panel.figures = replace(
            panel.figures,
            reply=cost,
            tokens=tokens,
            tokens_per_s=speed,
            reply_live=True,
            held=None,
        )

    @on(msg.Waiting)
    async def _waiting(self, message: msg.Waiting) -> None:
        if self._stale(message):
            return
        why = sentence(message.error.message)
        self.tell(f"{message.ref}: {why} Trying again in {seconds(message.wait_s)}.")
        self.show_health()
        self.work(partial(self._count_down, message, "again"), "countdown")

    @on(msg.QueuedUp)
    async def _queued_up(self, message: msg.QueuedUp) -> None:
        if self._stale(message):
            return
        place = "" if message.position <= 1 else f"number {message.position} in the queue, "
        if not self._told_queue:
            self.tell(f"{message.ref} waits: {place}{message.reason}.")
        self._told_queue = True
        self.work(partial(self._count_down, message, f"{place}its turn"), "countdown")

    async def _count_down(self, message: msg.Waiting | msg.QueuedUp, what: str) -> None:
        """Shows the seconds left until the engine goes on (it says so by its next event)."""
        if self.services is None:
            return
        end = self.services.clock.monotonic() + message.wait_s
        skip = self.key("wait.skip")
        while not self._stale(message):
            left = end - self.services.clock.monotonic()
            if left <= 0:
                return
            self.set_status(
                activity=f"{message.ref}: {what} in {left:.0f} s · {skip} now · "
                f"{self.key('reply.stop')} stop"
            )
            await asyncio.sleep(min(1.0, left))

    @on(msg.SwitchedModel)
    def _switched(self, message: msg.SwitchedModel) -> None:
        if self._stale(message):
            return
        part = ""
        if self._block is not None:
            part = self.transcript.source(self._block)
            self.transcript.end(self._block, "broken off", "failed")
            self._block = None
        if part or not message.continues:
            from aircher.policy.continuing import open_fence

            self._reopen = open_fence(part) if message.continues else ""
        self.transcript.seam(message.sentence)
        self.set_status(activity=f"asking {message.to}", model=str(message.to))
        self.show_health()

    @on(msg.Told)
    def _told(self, message: msg.Told) -> None:
        if not self._stale(message):
            self.tell(message.sentence)

    @on(msg.UsageArrived)
    def _usage_arrived(self, message: msg.UsageArrived) -> None:
        if not self._stale(message):
            self._live(message.cost, message.tokens)
            self.refresh_panels()

    # -- how it ends

    @on(msg.LimitTold)
    def _limit_told(self, message: msg.LimitTold) -> None:
        # Money is told whichever turn spent it, also one that was left behind.
        self.notify(message.sentence, severity="warning", timeout=10, markup=False)
        self.call(message.sentence)

    @on(msg.TurnDone)
    def _turn_done(self, message: msg.TurnDone) -> None:
        if self._stale(message):
            return
        result = message.result
        self.chat.answer = result.text
        if self._block is None and (result.text or result.refusal):
            self._block = self.transcript.begin("assistant", str(result.ref or ""))
            self.transcript.append(self._block, result.text or result.refusal)
        if self._block is not None:
            self.transcript.end(self._block, _footer(result))
        self._ended(result)
        if result.duration_s >= LONG_ANSWER_S:
            self.call("Aircher: the answer is there.")
        self._send_queued()

    @on(msg.TurnBroken)
    def _turn_broken(self, message: msg.TurnBroken) -> None:
        if self._stale(message):
            return
        error, result = message.error, message.result
        answered = bool(result and (result.text or result.thinking))
        if self._block is not None:
            unkept = isinstance(error, StorageError)
            note = "not kept whole" if unkept else "no whole answer"
            self.transcript.end(self._block, note, "failed")
        self._ended(result)
        self.leave_welcome()
        self.transcript.add("error", _sentence(error))
        self._take_back(with_asked=not answered)
        self.set_status(problem=error.message)

    @on(msg.TurnStopped)
    def _turn_stopped(self, message: msg.TurnStopped) -> None:
        if self._stale(message):
            return
        answered = self._first is not None
        if self._block is not None:
            self.transcript.end(self._block, "stopped by you; what came is kept", "stopped")
        elif not answered:  # whatever was last said, such as a wait, is over
            self.tell("Stopped before an answer came.")
        self._ended(None)
        if not answered:  # nothing was written, so no figure of this reply is known
            panel = self.home.query_one(CostPanel)
            panel.figures = replace(panel.figures, reply=None, tokens=Tokens(), tokens_per_s=None)
        self._take_back(with_asked=not answered)

    @on(msg.WorkDone)
    def _work_done(self, message: msg.WorkDone) -> None:
        if not self._stale(message):
            self._ended(None)
            self._send_queued()

    def _ended(self, result: TurnResult | None) -> None:
        """Back to idle, with the last numbers on the panels."""
        self.workers.cancel_group(self, "countdown")
        self.drop_questions()
        chat = self.chat
        chat.busy = self.prompt.busy = False
        self._block, self._ref, self._first = None, None, None
        self._reopen = ""
        if self.services is not None:
            if result is not None:
                chat.session_id = result.session_id or chat.session_id
                panel = self.home.query_one(CostPanel)
                panel.figures = replace(
                    panel.figures,
                    reply=result.cost if result.ref else None,  # no call, no figure
                    tokens=result.tokens,
                    tokens_per_s=rate(result),
                )
            if chat.session_id:
                chat.title = self._title()
        panel = self.home.query_one(CostPanel)
        panel.figures = replace(panel.figures, reply_live=False, held=None)
        self.set_status(activity="")
        self.refresh_panels()
        self.plan_ahead(at_once=True)

    def _title(self) -> str:
        if self.services is None:
            return ""
        try:
            return self.services.sessions.info(self.chat.session_id).title
        except AircherError:  # gone meanwhile: another process removed it
            return self.chat.title


def _footer(result: TurnResult) -> str:
    from aircher.tui.stored import footer

    return footer(result.task, result.duration_s, result.tokens, result.cost, result.outcome)


def _sentence(error: AircherError) -> str:
    return f"{sentence(error.message)} {error.hint}".strip()
