"""The command palette: everything by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from aircher.domain.tasks import TASKS
from aircher.tui import keys, slash
from aircher.tui.commands import Commands
from aircher.tui.screens.sessions import session_rows
from aircher.tui.words import task_name

Entry = tuple[str, str, Callable[[], object]]
"""Name, help, what it does."""

_ACTIONS = (
    "provider.next",
    "choice.automatic",
    "model.choose",
    "task.choose",
    "provider.panel",
    "costs.show",
    "sessions.show",
    "session.new",
    "sidebar.toggle",
    "prompt.editor",
    "code.copy",
    "help.show",
)


def actions(app: Commands) -> Iterator[Entry]:
    """The actions of the key table that make sense by name, each with its key."""
    for action_id in _ACTIONS:
        action = keys.BY_ID[action_id]
        name = action.action.removeprefix("app.")
        yield action.help, app.key(action_id), partial(app.run_action, name)


def commands(app: Commands) -> Iterator[Entry]:
    """The slash commands that need no argument."""
    for command in slash.COMMANDS:
        if command.argument == "" or command.argument.startswith("["):
            yield f"/{command.name}", command.help, partial(app.run_command, command.name, "")


def choices(app: Commands) -> Iterator[Entry]:
    """Models, tasks, themes and earlier chats."""
    for ref in app.standing_models():
        yield f"Model: {ref}", "use it from now on", partial(app.use, ref)
    for task in TASKS:
        name = task_name(task)
        yield f"Task: {name}", "for the next messages", partial(app.choose_task_by_name, task)
    for theme in sorted(app.available_themes):
        yield f"Theme: {theme}", "change the colours", partial(setattr, app, "theme", theme)
    if app.services is not None:
        for row in session_rows(app.services.sessions, "", app.services.clock.now()):
            yield f"Chat: {row.name}", row.right, partial(app.open_session, row.value)


class Everything(Provider):
    """All of it, matched fuzzily; without a query the actions and the commands."""

    def _entries(self, *, all_of_them: bool) -> Iterator[Entry]:
        app = self.app
        if not isinstance(app, Commands):
            return
        yield from actions(app)
        yield from commands(app)
        if all_of_them:
            yield from choices(app)

    async def discover(self) -> Hits:
        """What is shown before anything is typed."""
        for name, words, run in self._entries(all_of_them=False):
            yield DiscoveryHit(name, run, help=words)

    async def search(self, query: str) -> Hits:
        """What matches."""
        matcher = self.matcher(query)
        for name, words, run in self._entries(all_of_them=True):
            score = matcher.match(name)
            if score > 0:
                yield Hit(score, matcher.highlight(name), run, help=words)
