"""The keys, as a table: source of the bindings, of the help screen and of docs/keys.md.

An id is what the user writes in ``[keys]`` ("provider.next" = "f2").  Textual swaps the keys by
id (its keymap), so remapping needs no code of its own beyond checking what the user wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from textual.binding import Binding

from aircher.domain.classes import dataclass
from aircher.tui import slash

Place = Literal["app", "prompt", "question"]
"""Where a key is bound: everywhere, only while the prompt has the focus, or where a question is."""


@dataclass(frozen=True, slots=True)
class KeyAction:
    """One action: its id, default keys (comma-separated), Textual action, help, and when it acts."""

    id: str
    key: str
    action: str
    help: str
    when: str
    place: Place = "app"


ACTIONS: tuple[KeyAction, ...] = (
    KeyAction("prompt.send", "enter", "send", "Send the message", "prompt", "prompt"),
    KeyAction(
        "prompt.newline",
        "ctrl+j,shift+enter,alt+enter",
        "newline",
        "New line; also Shift+Enter, Alt+Enter, or \\ and Enter",
        "prompt",
        "prompt",
    ),
    KeyAction(
        "prompt.complete",
        "tab",
        "complete",
        "Complete /command or @file; while an answer runs: send it next",
        "prompt",
        "prompt",
    ),
    KeyAction("prompt.back", "up", "history_back", "Earlier message", "first line", "prompt"),
    KeyAction("prompt.forward", "down", "history_forward", "Later message", "last line", "prompt"),
    KeyAction(
        "reply.stop",
        "escape",
        "app.stop",
        "Stop the answer, keeping what came; no to a question; twice: edit your last message",
        "any time",
    ),
    KeyAction(
        "app.interrupt",
        "ctrl+c",
        "app.interrupt",
        "Copy the selection; clear the prompt; stop the answer; twice: quit",
        "any time",
    ),
    KeyAction("app.leave", "ctrl+d", "leave", "Quit", "empty prompt", "prompt"),
    KeyAction(
        "wait.skip",
        "f8",
        "app.skip_wait",
        "Skip the wait: for a retry, or for a rate limit",
        "waiting",
    ),
    KeyAction("question.yes", "y", "answer(True)", "Yes", "a question is asked", "question"),
    KeyAction("question.no", "n", "answer(False)", "No", "a question is asked", "question"),
    KeyAction("provider.next", "f2", "app.next_model(1)", "Next model", "any time"),
    KeyAction("provider.previous", "shift+f2", "app.next_model(-1)", "Previous model", "any time"),
    KeyAction(
        "choice.automatic",
        "f6",
        "app.automatic",
        "Give the choice of model and task back to Aircher",
        "any time",
    ),
    KeyAction("task.choose", "f3", "app.choose_task", "Say what kind of task it is", "any time"),
    KeyAction("choice.explain", "f9", "app.explain", "Why this task and this model", "any time"),
    KeyAction("provider.panel", "f4", "app.providers", "Providers: state and choice", "any time"),
    KeyAction(
        "provider.reset",
        "shift+f4",
        "app.reset_providers",
        "Let paused providers be tried again",
        "any time",
    ),
    KeyAction("costs.show", "f5", "app.costs", "Costs by provider, model and task", "any time"),
    KeyAction("model.choose", "f7", "app.choose_model", "Choose a model from the list", "any time"),
    KeyAction("sessions.show", "ctrl+r", "app.sessions", "Earlier chats, with search", "any time"),
    KeyAction("session.new", "ctrl+n", "app.new_chat", "New chat", "any time"),
    KeyAction("palette.open", "ctrl+p", "app.command_palette", "Everything, by name", "any time"),
    KeyAction(
        "prompt.editor", "ctrl+g", "app.editor", "Write the message in your editor", "any time"
    ),
    KeyAction(
        "sidebar.toggle", "ctrl+t", "app.toggle_sidebar", "Show or hide the side panel", "any time"
    ),
    KeyAction("code.copy", "ctrl+o", "app.copy_code", "Copy the last code block", "any time"),
    KeyAction(
        "transcript.up",
        "pageup",
        "app.page(-1)",
        "Scroll the conversation up",
        "any time",
        "prompt",
    ),
    KeyAction(
        "transcript.down",
        "pagedown",
        "app.page(1)",
        "Scroll the conversation down",
        "any time",
        "prompt",
    ),
    KeyAction("transcript.end", "ctrl+end", "app.bottom", "Jump to the newest line", "any time"),
    KeyAction("help.show", "f1", "app.help", "This help", "any time"),
    KeyAction("help.ask", "question_mark", "help_if_empty", "This help", "empty prompt", "prompt"),
)

BY_ID: Mapping[str, KeyAction] = {action.id: action for action in ACTIONS}

APP_ACTIONS = frozenset(
    action.action.removeprefix("app.").split("(")[0] for action in ACTIONS if action.place == "app"
)
"""The names of the app's actions, as Textual asks for them."""

_SHOWN = {
    "escape": "Esc",
    "question_mark": "?",
    "enter": "Enter",
    "tab": "Tab",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "up": "↑",
    "down": "↓",
    "end": "End",
    "home": "Home",
    "space": "Space",
}


def shown(key: str) -> str:
    """A key string as people write it: "ctrl+p" -> "^P", "shift+f2" -> "Shift+F2"."""
    names = []
    for one in key.split(","):
        *modifiers, last = one.strip().split("+")
        name = _SHOWN.get(last, last.upper() if len(last) <= 3 else last.capitalize())
        if not modifiers and len(last) == 1:
            names.append(last)
        elif modifiers == ["ctrl"] and len(last) == 1:
            names.append(f"^{last.upper()}")
        else:
            names.append("+".join([*(word.capitalize() for word in modifiers), name]))
    return ", ".join(names)


def bindings() -> list[Binding]:
    """The app's keys as Textual bindings, which act before the text area's own."""
    return [
        Binding(action.key, action.action, action.help, show=False, id=action.id, priority=True)
        for action in ACTIONS
        if action.place == "app"
    ]


def prompt_keys(changed: Mapping[str, str]) -> dict[str, str]:
    """Key -> action of the keys that the prompt handles itself, in the order of typing."""
    return {
        key: action.action
        for action in ACTIONS
        if action.place == "prompt"
        for key in changed.get(action.id, action.key).split(",")
    }


def check(wanted: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The user's keys that can be used, and one sentence for each that cannot.

    An unknown id, an empty key, or a key that another action keeps is left out, so that the
    program always starts with every action reachable.
    """
    import difflib

    problems: list[str] = []
    usable: dict[str, str] = {}
    for action_id, key in wanted.items():
        if action_id not in BY_ID:
            near = difflib.get_close_matches(action_id, BY_ID, n=1)
            hint = f' (did you mean "{near[0]}"?)' if near else " (F1 lists the names)"
            problems.append(f'There is no key action named "{action_id}"{hint}.')
        elif not key.strip():
            problems.append(f'The key for "{action_id}" is empty; its default stays.')
        else:
            usable[action_id] = ",".join(part.strip().lower() for part in key.split(","))
    for action_id in list(usable):
        taken = {
            key: other.id
            for other in ACTIONS
            if other.id != action_id
            for key in usable.get(other.id, other.key).split(",")
        }
        clash = next((key for key in usable[action_id].split(",") if key in taken), "")
        if clash:
            problems.append(
                f'The key "{clash}" for "{action_id}" is already used by '
                f'"{taken[clash]}"; the default stays.'
            )
            del usable[action_id]
    return usable, problems


def key_for(action_id: str, changed: Mapping[str, str]) -> str:
    """The first key of an action, as shown to the user."""
    return shown(changed.get(action_id, BY_ID[action_id].key).split(",")[0])


def _when(when: str) -> str:
    return "" if when in {"any time", "prompt"} else f" ({when})"


def rows(changed: Mapping[str, str]) -> list[tuple[str, str]]:
    """(key, what it does and when) for the help screen."""
    return [
        (shown(changed.get(a.id, a.key).split(",")[0]), a.help + _when(a.when)) for a in ACTIONS
    ]


_ELSEWHERE = """\
In a list: typing narrows it, Enter takes a row, Esc closes it. In the list of providers Tab shows
details, Ctrl+R lets a paused one be tried again, and Ctrl+T asks it for its models. While the
conversation has the focus: `[` and `]` go from message to message, `p` and `n` to code and links,
Enter opens a link or copies code, `c` copies code, and `t` shows a model's reasoning."""


def markdown() -> str:
    """docs/keys.md; ``python -m aircher.tui.keys > docs/keys.md`` writes it."""
    lines = [
        "# Keys",
        "",
        "Every key can be changed in the configuration file by the name of its action:",
        "",
        "```toml",
        "[keys]",
        '"provider.next" = "f2"',
        "```",
        "",
        "| Key | Name | What it does | When |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {', '.join(f'`{key}`' for key in a.key.split(','))} | `{a.id}` | {a.help} | {a.when} |"
        for a in ACTIONS
    ]
    lines += [
        "",
        "A name that does not exist, or a key that another action already has, is reported when",
        "Aircher starts and otherwise ignored.",
        "",
        *_ELSEWHERE.splitlines(),
        "",
        "## Commands",
        "",
        "Typed into the prompt; Tab completes them. `@` and a part of a name attach a file.",
        "",
        "| Command | What it does |",
        "|---|---|",
        *(f"| `{usage.replace('|', chr(92) + '|')}` | {does} |" for usage, does in slash.rows()),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown(), end="")
