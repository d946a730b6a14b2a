"""The flags of the log, and what is said of it."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping

from aircher import __version__
from aircher.bootstrap import logs
from aircher.bootstrap.configuring import key_values, load_config
from aircher.domain.errors import UsageError
from aircher.domain.inert import inert


def begin(said: Mapping[str, str], command: str) -> None:
    """Starts the log; flags come before settings.

    Raises ``UsageError`` for a level that there is not, and for a file that cannot be written.
    """
    config = load_config()
    file = said.get("file", config.log.file)
    level = said.get("level", config.log.level)
    if not file:
        raise UsageError("There is no file to log to.", hint="Name one: --log FILE")
    if level not in logs.LEVELS:
        raise UsageError(
            f"There is no log level {level!r}.", hint=f"Levels are: {', '.join(logs.LEVELS)}."
        )
    prompts = config.log.prompts or "prompts" in said
    logs.begin(logs.Log(file, level, prompts), key_values(config))
    if prompts:
        print(f"aircher: prompts and answers are written to {inert(file)}.", file=sys.stderr)
    sys.excepthook = logs.with_crashes(sys.excepthook)
    logs.note(
        "begin",
        command=command or "chat",
        version=__version__,
        python=platform.python_version(),
        platform=sys.platform,
    )


def end(code: int) -> int:
    """Notes the exit code and gives it back."""
    logs.note("end", code=code)
    return code
