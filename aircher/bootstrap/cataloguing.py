"""The catalogue with what this configuration and this machine say of models."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from aircher.bootstrap.places import cache_dir
from aircher.bootstrap.price_updates import prices_path
from aircher.catalog.catalog import ModelCatalog
from aircher.catalog.facts import CustomModel
from aircher.config.load import Config
from aircher.config.provider_schema import ProviderConfig
from aircher.domain.models import ModelRef
from aircher.providers.addresses import is_loopback
from aircher.providers.local.model import SMOLLM2
from aircher.providers.vendors import Vendor, canonical, vendors


def open_catalog(config: Config) -> ModelCatalog:
    """The catalogue; nothing is read before it is asked."""
    custom: dict[ModelRef, CustomModel] = {}
    for name, model in config.models.custom.items():
        provider, _, rest = name.partition("/")
        custom[ModelRef(canonical(provider), rest)] = CustomModel(
            context_window=model.context_window,
            max_output=model.max_output,
            input_price=model.input_price,
            output_price=model.output_price,
            features=None if model.features is None else frozenset(model.features),
            quality=model.quality,
        )
    rows = vendors()
    return ModelCatalog(
        custom=custom,
        local_providers=_free(rows, config.providers.named),
        windows=dict(_windows(rows, config)),
        providers=tuple(rows),
        cache_folder=cache_dir(),
        update=prices_path(),
    )


def _windows(rows: Mapping[str, Vendor], config: Config) -> Iterator[tuple[ModelRef, int]]:
    """The windows of the models that run in a process of ours: we set them ourselves."""
    context = config.local.context or SMOLLM2.context
    for name, row in rows.items():
        if row.kind == "local":
            yield ModelRef(name, SMOLLM2.name), min(context, SMOLLM2.context)
            if config.local.model:
                yield ModelRef(name, config.local.model), context


def _free(rows: Mapping[str, Vendor], named: Mapping[str, ProviderConfig]) -> Collection[str]:
    """Providers that run on this machine and so cost nothing, unless pointed elsewhere."""
    return [
        name
        for name, row in rows.items()
        if row.local and not (name in named and _elsewhere(named[name].base_url))
    ]


def _elsewhere(base_url: str | None) -> bool:
    return bool(base_url) and not is_loopback(base_url or "")
