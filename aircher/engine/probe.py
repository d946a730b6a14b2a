"""The active look at a provider: its model list, a call that costs nothing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import timedelta

from aircher.domain.errors import AircherError, TimedOut
from aircher.domain.models import ListedModel
from aircher.domain.ports import Clock, HealthBoard, Providers
from aircher.policy.health import pause

PROBE_TIMEOUT_S = 10.0


async def probe(
    providers: Providers, health: HealthBoard, clock: Clock, name: str
) -> Sequence[ListedModel]:
    """Asks one provider for its models and notes how it went on the board.

    Returns the list, empty where the provider did not answer; its error is on the board.
    """
    try:
        provider = await providers.get(name)
        started = clock.monotonic()
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            listed = await provider.models()
    except AircherError as error:
        health.probed(name, None, error)
        return ()
    except TimeoutError:
        late = TimedOut(f"{name} did not answer within {PROBE_TIMEOUT_S:.0f} s.")
        health.probed(name, None, late)
        return ()
    health.probed(name, clock.monotonic() - started, None)
    return listed


async def look_regularly(
    providers: Providers,
    health: HealthBoard,
    clock: Clock,
    interval_s: float,
    may_look: Callable[[], bool],
    roll: Callable[[], float] = random.random,
) -> AsyncGenerator[str, None]:
    """Asks quiet providers for their models, one after the other, for as long as it is read.

    Yields each name asked.  A provider that any program heard of within the interval is not
    asked; nobody is while ``may_look`` says no.  The pauses are jittered, the first one too.
    """
    while True:
        await clock.sleep(pause(interval_s, roll()))
        for name in health.quiet(clock.now() - timedelta(seconds=interval_s)):
            if not may_look():
                break
            await probe(providers, health, clock, name)
            yield name
