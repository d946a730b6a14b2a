"""The table of vendors and the registry: lazily, once, off the event loop, and to safe places."""

from __future__ import annotations

import asyncio
import contextlib
import re
import subprocess
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircher.domain.chat import ChatRequest
from aircher.domain.errors import AuthenticationFailed, ConfigError
from aircher.domain.messages import user
from aircher.providers.addresses import checked_url, is_loopback
from aircher.providers.patterns import matches
from aircher.providers.registry import (
    DIALECTS,
    ProviderSetup,
    Registry,
    Vendor,
    canonical,
    connection_of,
    vendors,
)
from tests.support.loopback import plain, serving
from tests.support.wire import collect

WANTED = [
    "openai",
    "claude",
    "gemini",
    "ollama",
    "local",
    "deepseek",
    "groq",
    "mistral",
    "openrouter",
    "xai",
    "together",
    "fireworks",
    "perplexity",
    "cerebras",
    "lmstudio",
    "vllm",
    "llamacpp",
    "litellm",
    "azure",
    "zai",
    "crusoe",
    "bedrock",
    "bedrock_converse",
    "bedrock_mantle",
    "vertex",
    "vertex_claude",
    "ollama_cloud",
]


def setup(name: str = "openai", key: str | None = "sk-test", **more: object) -> ProviderSetup:
    return ProviderSetup(vendors()[name], key=lambda: key, **more)  # type: ignore[arg-type]  # a dict of mixed values


def test_all_wanted_vendors_are_rows() -> None:
    assert set(WANTED) <= set(vendors())


@pytest.mark.parametrize("row", vendors().values(), ids=lambda row: row.name)
def test_a_row_makes_sense(row: Vendor) -> None:
    assert row.title
    assert row.kind in DIALECTS
    assert set(row.models) <= {"cheap", "medium", "powerful"}
    assert row.needs_key is False or row.key_env
    assert not (row.local and row.needs_key)
    if row.base_url:
        assert checked_url(row.name, row.base_url.replace("{region}", "us-east-1"))
        assert is_loopback(row.base_url) or row.base_url.startswith("https://")
    for alias in row.aliases:
        assert alias not in vendors()
        assert canonical(alias) == row.name
    for name in ("fixed_sampling", "responses_models", "effort_models"):
        for pattern in row.quirks.get(name, ()):
            re.compile(pattern)


QUIRKS = {
    "max_tokens", "stream_usage", "done_marker", "files", "json", "effort", "effort_models",
    "effort_names", "fixed_sampling", "responses_models", "auth_header", "thinking_back", "headers",
}  # fmt: skip


def test_no_quirk_is_misspelt() -> None:
    for row in vendors().values():
        assert row.kind != "openai" or set(row.quirks) <= QUIRKS, row.name


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("anthropic", "claude"),
        ("Google", "gemini"),
        ("grok", "xai"),
        ("azure_openai", "azure"),
        ("Mine", "mine"),
    ],
)
def test_aliases(name: str, known: str) -> None:
    assert canonical(name) == known


@pytest.mark.parametrize(
    ("model", "responses"),
    [
        ("gpt-6.1-sol", False),
        ("gpt-5-pro", True),
        ("gpt-5-pro-2025-10-06", True),
        ("o1-pro", True),
        ("gpt-5.3-codex", True),
        ("codex-mini-latest", True),
        ("o3-deep-research", True),
        ("gpt-5-nano", False),
    ],
)
def test_models_that_need_the_responses_api(model: str, responses: bool) -> None:
    assert matches(vendors()["openai"].quirks["responses_models"], model) is responses


def test_reading_the_table_imports_no_sdk() -> None:
    code = (
        "import sys; from aircher.providers.registry import Registry, vendors; vendors(); "
        "print([m for m in ('openai','anthropic','google.genai','ollama','httpx','httpx2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/v1",
        "http://127.0.0.1:8080/v1/",
        "http://localhost:1234",
        "http://[::1]:8000/v1",
        "http://127.8.9.1",
        "https://192.168.1.5:8443",
    ],
)
def test_addresses_that_are_allowed(url: str) -> None:
    assert checked_url("x", url) == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com/v1",
        "http://192.168.1.5/v1",
        "http://169.254.169.254/latest",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://2130706433@example.com",
        "https://user:hunter2@example.com",
        "https://user@example.com",
        "https://example.com/v1?key=1",
        "https://example.com/#x",
        "https://exa mple.com",
        "https://example.com/\r\nHost: evil",
        "https:\\\\example.com",
        "https://",
        "https://example.com:99999",
        "file:///etc/passwd",
        "ftp://example.com",
        "javascript:alert(1)",
        "//example.com",
        "example.com",
        "http://[::1",
        "",
    ],
)
def test_addresses_that_are_refused(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        checked_url("mine", url)
    assert "mine" in caught.value.message
    assert "hunter2" not in caught.value.message


def test_plain_http_elsewhere_needs_the_users_word() -> None:
    url = "http://192.168.1.5:8000/v1"
    assert checked_url("x", url, allow_http=True) == url
    made = connection_of("x", setup("vllm", base_url=url, options={"allow_http": True}))
    assert made.base_url == url


@given(st.text(max_size=40))
def test_no_address_raises_anything_else(url: str) -> None:
    with contextlib.suppress(ConfigError):
        assert checked_url("x", url).startswith(("https://", "http://"))


def test_a_missing_key_names_the_variable() -> None:
    with pytest.raises(AuthenticationFailed) as caught:
        connection_of("openai", setup(key=None))
    assert "OPENAI_API_KEY" in caught.value.hint
    with pytest.raises(AuthenticationFailed) as caught:
        connection_of("openai", setup(key="  ", key_env=("MY_KEY",)))
    assert "MY_KEY" in caught.value.hint


@pytest.mark.parametrize(
    "made",
    [
        setup("ollama", key=None),
        setup("vllm", key=None),
        setup("bedrock", key=None),
        setup("gemini", key=None, options={"cloud": "vertex"}),
        setup("openai", key=None, base_url="http://127.0.0.1:9/v1"),
    ],
)
def test_where_no_key_is_needed(made: ProviderSetup) -> None:
    assert connection_of("x", made).key == ""


def test_the_users_settings_go_over_the_rows() -> None:
    made = setup("ollama", options={"keep_alive": "1h"}, models={"cheap": "mine"})
    assert connection_of("ollama", made).options["keep_alive"] == "1h"
    assert connection_of("ollama", made).local
    assert made.tiers == {"cheap": "mine"}
    region = setup("bedrock_mantle", options={"region": "eu-west-1"})
    assert connection_of("x", region).base_url == "https://bedrock-mantle.eu-west-1.api.aws/v1"


def test_a_key_is_not_shown_when_a_connection_is_printed() -> None:
    assert "sk-test" not in repr(connection_of("openai", setup()))


def test_an_address_that_only_the_user_knows() -> None:
    with pytest.raises(ConfigError, match="Azure OpenAI has no address"):
        connection_of("azure", setup("azure"))


async def test_each_provider_is_made_once_and_off_the_loop() -> None:
    threads: list[str] = []

    def key() -> str:
        threads.append(threading.current_thread().name)
        return "sk-test"

    registry = Registry({"openai": ProviderSetup(vendors()["openai"], key=key)})
    made = await asyncio.gather(*(registry.get("openai") for _ in range(20)))
    assert len({id(provider) for provider in made}) == 1
    assert len(threads) == 1
    await registry.aclose()


async def test_names_keep_the_users_order_and_aliases_find_them() -> None:
    registry = Registry({"groq": setup("groq"), "claude": setup("claude"), "mine": setup("vllm")})
    assert registry.names == ("groq", "claude", "mine")
    assert registry.setup("anthropic").row.name == "claude"
    assert (await registry.get("mine")).name == "mine"
    await registry.aclose()


async def test_unknown_names_and_kinds() -> None:
    registry = Registry({"odd": ProviderSetup(Vendor("odd", "Odd", "telepathy"))})
    with pytest.raises(ConfigError, match="no provider named 'opnai'") as caught:
        await registry.get("opnai")
    assert "odd" in caught.value.hint
    with pytest.raises(ConfigError, match="unknown kind"):
        await registry.get("odd")


async def test_a_failed_start_can_be_tried_again() -> None:
    keys = iter([None, "sk-test"])
    registry = Registry({"openai": ProviderSetup(vendors()["openai"], key=lambda: next(keys))})
    with pytest.raises(AuthenticationFailed):
        await registry.get("openai")
    assert (await registry.get("openai")).name == "openai"
    await registry.aclose()


CHAT = {"choices": [{"index": 0, "message": {"content": "chat"}, "finish_reason": "stop"}]}
RESPONSE = {
    "status": "completed",
    "output": [{"type": "message", "content": [{"type": "output_text", "text": "responses"}]}],
}


@pytest.mark.parametrize(
    ("api", "model", "said"),
    [
        ("auto", "gpt-6.1-sol", "chat"),
        ("auto", "gpt-5-pro", "responses"),
        ("chat", "gpt-5-pro", "chat"),
        ("responses", "gpt-6.1-sol", "responses"),
    ],
)
async def test_the_protocol_is_chosen_by_the_model(api: str, model: str, said: str) -> None:
    async with serving(plain(CHAT if said == "chat" else RESPONSE)) as server:
        made = setup(base_url=server.url + "/v1", options={"api": api})
        registry = Registry({"openai": made})
        provider = await registry.get("openai")
        reply, error = await collect(provider.stream(ChatRequest(model, (user("hi"),))))
        await registry.aclose()
    assert error is None
    assert reply.text == said
    path = "/v1/chat/completions" if said == "chat" else "/v1/responses"
    assert server.received[0].path == path
