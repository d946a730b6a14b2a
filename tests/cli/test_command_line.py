"""Odd command lines, odd streams, and failures before a model is asked."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from aircher.cli.argv import ordered
from aircher.cli.main import COMMANDS, main
from tests.cli.test_ask import HELLO, SCHEMA, chunk, config
from tests.support.loopback import Loopback, serving, streamed
from tests.support.program import AIRCHER, run, write_config


@pytest.fixture
async def server(home: Path) -> AsyncIterator[Loopback]:
    async with serving(HELLO) as made:
        write_config(home, config(made))
        yield made


@pytest.mark.parametrize(
    ("line", "command", "words"),
    [
        ("", "", ""),
        ("-c", "", "-c"),
        ("ask hi -c", "ask", "ask hi -c"),
        ("-m x ask hi", "ask", "ask -m x hi"),
        ("-c ask hi", "ask", "ask -c hi"),
        ("--provider local", "", "--provider local"),
        ("--provider local -p hi", "ask", "ask --provider local hi"),
        ("--provider=local ask hi", "ask", "ask --provider=local hi"),
        ("-p config", "ask", "ask config"),
        ("--print=config", "ask", "ask config"),
        ("-r costs", "", "-r costs"),
        ("hi -p", "ask", "ask hi"),
        ("--help", "help", "--help"),
        ("-p --help", "help", "-p --help"),
        ("ask --help", "ask", "ask --help"),
        ("nosuch", "", "nosuch"),
    ],
)
def test_a_flags_value_is_no_command_and_its_place_does_not_matter(
    line: str, command: str, words: str
) -> None:
    assert ordered(line.split(), COMMANDS) == (command, words.split())


async def test_a_question_may_be_a_command_s_name(server: Loopback) -> None:
    ran = await run("-p", "config")
    assert (ran.code, ran.out) == (0, "Hello, world.\n")
    assert server.received[-1].body["messages"][-1]["content"] == "config"


@pytest.mark.parametrize(
    ("words", "said"),
    [(["confg"], "Did you mean: aircher config?"), (["what is git?"], 'aircher ask "..."')],
)
async def test_an_unknown_command_says_what_to_type(words: list[str], said: str) -> None:
    ran = await run(*words)
    assert ran.code == 2
    assert said in ran.err


Refusal = tuple[int, dict[str, Any]]


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> Refusal:
    """The one object that a failure prints, valid by the schema, and told on stderr as well."""
    code = main(["ask", *words])
    captured = capsys.readouterr()
    (line,) = captured.out.splitlines()
    result = json.loads(line)
    jsonschema.validate(result, SCHEMA)
    assert result["error"]["message"] in captured.err
    return code, result["error"]


@pytest.mark.parametrize("form", ["json", "stream-json"])
@pytest.mark.parametrize(
    ("words", "kind", "code"),
    [
        ((), "usage", 2),
        (("-r", "nosuch", "hi"), "usage", 2),
        (("-r", "", "hi"), "usage", 2),
        (("-c", "hi"), "usage", 2),
        (("-c", "-r", "x", "hi"), "usage", 2),
        (("-f", "missing.txt", "hi"), "usage", 2),
        (("--max-output", "0", "hi"), "usage", 2),
        (("--nosuch", "hi"), "usage", 2),
    ],
)
def test_json_is_one_object_on_misuse_too(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], kind: str, code: int, form: str
) -> None:
    ended, error = refused(capsys, "--output-format", form, *words)
    assert (error["kind"], ended) == (kind, code)


def test_json_is_one_object_with_a_broken_configuration(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_config(home, "[retry]\nmax_retries = -1\n")
    code, error = refused(capsys, "--output-format=json", "hi")
    assert (error["kind"], code) == ("config", 7)
    assert "config.toml:2" in error["message"]


def test_json_is_one_object_where_the_data_folder_cannot_be_made(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / ".local").write_text("a file where a folder should be")
    code, error = refused(capsys, "--output-format", "json", "hi")
    assert (error["kind"], code) == ("storage", 9)


async def test_a_closed_stderr_does_not_spill_over_into_the_answer(server: Loopback) -> None:
    ran = await shell('exec "$@" 2>&-', "ask", "hi")
    assert ran == (0, b"Hello, world.\n", b"")


async def test_a_closed_stdout_is_somebody_who_does_not_read(server: Loopback) -> None:
    code, _, err = await shell('exec "$@" >&-', "ask", "hi")
    assert code == 0
    assert b"12 in, 3 out" in err


async def test_a_closed_stdin_is_no_question(server: Loopback) -> None:
    code, out, _ = await shell('exec "$@" <&-', "ask", "hi")
    assert (code, out) == (0, b"Hello, world.\n")
    assert server.received[-1].body["messages"][-1]["content"] == "hi"


@pytest.mark.parametrize(
    "words", [("config", "path"), ("ask", "hi"), ("sessions",), ("local", "rm")]
)
def test_without_a_home_folder_nothing_is_written_anywhere(
    words: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name)
    # As for a user number that the machine has no name for.
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)
    monkeypatch.chdir(tmp_path)
    assert main(words) == 7
    assert "Set HOME" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_model_file_in_nobody_s_folder_is_simply_not_there(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_config(home, '[local]\nmodel = "~nobody-here/model.gguf"\n')
    assert main(["provider", "list"]) == 0
    assert "local.model is not there" in capsys.readouterr().out


async def test_a_reader_that_leaves_early_is_no_error() -> None:
    ran = await shell('{ "$@"; echo "code $?" >&2; } | true', "config", "example")
    assert ran == (0, b"", b"code 0\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is full")
async def test_a_full_disk_behind_stdout_is_a_sentence() -> None:
    code, _, err = await shell('exec "$@" >/dev/full', "config", "example")
    assert code == 9
    assert err.startswith(
        b"aircher: The output cannot be written: No space left on device.\n  Free"
    )


SNOW = streamed(chunk("na\u00efve \u2603"), chunk(finish="stop"))


async def test_a_terminal_without_unicode_gets_what_it_can_show(home: Path) -> None:
    async with serving(SNOW) as made:
        write_config(home, config(made))
        code, out, _ = await shell('PYTHONIOENCODING=latin-1 exec "$@"', "ask", "hi")
        assert (code, out) == (0, "na\u00efve ?\n".encode("latin-1"))
        exact = await run("ask", "--output-format", "json", "hi", env={"PYTHONIOENCODING": "ascii"})
        assert exact.json["text"] == "na\u00efve \u2603"


async def test_a_time_zone_that_cannot_be_does_no_harm(server: Loopback) -> None:
    ran = await run("ask", "hi", env={"TZ": "UTC+25:99"})
    assert (ran.code, ran.out) == (0, "Hello, world.\n")


async def test_a_fault_of_ours_is_a_sentence_and_still_one_object(home: Path) -> None:
    # A module of the program that cannot be imported stands for any fault.
    spoilt = (
        "import sys; sys.modules['aircher.bootstrap.compose'] = None\n"
        "sys.argv = ['aircher', 'ask', '--output-format', 'json', 'hi']\n"
        "from aircher.entry import main\nsys.exit(main())"
    )
    process = await asyncio.create_subprocess_exec(
        AIRCHER[0], "-c", spoilt, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    result = json.loads(out)
    jsonschema.validate(result, SCHEMA)
    assert (result["error"]["kind"], process.returncode) == ("bug", 1)
    assert b"something went wrong inside" in err
    assert b"ask.py" in err
    assert b"Traceback" not in err


async def shell(line: str, *words: str) -> tuple[int, bytes, bytes]:
    """Runs ``aircher WORDS`` as "$@" of a shell line; returns code, stdout, stderr."""
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", line, "sh", *AIRCHER, *words, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=dict(os.environ),
    )  # fmt: skip
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    return process.returncode or 0, out, err


@pytest.mark.parametrize("command", ["commit", "ask", "config"])
def test_an_unknown_flag_is_answered_with_the_help_of_its_command(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "path", "--bogus"]) == 2
    err = capsys.readouterr().err
    assert "Unrecognized arguments: --bogus." in err
    assert f"`aircher {command} --help` shows what it takes." in err
