"""The list that prices come from: fetched, described, taken back, at the user's word alone."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from aircher.bootstrap.configuring import data_dir
from aircher.config.atomic import write_private
from aircher.domain.errors import StorageError, UsageError
from aircher.domain.prices import PriceChange, PriceList
from aircher.providers.addresses import is_loopback
from aircher.providers.reasons import reason


def prices_path() -> Path:
    """Where a fetched list is kept; it may not be there."""
    return data_dir() / "prices.json"


def update_prices(url: str, at: datetime) -> tuple[PriceList, list[PriceChange]]:
    """Fetches the published list ("" = where genai-prices has it) and keeps it if it is sound.

    Returns it, and what differs from the list in use.  The file is replaced whole or not at all.
    Raises ``UsageError`` for an address that may not be asked, ``NetworkFailed``, ``MalformedReply``
    or ``StorageError``; then the prices stay as they were.
    """
    from aircher.catalog import index, updates

    address = url or updates.default_url()
    if not (address.startswith("https://") or is_loopback(address)):
        raise UsageError(
            f"{address} is not encrypted: prices could be changed on the way.",
            hint="Use an https address.",
        )
    before = index.build(update=prices_path())["providers"]
    fetched = updates.fetch(address, at, reason)
    try:
        write_private(prices_path(), updates.encode(fetched))
    except OSError as error:
        raise StorageError(
            f"{prices_path()} cannot be written: {error.strerror}.",
            hint="The prices in use stay as they are.",
        ) from error
    return price_list(), updates.changes(before, fetched.providers)


def price_list() -> PriceList:
    """The list in use."""
    from importlib.metadata import version

    from aircher.catalog import index, updates

    built = index.build(update=prices_path())
    count = sum(1 for _ in updates.models(built["providers"]))
    fetched = updates.read(prices_path(), version("genai-prices"))
    if fetched is None:
        return PriceList(f"genai-prices {built['version']}", count)
    return PriceList(
        f"genai-prices {built['version']}", count, fetched.fetched, fetched.source, fetched.problem
    )


def reset_prices() -> bool:
    """Goes back to the installed list; False if it was in use already."""
    from aircher.catalog import updates

    return updates.remove(prices_path())
