"""The palette: everything by name, found by a few of its letters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from textual.fuzzy import Matcher

from aircher.domain.classes import dataclass
from aircher.domain.tasks import TASKS, task_name
from aircher.tui import keys, slash
from aircher.tui.choices import Choices
from aircher.tui.screens.pick import Row
from aircher.tui.screens.sessions import session_rows

MOST_ROWS = 60

_ACTIONS = (
    "provider.next",
    "provider.previous",
    "choice.automatic",
    "choice.explain",
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


@dataclass(frozen=True, slots=True)
class Entry:
    """A thing that can be done: its name, its key or a word about it, and how it is done.

    ``at_once`` entries are listed before anything is typed.
    """

    name: str
    right: str
    run: Callable[[], object]
    at_once: bool = False


def entries(app: Choices) -> Iterator[Entry]:
    """Actions with their keys, commands, models, tasks, themes and earlier chats."""
    for action_id in _ACTIONS:
        action = keys.BY_ID[action_id]
        name = action.action.removeprefix("app.")
        yield Entry(action.help, app.key(action_id), partial(app.run_action, name), at_once=True)
    for command in slash.COMMANDS:
        if command.argument == "" or command.argument.startswith("["):
            run = partial(app.run_command, command.name, "")
            yield Entry(f"/{command.name}", command.help, run, at_once=True)
    for ref in app.standing_models():
        yield Entry(f"Model: {ref}", "from now on", partial(app.use, ref))
    for task in app.services.engine.learning.tasks if app.services else TASKS:
        run = partial(app.choose_task_by_name, task)
        yield Entry(f"Task: {task_name(task)}", "for the next messages", run)
    for theme in sorted(app.available_themes):
        yield Entry(f"Theme: {theme}", "colours", partial(setattr, app, "theme", theme))
    if app.services is not None:
        for row in session_rows(app.services.sessions, "", app.services.clock.now()):
            yield Entry(f"Chat: {row.name}", row.right, partial(app.open_session, row.value))


def rows(all_entries: Sequence[Entry], query: str) -> list[Row]:
    """What matches, best first; without a query what can be done at once."""
    if not query:
        return [Row(one.name, one.name, one.right) for one in all_entries if one.at_once]
    matcher = Matcher(query)
    scored = [(matcher.match(f"{one.name} {one.right}"), one) for one in all_entries]
    scored = sorted((pair for pair in scored if pair[0] > 0), key=lambda pair: -pair[0])
    return [Row(one.name, one.name, one.right) for _, one in scored[:MOST_ROWS]]
