"""The active look at a provider: its model list, a call that costs nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aircher.domain.errors import AircherError, TimedOut
from aircher.domain.models import ListedModel
from aircher.domain.ports import Clock, HealthBoard, Providers

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
