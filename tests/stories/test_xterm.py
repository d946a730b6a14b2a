"""The same in a real xterm that would obey: its clipboard and its title stay as they were."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.conftest import Vendors
from tests.stories.vendor import answer
from tests.support.program import AIRCHER
from tests.support.ptys import words
from tests.support.sequences import payloads

_NEEDED = ("Xvfb", "xterm", "xclip", "xdotool", "xwininfo", "script")
pytestmark = [
    pytest.mark.security,
    pytest.mark.skipif(
        not all(map(shutil.which, _NEEDED)),
        reason="needs apt install xvfb xterm xclip xdotool x11-utils",
    ),
]


@pytest.fixture
def display() -> Iterator[str]:
    """An X server of our own, without a screen."""
    seen, told = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(told), "-nolisten", "tcp"],
        pass_fds=[told],
        stderr=subprocess.DEVNULL,
    )
    os.close(told)
    with os.fdopen(seen) as reader:
        number = reader.readline().strip()
    yield f":{number}"
    server.send_signal(signal.SIGTERM)
    server.wait()


class Xterm:
    """An xterm that allows everything; what the program writes is logged on the way."""

    def __init__(self, display: str, log: Path, env: dict[str, str]) -> None:
        self.env = {**os.environ, **env, "DISPLAY": display, "LANG": "C.UTF-8"}
        allow = [
            f"-xrm=*{what}: true" for what in ("allowWindowOps", "allowTitleOps", "allowTcapOps")
        ]
        words = [word for one in allow for word in ("-xrm", one.removeprefix("-xrm="))]
        words += ["-xrm", "*disallowedWindowOps: ", "-T", "as it was", "-geometry", "120x36"]
        run = ("timeout", "120", "script", "-qfc", shlex.join(AIRCHER), str(log))
        self.process = subprocess.Popen(["xterm", *words, "-e", *run], env=self.env, cwd=log.parent)

    def asked(self, *words: str) -> str:
        ran = subprocess.run(words, env=self.env, capture_output=True, text=True, check=False)
        return ran.stdout.strip()

    def title(self) -> str:
        tree = self.asked("xwininfo", "-root", "-tree")
        return next((line for line in tree.splitlines() if "XTerm" in line), "")


async def test_neither_clipboard_nor_title_change(
    vendors: Vendors, project: Path, display: str, tmp_path: Path
) -> None:
    hostile = [text.encode("utf-8", "replace").decode() for text in payloads().values()]
    vendors.answers(answer("before\n\n", *hostile, "\n\nthe end of it"))
    env = {**os.environ, "DISPLAY": display}
    for selection in ("clipboard", "primary"):
        words = ("xclip", "-selection", selection)
        subprocess.run(words, input=b"mine", env=env, check=True, stdout=subprocess.DEVNULL)
    log = project / "log"
    xterm = Xterm(display, log, {"ALPHA_KEY": "sk-alpha-0123456789abcdef"})
    try:
        await shown(log, b"Answers now", b"Ask anything")
        before = xterm.title()
        assert "as it was" in before
        _type(xterm, "hello")
        await shown(log, b"the end of it")
        assert xterm.title() == before
        for selection in ("clipboard", "primary"):
            assert xterm.asked("xclip", "-o", "-selection", selection) == "mine"
    finally:
        xterm.process.terminate()
        xterm.process.wait()


def _type(xterm: Xterm, text: str) -> None:
    keys = [*text, "Return"]
    focus = ["search", "--class", "XTerm", "windowfocus", "--sync"]  # no window manager gives it
    subprocess.run(["xdotool", *focus, "key", "--delay", "30", *keys], env=xterm.env, check=True)


async def shown(log: Path, *wanted: bytes) -> None:
    """Returns once one of these was written to the terminal."""
    async with asyncio.timeout(30):
        while not (log.exists() and any(word in words(log.read_bytes()) for word in wanted)):
            await asyncio.sleep(0.1)
