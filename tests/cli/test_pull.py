"""``aircher pull``: a model fetched by a server on this machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.loopback import Answer, serving
from tests.support.program import run, write_config


def steps(*lines: object) -> Answer:
    body = "".join(json.dumps(line) + "\n" for line in lines)
    return Answer(body.encode(), content_type="application/x-ndjson")


WHOLE = steps(
    {"status": "pulling manifest"},
    {"status": "pulling a", "total": 5_000_000, "completed": 1_000_000},
    {"status": "pulling a", "total": 5_000_000, "completed": 5_000_000},
    {"status": "success"},
)


async def test_a_model_is_fetched_and_the_next_command_named(home: Path) -> None:
    async with serving(WHOLE) as server:
        write_config(home, f'[providers.ollama]\nbase_url = "{server.url}"\nmodel = "a"\n')
        ran = await run("pull", "qwen3:4b")
        assert (ran.code, ran.out) == (0, "")
        assert "Fetching qwen3:4b (5 MB)" in ran.err
        assert "ollama/qwen3:4b" in ran.err
        assert server.received[0].path == "/api/pull"


@pytest.mark.parametrize(
    ("answer", "provider", "code", "words"),
    [
        (
            steps({"error": "pull model manifest: file does not exist"}),
            "ollama",
            1,
            "no model nope",
        ),
        (steps({"status": "pulling manifest"}), "ollama", 1, "ended early"),
        (WHOLE, "mine", 2, "does not fetch models"),
        (WHOLE, "nobody", 2, "nobody"),
    ],
)
async def test_what_cannot_be_fetched_is_one_sentence(
    home: Path, answer: Answer, provider: str, code: int, words: str
) -> None:
    async with serving(answer) as server:
        write_config(
            home,
            f'[providers.ollama]\nbase_url = "{server.url}"\nmodel = "a"\n'
            f'[providers.mine]\nkind = "openai"\nbase_url = "{server.url}/v1"\nmodel = "m"\n',
        )
        ran = await run("pull", "nope", "--provider", provider)
        assert ran.code == code, ran.err
        assert words in ran.err
        assert "Traceback" not in ran.err
