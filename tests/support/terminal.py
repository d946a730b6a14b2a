"""A real terminal for the real program: one tmux server for each test, with one pane."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from tests.support.program import AIRCHER

WAIT_S = 20.0
"""How long a story waits for what must come; generous, since the machine may be busy."""

_POLL_S = 0.03

Wanted = str | re.Pattern[str] | Callable[[str], bool]
"""A text on the screen, a pattern in it, or a question about it."""


def tmux_found() -> bool:
    """True where there is a tmux to drive."""
    return shutil.which("tmux") is not None


class Terminal:
    """One pane of a fixed size; what it shows is read as text.

    The program gets the environment of the test (its own HOME, no keys) and ``env`` on top;
    tmux is kept from the user's own settings and servers.
    """

    def __init__(self, columns: int, rows: int, env: Mapping[str, str], cwd: Path) -> None:
        self.columns, self.rows, self.cwd = columns, rows, cwd
        foreign = {"TMUX", "TMUX_PANE", "COLUMNS", "LINES", "NO_COLOR", "CI"}
        inherited = {k: v for k, v in os.environ.items() if k not in foreign}
        self._env = {
            **inherited,
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "AIRCHER_DISCOVER": "false",
            **env,
        }
        self._socket = f"aircher-{os.getpid()}-{uuid4().hex[:8]}"

    # -- running

    def start(self, command: Sequence[str] = AIRCHER) -> None:
        """Starts the program in the pane; the pane stays when the program ends."""
        self._tmux(
            *("start-server", ";"),
            *("set-option", "-g", "default-terminal", "tmux-256color", ";"),
            *("set-option", "-g", "remain-on-exit", "on", ";"),
            *("set-option", "-g", "set-clipboard", "on", ";"),
            *("set-option", "-g", "allow-rename", "on", ";"),
            *("set-option", "-s", "escape-time", "0", ";"),
            *("new-session", "-d", "-x", str(self.columns), "-y", str(self.rows)),
            *("-c", str(self.cwd), "--", *command),
        )

    def again(self, command: Sequence[str] = AIRCHER) -> None:
        """Starts a program in the same pane, after the one before has ended."""
        self._tmux("respawn-pane", "-k", "-c", str(self.cwd), "--", *command)

    def close(self) -> None:
        """Ends the tmux server and with it whatever still runs."""
        path = self._tmux("display-message", "-p", "#{socket_path}", check=False).strip()
        self._tmux("kill-server", check=False)
        if path:
            Path(path).unlink(missing_ok=True)  # tmux leaves it behind

    # -- doing

    def type(self, text: str) -> None:
        """Types the text, letter by letter for the program."""
        self._tmux("send-keys", "-l", "--", text)

    def key(self, *names: str) -> None:
        """Presses keys by tmux's names: "Enter", "F2", "S-F2", "C-c", "Escape"."""
        self._tmux("send-keys", *names)

    def paste(self, text: str) -> None:
        """Pastes as a terminal does, bracketed."""
        self._tmux("load-buffer", "-b", "pasted", "-", stdin=text)
        self._tmux("paste-buffer", "-p", "-d", "-b", "pasted")

    def resize(self, columns: int, rows: int) -> None:
        """Changes the size of the window."""
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    # -- looking

    def screen(self) -> str:
        """What is shown, one line per row, blanks at line ends left out."""
        return self._tmux("capture-pane", "-p")

    def conversation(self) -> str:
        """What stands left of the sidebar, on one line with single blanks."""
        lines = self.screen().splitlines()
        edge = max((line.find("╭─ Cost") for line in lines), default=-1)
        return " ".join(" ".join(line[:edge] if edge > 0 else line for line in lines).split())

    def value(self, name: str) -> str:
        """A value tmux knows of the pane: "alternate_on", "pane_title", "pane_pid" ..."""
        return self._tmux("display-message", "-p", f"#{{{name}}}").strip()

    def buffers(self) -> str:
        """tmux's clipboard; "" where nothing was ever copied."""
        return self._tmux("list-buffers", check=False)

    @property
    def pid(self) -> int:
        """The program's process."""
        return int(self.value("pane_pid"))

    async def wait_for(self, wanted: Wanted, timeout: float = WAIT_S) -> str:
        """The screen once ``wanted`` is on it; else fails, showing the screen as it is."""
        shown = _question(wanted)
        return await self._until(self.screen, shown, f"{wanted!r} on the screen", timeout)

    async def wait_gone(self, unwanted: str, timeout: float = WAIT_S) -> str:
        """The screen once a text has left it."""
        gone = lambda screen: unwanted not in screen  # noqa: E731 - it is said in one line
        return await self._until(self.screen, gone, f"{unwanted!r} leaving the screen", timeout)

    async def wait_ended(self, timeout: float = WAIT_S) -> int:
        """The program's exit code once it has ended; minus the signal's number if one ended it."""
        ended = await self._until(self._end, bool, "the program ending", timeout)
        status, _, by_signal = ended.partition("/")
        return int(status) if status else -int(by_signal)

    def _end(self) -> str:
        """ "status/" or "/signal" of a program that has ended, else ""."""
        dead, _, end = self._tmux(
            *("display-message", "-p", "#{pane_dead},#{pane_dead_status}/#{pane_dead_signal}")
        ).strip().partition(",")  # fmt: skip
        if dead == "1" and end == "/":
            # tmux may miss that its child is gone (seen with 3.3a); told again, it looks.
            os.kill(int(self.value("pid")), signal.SIGCHLD)
        return "" if end == "/" else end

    async def _until(
        self, read: Callable[[], str], ask: Callable[[str], bool], what: str, timeout: float
    ) -> str:
        end = time.monotonic() + timeout
        while not ask(seen := read()):
            if time.monotonic() > end:
                shown = self.screen()
                raise AssertionError(f"waited {timeout:g} s for {what}; the screen is:\n{shown}")
            await asyncio.sleep(_POLL_S)
        return seen

    def _tmux(self, *words: str, stdin: str = "", check: bool = True) -> str:
        done = subprocess.run(
            ["tmux", "-L", self._socket, "-f", os.devnull, *words],
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            env=self._env,
            check=False,
            timeout=30,
        )
        assert not check or done.returncode == 0, f"tmux {words[0]}: {done.stderr}"
        return done.stdout


def _question(wanted: Wanted) -> Callable[[str], bool]:
    match wanted:
        case str():
            return lambda screen: wanted in screen
        case re.Pattern():
            return lambda screen: wanted.search(screen) is not None
        case _:
            return wanted


@contextmanager
def terminal(
    cwd: Path, columns: int = 120, rows: int = 36, env: Mapping[str, str] | None = None
) -> Iterator[Terminal]:
    """A terminal that is closed whatever happens."""
    made = Terminal(columns, rows, env or {}, cwd)
    try:
        yield made
    finally:
        made.close()
