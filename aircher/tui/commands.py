"""What each slash command does, and the actions that belong to the whole app."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from aircher.domain.errors import AircherError
from aircher.policy.windows import month_start
from aircher.tui import slash
from aircher.tui.choices import Choices
from aircher.tui.words import sentence

if TYPE_CHECKING:  # annotations only: the first frame needs none of it
    from aircher.tui.screens.sheet import Section

Handler = Callable[[str], object]


class Commands(Choices):
    """The table from a command's name to its method, and the methods."""

    def run_command(self, name: str, argument: str) -> None:
        """Runs a slash command; a name that does not exist gets an answer, not a bill."""
        handlers: dict[str, Handler] = {
            "help": lambda _: self.action_help(),
            "model": self._set_model,
            "task": self._set_task,
            "new": lambda _: self.new_session(),
            "clear": lambda _: self.new_session(),
            "resume": self._resume,
            "rename": self._rename,
            "cost": lambda _: self.action_costs(),
            "status": lambda _: self.action_providers(),
            "context": lambda _: self._start_context(),
            "copy": self._copy,
            "export": self._export,
            "theme": self._theme,
            "config": lambda _: self._config(),
            "editor": lambda _: self.action_editor(),
            "quit": lambda _: self.exit(0),
        }
        handler = handlers.get(name)
        if handler is None:
            near = slash.nearest(name)
            hint = f" Did you mean /{near}?" if near else " /help lists them."
            self.tell(f"There is no command /{name}.{hint}")
        elif self.services is None and name not in {"help", "quit"}:
            self.tell("Aircher is still starting; try again in a moment.")
        else:
            handler(argument)

    # -- models and tasks

    def _set_model(self, name: str) -> None:
        if name:
            self.choose_by_name(name)
        else:
            self.action_choose_model()

    def _set_task(self, name: str) -> None:
        if name:
            self.choose_task_by_name(name)
        else:
            self.action_choose_task()

    def _theme(self, name: str) -> None:
        if not name:
            self.choose_theme_from_list()
        elif name in self.available_themes:
            self.theme = name
        else:
            self.tell(f'There is no theme "{name}". There are: {", ".join(self.available_themes)}.')

    # -- chats

    def action_sessions(self, search: str = "") -> None:
        """Earlier chats; Enter opens one."""
        if self.services is None:
            return
        from aircher.tui.screens.sessions import session_screen

        now = self.services.clock.now()
        self.push_screen(session_screen(self.services.sessions, now, search), self._session_chosen)

    def _session_chosen(self, session_id: str | None) -> None:
        if session_id:
            self.open_session(session_id)

    def _resume(self, words: str) -> None:
        if self.services is None:
            return
        from aircher.tui.screens.sessions import session_rows

        found = session_rows(self.services.sessions, words, self.services.clock.now())
        if words and len(found) == 1:
            self.open_session(found[0].value)
        else:
            self.action_sessions(words)

    def action_new_chat(self) -> None:
        """An empty chat; the old one is kept."""
        self.new_session()

    def _rename(self, title: str) -> None:
        if self.services is None:
            return
        if not title:
            self.tell("Say the new title: /rename TITLE")
        elif not self.chat.session_id:
            self.tell("There is no chat to rename yet.")
        else:
            self.services.sessions.rename(self.chat.session_id, title)
            self.chat.title = title
            self.set_status(title=title)
            self.notify(f"Renamed to {title}", markup=False)

    def _export(self, name: str) -> None:
        if self.services is None:
            return
        if not self.chat.session_id:
            self.tell("There is nothing to export yet.")
            return
        from aircher.tui import export

        store = self.services.sessions
        try:
            info = store.info(self.chat.session_id)
            path = Path(name).expanduser() if name else Path(export.file_name(info))
            export.write(path, export.markdown(info, store.messages(info.id)))
        except AircherError as error:
            self.tell(f"{sentence(error.message)} {error.hint}".strip())
        else:
            self.tell(f"Written to {path.resolve()}")

    def _copy(self, what: str) -> None:
        if what == "code":
            self.action_copy_code()
        elif self.chat.answer:
            self.copy_to_clipboard(self.chat.answer)
            self.notify("The last answer is in the clipboard.")
        else:
            self.tell("There is no answer to copy yet.")

    def action_copy_code(self) -> None:
        """The last code block, as the model wrote it."""
        if not self.transcript.copy_last_code():
            self.notify("There is no code block yet.", severity="warning")

    # -- sheets; what they are made of is imported when one is opened

    def _sheet(self, title: str, sections: Sequence[Section]) -> None:
        from aircher.tui.screens.sheet import SheetScreen

        self.push_screen(SheetScreen(title, sections))

    def action_help(self) -> None:
        """Keys and commands."""
        from aircher.tui import sheets

        self._sheet("Help", sheets.help_sections(self.keymap))

    def action_costs(self) -> None:
        """Spending of this month in three tables."""
        if self.services is None:
            return
        from aircher.tui import sheets

        now = self.services.clock.now()
        rows = self.services.usage.rows(month_start(now))
        self._sheet("Costs", sheets.cost_sections(rows, now.tzinfo or UTC))

    def _config(self) -> None:
        if self.services is not None:
            from aircher.tui import sheets

            sections = sheets.config_sections(self.services.settings, self.theme)
            self._sheet("Configuration", sections)

    def _start_context(self) -> None:
        self.work(self._show_context, "context")

    async def _show_context(self) -> None:
        if self.services is None:
            return
        from aircher.domain.turns import TurnRequest
        from aircher.tui import sheets

        request = TurnRequest("", self.chat.session_id, wish=self.chat.wish)
        try:
            preview = await self.services.engine.preview(request)
        except AircherError as error:
            self.tell(f"{sentence(error.message)} {error.hint}".strip())
            return
        first = preview.plan.first
        stored = (
            self.services.sessions.messages(self.chat.session_id) if self.chat.session_id else ()
        )
        sections = sheets.context_sections(
            str(first.ref), self.services.catalog.facts(first.ref), first.estimate, len(stored)
        )
        self._sheet("Context", sections)

    # -- the user's editor

    def action_editor(self) -> None:
        """Opens $VISUAL or $EDITOR with the prompt's text; what is saved comes back."""
        from aircher.tui.editor import command, edited

        try:
            with self.suspend():
                text = edited(self.prompt.text)
        except (OSError, SuspendNotSupported) as error:
            self.tell(
                f"The editor {command()[0]} did not start: {error}. Set EDITOR to one that does."
            )
        else:
            self.prompt.put(text)
