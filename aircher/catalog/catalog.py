"""The catalogue: the port ``Catalog`` over the index, the user's overrides and the counters."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import cached_property
from pathlib import Path

from aircher.catalog import index
from aircher.catalog.fact_rows import emitted_row, known_row, scored_row
from aircher.catalog.facts import NOTHING_SAID, CustomModel, listed_facts, local_facts
from aircher.catalog.lookup import PRICE_LISTS, PriceLists, fact_keys
from aircher.catalog.prices import choose, price_lines
from aircher.catalog.tariffs import Tariff
from aircher.catalog.tokens import TokenCounter
from aircher.domain.messages import Message
from aircher.domain.models import ModelFacts, ModelRef
from aircher.domain.prices import PriceSheet
from aircher.domain.usage import FREE, UNKNOWN_COST, Cost, Tokens, usd_to_nano


class ModelCatalog:
    """Facts, prices and token counts of models.

    Nothing is read before the first question; ``warm`` reads it ahead of time, from a worker
    thread if wanted.  Every method may be called from any thread.
    """

    def __init__(
        self,
        *,
        custom: Mapping[ModelRef, CustomModel] | None = None,
        local_providers: Collection[str] = (),
        windows: Mapping[ModelRef, int] | None = None,
        price_lists: Mapping[str, str] | None = None,
        providers: Sequence[str] = (),
        cache_folder: Path | None = None,
        update: Path | None = None,
    ) -> None:
        """``custom`` is the user's own word on models; ``local_providers`` run on this machine
        and cost nothing, with the ``windows`` that they are run with; ``price_lists`` adds to the table of names in ``lookup`` (a vendor
        "my-azure" -> "azure"); ``providers`` are the configured names that ``known`` lists
        models under; ``cache_folder`` keeps the compact index between runs; ``update``
        is where a price list that the user fetched is kept, if there is one.
        """
        self._custom = dict(custom or {})
        self._local = frozenset(local_providers)
        self._windows = dict(windows or {})
        self._names = {**PRICE_LISTS, **(price_lists or {})}
        self._providers = tuple(providers)
        self._cache_folder = cache_folder
        self._update = update
        self._counter = TokenCounter()
        self._facts: dict[ModelRef, ModelFacts] = {}
        self._tariffs: dict[ModelRef, tuple[Tariff, ...]] = {}

    @cached_property
    def _index(self) -> index.Index:
        return index.load(self._cache_folder, self._update)

    @cached_property
    def _lists(self) -> PriceLists:
        return PriceLists(self._index, self._names)

    @property
    def _data(self) -> str:
        """The price data's name and version, for bills."""
        return f"genai-prices:{self._lists.version}"

    def warm(self, *refs: ModelRef, tables: bool = True) -> None:
        """Reads the index, and with ``tables`` the token tables these models count with.

        Blocking (the first time after an update up to half a second): call it in a worker.
        """
        for ref in refs:
            self.facts(ref)
            if tables:
                self._counter.load(ref.model)
        _ = self._lists

    def facts(self, ref: ModelRef) -> ModelFacts:
        """What is known of a model; unknown fields are None.  Never raises."""
        found = self._facts.get(ref)
        if found is None:
            found = self._facts[ref] = self._find_facts(ref)
        return found

    def _find_facts(self, ref: ModelRef) -> ModelFacts:
        custom = self._custom.get(ref, NOTHING_SAID)
        if ref.provider in self._local:
            return local_facts(ref, custom, self._windows.get(ref))
        row = self._lists.find(ref.provider, ref.model)
        listed = self._lists.list_of(ref.provider)
        keys = tuple(fact_keys(listed or ref.provider, ref.model, row))
        return listed_facts(
            ref,
            row,
            known_row(self._index, keys),
            custom,
            datetime.now(UTC),
            self._data,
            scored=scored_row(self._index, keys),
            emitted=emitted_row(self._index, keys),
        )

    def cost(self, ref: ModelRef, tokens: Tokens, at: datetime, vendor_usd: str = "") -> Cost:
        """The price of these tokens at that time; tag ``unknown`` where there is no price.

        What runs on this machine is free.  Otherwise the vendor's own stated cost counts, then
        the user's prices, then the price data.  Tokens that were not reported cost an unknown
        amount, never nothing.
        """
        if ref.provider in self._local:
            return FREE
        if vendor_usd and (stated := _stated(vendor_usd)) is not None:
            return Cost(stated, "exact", "vendor")
        tariff = self._tariff(ref, at)
        return UNKNOWN_COST if tariff is None else tariff.bill(tokens)

    def _tariff(self, ref: ModelRef, at: datetime) -> Tariff | None:
        """What counts for the model at that instant; None where it has no price."""
        tariffs = self._tariffs.get(ref)
        if tariffs is None:
            tariffs = self._tariffs[ref] = tuple(self._find_tariffs(ref))
        if len(tariffs) < 2:
            return tariffs[0] if tariffs else None
        present = choose([tariff.price for tariff in tariffs], at)
        return next(tariff for tariff in tariffs if tariff.price is present)

    def _find_tariffs(self, ref: ModelRef) -> Iterator[Tariff]:
        custom = self._custom.get(ref, NOTHING_SAID).price
        if custom is not None:
            yield Tariff(custom, "your configuration")
            return
        row = self._lists.find(ref.provider, ref.model)
        if row is None:
            return
        for price in row.prices:
            words = (self._data, f"{row.provider}/{row.model}", price.condition)
            yield Tariff(price, " ".join(filter(None, words)), row.listed_free)

    def sheet(self, ref: ModelRef, at: datetime) -> PriceSheet:
        """All that is stated of a model's price; ``cost`` at that time uses what is marked now."""
        if ref.provider in self._local:
            return PriceSheet(ref, FREE.price_id or "", free=True)
        custom = self._custom.get(ref, NOTHING_SAID).price
        if custom is not None:
            return PriceSheet(ref, "your configuration", price_lines((custom,), at))
        row = self._lists.find(ref.provider, ref.model)
        if row is None or not row.prices:
            return PriceSheet(ref, "")
        name = f"{self._data} {row.provider}/{row.model}"
        return PriceSheet(ref, name, price_lines(row.prices, at), free=row.listed_free)

    def count_tokens(
        self, ref: ModelRef, messages: Sequence[Message], system: str = ""
    ) -> tuple[int, bool]:
        """Prompt tokens, and whether that is exact (by the model's own tables)."""
        return self._counter.prompt(ref, messages, system)

    def count_text(self, ref: ModelRef, text: str) -> int:
        """Tokens of a text, quickly: an estimate."""
        return self._counter.text(ref, text)

    def calibrate(self, ref: ModelRef, estimated: int, reported: int) -> None:
        """Learns from the usage that came back, for later estimates of the same model."""
        self._counter.calibrate(ref, estimated, reported)

    def known(self) -> Sequence[ModelFacts]:
        """The user's own models, then all that have a price for text: of each configured
        provider under its name, or, if none was named, of every list under the list's name.
        """
        names = self._providers or self._lists.names
        listed = (ModelRef(name, model) for name in names for model in self._lists.chat(name))
        return [self.facts(ref) for ref in dict.fromkeys((*self._custom, *listed))]


def _stated(vendor_usd: str) -> int | None:
    """A vendor's own cost in nano-dollars; None if it said none that makes sense."""
    try:
        usd = Decimal(vendor_usd)
    except InvalidOperation:
        return None
    return usd_to_nano(usd) if usd.is_finite() and usd >= 0 else None
