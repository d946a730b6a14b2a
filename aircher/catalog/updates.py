"""A newer price list, fetched because the user says so, checked before it is kept.

genai-prices publishes its data between releases; its own client fetches and reads it.  What is
kept is the list in the index's compact form.  It counts for the installed version of the package
only: a newer package has newer prices.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from aircher.domain.classes import dataclass
from aircher.domain.errors import MalformedReply, NetworkFailed, StorageError
from aircher.domain.prices import PriceChange

FORMAT = 1
LEAST_SHARE = 0.5
"""A list with fewer than this share of the installed list's models is no list of prices."""

_KEPT = "The prices in use stay as they are."

MOST_USD = Decimal(100_000)
"""No price per million tokens is above this; the dearest model known costs some hundreds."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A fetched list; ``problem`` says why it cannot be used ("" if it can)."""

    providers: Mapping[str, Any]
    fetched: str
    source: str
    base: str
    problem: str = ""


def default_url() -> str:
    """Where genai-prices publishes its data."""
    from genai_prices.update_prices import DEFAULT_UPDATE_URL

    return DEFAULT_UPDATE_URL


def fetch(
    url: str, at: datetime, why: Callable[[Exception], str], timeout_s: float = 20.0
) -> Fetched:
    """The list at ``url``, checked.

    ``why`` says in plain words why a connection failed.  Raises ``NetworkFailed`` where the list
    cannot be had, ``MalformedReply`` where what is there is none.
    """
    from importlib.metadata import version

    import httpx2
    from genai_prices import UpdatePrices
    from genai_prices.data import providers as installed

    from aircher.catalog.compact import lists

    try:
        snapshot = UpdatePrices(url=url, request_timeout=httpx2.Timeout(timeout_s)).fetch()
        found = lists(snapshot.providers) if snapshot is not None else {}
        problem = unsound(found, lists(installed))
    except httpx2.HTTPStatusError as error:
        raise NetworkFailed(
            f"The price list at {url} could not be fetched: "
            f"the server answered with HTTP status {error.response.status_code}.",
            hint=f"{_KEPT} Check the address, or try again later.",
        ) from error
    except httpx2.HTTPError as error:
        raise NetworkFailed(
            f"The price list at {url} could not be fetched: {why(error)}.",
            hint=f"{_KEPT} Check the network and the address, or try again later.",
        ) from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        # What its reader raises for JSON that is no list of prices.
        problem = f"it cannot be read ({type(error).__name__})"
        found = {}
    if problem:
        raise MalformedReply(
            f"What is at {url} is no price list that can be used: {problem}.",
            hint=f"{_KEPT} Check the address, or try again later.",
        )
    return Fetched(found, at.isoformat(timespec="seconds"), url, version("genai-prices"))


def encode(fetched: Fetched) -> bytes:
    """The file's content."""
    content = {
        "format": FORMAT,
        "base": fetched.base,
        "fetched": fetched.fetched,
        "source": fetched.source,
        "providers": fetched.providers,
    }
    return json.dumps(content, separators=(",", ":")).encode()


def read(path: Path, installed: str) -> Fetched | None:
    """The kept list; None where there is none.  A damaged or outdated one has a ``problem``."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        return Fetched({}, "", "", "", f"it cannot be read: {error.strerror}")
    try:
        content = json.loads(raw)
        fetched = Fetched(
            content["providers"], content["fetched"], content["source"], content["base"]
        )
        if content["format"] != FORMAT:
            return Fetched({}, "", "", "", "another version of Aircher wrote it")
        problem = unsound(fetched.providers, {})
    except (ValueError, KeyError, TypeError, RecursionError):
        return Fetched({}, "", "", "", "it is damaged")
    if fetched.base != installed:
        problem = f"the installed list {installed} is newer"
    return Fetched(fetched.providers, fetched.fetched, fetched.source, fetched.base, problem)


def remove(path: Path) -> bool:
    """Goes back to the installed list; False if it was in use already."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StorageError(f"{path} cannot be removed: {error.strerror}.") from error
    return True


def unsound(found: Mapping[str, Any], installed: Mapping[str, Any]) -> str:
    """Why a list is not to be trusted with bills, or ""."""
    have = {name for name, _ in models(found)}
    if not have:
        return "it holds no models"
    for name, prices in models(found):
        for _, rates in prices:
            for unit, usd in _amounts(rates):
                if not usd.is_finite() or usd < 0 or (unit.endswith("_mtok") and usd > MOST_USD):
                    return f"the price {unit} of {name} is {usd}"
    wanted = {name for name, _ in models(installed)}
    if len(have & wanted) < LEAST_SHARE * len(wanted):
        return f"it has only {len(have & wanted)} of {len(wanted)} known models"
    return ""


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[PriceChange]:
    """What a newer list states differently, of prices that count always or latest."""
    old, new = dict(models(before)), dict(models(after))
    found = []
    for name in sorted({*old, *new}):
        was, now = _plain(old.get(name)), _plain(new.get(name))
        found += [
            PriceChange(name, unit, was.get(unit), now.get(unit))
            for unit in sorted({*was, *now})
            if was.get(unit) != now.get(unit)
        ]
    return found


def models(providers: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """("list/model", its prices) of every model."""
    for provider, content in providers.items():
        for model, _, _, prices in content["models"]:
            yield f"{provider}/{model}", prices


def _plain(prices: Any) -> dict[str, Decimal]:
    """Unit -> its first price, of the newest entry."""
    plain: dict[str, Decimal] = {}
    for unit, usd in _amounts(prices[-1][1]) if prices else ():
        plain.setdefault(unit, usd)
    return plain


def _amounts(rates: Mapping[str, Any]) -> Iterator[tuple[str, Decimal]]:
    for unit, value in rates.items():
        base, tiers = (value, []) if isinstance(value, str) else value
        for text in (base, *(price for _, price in tiers)):
            try:
                yield unit, Decimal(text)
            except InvalidOperation:
                yield unit, Decimal("NaN")
