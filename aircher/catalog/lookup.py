"""From ``provider/model`` to the rows of the index: names, resellers, fallbacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from aircher.catalog.index import Index
from aircher.catalog.matching import dashed_dates, matches, plain_name, shorter_names
from aircher.catalog.prices import Price, Units, read_price
from aircher.domain.classes import dataclass

PRICE_LISTS: Mapping[str, str] = {
    "claude": "anthropic",
    "gemini": "google",
    "vertex": "google",
    "google-vertex": "google",
    "claude-vertex": "google",
    "vertex-claude": "google",
    "bedrock": "aws",
    "claude-bedrock": "aws",
    "bedrock-converse": "aws",
    "bedrock-mantle": "aws",
    "azure-openai": "azure",
    "azure-ai": "azure",
    "xai": "x-ai",
    "grok": "x-ai",
    "moonshot": "moonshotai",
    "kimi": "moonshotai",
    "z-ai": "zai",
    "zhipu": "zhipuai",
    "mistralai": "mistral",
    "together-ai": "together",
    "togetherai": "together",
    "fireworks-ai": "fireworks",
    "copilot": "github-copilot",
    "voyage": "voyageai",
}
"""Our provider names, with dashes -> genai-prices' provider ids, where they differ."""


@dataclass(frozen=True, slots=True)
class Row:
    """One model of the price data: whose list it is on, its id, window, and prices."""

    provider: str
    model: str
    context_window: int | None
    prices: tuple[Price, ...]

    @property
    def listed_free(self) -> bool:
        """True if the name itself says that it costs nothing."""
        return self.model.endswith((":free", "-free", "/free"))


class PriceLists:
    """The index with its rows made into values when they are first asked for."""

    def __init__(self, index: Index, names: Mapping[str, str] = PRICE_LISTS) -> None:
        """``names``: our provider names -> the ids in the data, where they differ."""
        self._providers: Mapping[str, Any] = index["providers"]
        self._units = index["units"]
        self._names = names
        self._rows: dict[tuple[str, str], Row | None] = {}
        self.version: str = index["version"]

    @cached_property
    def units(self) -> Units:
        """What can have a price."""
        return Units(self._units)

    def list_of(self, provider: str) -> str:
        """The price list a provider's models are on, "" if there is none."""
        name = provider.lower()
        name = self._names.get(name) or self._names.get(name.replace("_", "-")) or name
        return name if name in self._providers else ""

    def find(self, provider: str, model: str) -> Row | None:
        """The row of a model as that provider names it; None if it has no price there.

        A provider that sells others' models at their price (Azure, Vertex) falls back to
        their lists, as the data says.
        """
        key = (provider, model)
        if key not in self._rows:
            name = plain_name(model)
            self._rows[key] = self._match(provider, name) or self._match(
                provider, dashed_dates(name)
            )
        return self._rows[key]

    @property
    def names(self) -> Sequence[str]:
        """The ids of all price lists."""
        return tuple(self._providers)

    def chat(self, provider: str) -> Iterator[str]:
        """The ids of a provider's models that have a price for written tokens."""
        listed = self.list_of(provider)
        for name, _, _, prices in self._providers[listed]["models"] if listed else ():
            if any("output_mtok" in rates for _, rates in prices):
                yield name

    def _match(self, provider: str, name: str) -> Row | None:
        listed = self.list_of(provider)
        if not listed:
            return None
        for place in (listed, *self._providers[listed]["fallback"]):
            for raw in self._providers[place]["models"]:
                if matches(raw[1], name):
                    return self._row(place, raw)
        return None

    def _row(self, provider: str, raw: Any) -> Row:
        model, _, window, prices = raw
        read = tuple(read_price(price, self.units) for price in prices)
        return Row(provider, model, window, read)


MAKERS = (
    ("claude-", "anthropic"),
    ("gemini-", "google"),
    ("gpt-", "openai"),
    ("deepseek-", "deepseek"),
    ("grok-", "x-ai"),
    ("kimi-", "moonshotai"),
    ("mistral-", "mistral"),
)
"""How a family's names begin, and whose list they are on."""


def fact_keys(provider: str, model: str, row: Row | None) -> Iterator[str]:
    """Where to look a model up in our own table of facts, the most certain key first.

    ``provider`` is a price list's id.  A reseller's name leads to its maker's row: from
    OpenRouter's "anthropic/claude-opus-4.5", Bedrock's "us.anthropic.claude-opus-4-5-...-v1:0"
    and Vertex' "claude-opus-4-5@20251101" to "anthropic/claude-opus-4-5".
    """
    name = plain_name(model)
    for short in shorter_names(name):
        yield f"{provider}/{short}"
    if row is not None:
        yield f"{row.provider}/{row.model}"
    for start, maker in MAKERS:
        found = name.find(start)
        if found >= 0 and (found == 0 or name[found - 1] in "/."):
            for short in shorter_names(name[found:].partition(":")[0]):
                yield f"{maker}/{short}"
                yield f"{maker}/{short.replace('.', '-')}"
