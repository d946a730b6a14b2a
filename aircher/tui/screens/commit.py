"""/commit: what is staged beside the message for it, and what can be done with it."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import Input, Static, TextArea
from textual.worker import Worker

from aircher.domain.changes import Changes
from aircher.domain.commits import CommitAsk, CommitEvent, CommitMessage, Setting, Written
from aircher.domain.desk import CommitDesk
from aircher.domain.errors import AircherError
from aircher.domain.events import Asking, Failed, Guarded, Notice, Routed
from aircher.domain.guarding import guarded
from aircher.domain.inert import inert
from aircher.domain.questions import Question
from aircher.domain.routes import Wish
from aircher.tui.screens.desk import STACKED, DeskLayout
from aircher.tui.widgets.diff import DiffView
from aircher.tui.widgets.written import facts_content, message_content
from aircher.tui.words import sentence

SEVERAL = 3

GRACE_S = 0.5
"""An Enter this soon after a message came was meant for the prompt: nobody can have read it."""

_SEEN = 3
"""Earlier messages that another try is told of."""


class CommitScreen(DeskLayout):
    """Ends with the words that tell of the commit, or "".  ``why`` is what the chat was about."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "accept", "Commit", show=False),
        Binding("e", "edit", "Edit", show=False),
        Binding("r", "again", "Another one", show=False),
        Binding("c", "change", "Change in words", show=False),
        Binding("n", "several", "Several to choose among", show=False),
        Binding("right", "choose(1)", "Next", show=False),
        Binding("left", "choose(-1)", "Previous", show=False),
        *(Binding(str(n), f"take({n})", "This one", show=False) for n in range(1, 10)),
        Binding("y", "answer(True)", "Yes", show=False),
        Binding("ctrl+s", "leave_field", "Done", show=False, priority=True),
        Binding("escape", "back", "Back, or close", show=False, priority=True),
        Binding("q", "back", "Close", show=False),
        Binding("ctrl+c", "back", "Close", show=False, priority=True),
    ]

    def __init__(self, desk: CommitDesk, why: str, wish: Wish) -> None:
        super().__init__()
        self._desk = desk
        self._ask = CommitAsk(Changes(()), Setting(""), why, wish=wish)
        self._written: Written | None = None
        self._at = 0
        self._seen: list[CommitMessage] = []
        self._asked: Question | None = None
        self._work: Worker[None] | None = None
        self._notes: list[str] = []
        self._came = 0.0
        self._error = ""
        self._doing = "looking at what is staged ..."

    def on_mount(self) -> None:
        """Begins."""
        super().on_mount()
        self._show()
        self._work = self.run_worker(self._begin(), exit_on_error=False)

    # -- the work

    async def _begin(self) -> None:
        try:
            changes, setting = await self._desk.look()
        except AircherError as error:
            self._fail(error)
            return
        self._ask = replace(self._ask, changes=changes, setting=setting)
        self.query_one(DiffView).show(changes)
        files = len(changes.files)
        on_branch = f" on {inert(setting.branch)}" if setting.branch else ""
        self.query_one("#desk").border_title = (
            f"Commit · {files} file{'s' * (files != 1)} "
            f"+{changes.added:,} -{changes.removed:,}{on_branch}"
        )
        await self._write(self._ask)

    async def _write(self, ask: CommitAsk) -> None:
        self._doing, self._error, self._notes = "asking ...", "", []
        self._show()
        try:
            async with aclosing(self._desk.write(ask)) as events:
                await self._take_in(events)
        except AircherError as error:
            self._fail(error)
        self._doing, self._asked = "", None
        self._came = time.monotonic()
        self._show()

    async def _take_in(self, events: AsyncGenerator[CommitEvent, None]) -> None:
        async for event in events:
            match event:
                case Written():
                    self._written, self._at = event, 0
                    self._notes += event.notes
                case Failed(error):
                    self._fail(error)
                case Asking(question):
                    self._asked = question
                case Routed(plan):
                    self._doing = f"{plan.first.ref} is writing ..."
                case Guarded(findings):
                    self._notes.append(guarded(findings))
                case Notice(text):
                    self._notes.append(text)
                case _:
                    continue
            self._show()

    async def _commit(self, message: CommitMessage, written: Written) -> None:
        self._error = ""
        self._show()
        try:
            commit = await self._desk.commit(message, written, self._ask.changes)
        except AircherError as error:
            self._doing = ""
            self._fail(error)
            self._show()
        else:
            self.dismiss(f"Committed {commit[:10]}: {message.subject}")

    def _fail(self, error: AircherError) -> None:
        self._doing = ""
        self._error = f"{sentence(error.message)}\n{error.hint}".strip()
        self._show()

    # -- what can be done

    @property
    def ready(self) -> bool:
        """True where there is a message to decide about."""
        return self._written is not None and not self._doing and not self._typing

    @property
    def _typing(self) -> bool:
        return self.has_class("-editing") or self.has_class("-changing")

    @property
    def _message(self) -> CommitMessage | None:
        return self._written.messages[self._at] if self._written else None

    def action_accept(self) -> None:
        """Commits the message that is shown."""
        if time.monotonic() - self._came < GRACE_S:
            return
        if self.ready and self._written is not None and self._message is not None:
            self._doing = "committing ..."
            self._work = self.run_worker(
                self._commit(self._message, self._written), exit_on_error=False
            )

    def action_edit(self) -> None:
        """The message as a text to change."""
        if self.ready and self._message is not None:
            editor = self.query_one("#editor", TextArea)
            editor.text = str(self._message).rstrip("\n")
            self.add_class("-editing")
            editor.focus()
            self._show()

    def action_again(self) -> None:
        """Another message."""
        if self.ready or (self._error and not self._doing and self._ask.changes):
            self._rewrite("", 1)

    def action_several(self) -> None:
        """Some messages to choose among."""
        if self.ready:
            self._rewrite("", SEVERAL)

    def action_change(self) -> None:
        """Asks in words what should be different."""
        if self.ready:
            self.add_class("-changing")
            self.query_one("#wish", Input).focus()
            self._show()

    def action_choose(self, by: int) -> None:
        """The next or previous of several."""
        if self.ready and self._written is not None:
            self._at = (self._at + by) % len(self._written.messages)
            self._show()

    def action_take(self, number: int) -> None:
        """That one of several."""
        if self.ready and self._written is not None and number <= len(self._written.messages):
            self._at = number - 1
            self._show()

    def action_answer(self, yes: bool) -> None:
        """The answer to what the writing asks; any other key than y is a no by Esc."""
        if self._asked is not None:
            self._desk.answer(self._asked.id, yes=yes)
            self._asked = None
            self._show()

    def action_leave_field(self) -> None:
        """Takes over what was edited."""
        if self.has_class("-editing"):
            text = self.query_one("#editor", TextArea).text.strip()
            if text and self._written is not None and text != str(self._message).strip():
                subject, _, rest = text.partition("\n")
                messages = list(self._written.messages)
                messages[self._at] = CommitMessage(subject.rstrip(), rest.strip("\n"))
                self._written = replace(self._written, messages=tuple(messages), source="user")
        self.remove_class("-editing", "-changing")
        self.query_one("#wish", Input).clear()
        self.set_focus(None)
        self._show()

    def action_back(self) -> None:
        """Out of a field, with what was edited; no to a question; else out, the message kept."""
        if self._typing:
            self.action_leave_field()
        elif self._asked is not None:
            self.action_answer(yes=False)
        elif self._doing != "committing ...":
            if self._work is not None:
                self._work.cancel()
            kept = ""
            if self._written is not None and self._message is not None:
                kept = "Nothing was committed; the message is kept: aircher commit --retry"
                try:
                    self._desk.keep(self._message, self._written, self._ask.changes)
                except AircherError as error:
                    kept = sentence(error.message)
            self.dismiss(kept)

    @on(Input.Submitted, "#wish")
    def _wished(self, event: Input.Submitted) -> None:
        words = event.value.strip()
        self.action_leave_field()
        if words:
            self._rewrite(words, 1)

    def _rewrite(self, change: str, number: int) -> None:
        if self._message is not None:
            self._seen = [*self._seen, self._message][-_SEEN:]
        earlier = tuple(self._seen[-1:] if change else self._seen) if number == 1 else ()
        ask = replace(self._ask, earlier=earlier, change=change, count=number)
        self._doing = "asking ..."
        self._work = self.run_worker(self._write(ask), exit_on_error=False)

    # -- what is shown

    def _show(self) -> None:
        if not self.is_mounted:
            return
        written = self._written
        self.query_one("#message", Static).update(message_content(written, self._at))
        asked = self._asked.text if self._asked is not None else ""
        facts = facts_content(written, self._notes, self._error, asked, self._doing)
        self.query_one("#facts", Static).update(facts)
        many = len(written.messages) if written else 0
        pane = self.query_one("#message-pane")
        pane.border_subtitle = f"{self._at + 1} of {many}" if many > 1 else ""
        self.query_one("#desk").border_subtitle = self._keys(many)

    def _keys(self, many: int) -> str:
        """What can be done now."""
        if self._asked is not None:
            return "y yes · Esc no"
        if self.has_class("-editing"):
            return "Esc takes the text"
        if self.has_class("-changing"):
            return "Enter asks · Esc back"
        if not self.ready:
            return "r tries again · Esc closes" if self._error else "Esc stops · ↑↓ diff"
        roomy = self.app.size.width >= STACKED
        choose = "←→ choose" if many > 1 else f"n {SEVERAL} to choose" if roomy else "n more"
        offers = ["Enter commit", "e edit", "r another", "c change", choose, "Esc stop", "↑↓ diff"]
        return " · ".join(offers if roomy else offers[:-1])
