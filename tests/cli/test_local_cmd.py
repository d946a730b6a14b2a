"""The words of aircher local; what it does is tested beside the provider."""

from __future__ import annotations

import io

import pytest

from aircher.bootstrap.local import Status
from aircher.cli.local import status_lines
from aircher.cli.progress import ProgressLine, progress_text


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("done", "total", "text"),
    [
        (0, 93_000_000, "[------------------------]  0/93 MB"),
        (46_500_000, 93_000_000, "[############------------]  46/93 MB"),
        (93_000_000, 93_000_000, "[########################]  93/93 MB"),
        (5_000_000, None, "5 MB"),
        (0, 0, "0 MB"),
    ],
)
def test_progress(done: int, total: int | None, text: str) -> None:
    line = progress_text("Fetching the built-in model", done, total)
    assert line.endswith(text)
    assert len(line) < 80


def test_a_terminal_gets_one_line_rewritten_and_ended() -> None:
    out = Terminal()
    line = ProgressLine(out, "Fetching the built-in model")
    for done in range(101):
        line(done * 1_000_000, 100_000_000)
    line.close()
    text = out.getvalue()
    assert text.count("\n") == 1
    assert text.endswith("\n")
    assert 2 <= text.count("\r") < 20, "not a frame for every piece"
    assert "100/100 MB" in text.rsplit("\r", 1)[1]


def test_a_log_gets_one_plain_line() -> None:
    out = io.StringIO()
    line = ProgressLine(out, "Fetching the built-in model")
    for done in (0, 50, 100):
        line(done, 93_000_000)
    line.close()
    assert out.getvalue() == "Fetching the built-in model (93 MB) ...\n"


@pytest.mark.parametrize(
    ("present", "sha_ok", "runtime", "partial", "words"),
    [
        (False, None, True, 0, "not fetched: run aircher local pull"),
        (False, None, True, 41_000_000, "partly fetched (41 MB): run aircher local pull"),
        (True, True, True, 0, "here, 98 MB, SHA-256 right"),
        (True, False, True, 0, "run aircher local pull --force"),
        (True, True, False, 0, "run pip install 'aircher[local]'"),
    ],
)
def test_status(
    present: bool, sha_ok: bool | None, runtime: bool, partial: int, words: str
) -> None:
    size = 98_362_432 if present else 0
    state = Status("smollm2-135m", "/x.gguf", present, size, sha_ok, runtime, 1, partial)
    assert any(line.endswith(words) for line in status_lines(state))
    assert state.ready is (present and sha_ok is True and runtime)
