"""What each slash command does, and the palette of all of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from textual.app import SuspendNotSupported

from aircher.domain.errors import AircherError
from aircher.domain.routes import Wish
from aircher.tui import slash
from aircher.tui.showing import Showing
from aircher.tui.words import sentence

Handler = Callable[[str], object]


class Commands(Showing):
    """The table from a command's name to its method, and the methods."""

    def run_command(self, name: str, argument: str) -> None:
        """Runs a slash command; a name that does not exist gets an answer, not a bill."""
        handlers: dict[str, Handler] = {
            "help": lambda _: self.action_help(),
            "model": self._set_model,
            "local": self._set_local,
            "task": self._set_task,
            "new": lambda _: self.new_session(),
            "clear": lambda _: self.new_session(),
            "resume": self._resume,
            "rename": self._rename,
            "cost": lambda _: self.action_costs(),
            "status": lambda _: self.action_providers(),
            "reset": self.reset_provider,
            "why": lambda _: self.action_explain(),
            "commit": self._commit,
            "context": lambda _: self.show_context(),
            "compact": lambda _: self.compact(),
            "doctor": lambda _: self.show_doctor(),
            "copy": self._copy,
            "export": self._export,
            "theme": self._theme,
            "config": lambda _: self.show_config(),
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

    def action_command_palette(self) -> None:
        """Everything by name; what is chosen is run."""
        from aircher.tui.palette import entries, rows
        from aircher.tui.screens.pick import PickScreen

        found = {entry.name: entry for entry in entries(self)}

        def done(name: str | None) -> None:
            if name in found:
                self.call_next(found[name].run)

        screen = PickScreen(
            "Everything · type to search actions, models, tasks, themes and chats",
            lambda query: rows(tuple(found.values()), query),
        )
        self.push_screen(screen, done)

    def _commit(self, words: str) -> None:
        """What is staged and a message for it, side by side; the why is what was talked about."""
        if self.services is None:
            return
        from aircher.bootstrap.desk import open_desk
        from aircher.domain.turns import TurnRequest
        from aircher.engine.staying import kept_here
        from aircher.tui.screens.commit import CommitScreen
        from aircher.tui.why import why

        services, session = self.services, self.chat.session_id
        stored = services.sessions.messages(session) if session else ()
        # What a chat holds that must stay on this machine stays there with its why.
        asked = TurnRequest("", wish=Wish(local=self.chat.wish.local))
        asked, _ = kept_here(asked, stored, services.settings.privacy)

        def done(told: str | None) -> None:
            if told:
                self.tell(told)

        self.push_screen(CommitScreen(open_desk(services), why(stored, words), asked.wish), done)

    # -- models and tasks

    def _set_model(self, name: str) -> None:
        if name:
            self.choose_by_name(name)
        else:
            self.action_choose_model()

    def _set_local(self, word: str) -> None:
        """Keeps this chat on this machine, or lets it go elsewhere again."""
        if word not in {"", "on", "off"}:
            self.tell("Say /local, /local on or /local off.")
            return
        on = not self.chat.wish.local if not word else word == "on"
        if self.services is not None and self.services.settings.privacy.local and not on:
            self.tell("privacy.local or --local keeps everything on this machine.")
            return
        self.wish(local=on)
        self.show_welcome()
        self.tell(
            "Only models on this machine are asked now; nothing you write leaves it."
            if on
            else "Models elsewhere may be asked again, with all that this chat holds."
        )

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
        from aircher.bootstrap.exporting import write_new
        from aircher.tui import export

        store = self.services.sessions
        try:
            info = store.info(self.chat.session_id)
            path = Path(name).expanduser() if name else Path(export.file_name(info))
            write_new(path, export.markdown(info, store.messages(info.id)))
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

    # -- the user's editor

    def action_editor(self) -> None:
        """Opens $VISUAL or $EDITOR with the prompt's text; what is saved comes back."""
        from aircher.tui.editor import command, edited

        hidden = self.services.settings.key_variables if self.services else ()
        try:
            with self.suspend():
                text = edited(self.prompt.whole_text, hidden)
        except (OSError, SuspendNotSupported) as error:
            self.tell(
                f"The editor {command()[0]} did not start: {error}. Set EDITOR to one that does."
            )
        else:
            self.prompt.put(text)
