"""The slash commands, as a table: source of completion, of the help screen and of dispatch."""

from __future__ import annotations

from aircher.domain.classes import dataclass


@dataclass(frozen=True, slots=True)
class SlashCommand:
    """One command: its name, what may follow it, and what it does."""

    name: str
    argument: str
    help: str


COMMANDS: tuple[SlashCommand, ...] = (
    SlashCommand("help", "", "keys and commands"),
    SlashCommand("model", "[NAME|auto]", "choose the model; auto gives the choice back"),
    SlashCommand("local", "[on|off]", "use only models on this machine; nothing leaves it"),
    SlashCommand("task", "[NAME|auto]", "say what kind of task it is"),
    SlashCommand("new", "", "start a new chat"),
    SlashCommand("resume", "[WORDS]", "open an earlier chat"),
    SlashCommand("rename", "TITLE", "rename this chat"),
    SlashCommand("cost", "", "what was spent, by provider, model and task"),
    SlashCommand("status", "", "providers and how they are doing"),
    SlashCommand("reset", "[NAME[/MODEL]]", "let what is paused after failures be tried again"),
    SlashCommand("why", "", "why this task and this model"),
    SlashCommand("commit", "[WHY]", "write the message for what is staged, and commit it"),
    SlashCommand("context", "", "how full the model's window is"),
    SlashCommand("compact", "", "summarise what was said so far, to make room"),
    SlashCommand("copy", "[code]", "copy the last answer, or its last code block"),
    SlashCommand("export", "[FILE]", "write this chat to a Markdown file"),
    SlashCommand("theme", "[NAME]", "change the colours"),
    SlashCommand("config", "", "what is configured, and where"),
    SlashCommand("doctor", "", "what works on this machine, and what to do about the rest"),
    SlashCommand("editor", "", "write the message in your editor"),
    SlashCommand("clear", "", "clear the screen and start a new chat; the old one is kept"),
    SlashCommand("quit", "", "leave"),
)

NAMES = tuple(command.name for command in COMMANDS)


def parse(text: str) -> tuple[str, str] | None:
    """(name, argument) if ``text`` is one of our commands, else None.

    A text such as "/etc/hosts is broken" is no command and goes to the model.  A single word
    after the slash that is no command is returned too, with its name, so that a typing mistake
    is answered instead of being paid for.
    """
    if not text.startswith("/") or "\n" in text.strip():
        return None
    name, _, argument = text[1:].strip().partition(" ")
    if name in NAMES:
        return name, argument.strip()
    if name.isidentifier() and not argument:
        return name, ""
    return None


def matching(prefix: str) -> list[SlashCommand]:
    """The commands for a prefix without its slash: those that begin so, then those that hold it."""
    word = prefix.lower()
    first = [command for command in COMMANDS if command.name.startswith(word)]
    return first + [c for c in COMMANDS if word in c.name and c not in first]


def nearest(name: str) -> str:
    """The command most like a mistyped one, or ""."""
    import difflib

    return next(iter(difflib.get_close_matches(name, NAMES, n=1)), "")


def rows() -> list[tuple[str, str]]:
    """(usage, what it does) for the help screen."""
    return [(f"/{c.name} {c.argument}".rstrip(), c.help) for c in COMMANDS]
