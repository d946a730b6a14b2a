"""What happens on the way: names, connections, TLS, silence, crumbs.  A TCP proxy does it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from tests.faults.conftest import WHOLE, Row
from tests.faults.dialects import DIALECTS, Dialect
from tests.faults.judging import Expected, judge
from tests.faults.stage import Stage
from tests.support.certificates import authority, server_side
from tests.support.proxy import (
    Plan,
    Proxy,
    before,
    body,
    closed_port,
    full_backlog,
    head_only,
    proxying,
)

SILENCE = 'idle_timeout = "600ms"\n'
LIMIT = 'timeout = "1500ms"\n'

NETWORK = Expected("fails", "connection to .* failed")
SLOW = Expected("fails", "did not (answer|finish) in time")
SLOW_PART = Expected("breaks", "did not (answer|finish) in time")

PROXIED: dict[tuple[str, str], tuple[Callable[[Dialect], Plan], str, Expected]] = {
    ("connection reset", "when it is made"): (
        lambda _: Plan("reset", at="accept"), "", NETWORK),
    ("connection reset", "between headers and body"): (
        lambda _: Plan("reset", upto=head_only), "", NETWORK),
    ("connection reset", "in mid-answer"): (
        lambda _: Plan("reset", upto=body(0.6)), "", Expected("breaks", "connection to .* failed")),
    ("connection closed", "in mid-answer"): (
        lambda _: Plan("close", upto=body(0.6)), "", Expected("breaks", "connection to .* failed")),
    ("connection reset", "before the end mark"): (
        lambda d: Plan("reset", upto=before(d.end)), "", Expected("breaks", "connection to .* failed")),
    ("silence", "before the headers"): (
        lambda _: Plan("stall", upto=lambda _: 0), SILENCE, SLOW),
    ("silence", "between headers and body"): (
        lambda _: Plan("stall", upto=head_only), SILENCE, SLOW),
    ("silence", "in mid-answer"): (
        lambda _: Plan("stall", upto=body(0.6)), SILENCE, SLOW_PART),
    ("silence", "before the end mark"): (
        lambda d: Plan("stall", upto=before(d.end)), SILENCE, SLOW_PART),
    ("a slow drip", "in the body"): (
        lambda _: Plan(drip_s=0.01, drip_bytes=100), 'idle_timeout = "5s"\n', Expected("fine")),
    ("a drip that never ends in time", "in the body"): (
        lambda d: Plan("stall", upto=before(d.end), drip_s=0.005, drip_bytes=200), 'timeout = "4s"\n', SLOW_PART),
}  # fmt: skip
"""(fault, where) -> the proxy's plan, settings of the provider, how it ends."""

SAMPLE = {
    ("connection reset", "in mid-answer", "anthropic"),
    ("connection reset", "when it is made", "gemini"),
    ("silence", "before the headers", "ollama"),
    ("silence", "in mid-answer", "responses"),
}


def sampled(faults: object, *dialects: Dialect) -> list[object]:
    """All of them, or those that run with all other tests."""
    return [
        pytest.param(fault, dialect, id=f"{fault[0]} {fault[1]}-{dialect.name}")
        for fault in faults  # type: ignore[attr-defined]  # any table of faults
        for dialect in dialects
        if WHOLE or (*fault, dialect.name) in SAMPLE
    ]


@pytest.mark.parametrize(("fault", "dialect"), sampled(PROXIED, *DIALECTS))
async def test_connection(
    stages: Callable[[], Stage],
    replay_port: int,
    row: Row,
    fault: tuple[str, str],
    dialect: Dialect,
) -> None:
    row.fault, row.where = fault
    plan, own, expected = PROXIED[fault]
    async with proxying(replay_port, plan(dialect)) as proxy:
        await judge(
            stages, dialect, expected, row,
            lambda stage: stage.configure(
                dialect, stage.address(dialect.case, port=proxy.port), own=own, retries=0
            ),
        )  # fmt: skip
        assert proxy.connections


# -- without an answer at all

Way = Callable[[Stage, Path, AsyncExitStack], Awaitable[tuple[str, str]]]
"""Gives the start of the address, and more settings."""


def _tls(*, signed: bool = True, **made: object) -> Way:
    async def way(stage: Stage, folder: Path, stack: AsyncExitStack) -> tuple[str, str]:
        own = authority(folder)
        context = server_side(folder, own if signed else None, **made)  # type: ignore[arg-type]  # names of its parameters
        proxy = await stack.enter_async_context(proxying(stage.port, tls=context))
        return f"https://127.0.0.1:{proxy.port}", f'[network]\nca_file = "{own.file}"\n'

    return way


def _plan(plan: Plan, scheme: str) -> Way:
    async def way(stage: Stage, _folder: Path, stack: AsyncExitStack) -> tuple[str, str]:
        proxy: Proxy = await stack.enter_async_context(proxying(stage.port, plan))
        return f"{scheme}://127.0.0.1:{proxy.port}", ""

    return way


async def _refused(_stage: Stage, _folder: Path, _stack: AsyncExitStack) -> tuple[str, str]:
    return f"http://127.0.0.1:{closed_port()}", ""


async def _no_name(_stage: Stage, _folder: Path, _stack: AsyncExitStack) -> tuple[str, str]:
    return "https://nowhere.invalid", ""


async def _never_made(_stage: Stage, _folder: Path, stack: AsyncExitStack) -> tuple[str, str]:
    return f"http://127.0.0.1:{stack.enter_context(full_backlog())}", ""


WAYS: dict[tuple[str, str], tuple[Way, str, Expected]] = {
    ("connection refused", "when it is made"): (_refused, "", NETWORK),
    ("a name that does not exist", "look-up of the address"): (_no_name, "", NETWORK),
    ("silence", "while it is made"): (_never_made, LIMIT, SLOW),
    ("silence", "in the TLS handshake"): (_plan(Plan("stall", at="accept"), "https"), LIMIT, SLOW),
    ("connection reset", "in the TLS handshake"): (_plan(Plan("reset", at="accept"), "https"), "", NETWORK),
    ("no TLS where TLS is wanted", "in the TLS handshake"): (
        _plan(Plan("close"), "https"), LIMIT, Expected("fails", "connection to .* failed|in time")),
    ("a certificate signed by itself", "in the TLS handshake"): (
        _tls(signed=False), "", Expected("fails", "certificate is not trusted")),
    ("a certificate for another host", "in the TLS handshake"): (
        _tls(host="elsewhere.example"), "", Expected("fails", "certificate is not trusted")),
    ("a certificate out of date", "in the TLS handshake"): (
        _tls(ends=timedelta(days=-1)), "", Expected("fails", "certificate is not trusted.*expired")),
    ("a certificate of your own authority", "in the TLS handshake"): (_tls(), "", Expected("fine")),
}  # fmt: skip

SAMPLE |= {
    ("connection refused", "when it is made", "chat"),
    ("a name that does not exist", "look-up of the address", "anthropic"),
    ("silence", "in the TLS handshake", "chat"),
    ("a certificate out of date", "in the TLS handshake", "gemini"),
    ("a certificate of your own authority", "in the TLS handshake", "ollama"),
}


@asynccontextmanager
async def reached(
    way: Way, stages: Callable[[], Stage], folder: Path
) -> AsyncIterator[tuple[str, str]]:
    """The way's start of the address and settings, while its servers run."""
    async with AsyncExitStack() as stack:
        yield await way(stages(), folder, stack)


@pytest.mark.parametrize(("fault", "dialect"), sampled(WAYS, *DIALECTS))
async def test_way(
    stages: Callable[[], Stage],
    tmp_path: Path,
    row: Row,
    fault: tuple[str, str],
    dialect: Dialect,
) -> None:
    row.fault, row.where = fault
    way, own, expected = WAYS[fault]
    async with reached(way, stages, tmp_path) as (start, more):
        await judge(
            stages, dialect, expected, row,
            lambda stage: stage.configure(
                dialect, f"{start}/case/{dialect.case}", own=own, more=more, retries=0
            ),
        )  # fmt: skip
