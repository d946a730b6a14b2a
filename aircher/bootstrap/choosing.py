"""From configuration and what was found to routing rules: who can be used, in which order, for what.

No IO: the composition root looks (keys, servers, the built-in model) and hands the answers in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field, replace

from aircher.bootstrap.preferring import TASK_TIERS, preferences, special, tiers
from aircher.config.load import Config
from aircher.config.provider_schema import ProviderConfig
from aircher.domain.classes import dataclass
from aircher.domain.models import ModelFacts, ModelRef
from aircher.domain.routes import Rules, TaskRule
from aircher.domain.tasks import TASKS
from aircher.policy.route import resolve
from aircher.providers.addresses import is_loopback
from aircher.providers.vendors import Vendor

_UNSET = ProviderConfig()


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found on this machine.

    ``keys`` maps a provider to where its key is ("OPENAI_API_KEY", "keyring"); ``servers`` a
    local provider that answered to its models; ``local_model`` is "" when the built-in model
    is ready, else the reason why not.
    """

    keys: Mapping[str, str] = field(default_factory=dict)
    servers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    local_model: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The usable providers with their rows, the rules made from them, and what to tell."""

    vendors: Mapping[str, Vendor]
    rules: Rules
    found: tuple[str, ...]


def choose(
    config: Config,
    vendors: Mapping[str, Vendor],
    findings: Findings,
    facts: Callable[[ModelRef], ModelFacts],
) -> Chosen:
    """Decides who may answer.  A provider the user named but cannot use is kept with its reason."""
    rows = {
        name: row
        for name in _wanted(config, vendors, findings)
        if (row := row_of(name, config, vendors))
    }
    reasons = {name: _obstacle(row, config, findings) for name, row in rows.items()}
    order = tuple(name for name, reason in reasons.items() if not reason)
    models = {name: _default_model(rows[name], config, findings) for name in order}
    task_models = {name: _task_models(rows[name], config, models[name]) for name in order}
    unusable = {name: reason for name, reason in reasons.items() if reason}
    bare = Rules(
        order,
        models,
        task_models=task_models,
        unusable=unusable,
        strategy=config.routing.strategy,
        aliases={alias: name for name, row in rows.items() for alias in row.aliases},
        provider_tiers={name: _tiers(rows[name], config) for name in order},
        local={name: where for name in order if (where := _here(rows[name], config)) is not None},
        preferences=preferences(config),
        own_tasks=tuple(name for name in config.tasks if name not in TASKS),
    )
    bare = replace(bare, more=tuple(_more(config, bare, facts)))

    def named(name: str) -> ModelRef:
        return resolve(name, bare, facts)

    rules = replace(
        bare,
        tasks=dict(_task_rules(config, bare, facts)),
        tiers=tiers(config, named),
        special=tuple(special(config, named)),
    )
    return Chosen(rows, rules, tuple(_tell(config, rows, rules, findings)))


def _wanted(config: Config, vendors: Mapping[str, Vendor], findings: Findings) -> Iterator[str]:
    """Names in the user's order: the default, fallback_order, tables of their own, then finds.

    A fallback_order that the user wrote is the whole truth; the built-in one is extended by
    whatever has a key or answers on this machine.
    """
    names: list[str] = []
    if config.providers.default:
        names.append(config.providers.default)
    names.extend(config.providers.fallback_order)
    if not config.was_set("providers.fallback_order"):
        known = [name for name in vendors if name in findings.keys or name in findings.servers]
        # The built-in model comes after every real one.
        names[-1:-1] = [*config.providers.named, *known]
    else:
        names.extend(config.providers.named)
    yield from dict.fromkeys(names)


def row_of(name: str, config: Config, vendors: Mapping[str, Vendor]) -> Vendor | None:
    """The vendor's row, or one made from the user's own table."""
    own = config.providers.named.get(name)
    known = vendors.get(name)
    if own is None:
        return known
    if known is not None:
        other = own.kind is not None and own.kind != known.kind
        # Another protocol than the vendor's own: what was declared of that one does not hold.
        return replace(known, kind=own.kind, quirks={}) if other and own.kind else known
    kind = own.kind or "openai"
    env = (own.api_key_env,) if own.api_key_env else ()
    return Vendor(name, name, kind, own.base_url or "", env, needs_key=bool(env))


def _settings(name: str, config: Config) -> ProviderConfig:
    return config.providers.named.get(name, _UNSET)


def _obstacle(row: Vendor, config: Config, findings: Findings) -> str:
    """Why the provider cannot be used now, or ""."""
    own = _settings(row.name, config)
    if not own.enabled:
        return f"turned off by providers.{row.name}.enabled"
    if row.kind == "local":
        return findings.local_model
    if row.needs_key and row.name not in findings.keys:
        names = own.api_key_env or " or ".join(row.key_env) or "its key"
        return f"no key: set {names}"
    if row.kind == "openai" and not (own.base_url or row.base_url):
        return f"no address: set providers.{row.name}.base_url"
    if row.local and row.name not in findings.servers and row.name not in config.providers.named:
        return "not running on this machine"
    return ""


def _default_model(row: Vendor, config: Config, findings: Findings) -> str:
    own = _settings(row.name, config)
    if own.model:
        return own.model.removeprefix(f"{row.name}/")
    if row.kind == "local" and config.local.model:
        return config.local.model
    tiers = {**row.models, **own.models}
    listed = findings.servers.get(row.name, ())
    chatting = [model for model in listed if "embed" not in model]
    return tiers.get("medium") or next(iter((*tiers.values(), *chatting, *listed)), "")


def _tiers(row: Vendor, config: Config) -> Mapping[str, str]:
    """The provider's model per tier; a model that the user set stands for all tiers."""
    own = _settings(row.name, config)
    return own.models if own.model else {**row.models, **own.models}


def _task_models(row: Vendor, config: Config, default: str) -> dict[str, str]:
    """The provider's model per task, by its tier."""
    tiers = _tiers(row, config)
    return {task: tiers.get(tier) or default for task, tier in TASK_TIERS.items()}


def _here(row: Vendor, config: Config) -> str | None:
    """None for a provider elsewhere; for one on this machine, which of its models are elsewhere
    all the same (a pattern, "" for none).
    """
    own = _settings(row.name, config)
    away = bool(own.base_url) and not is_loopback(own.base_url or "")
    local = (row.local and not away) if own.local is None else own.local
    return str(row.quirks.get("remote_models", "")) if local else None


def _more(
    config: Config, bare: Rules, facts: Callable[[ModelRef], ModelFacts]
) -> Iterator[ModelRef]:
    """Models that the user names for a provider besides its usual ones."""
    for name in bare.order:
        for model in _settings(name, config).custom_models or ():
            yield ModelRef(name, model.removeprefix(f"{name}/"))
        yield from _own_fallbacks(name, config, bare, facts)


def _task_rules(
    config: Config, bare: Rules, facts: Callable[[ModelRef], ModelFacts]
) -> Iterator[tuple[str, TaskRule]]:
    """[models.tasks] and [models.task.*], with every model given to a provider."""
    for task in dict.fromkeys((*TASKS, *config.models.tasks, *config.models.task, *config.tasks)):
        long = config.models.task.get(task)
        signs = config.tasks.get(task)
        own = signs.model if signs else None
        name = (long.preferred if long else None) or config.models.tasks.get(task) or own
        if name is None:
            continue
        ref = resolve(name, bare, facts)
        fallbacks = long.fallbacks if long else ()
        key = f"models.task.{task}.preferred" if long and long.preferred else f"models.tasks.{task}"
        key = (
            key
            if task in config.models.tasks or key.endswith("preferred")
            else f"tasks.{task}.model"
        )
        yield (
            task,
            TaskRule(
                ref,
                (
                    *(resolve(other, bare, facts) for other in fallbacks),
                    *_own_fallbacks(ref.provider, config, bare, facts),
                ),
                frozenset(long.required_features) if long else frozenset(),
                str(long.max_cost_per_1k) if long and long.max_cost_per_1k is not None else "",
                _short(config.origin(key)),
                long.min_quality if long else None,
            ),
        )


def _own_fallbacks(
    provider: str, config: Config, bare: Rules, facts: Callable[[ModelRef], ModelFacts]
) -> Iterator[ModelRef]:
    for name in _settings(provider, config).fallback_models or ():
        ref = resolve(name, bare, facts)
        yield ref if "/" in name or ref.provider == provider else ModelRef(provider, name)


def _short(origin: str) -> str:
    """An origin without its folders: "config.toml:12"."""
    return origin.rsplit("/", 1)[-1]


def _tell(
    config: Config, rows: Mapping[str, Vendor], rules: Rules, findings: Findings
) -> Iterator[str]:
    """What was found, in words, where no configuration says what to use."""
    if any(path[0] in {"providers", "models"} for path in config.origins):
        return
    for name in rules.order:
        title = rows[name].title
        if name in findings.keys:
            yield f"{title}, by the key in {findings.keys[name]}"
        elif rows[name].kind == "local":
            yield f"{title} ({rules.models[name]}, tiny, on this machine)"
        else:
            yield f"{title}, running on this machine"
    for name, reason in rules.unusable.items():
        if name in findings.keys:
            yield f"{rows[name].title}, by the key in {findings.keys[name]}, but {reason}"
