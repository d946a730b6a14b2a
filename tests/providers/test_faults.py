"""What vendors' errors amount to, by their documented bodies."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircher.domain.errors import PROVIDER_KINDS, ProviderError
from aircher.providers.bodies import facts_from_body, facts_from_error
from aircher.providers.faults import Facts, fault, masked
from aircher.providers.reasons import reason
from aircher.providers.waits import duration_seconds, wait_seconds
from aircher.providers.words import HINTS, SENTENCES
from tests.support.wire import Case, case_id, cases


@pytest.mark.security
@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("https://Else.example:8443/v1?key=canary", "to https://else.example:8443, which"),
        ("//else.example/canary", "to https://else.example, which"),
        ("/canary", "to another path there, which"),
        ("?next=https://canary.example", "to another path there, which"),
        ("ftp://canary/", "to what is no web address, which"),
        ("", "without saying where, which"),
    ],
)
def test_a_redirect_names_the_origin_and_nothing_else(location: str, said: str) -> None:
    error = fault(Facts("claude", status=307, headers={"location": location}))
    assert (error.kind, error.retryable) == ("address", False)
    assert said in error.message
    assert "canary" not in error.message


def openai(message: str, kind: str | None = "invalid_request_error", code: Any = None) -> Any:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def google(status: str, message: str, *details: Any) -> Any:
    return {"error": {"code": 0, "message": message, "status": status, "details": details}}


DOCUMENTED: list[tuple[str, int, Any, str]] = [
    # provider, status, body, kind
    ("openai", 401, openai("Incorrect API key provided: x", code="invalid_api_key"), "auth"),
    ("openai", 401, openai("You must be a member of an organization to use the API"), "auth"),
    ("openai", 403, openai("Country, region, or territory not supported"), "permission"),
    ("openai", 404, openai("The model `x` does not exist", code="model_not_found"), "not_found"),
    ("openai", 429, openai("You exceeded your current quota", "insufficient_quota"), "quota"),
    ("openai", 429, openai("Billing hard limit has been reached", "x"), "quota"),
    ("openai", 429, openai("Rate limit reached for gpt-4o", "requests"), "rate_limit"),
    ("openai", 503, openai("The engine is currently overloaded", "server_error"), "overloaded"),
    ("openai", 503, openai("Slow down", None, "slow_down"), "overloaded"),
    ("openai", 400, openai("Invalid prompt: it was flagged", code="invalid_prompt"), "content_filter"),
    (
        "openai",
        400,
        openai("max_tokens is too large: 99999. This model supports at most 16384 completion tokens"),
        "invalid_request",
    ),
    (
        "openai",
        400,
        openai("Your input exceeds the context window of this model."),
        "context_length",
    ),
    ("claude", 400, {"type": "error", "error": {"type": "invalid_request_error", "message": "input length and `max_tokens` exceed context limit: 1 + 2 > 2"}}, "context_length"),
    ("claude", 400, {"type": "error", "error": {"type": "invalid_request_error", "message": "max_tokens: 99999 > 64000, which is the maximum allowed number of output tokens"}}, "invalid_request"),
    ("claude", 413, {"type": "error", "error": {"type": "request_too_large", "message": "Request exceeds the maximum size"}}, "context_length"),
    ("claude", 400, {"type": "error", "error": {"type": "invalid_request_error", "message": "Output blocked by content filtering policy"}}, "content_filter"),
    ("claude", 403, {"type": "error", "error": {"type": "permission_error", "message": "Your API key does not have permission"}}, "permission"),
    ("claude", 500, {"type": "error", "error": {"type": "api_error", "message": "Internal server error"}}, "server"),
    ("claude", 504, {"type": "error", "error": {"type": "timeout_error", "message": "Timed out"}}, "timeout"),
    ("gemini", 400, google("INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", {"reason": "API_KEY_INVALID"}), "auth"),
    ("gemini", 400, [google("INVALID_ARGUMENT", "API key expired. Please renew the API key.")], "auth"),
    ("gemini", 400, google("FAILED_PRECONDITION", "User location is not supported for the API use."), "permission"),
    ("gemini", 400, google("INVALID_ARGUMENT", "The input token count (9) exceeds the maximum number of tokens allowed (8)."), "context_length"),
    ("gemini", 403, google("PERMISSION_DENIED", "Your API key was reported as leaked."), "auth"),
    ("gemini", 403, google("PERMISSION_DENIED", "Requests from this IP are blocked."), "permission"),
    ("gemini", 429, google("RESOURCE_EXHAUSTED", "You exceeded your current quota, please check your plan and billing details."), "rate_limit"),
    ("gemini", 504, google("DEADLINE_EXCEEDED", "Deadline expired"), "timeout"),
    ("xai", 400, {"code": "x", "error": "Incorrect API key provided: x."}, "auth"),
    ("xai", 403, {"code": "x", "error": "Your newly created team doesn't have any credits yet."}, "quota"),
    ("xai", 404, {"code": "x", "error": "The model grok-9 does not exist or your team has no access"}, "not_found"),
    ("xai", 400, {"code": "x", "error": "This model's maximum prompt length is 131072 but the request contains 200000 tokens."}, "context_length"),
    ("deepseek", 402, openai("Insufficient Balance", "unknown_error"), "quota"),
    ("deepseek", 400, openai("Model Not Exist"), "not_found"),
    ("deepseek", 400, openai("Content Exists Risk"), "content_filter"),
    ("mistral", 401, {"detail": "Unauthorized"}, "auth"),
    ("mistral", 422, {"detail": [{"loc": ["body", "model"], "msg": "Field required"}]}, "invalid_request"),
    ("mistral", 400, {"object": "error", "message": "Invalid model: x", "type": "invalid_model", "code": "1500"}, "not_found"),
    ("mistral", 400, {"object": "error", "message": "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length", "type": "invalid_request_error", "code": "3051"}, "context_length"),
    ("groq", 413, openai("Request too large for model", "tokens", "rate_limit_exceeded"), "rate_limit"),
    ("groq", 498, openai("Flex tier capacity exceeded", "x", "capacity_exceeded"), "overloaded"),
    ("openrouter", 402, {"error": {"code": 402, "message": "Insufficient credits"}}, "quota"),
    ("openrouter", 403, {"error": {"code": 403, "message": "Key limit exceeded (total limit)"}}, "quota"),
    ("openrouter", 403, {"error": {"code": 403, "message": "Your input was flagged"}}, "content_filter"),
    ("openrouter", 400, {"error": {"code": 400, "message": "x/y is not a valid model ID"}}, "not_found"),
    ("perplexity", 401, openai("You exceeded your current quota", "insufficient_quota", 401), "quota"),
    ("perplexity", 400, openai("Invalid model 'x'", "invalid_model", 400), "not_found"),
    ("cerebras", 400, {"message": "Please reduce the length of the messages or completion.", "type": "invalid_request_error", "code": "context_length_exceeded"}, "context_length"),
    ("llamacpp", 400, {"error": {"code": 400, "message": "the request exceeds the available context size", "type": "exceed_context_size_error"}}, "context_length"),
    ("lmstudio", 400, {"error": "Trying to keep the first 9 tokens when context overflows. However, the model is loaded with context length of only 8 tokens"}, "context_length"),
    ("bedrock", 400, {"message": "The provided model identifier is invalid."}, "not_found"),
    ("bedrock", 403, {"message": "User: x is not authorized to perform: bedrock:InvokeModel"}, "permission"),
    ("bedrock", 429, {"message": "Too many requests, please wait before trying again."}, "rate_limit"),
    ("bedrock", 400, {"__type": "ServiceQuotaExceededException", "message": "x"}, "quota"),
    ("bedrock", 424, {"message": "An error occurred while processing the model."}, "server"),
    ("azure", 404, openai("The API deployment for this resource does not exist.", None, "DeploymentNotFound"), "not_found"),
    ("ollama", 404, {"error": "model 'x' not found"}, "not_found"),
    ("zai", 429, openai("Insufficient balance or no resource package", None, "1113"), "quota"),
]  # fmt: skip


@pytest.mark.parametrize(("provider", "status", "body", "kind"), DOCUMENTED)
def test_documented_bodies(provider: str, status: int, body: Any, kind: str) -> None:
    error = fault(facts_from_body(provider, "some-model", status, {}, json.dumps(body)))
    assert error.kind == kind
    assert error.status == status
    assert error.provider == provider


@pytest.mark.wire
@pytest.mark.parametrize(
    "case", [c for c in cases() if c.status >= 300 and "body_text" in c.response], ids=case_id
)
def test_recorded_bodies(case: Case) -> None:
    headers = {name.lower(): text for name, text in case.response["headers"]}
    body = case.response["body_text"]
    error = fault(facts_from_body(case.provider, "m", case.status, headers, body))
    assert error.kind == case.expect["error_class"]


IN_STREAM: list[tuple[Any, str]] = [
    ({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "overloaded"),
    ({"error": {"message": "x", "type": "server_error", "code": None}}, "server"),
    ({"error": {"code": 502, "message": "Upstream failed"}}, "server"),
    ({"error": {"code": 429, "message": "Slow"}}, "rate_limit"),
    ({"error": {"message": "x", "type": "invalid_request_error", "status_code": 400}}, "invalid_request"),
    ({"type": "error", "code": "rate_limit_exceeded", "message": "x", "param": None}, "rate_limit"),
    ({"error": {"code": "server_error", "message": "x"}}, "server"),
    ({"error": "something odd"}, "server"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "kind"), IN_STREAM)
def test_errors_inside_a_stream_have_no_status_of_their_own(body: Any, kind: str) -> None:
    assert fault(facts_from_error("openai", "m", body, status=200, in_stream=True)).kind == kind


def test_every_kind_has_its_words() -> None:
    assert set(SENTENCES) == set(HINTS) == set(PROVIDER_KINDS)


def test_says_what_happened_and_what_to_do() -> None:
    error = fault(Facts("openai", "gpt-x", 401, message="Incorrect API key", request_id="req_1"))
    assert error.message == "OpenAI did not accept the key: Incorrect API key"
    assert "OPENAI_API_KEY" in error.hint
    assert error.request_id == "req_1"
    custom = fault(Facts("my-gateway", "m", 401))
    assert custom.message == "my-gateway did not accept the key: HTTP status 401"
    assert "api_key_env in [providers.my-gateway]" in custom.hint
    assert "MY_GATEWAY" not in custom.hint, "a variable that nobody set"


KEYS = [
    "sk-proj-abcdefghijklmnopqrstuvwx",
    "sk-ant-api03-AAAABBBBCCCCDDDD",
    "AIzaSyA1234567890abcdefghijklmnopqrstu",
    "gsk_abcdefghijklmnop1234",
    "xai-abcdefghijklmnop1234",
    "pplx-abcdefghijklmnop1234",
    "AKIAIOSFODNN7EXAMPLE",
    "Bearer abcdefgh12345678",
    "aB3" * 14,
]


@pytest.mark.parametrize("key", KEYS)
def test_no_key_is_ever_repeated(key: str) -> None:
    error = fault(Facts("openai", status=401, message=f"The key {key} is wrong"))
    assert key not in error.message
    assert "****" in error.message


def test_the_key_in_use_is_masked_whatever_it_looks_like() -> None:
    error = fault(Facts("openai", status=401, message="bad: hunter2!", secret="hunter2!"))
    assert "hunter2" not in error.message
    assert masked("gpt-6.1-sol and claude-sonnet-5-5-20260101") == (
        "gpt-6.1-sol and claude-sonnet-5-5-20260101"
    )


def test_a_vendor_cannot_write_to_the_terminal_nor_fill_it() -> None:
    error = fault(Facts("openai", status=500, message="\x1b]52;c;aGk=\x07" + "x" * 9000 + "\nend"))
    assert "\x1b" not in error.message
    assert len(error.message) < 500
    assert "\n" not in error.message
    page = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
    assert fault(facts_from_body("openai", "m", 502, {}, page)).message.endswith("502 Bad Gateway")


NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "message", "wanted"),
    [
        ({}, "", None),
        ({"retry-after": "7"}, "", 7),
        ({"retry-after": "0.5"}, "", 0.5),
        ({"retry-after": "soon"}, "", None),
        ({"retry-after": "-3"}, "", None),
        ({"retry-after": format_datetime(NOW + timedelta(seconds=90), usegmt=True)}, "", 90),
        ({"retry-after": format_datetime(NOW - timedelta(seconds=90), usegmt=True)}, "", 0),
        ({"retry-after": "1", "retry-after-ms": "0"}, "", 1),
        ({"retry-after": "1", "retry-after-ms": "2500"}, "", 2.5),
        ({"x-ratelimit-reset-tokens": "6m0s"}, "", 360),
        ({"x-ratelimit-reset-requests": "120ms"}, "", 0.12),
        (
            {
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-requests": "2s",
                "x-ratelimit-remaining-tokens": "5000",
                "x-ratelimit-reset-tokens": "1h",
            },
            "",
            2,
        ),
        ({"retry-after": "2", "x-ratelimit-reset-requests-day": "30000"}, "", 2),
        ({"x-ratelimit-reset": str(int((NOW.timestamp() + 30) * 1000))}, "", 30),
        (
            {
                "anthropic-ratelimit-tokens-remaining": "0",
                "anthropic-ratelimit-tokens-reset": "2026-11-21T12:00:30Z",
            },
            "",
            30,
        ),
        ({}, "Please retry in 48.939s.", 48.939),
        ({}, "Please try again in 7m12s. Visit", 432),
        ({}, "Please try again in 20 ms.", 0.02),
        ({}, "Please retry after 6 seconds.", 6),
        ({"retry-after": "2"}, "Please try again in 1.4s.", 2),
    ],
)
def test_waits(headers: dict[str, str], message: str, wanted: float | None) -> None:
    found = wait_seconds(headers, message, limited=True, now=NOW)
    assert found == (None if wanted is None else pytest.approx(wanted))


def test_reset_times_matter_only_for_rate_limits() -> None:
    assert wait_seconds({"x-ratelimit-reset-tokens": "6m0s"}, limited=False, now=NOW) is None


def test_googles_delay_is_in_the_body() -> None:
    body = google("RESOURCE_EXHAUSTED", "Quota", {"@type": "x", "retryDelay": "48s"})
    assert fault(facts_from_body("gemini", "m", 429, {}, json.dumps(body))).retry_after == 48


@given(
    st.text(),
    st.dictionaries(
        st.sampled_from(["retry-after", "retry-after-ms", "x-ratelimit-reset"]), st.text()
    ),
)
def test_no_header_or_message_breaks_it(text: str, headers: dict[str, str]) -> None:
    wait = wait_seconds(headers, text, limited=True)
    assert wait is None or wait >= 0
    duration_seconds(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["error", "message", "type", "code", "details", "metadata", "detail", "loc", "status", "raw", "retryDelay"]), inner),
    max_leaves=12,
)  # fmt: skip


@given(JSON, st.integers(min_value=200, max_value=599))
def test_any_body_becomes_an_error_of_ours(body: Any, status: int) -> None:
    error = fault(facts_from_body("openai", "m", status, {}, json.dumps(body)))
    assert isinstance(error, ProviderError)
    assert error.message


def test_a_hostile_message_costs_no_time() -> None:
    begun = time.perf_counter()
    fault(Facts("openai", status=400, message="model " * 20_000 + "a1B" * 20_000))
    assert time.perf_counter() - begun < 2


def test_broken_json_is_told_in_words_whatever_the_parser_met_on_its_way() -> None:
    with pytest.raises(ValueError) as broken:
        json.loads('{"broken": tru')
    assert reason(broken.value) == "its JSON is broken"
