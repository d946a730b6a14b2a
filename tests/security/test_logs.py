"""The log: off by default, private, structured, without keys, bodies or prompts."""

import json
import logging
import os
import stat
from pathlib import Path

import pytest

from aircher.bootstrap.logs import FIELDS, JsonLines, Log, begin
from aircher.cli.argv import log_flags
from aircher.domain.errors import UsageError
from tests.support.loopback import plain, serving
from tests.support.program import Ran, run, write_config

pytestmark = pytest.mark.security

KEY = "sk-canary-0123456789abcdef"
PROMPT = "the words of my prompt"
EVERY_LINE = {"at", "level", "logger"}
FOREIGN = {"where", "kind", "method", "status", "address"}
NOISY = {"OPENAI_LOG": "debug", "ANTHROPIC_LOG": "debug", "GOOD_KEY": KEY}


def configure(home: Path, url: str, kind: str, more: str = "") -> None:
    write_config(
        home,
        '[providers]\ndefault = "good"\nfallback_order = ["good"]\n[providers.good]\n'
        f'kind = "{kind}"\nbase_url = "{url}"\nmodel = "m"\napi_key_env = "GOOD_KEY"\n'
        f"[retry]\nmax_retries = 0\n{more}",
    )


async def asked(*words: str, **env: str) -> Ran:
    os.umask(0)
    ran = await run(*words, "ask", "-q", PROMPT, env=NOISY | env)
    assert "canary" not in ran.out + ran.err
    return ran


def lines(file: Path) -> list[dict[str, object]]:
    text = file.read_text()
    assert "canary" not in text
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    return [json.loads(line) for line in text.splitlines()]


REFUSAL = plain(
    {"error": {"message": f"Incorrect API key provided: {KEY}. You said: {PROMPT}"}}, 401
)


@pytest.fixture(autouse=True)
def _umask_kept():
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.parametrize("kind", ["openai", "anthropic", "gemini", "ollama"])
async def test_at_its_loudest_it_holds_neither_key_nor_body(home: Path, kind: str) -> None:
    file = home / "a.log"
    async with serving(REFUSAL) as server:
        configure(home, server.url, kind)
        ran = await asked("--log", str(file), "--log-level=debug")
        assert ran.code == 1
        assert any(KEY in value for value in server.received[0].headers.values())
    found = lines(file)
    assert PROMPT not in file.read_text()
    events = [line["event"] for line in found if line["logger"] == "aircher"]
    assert events[0] == "begin"
    assert events[-1] == "end"
    assert {"detected", "routed", "started", "failed"} <= set(events)
    failed = next(line for line in found if line.get("event") == "failed")
    assert (failed["kind"], failed["status"], failed["provider"]) == ("auth", 401, "good")
    others = [line for line in found if line["logger"] != "aircher"]
    assert others, "no library was heard"
    for line in found:
        assert set(line) <= EVERY_LINE | (FIELDS if line["logger"] == "aircher" else FOREIGN)
    if kind != "gemini":  # its request is made below the client that logs
        assert any("address" in line or "http" in str(line["logger"]) for line in others)


async def test_without_the_flag_nothing_is_written_and_no_library_speaks(home: Path) -> None:
    async with serving(REFUSAL) as server:
        configure(home, server.url, "openai")
        ran = await asked()
    assert ran.err.count("\n") <= 3
    assert "DEBUG" not in ran.err
    assert "Request options" not in ran.err
    assert list(home.rglob("*.log")) == []


async def test_prompts_are_written_only_when_asked_for_and_that_is_said(home: Path) -> None:
    file = home / "a.log"
    async with serving(REFUSAL) as server:
        configure(home, server.url, "openai")
        ran = await asked("--log", str(file), "--log-prompts")
    assert f"prompts and answers are written to {file}" in ran.err
    assert [line["prompt"] for line in lines(file) if line.get("event") == "prompt"] == [PROMPT]


@pytest.mark.parametrize("how", ["environment", "setting"])
async def test_a_setting_begins_it_as_well(home: Path, how: str) -> None:
    file = home / "b.log"
    async with serving(REFUSAL) as server:
        more = f'[log]\nfile = "{file}"\nlevel = "warning"\n' if how == "setting" else ""
        env = {"AIRCHER_LOG_FILE": str(file), "AIRCHER_LOG_LEVEL": "warning"}
        configure(home, server.url, "openai", more)
        await asked(**(env if how == "environment" else {}))
    assert {line["level"] for line in lines(file)} == {"error"}


def a_link(home: Path) -> str:
    (home / "link").symlink_to(home / "elsewhere")
    return str(home / "link")


def a_pipe(home: Path) -> str:
    os.mkfifo(home / "pipe")
    return str(home / "pipe")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (lambda home: ["--log", a_link(home)], "it is a link"),
        (lambda home: ["--log", a_pipe(home)], "cannot be written"),
        (lambda home: ["--log", str(home)], "cannot be written"),
        (lambda home: ["--log", str(home / "no" / "where")], "cannot be written"),
        (lambda _home: ["--log", "/dev/null"], "it is not a plain file"),
        (lambda _home: ["--log="], "no file to log to"),
        (lambda _home: ["--log-prompts"], "no file to log to"),
        (lambda home: ["--log", str(home / "x"), "--log-level", "loud"], "no log level 'loud'"),
    ],
)
async def test_what_cannot_be_logged_to_is_one_sentence(home: Path, words, said: str) -> None:
    ran = await run(*words(home), "config", "path")
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert not (home / "elsewhere").exists()


@pytest.mark.parametrize(
    ("argv", "rest", "said"),
    [
        (["--log", "f", "ask", "hi"], ["ask", "hi"], {"file": "f"}),
        (
            ["ask", "--log=f", "hi", "--log-level", "debug"],
            ["ask", "hi"],
            {"file": "f", "level": "debug"},
        ),
        (["ask", "--", "--log", "f"], ["ask", "--", "--log", "f"], {}),
        (["-p", "--log-prompts"], ["-p"], {"prompts": "true"}),
        (["--log"], [], {"file": ""}),
    ],
)
def test_its_flags_stand_anywhere(argv: list[str], rest: list[str], said: dict[str, str]) -> None:
    assert log_flags(argv) == (rest, said)


def private(name: str) -> logging.Logger:
    """A logger of the test's own, which no other handler hears."""
    return logging.Logger(name)  # noqa: LOG001 - getLogger's would stay for other tests


def test_a_library_s_words_are_never_written(tmp_path: Path) -> None:
    """Whatever they are: text, arguments, an exception."""
    handler = JsonLines(tmp_path / "x.log", "debug", prompts=False, secrets=frozenset({KEY}))
    logger = private("somebody.else")
    logger.addHandler(handler)
    logger.debug("Authorization: %s", KEY)
    logger.debug(f"body {KEY}")  # noqa: G004 - as libraries do
    logger.debug({"api_key": KEY})
    try:
        raise ValueError(KEY)
    except ValueError:
        logger.exception("it broke with %s", KEY, extra={"api_key": KEY})
    named = private("httpx2")
    named.addHandler(handler)
    named.info(
        'HTTP Request: %s %s "%s %d %s"',
        "POST",
        f"https://u:{KEY}@x.example/v1?key={KEY}",
        "HTTP/1.1",
        200,
        KEY,
    )
    handler.close()
    found = lines(tmp_path / "x.log")
    assert len(found) == 5
    assert found[3]["kind"] == "ValueError"
    assert found[4]["address"] == "https://x.example/v1"


def test_our_own_records_hold_known_fields_only(tmp_path: Path) -> None:
    handler = JsonLines(tmp_path / "x.log", "debug", prompts=False, secrets=frozenset())
    logger = private("aircher")
    logger.addHandler(handler)
    logger.info("x", extra={"facts": {"event": "x", "headers": KEY, "model": "a" * 999}})
    handler.close()
    [line] = lines(tmp_path / "x.log")
    assert "headers" not in line
    assert len(str(line["model"])) == 200


def test_a_file_that_cannot_be_opened_is_misuse(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        begin(Log(str(tmp_path)))
