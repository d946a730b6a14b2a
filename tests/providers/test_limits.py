"""Rate limits in headers: every recorded one, some by the real SDKs, and the odd ones."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from aircher.bootstrap.compose import open_services
from aircher.domain.chat import ChatRequest, Opened
from aircher.domain.limits import RateLimit
from aircher.domain.messages import user
from aircher.providers.limits import rate_limits
from tests.providers.test_every_recording import ROADS, configure
from tests.support.wire import Case, Replay, all_cases, case_id

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


def headers(case: Case) -> dict[str, str]:
    return {name.lower(): str(value) for name, value in dict(case.response["headers"]).items()}


TELLING = [
    case
    for case in all_cases()
    if any("ratelimit" in name and "remaining" in name for name in headers(case))
]
ANSWERS = [case for case in TELLING if case.api in ROADS and case.status == 200]
ONE_EACH = list({(case.provider, case.api, case.streaming): case for case in ANSWERS}.values())


@pytest.mark.wire
@pytest.mark.parametrize("case", TELLING, ids=case_id)
def test_every_recorded_remainder_of_requests_and_tokens_is_read(case: Case) -> None:
    told = headers(case)
    found = rate_limits(told, NOW)
    names = [name for name in told if "ratelimit" in name and "remaining" in name]
    # Images and audio have limits of their own, which no text call meets.
    names = [name for name in names if "images" not in name and "audio" not in name]
    assert sorted(one.remaining for one in found) == sorted(int(told[name]) for name in names)
    assert all(one.reset_s is None or one.reset_s >= 0 for one in found)


@pytest.mark.wire
@pytest.mark.parametrize("case", ONE_EACH, ids=case_id)
async def test_they_come_with_the_first_chunk_of_a_real_sdk(
    case: Case, replay: Replay, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suffix, settings = ROADS[case.api]
    name = configure(home, monkeypatch, replay.url(case.id) + suffix, settings)
    services = open_services()
    try:
        provider = await services.providers.get(name)
        request = ChatRequest(case.model, (user("hi"),), stream=case.streaming)
        stream = provider.stream(request)
        opened = await anext(stream)
        await stream.aclose()
    finally:
        await services.aclose()
    assert isinstance(opened, Opened)
    assert {(one.counted, one.remaining) for one in opened.limits} == {
        (one.counted, one.remaining) for one in rate_limits(headers(case))
    }


@pytest.mark.parametrize(
    ("told", "limits"),
    [
        ({}, ()),
        ({"x-ratelimit-remaining-requests": "many"}, ()),
        ({"x-ratelimit-remaining-requests": "-3"}, (RateLimit("requests", 0),)),
        (
            {
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-limit-requests": "60",
                "x-ratelimit-reset-requests": "1m2s",
            },
            (RateLimit("requests", 0, 60, 62.0),),
        ),
        (
            {
                "anthropic-ratelimit-input-tokens-remaining": "400",
                "anthropic-ratelimit-input-tokens-reset": "2026-03-14T12:00:30Z",
            },
            (RateLimit("input tokens", 400, None, 30.0),),
        ),
        ({"x-ratelimit-remaining-tokens-minute": "7"}, (RateLimit("tokens", 7, None, 60.0),)),
        ({"x-ratelimit-remaining": "1", "x-ratelimit-reset": "2"}, (RateLimit("requests", 1, None, 2.0),)),
    ],
)  # fmt: skip
def test_the_forms_in_use(told: dict[str, str], limits: tuple[RateLimit, ...]) -> None:
    assert rate_limits(told, NOW) == limits
