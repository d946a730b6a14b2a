"""The chat app: puts the parts together, and begins before anything slow is done."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Key
from textual.widgets import TextArea

from aircher.domain.errors import AircherError
from aircher.domain.routes import Wish
from aircher.tui import garbage, keys, slash, theme
from aircher.tui.base import OpenServices
from aircher.tui.commands import Commands
from aircher.tui.messages import CompletionWanted, Submitted
from aircher.tui.panels import Panels
from aircher.tui.signals import leave_on_signals
from aircher.tui.starting import Starting
from aircher.tui.turns import Turns
from aircher.tui.widgets.completion import Candidate, Completion
from aircher.tui.widgets.keybar import KeyBar
from aircher.tui.widgets.prompt import Prompt
from aircher.tui.widgets.status import StatusLine
from aircher.tui.widgets.welcome import Welcome
from aircher.tui.words import sentence

_TWICE_S = 1.0
"""Two presses of a key within this time count as a double press."""


class AircherApp(Starting, Turns, Panels, Commands):
    """See the modules it is made of: starting, sending, turns, panels, commands, showing,
    choices, base.
    """

    TITLE = "Aircher"
    CSS_PATH = "styles/aircher.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings()]
    ENABLE_COMMAND_PALETTE = False  # ours is a list like the others
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - Textual declares it
        (0, "-narrow"),
        (60, "-normal"),
        (100, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]  # noqa: RUF012 - Textual declares it

    def __init__(
        self, open_services: OpenServices, *, session_id: str = "", wish: Wish | None = None
    ) -> None:
        super().__init__(open_services, session_id=session_id, wish=wish or Wish())
        self._last_press: dict[str, float] = {}
        first = theme.default()
        if first is not None:  # the others are read after the first frame
            self.register_theme(first)
            self.theme = first.name

    def compose(self) -> ComposeResult:
        """What the first frame shows; the sidebar and what is hidden at first come behind it."""
        with Horizontal(id="body"), Vertical(id="conversation"):
            yield Welcome(id="welcome")
        yield Prompt(Completion(id="completion", markup=False), id="prompt")
        yield StatusLine(id="status")
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        """Shows what can be shown without services; those are opened after the first frame."""
        leave_on_signals(self.exit)
        self.prompt.focus()
        self.show_welcome()
        self.show_hints()
        self.call_after_refresh(self._open)

    # -- the prompt

    @on(Submitted)
    def _submitted(self, event: Submitted) -> None:
        text = event.text.strip()
        if not text:
            return
        command = slash.parse(text)
        if command is not None:
            self.run_command(*command)
        else:
            self.submit(text)

    @on(TextArea.Changed, "#prompt")
    def _typed(self) -> None:
        self.plan_ahead()

    @on(CompletionWanted)
    def _complete(self, event: CompletionWanted) -> None:
        if event.kind == "command":
            found = [
                Candidate(f"/{command.name}", f"{command.argument} {command.help}".strip())
                for command in slash.matching(event.query)
            ]
        else:
            self.work(partial(self._find_files, event.query), "files")
            return
        self.prompt.offer(event.kind, event.query, found)

    async def _find_files(self, query: str) -> None:
        """In a thread: the first look at a big work tree takes a while."""
        if self.services is None:
            return
        paths = await asyncio.to_thread(self.services.workspace.find, query, limit=8)
        if not self.leaving:
            self.prompt.offer("file", query, [Candidate(f"@{path}") for path in paths])

    # -- chats

    def open_session(self, session_id: str) -> None:
        """Shows an earlier chat, which then goes on."""
        if self.services is None:
            return
        if self.chat.busy:
            self.notify("An answer is under way: stop it first.", severity="warning")
            return
        try:
            info = self.services.sessions.info(session_id)
        except AircherError as error:
            self.tell(f"{sentence(error.message)} {error.hint}".strip())
            return
        from aircher.engine.conversation import as_prompt
        from aircher.tui.stored import entries

        stored = self.services.sessions.messages(info.id)
        chat = self.chat
        chat.session_id, chat.title = info.id, info.title
        chat.said = [m.message.text for m in stored if m.message.role == "user"]
        answers = [m.text for m in as_prompt(stored) if m.role == "assistant"]
        chat.answer = answers[-1] if answers else ""
        self.prompt.set_history([*chat.before, *chat.said])
        self.leave_welcome()
        self.transcript.load(entries(stored))
        self.refresh_panels()
        self.plan_ahead(at_once=True)
        self.prompt.focus()

    def new_session(self) -> None:
        """An empty chat; the old one stays on disk."""
        if self.chat.busy:
            self.notify("An answer is under way: stop it first.", severity="warning")
            return
        chat = self.chat
        chat.session_id = chat.title = chat.answer = ""
        chat.files.clear()
        self.transcript.clear()
        self.home.set_class(False, "-talking")
        self.show_chips()
        self.show_welcome()
        self.refresh_panels()
        self.plan_ahead(at_once=True)

    # -- keys that mean several things

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The chat's keys rest while another screen lies above it, which has its own."""
        if action in keys.APP_ACTIONS and len(self.screen_stack) > 1:
            return False
        return super().check_action(action, parameters)

    def _twice(self, key: str) -> bool:
        """True at the second press within a second."""
        now = time.monotonic()
        again = now - self._last_press.get(key, -9.0) < _TWICE_S
        self._last_press[key] = now
        return again

    def action_stop(self) -> None:
        """Esc: says no to a question, closes a list, stops the answer; twice: the last message,
        for editing.
        """
        if self.refuse_question():
            return
        self.prompt.focus()
        if self.prompt.close_completion() or self.stop_reply():
            return
        if self._twice("escape") and self.chat.said and not self.prompt.text:
            self.prompt.put(self.chat.said[-1])

    def action_interrupt(self) -> None:
        """Ctrl+C: copies, else clears the prompt, else stops the answer; a second press quits."""
        selected = self.screen.get_selected_text()
        if self.prompt.selected_text:
            self.prompt.action_copy()
        elif selected:
            self.copy_to_clipboard(selected)
            self.screen.clear_selection()
        elif self.prompt.text:
            self.prompt.put("")
        elif self._twice("ctrl+c"):
            self.exit(0)
        elif not self.stop_reply():
            self.notify(f"Press {self.key('app.interrupt')} again to quit.", timeout=2)

    def on_key(self, event: Key) -> None:
        """Text typed while the conversation has the focus goes where text belongs."""
        if self.focused is not self._transcript or self._transcript is None:
            return
        if event.is_printable and event.character and event.key not in self.screen.active_bindings:
            event.prevent_default()
            self.prompt.focus()
            self.prompt.insert(event.character)

    # -- scrolling

    def action_page(self, pages: int) -> None:
        """The conversation, most of a screen up or down."""
        step = max(1, self.transcript.size.height - 2)
        self.transcript.scroll_relative(y=pages * step, animate=False)

    def action_bottom(self) -> None:
        """The newest line."""
        self.transcript.scroll_end(animate=False)

    # -- leaving

    async def on_unmount(self) -> None:
        """Closes connections and the database."""
        garbage.end()
        if self.services is not None:
            await self.services.aclose()


def run(open_services: OpenServices, *, session_id: str = "", wish: Wish | None = None) -> int:
    """Runs the app until the user leaves; returns the exit code.

    ``open_services`` is called after the first frame, on the event loop's thread.
    """
    app = AircherApp(open_services, session_id=session_id, wish=wish)
    code = app.run()
    return (app.return_code or 0) if code is None else code  # None: a fault of ours ended it
