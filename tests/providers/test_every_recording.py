"""Every recorded interaction from configuration to public JSON: the whole road, nothing stubbed.

The dialects' own tests cut the same bodies at every kind of place; this one shows that what a
user configures reaches the right dialect, and that what comes out is exactly what was recorded.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from aircher.bootstrap.compose import open_services
from aircher.cli.contract import event_json
from aircher.domain.chat import ChatRequest
from aircher.domain.events import Failed, Finished
from aircher.domain.messages import user
from aircher.domain.routes import Wish
from aircher.domain.turns import TurnRequest
from aircher.providers.vendors import canonical, vendors
from tests.support.program import write_config
from tests.support.wire import Case, Replay, all_cases, case_id

pytestmark = pytest.mark.wire

ROADS = {
    "chat_completions": ("/v1", 'kind = "openai"\napi = "chat"'),
    "responses": ("/v1", 'kind = "openai"\napi = "responses"'),
    "messages": ("", 'kind = "anthropic"'),
    "generate_content": ("", 'kind = "gemini"'),
    "converse": ("", 'kind = "bedrock"'),
    "ollama_chat": ("", 'kind = "ollama"'),
    "ollama_generate": ("", 'kind = "ollama"\napi = "generate"'),
}
"""API of a recording -> what its path adds to the base URL, and the settings that reach it."""

LISTS = {"anthropic": "anthropic", "gemini": "gemini", "ollama": "ollama", "vertex": "gemini"}
"""Who lists models or counts tokens -> kind; everyone else speaks OpenAI's protocol."""

SPOKEN = [case for case in all_cases() if case.api in ROADS]
OTHER = [case for case in all_cases() if case.api not in ROADS]


def configure(home: Path, monkeypatch: pytest.MonkeyPatch, url: str, settings: str) -> str:
    """Writes the configuration of one provider of one's own; returns its name."""
    monkeypatch.setenv("RECORDED_KEY", "test-key")
    write_config(
        home,
        '[providers]\nfallback_order = ["recorded"]\n'
        f'[providers.recorded]\nbase_url = "{url}"\napi_key_env = "RECORDED_KEY"\n{settings}\n'
        "[retry]\nmax_retries = 0\n",
    )
    return "recorded"


async def ask(case: Case, name: str) -> dict[str, Any]:
    services = await asyncio.to_thread(open_services)
    request = TurnRequest("hi", wish=Wish(provider=name, model=case.model, fallback=False))
    try:
        async for event in services.engine.turn(request):
            if isinstance(event, Finished | Failed):
                return event_json(event)
    finally:
        await services.aclose()
    raise AssertionError("the turn had no end")


@pytest.mark.parametrize("case", SPOKEN, ids=case_id)
async def test_text_tokens_and_end_are_as_recorded(
    case: Case, replay: Replay, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suffix, settings = ROADS[case.api]
    quirk = vendors().get(canonical(case.provider))
    if quirk is not None and quirk.quirks.get("done_marker") is False:
        pytest.skip("needs the vendor's own row, which its dialect's test uses")
    name = configure(home, monkeypatch, replay.url(case.id) + suffix, settings)
    result, expect = await ask(case, name), case.expect
    if expect["error_class"]:
        assert result["error"] is not None
        assert result["error"]["kind"] == expect["error_class"]
    else:
        assert result["error"] is None, result["error"]
    assert result["text"] == (expect["text"] or "")
    assert result.get("refusal") == expect["refusal"]
    assert result["thinking"] == (expect["reasoning_text"] or "")
    if result["finish_reason"] or not expect["error_class"]:
        assert result["finish_reason"] == expect["finish_reason"]
    assert [call["name"] for call in result["tool_calls"]] == [
        call["name"] for call in expect["tool_calls"]
    ]
    if not expect["error_class"] and expect["output_total"] is not None:
        usage = result["usage"]
        assert usage["output_tokens"] == expect["output_total"]
        if expect["input_total"] is not None:
            assert usage["input_tokens"] == expect["input_total"]
        assert usage["cached_tokens"] == expect["cached_tokens"]
        assert usage["reasoning_tokens"] == expect["reasoning_tokens"]


@pytest.mark.parametrize("case", OTHER, ids=case_id)
async def test_lists_and_counts_are_as_recorded(
    case: Case, replay: Replay, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = "bedrock" if case.provider == "bedrock" else LISTS.get(case.provider, "openai")
    suffix = "/v1" if kind == "openai" else ""
    name = configure(home, monkeypatch, replay.url(case.id) + suffix, f'kind = "{kind}"')
    services = await asyncio.to_thread(open_services)
    try:
        provider = await services.providers.get(name)
        if case.api == "models":
            if case.id.startswith("openai.models.n.models.200.8b68712d"):
                pytest.skip("one model's own page, not a list")
            listed = [model.id for model in await provider.models()]
            assert listed == case.expect["models"]
        else:
            counted = await provider.count_tokens(ChatRequest(case.model, (user("hi"),)))
            assert counted == case.expect["input_total"]
    finally:
        await services.aclose()
