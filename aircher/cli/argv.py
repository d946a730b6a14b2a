"""Which front end a command line is for, decided before anything is parsed."""

from __future__ import annotations

from collections.abc import Collection, Sequence

_PRINT = ("-p", "--print")
_HELP = ("-h", "--help")
_VALUED = ("-r", "--resume", "-m", "--model", "--provider", "--task")
"""The chat's flags that take the next word, so that a value is not taken for a command:
``local`` is a provider as well."""


def ordered(argv: Sequence[str], commands: Collection[str]) -> tuple[str, list[str]]:
    """The command ("" opens the chat) and its command line, the command first.

    ``-p`` means ``ask``; flags that stand before a command are that command's.  A call for help
    stays as it is, so that the top help can answer it.
    """
    at = _first_word(argv)
    if at < len(argv) and argv[at] in commands:
        return argv[at], [argv[at], *argv[:at], *argv[at + 1 :]]
    if any(word in _HELP for word in argv):
        return "help", list(argv)
    rest = [word for word in argv if word not in _PRINT]
    texts = [word for word in rest if word.startswith("--print=")]
    if len(rest) < len(argv) or texts:
        flags = [word for word in rest if word not in texts]
        return "ask", ["ask", *flags, *(text.partition("=")[2] for text in texts)]
    return "", list(argv)


def _first_word(argv: Sequence[str]) -> int:
    """The position of the first word that is neither a flag nor a flag's value.

    Past the end where there is none, or where ``-p`` comes before it: then it is a question.
    """
    at = 0
    while at < len(argv) and argv[at].startswith("-"):
        if argv[at] in _PRINT or argv[at] == "--":
            return len(argv)
        at += 2 if argv[at] in _VALUED else 1
    return at


_LOG_VALUES = {"--log": "file", "--log-level": "level"}


def log_flags(argv: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The command line without the flags of the log, and what they said: file, level, prompts.

    They stand anywhere before ``--``, with every command and with none.
    """
    rest: list[str] = []
    said: dict[str, str] = {}
    words = iter(argv)
    for word in words:
        name, equals, value = word.partition("=")
        if word == "--":
            return [*rest, word, *words], said
        if word == "--log-prompts":
            said["prompts"] = "true"
        elif name in _LOG_VALUES:
            said[_LOG_VALUES[name]] = value if equals else next(words, "")
        else:
            rest.append(word)
    return rest, said
