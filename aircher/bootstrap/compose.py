"""The composition root: configuration and what is found in, running services out."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Literal, cast

from aircher.bootstrap.cataloguing import open_catalog
from aircher.bootstrap.choosing import Chosen, Findings, choose
from aircher.bootstrap.clock import SystemClock
from aircher.bootstrap.configuring import (
    config_path,
    key_values,
    key_variables,
    load_config,
    require_sound,
)
from aircher.bootstrap.detection import load_detector
from aircher.bootstrap.fallback import fallback_settings
from aircher.bootstrap.guarding import make_guard, only_here, privacy_settings
from aircher.bootstrap.logged import LoggedEngine
from aircher.bootstrap.logs import begin
from aircher.bootstrap.opening import open_database
from aircher.bootstrap.passphrase import at_terminal
from aircher.bootstrap.preferring import gates
from aircher.bootstrap.reaching import key_places, setup_of
from aircher.bootstrap.rescue import rescue
from aircher.bootstrap.services import Services
from aircher.bootstrap.sources import Ask, stores_of
from aircher.bootstrap.strategies import strategies_for
from aircher.catalog.catalog import ModelCatalog
from aircher.config.layers import Flag
from aircher.config.load import Config
from aircher.config.provider_schema import ProviderConfig
from aircher.domain.chat import Effort
from aircher.domain.commits import CommitSettings
from aircher.domain.limits import Rate
from aircher.domain.models import ModelRef
from aircher.domain.routes import Rules
from aircher.domain.settings import (
    CallSettings,
    HealthSettings,
    RetrySettings,
    Settings,
    SpendSettings,
    UiSettings,
)
from aircher.domain.usage import usd_to_nano
from aircher.engine.gate import Gate
from aircher.engine.health import PassiveHealth
from aircher.engine.ports import EnginePorts
from aircher.engine.speeds import Speeds
from aircher.engine.turn import Engine
from aircher.policy.breaker import BreakerRules
from aircher.policy.route import resolve
from aircher.providers.addresses import is_loopback
from aircher.providers.local.discover import Server, detect_servers
from aircher.providers.local.model import SMOLLM2, has_runtime, is_present, models_folder
from aircher.providers.registry import ProviderSetup, Registry
from aircher.providers.vendors import vendors
from aircher.workspace.checking import CommandCheck
from aircher.workspace.folder import Folder


def open_services(
    flags: Sequence[Flag] = (), *, ask: Ask = at_terminal, in_any_case: bool = False
) -> Services:
    """Builds everything; imports no SDK and makes no call besides loopback look-ups.

    ``ask`` asks for the passphrase of stored keys, once, when one of them is first used.  With
    ``in_any_case`` a data file that cannot be used is no reason not to begin.

    Takes some 20 ms.  Raises ``ConfigError`` listing all problems of the configuration, ``StorageError`` for a data file
    that cannot be used.
    """
    config = require_sound(load_config(flags=flags))
    log = begin(config.log, key_values(config))
    clock = SystemClock()
    servers = _servers() if config.discover else ()
    stores = stores_of(config, ask)
    findings = Findings(
        keys={name: place.source for name, place in key_places(config, stores)},
        servers={server.name: server.models for server in servers},
        local_model=_local_obstacle(config),
    )
    catalog = open_catalog(config)
    chosen = choose(config, vendors(), findings, catalog.facts)
    setups = {
        name: setup_of(chosen.vendors[name], config, stores, servers) for name in chosen.rules.order
    }
    chosen = replace(chosen, rules=_kept_here(chosen.rules, setups, config))
    settings = _settings(config, chosen, catalog)
    records = open_database(clock, in_any_case=in_any_case)
    providers = Registry({name: setups[name] for name in chosen.rules.order})
    workspace = Folder()
    patience = settings.retry.max_delay_s
    health = PassiveHealth(
        chosen.rules,
        clock,
        records.health,
        breaker=BreakerRules(
            config.breaker.failures, config.breaker.reset, config.breaker.key_reset
        ),
        settings=settings.health,
        patience_s=patience,
        fingerprint=providers.fingerprint,
    )
    gate = Gate(health, records.rates, clock, settings.rates, patience_s=patience)
    speeds = Speeds(records.usage, clock)
    ports = EnginePorts(
        settings=settings,
        detector=load_detector(config),
        providers=providers,
        catalog=catalog,
        ledger=records.ledger,
        sessions=records.sessions,
        corrections=records.corrections,
        workspace=workspace,
        health=health,
        gate=gate,
        guard=make_guard(config, chosen.rules, workspace.ignored),
        clock=clock,
        roll=random.random,
        speeds=speeds.all,
        strategies=strategies_for(chosen.rules),
        check=CommandCheck(settings.key_variables),
        rescue=rescue,
    )
    engine = LoggedEngine(ports, prompts=log.prompts) if log else Engine(ports)
    return Services(
        engine=engine,
        settings=settings,
        sessions=records.sessions,
        corrections=records.corrections,
        ledger=records.ledger,
        usage=records.usage,
        catalog=catalog,
        providers=providers,
        workspace=workspace,
        health=health,
        clock=clock,
        close=records.close,
        notices=(
            *(str(warning) for warning in config.warnings),
            *records.notices,
            *([f"Prompts and answers are written to {log.path}."] if log and log.prompts else []),
        ),
    )


def _kept_here(rules: Rules, setups: Mapping[str, ProviderSetup], config: Config) -> Rules:
    """The rules, with "local" only for what is reached at a loopback address, or runs in a process
    of ours; with privacy.local nothing else is left.
    """
    here = {
        name: pattern
        for name, pattern in rules.local.items()
        if name in setups
        and (setups[name].row.kind == "local" or is_loopback(setups[name].base_url))
    }
    rules = replace(rules, local=here)
    return only_here(rules) if config.privacy.local else rules


def _servers() -> tuple[Server, ...]:
    """Model servers on this machine; in a thread, because a caller may have a loop running."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(detect_servers())).result()


def _local_obstacle(config: Config) -> str:
    """Why no model can run in a process of ours, or ""; nothing is imported or read."""
    if not has_runtime():
        return "not installed: pip install 'aircher[local]'"
    if config.local.model:
        there = Path(os.path.expanduser(config.local.model)).is_file()
        return "" if there else f"local.model is not there: {config.local.model}"
    there = is_present(SMOLLM2, models_folder())
    return "" if there else "not fetched: run `aircher local pull`"


def _settings(config: Config, chosen: Chosen, catalog: ModelCatalog) -> Settings:
    rules = chosen.rules
    baseline = None
    if config.costs.baseline_model:
        baseline = resolve(config.costs.baseline_model, rules, catalog.facts)
    elif rules.order:
        first = rules.order[0]
        strongest = rules.task_models.get(first, {}).get("code_generation")
        baseline = ModelRef(first, strongest or rules.models[first])
    retry = config.retry
    return Settings(
        rules=rules,
        retry=RetrySettings(
            max_retries=retry.max_retries,
            initial_delay_s=retry.initial_delay,
            max_delay_s=retry.max_delay,
            backoff_factor=retry.backoff_factor,
            retryable=frozenset(retry.retryable_errors),
            deadline_s=retry.deadline,
        ),
        health=HealthSettings(
            window_s=config.health.window,
            calls=config.health.calls,
            degraded_errors=config.health.degraded_errors,
            degraded_latency_s=config.health.degraded_latency,
            check_every_s=config.providers.health_check_interval,
        ),
        rates={
            name: Rate(own.requests_per_min, own.tokens_per_min)
            for name, own in config.providers.named.items()
            if own.requests_per_min is not None or own.tokens_per_min is not None
        },
        fallback=fallback_settings(config),
        limits=config.limits(),
        alert_threshold=config.costs.alert_threshold[0],
        spending=_spending(config, rules, catalog),
        allow_unknown_price=config.costs.allow_unknown_price,
        baseline=baseline,
        tiny=frozenset(
            ModelRef(name, SMOLLM2.name)
            for name, row in chosen.vendors.items()
            if row.kind == "local"
        ),
        system=config.chat.system_prompt,
        compact_at=config.chat.compact_at,
        calls=_calls(config, ProviderConfig()),
        provider_calls={name: _calls(config, own) for name, own in config.providers.named.items()},
        commit=CommitSettings(**vars(config.commit)),
        ui=UiSettings(
            theme=config.ui.theme,
            sidebar=config.ui.sidebar,
            thinking=config.ui.thinking,
            keys=config.keys,
            notify=cast('Literal["bell", "desktop", "off"]', config.ui.notify),
            themes_dir=config.ui.themes_dir,
        ),
        gates=gates(config),
        privacy=privacy_settings(config),
        found=chosen.found,
        config_file=str(config_path()),
        key_variables=frozenset(key_variables(config)),
    )


def _spending(config: Config, rules: Rules, catalog: ModelCatalog) -> SpendSettings:
    costs = config.costs
    return SpendSettings(
        alert_at=costs.alert_threshold,
        auto_downgrade=costs.auto_downgrade_on_limit,
        downgrade_at=costs.downgrade_at,
        downgrade={
            name: resolve(model, rules, catalog.facts) for name, model in costs.downgrade.items()
        },
        by_provider=costs.track_by_provider,
        unusual_score=costs.unusual_score,
        unusual_floor_nano=usd_to_nano(costs.unusual_floor),
    )


def _calls(config: Config, own: ProviderConfig) -> CallSettings:
    """The provider's own word where it has one, else [chat]'s."""
    chat = config.chat
    return CallSettings(
        max_output=own.max_tokens or chat.max_output,
        temperature=chat.temperature if own.temperature is None else own.temperature,
        stream=chat.stream if own.stream is None else own.stream,
        thinking=cast("Effort | None", chat.thinking),
        timeout_s=own.timeout,
    )
