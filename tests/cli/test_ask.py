"""``aircher ask`` as a user or a script runs it: the real program, a real server on loopback."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.support.loopback import Answer, Loopback, plain, serving, streamed
from tests.support.program import AIRCHER, Ran, run, write_config

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "ask.schema.json").read_text("utf-8"))


def chunk(text: str | None = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    delta = {} if text is None else {"content": text}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "x", "object": "chat.completion.chunk", "model": "m", "choices": [choice], **more}


USAGE = {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}
HELLO = streamed(
    chunk("Hello, "),
    chunk("world."),
    chunk(finish="stop"),
    {**chunk(), "choices": [], "usage": USAGE},
)


def config(server: Loopback, **more: str) -> str:
    lines = "\n".join(f"{key} = {value}" for key, value in more.items())
    return (
        f'[providers]\ndefault = "mine"\nfallback_order = ["mine"]\n'
        f'[providers.mine]\nkind = "openai"\nbase_url = "{server.url}/v1"\nmodel = "m"\n{lines}\n'
        '[models.custom."mine/m"]\ninput_price = 1.0\noutput_price = 2.0\n'
        '[retry]\nmax_retries = 1\ninitial_delay = "10ms"\n'
    )


@pytest.fixture
async def server(home: Path) -> AsyncIterator[Loopback]:
    async with serving(HELLO) as made:
        write_config(home, config(made))
        yield made


def valid(result: dict[str, Any]) -> dict[str, Any]:
    jsonschema.validate(result, SCHEMA)
    return result


async def test_the_answer_alone_is_on_stdout_and_the_routing_on_stderr(server: Loopback) -> None:
    ran = await run("ask", "how do I list branches?")
    assert (ran.code, ran.out) == (0, "Hello, world.\n")
    assert "task: quick_questions" in ran.err
    assert "model: mine/m" in ran.err
    assert "12 in, 3 out" in ran.err


async def test_print_flag_and_stdin_make_one_question(server: Loopback) -> None:
    ran = await run("-p", "summarize this", stdin=b"first line\nsecond \xff line\n")
    assert ran.out == "Hello, world.\n"
    sent = server.received[-1].body["messages"][-1]["content"]
    assert sent == "summarize this\n\nfirst line\nsecond \ufffd line"


async def test_json_is_one_object_by_its_schema(server: Loopback) -> None:
    result = valid((await run("ask", "--output-format", "json", "hi")).json)
    assert result["text"] == "Hello, world."
    assert result["usage"] == {
        "input_tokens": 12,
        "cached_tokens": None,
        "cache_write_tokens": None,
        "output_tokens": 3,
        "reasoning_tokens": None,
    }
    # 12 tokens at $1 and 3 at $2 per million.
    assert result["cost"] == {"usd": "0.000018", "tag": "exact"}
    assert (result["provider"], result["model"], result["finish_reason"]) == ("mine", "m", "stop")
    assert result["error"] is None


async def test_stream_json_ends_with_the_same_object(server: Loopback) -> None:
    ran = await run("ask", "--output-format", "stream-json", "hi")
    lines = [json.loads(line) for line in ran.out.splitlines()]
    for line in lines[:-1]:
        jsonschema.validate(line, {**SCHEMA["$defs"]["event"], "$defs": SCHEMA["$defs"]})
    names = [line["event"] for line in lines[:-1]]
    assert names == ["detected", "routed", "reserved", "started", "text", "text", "usage"]
    assert valid(lines[-1])["text"] == "Hello, world."


async def test_continue_and_resume_send_what_came_before(server: Loopback) -> None:
    first = (await run("ask", "--output-format", "json", "one")).json
    await run("ask", "-c", "two")
    await run("ask", "-r", first["session"][:8], "three")
    sent = [(m["role"], m["content"]) for m in server.received[-1].body["messages"]]
    assert sent == [
        ("user", "one"),
        ("assistant", "Hello, world."),
        ("user", "two"),
        ("assistant", "Hello, world."),
        ("user", "three"),
    ]


async def test_a_file_is_attached(server: Loopback, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("print('x')\n")
    await run("ask", "-f", "a.py", "what does this do?", cwd=tmp_path)
    assert "print('x')" in json.dumps(server.received[-1].body["messages"])


def error(status: int, message: str, **headers: str) -> Answer:
    return plain({"error": {"message": message, "type": "x"}}, status, **headers)


@pytest.mark.parametrize(
    ("answer", "kind", "code", "calls"),
    [
        (error(401, "Incorrect API key provided"), "auth", 1, 1),
        (error(404, "The model `m` does not exist"), "not_found", 1, 1),
        (error(400, "temperature must be a number"), "invalid_request", 1, 1),
        (error(503, "try later"), "overloaded", 1, 2),
        (error(429, "Rate limit reached"), "rate_limit", 1, 2),
        (streamed(chunk("half "), done=False), "malformed", 1, 1),
    ],
)
async def test_failures_have_a_kind_a_sentence_and_a_code(
    home: Path, answer: Answer, kind: str, code: int, calls: int
) -> None:
    async with serving(answer) as made:
        write_config(home, config(made))
        ran = await run("ask", "--output-format", "json", "hi")
        failure = valid(ran.json)["error"]
        assert (failure["kind"], ran.code, len(made.received)) == (kind, code, calls)
        assert failure["message"] in ran.err
        assert "Traceback" not in ran.err


async def test_a_half_answer_is_printed_and_kept(home: Path) -> None:
    async with serving(streamed(chunk("half an answer"), done=False)) as made:
        write_config(home, config(made))
        ran = await run("ask", "hi")
        assert (ran.code, ran.out) == (1, "half an answer\n")
        shown = await run(
            "sessions", "show", (await run("sessions", "list", "--json")).json[0]["id"]
        )
        assert "half an answer" in shown.out


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["ask"], 2, "There is no question."),
        (["ask", "-r", "nosuch", "hi"], 2, "nosuch"),
        (["ask", "-f", "missing.txt", "hi"], 2, "missing.txt"),
        (["ask", "--provider", "nobody", "--no-fallback", "hi"], 8, "nobody"),
        (["ask", "--output-format", "xml", "hi"], 2, "xml"),
        (["ask", "-m", "mien/m", "hi"], 2, "Did you mean mine/m?"),
        (["-x"], 2, "-x"),
    ],
)
async def test_misuse_is_one_sentence_and_a_code(
    server: Loopback, words: list[str], code: int, sentence: str
) -> None:
    ran = await run(*words)
    assert ran.code == code
    assert sentence in ran.err
    assert "Traceback" not in ran.err


async def test_nothing_configured_and_nothing_found_says_what_to_do(home: Path) -> None:
    ran = await run("ask", "hi")
    assert ran.code == 8
    assert "aircher local pull" in ran.err


async def test_a_broken_configuration_lists_every_problem(home: Path) -> None:
    write_config(home, '[providers]\ndefualt = "openai"\n[retry]\nmax_retries = "many"\n')
    ran = await run("ask", "hi")
    assert ran.code == 7
    assert "config.toml:2" in ran.err
    assert "config.toml:4" in ran.err


async def test_over_the_limit_is_its_own_code_and_no_call(home: Path) -> None:
    async with serving(HELLO) as made:
        write_config(home, config(made) + "[costs]\ndaily_limit = 0.000001\n")
        ran = await run("ask", "hi")
        assert (ran.code, made.received) == (6, [])
        assert "costs.daily_limit" in ran.err


async def test_ctrl_c_keeps_what_came_and_says_so(home: Path) -> None:
    begun = streamed(chunk("begun and "), done=False)
    slow = replace(begun, announced=10_000, hold_s=30.0)
    async with serving(slow, HELLO) as made:
        write_config(home, config(made))
        process = await asyncio.create_subprocess_exec(
            *AIRCHER, "ask", "hi", stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        assert await process.stdout.readexactly(10) == b"begun and "
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(10):
            out, err = await process.communicate()
        assert (process.returncode, out) == (130, b"\n")
        assert b"aircher ask -c" in err
        costs = (await run("costs", "--json")).json
        assert "estimated" in json.dumps(costs)
        again = await run("ask", "-c", "go on", "--output-format", "json")
        assert again.code == 0
        assert made.received[-1].body["messages"][1]["content"] == "begun and "


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_a_stop_in_json_tells_what_came_and_what_it_cost(
    home: Path, number: signal.Signals
) -> None:
    begun = streamed(chunk("begun and "), done=False)
    async with serving(replace(begun, announced=10_000, hold_s=30.0)) as made:
        write_config(home, config(made))
        process = await asyncio.create_subprocess_exec(
            *AIRCHER, "ask", "--output-format", "stream-json", "hi",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        while b"begun and " not in await process.stdout.readline():
            pass
        process.send_signal(number)
        async with asyncio.timeout(10):
            out, _ = await process.communicate()
        result = valid(json.loads(out.splitlines()[-1]))
        assert (process.returncode, result["error"]["kind"]) == (130, "cancelled")
        assert (result["text"], result["task"]) == ("begun and ", "default")
        assert [attempt["outcome"] for attempt in result["attempts"]] == ["stopped"]
        assert result["cost"]["tag"] == "estimated"
        costs = (await run("costs", "--json")).json
        assert costs["total"]["usd"] == result["cost"]["usd"] != "0"


async def test_the_key_is_sent_and_nowhere_shown(home: Path) -> None:
    key = "sk-canary-0123456789abcdef"
    async with serving(error(401, f"Incorrect API key provided: {key}")) as made:
        write_config(home, config(made, api_key_env='"MY_KEY"'))
        ran: Ran = await run("ask", "--output-format", "json", "hi", env={"MY_KEY": key})
        assert made.received[0].headers["authorization"] == f"Bearer {key}"
        files = [path for path in home.rglob("*") if path.is_file()]
        assert key not in ran.out + ran.err
        assert not any(key.encode() in path.read_bytes() for path in files)
        assert files


async def test_help_and_version_import_no_sdk_and_no_textual() -> None:
    probe = (
        "import sys; sys.argv = ['aircher', '{flag}']\n"
        "from aircher.entry import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {{'openai', 'anthropic', 'google.genai', 'ollama', 'textual', 'rich', 'httpx', "
        "'sqlite3', 'asyncio'}}\n"
        "print('HEAVY', sorted(heavy & set(sys.modules)))"
    )
    for flag in ("--version", "--help"):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", probe.format(flag=flag), stdout=asyncio.subprocess.PIPE,
            env=dict(os.environ),
        )  # fmt: skip
        out, _ = await process.communicate()
        assert b"HEAVY []" in out, out


async def test_an_sdk_prints_no_warning_of_its_own(home: Path) -> None:
    reply = {
        "candidates": [{"content": {"parts": [{"text": "Hi."}]}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1},
    }
    async with serving(plain(reply)) as made:
        write_config(
            home,
            f'[providers]\nfallback_order = ["gemini"]\n'
            f'[providers.gemini]\nbase_url = "{made.url}"\nmodel = "m"\n'
            'api_key_env = "GEMINI_API_KEY"\n',
        )
        keys = {"GEMINI_API_KEY": "one", "GOOGLE_API_KEY": "two"}
        ran = await run("ask", "-q", "hi", env=keys)
        assert (ran.code, ran.out, ran.err) == (0, "Hi.\n", "")


@pytest.mark.security
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_told_with_its_origin_and_not_tried_again(
    home: Path, status: int
) -> None:
    async with serving(HELLO) as elsewhere:
        away = f"{elsewhere.url}/v2/chat?token=canary"
        async with serving(Answer(b"", status, headers=(("Location", away),))) as server:
            write_config(home, config(server))
            ran = await run("ask", "hi")
    assert (ran.code, ran.out) == (1, "")
    assert f"sends the request on to {elsewhere.url}, which Aircher does not follow" in ran.err
    assert "the key and the prompt would go along. Aircher asked once" in ran.err
    assert "Correct base_url in [providers.mine]." in ran.err
    assert "canary" not in ran.err
    assert "v2" not in ran.err
    assert (len(server.received), len(elsewhere.received)) == (1, 0)


async def test_a_refused_key_is_told_with_the_place_it_is_from(home: Path) -> None:
    async with serving(error(401, "no")) as server:
        write_config(home, config(server, api_key_env='"MY_OWN_KEY"'))
        named = await run("ask", "hi", env={"MY_OWN_KEY": "sk-canary-1", "OPENAI_API_KEY": "x" * 9})
        write_config(home, config(server, key_command='["printf", "sk-canary-2"]'))
        printed = await run("ask", "hi")
    assert "Check the key in MY_OWN_KEY.\n" in named.err
    assert "Check the key in what key_command of [providers.mine] prints.\n" in printed.err
    assert "canary" not in named.err + printed.err
