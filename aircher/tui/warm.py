"""What is loaded behind the first frame, in threads, so that no key waits for it later."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from aircher.bootstrap.services import Services
from aircher.domain.models import ModelRef
from aircher.domain.usage import Tokens
from aircher.tui import garbage


@runtime_checkable
class Startable(Protocol):
    """A provider whose model is started on this machine."""

    async def warm(self, model: str) -> bool:
        """Starts the model ahead of its first use; False, and no error, where it cannot."""
        ...


async def warm_up(
    services: Services, ref: ModelRef | None, others: Sequence[ModelRef] = ()
) -> None:
    """Loads the likely provider's SDK, its token tables, and what reads Markdown and code.

    ``others`` are models that plans may name as well: their facts and tables are read too.

    Raises what ``Providers.get`` raises.
    """
    from aircher.tui.widgets.transcript.document import rehearse

    provider: object = None
    try:
        if ref is not None:
            provider = await services.providers.get(ref.provider)
            await asyncio.to_thread(services.catalog.warm, ref, *others)
            await asyncio.to_thread(_price, services, ref)
        await asyncio.to_thread(rehearse)
        if ref is not None and isinstance(provider, Startable):
            await provider.warm(ref.model)
    finally:
        garbage.spare()


def _price(services: Services, ref: ModelRef) -> None:
    """Reads the tables that count and price the first words of an answer: some 100 ms."""
    tokens = Tokens(input=1, output=services.catalog.count_text(ref, "Hello."))
    services.catalog.cost(ref, tokens, services.clock.now())
