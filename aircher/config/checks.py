"""What can only be judged when all layers are together: names that must exist, and circles."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from aircher.config.layers import did_you_mean
from aircher.config.names import Names, canonical, split_limit, split_model
from aircher.config.positions import KeyPath
from aircher.config.provider_schema import ProviderConfig
from aircher.config.routing_schema import DOMAINS
from aircher.config.rows import name_of
from aircher.config.schema import Tree
from aircher.config.values import format_duration, is_plain_remote, shown
from aircher.domain.classes import dataclass
from aircher.domain.preferences import TIERS
from aircher.domain.settings import REACTIONS
from aircher.domain.tasks import TASKS


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong at ``path``; ``fatal`` False makes it a warning."""

    path: KeyPath
    message: str
    hint: str = ""
    fatal: bool = True
    unless: KeyPath = ()
    """Not told where this key has a mistake of its own, which explains it."""


def findings(config: Tree, names: Names) -> Iterator[Finding]:
    """Everything wrong between the keys.  ``names`` are those of known providers."""
    known = set(names.values())
    usable = known | {name for name, one in config.providers.named.items() if one.base_url}
    yield from _providers(config, set(names), usable)
    yield from _addresses(config)
    yield from _tasks(config, usable, names)
    yield from _fallbacks(config, names)
    yield from _limits(config, usable, names)
    yield from _retry(config)
    yield from _routing(config)
    yield from _reactions(config)


def _providers(config: Tree, known: set[str], usable: set[str]) -> Iterator[Finding]:
    for name in config.providers.named:
        if name not in usable:
            near = did_you_mean(name, known)
            own = "for a server of your own set base_url (and kind)"
            yield Finding(
                ("providers", name),
                f"{shown(name)} is not a provider that is known here",
                f"{near} or {own}" if near else own,
                unless=("providers", name, "base_url"),
            )
    mentioned = [("default", name) for name in (config.providers.default,) if name]
    mentioned += [("fallback_order", name) for name in config.providers.fallback_order]
    for key, name in mentioned:
        if name not in usable and name not in config.providers.named:
            yield Finding(
                ("providers", key),
                f"providers.{key} names {shown(name)}, which is no provider",
                did_you_mean(name, usable),
            )
    order = config.providers.fallback_order
    for name in sorted({name for name in order if order.count(name) > 1}):
        yield Finding(
            ("providers", "fallback_order"), f"providers.fallback_order names {shown(name)} twice"
        )
    default = config.providers.default
    if default and not config.providers.named.get(default, ProviderConfig()).enabled:
        yield Finding(
            ("providers", "default"), f"providers.default is {shown(default)}, which is not enabled"
        )


def _addresses(config: Tree) -> Iterator[Finding]:
    for name, provider in config.providers.named.items():
        path = ("providers", name, "base_url")
        if provider.base_url and is_plain_remote(provider.base_url) and not provider.allow_http:
            yield Finding(
                path,
                f"{name_of(path)} is not encrypted: prompts and keys could be read on the way",
                "use https, or set allow_http = true if the network is yours",
            )
        for tier in provider.models:
            if tier not in TIERS:
                yield Finding(
                    ("providers", name, "models", tier),
                    f"{shown(tier)} is no tier of models",
                    did_you_mean(tier, TIERS) or f"tiers are {', '.join(TIERS)}",
                )


def _tasks(config: Tree, providers: set[str], names: Names) -> Iterator[Finding]:
    known = {*TASKS, *config.models.task, *config.tasks}
    for section, tasks in (
        (("models", "tasks"), config.models.tasks),
        (("costs", "task_budgets"), config.costs.task_budgets),
    ):
        for name in tasks:
            if name not in known:
                yield Finding(
                    (*section, name),
                    f"{shown(name)} is not a task",
                    did_you_mean(name, known)
                    or f"define it with [{name_of(('models', 'task', name))}]",
                )
    yield from _new_tasks(config)
    for path, model in _models_named(config):
        first, slash, _ = model.partition("/")
        if slash and canonical(names, first) not in providers:
            near = did_you_mean(first, providers, cutoff=0.75)
            if near:
                yield Finding(
                    path, f"{shown(first)} in {shown(model)} is no provider", near, fatal=False
                )
    for name in config.models.custom:
        if not split_model(name, providers, names)[0]:
            yield Finding(
                ("models", "custom", name),
                f"{shown(name)} does not say whose model it is",
                f"write [{name_of(('models', 'custom', f'provider/{name}'))}]",
            )


def _new_tasks(config: Tree) -> Iterator[Finding]:
    """Tasks of the user's own that look like a slip of the pen."""
    for section in (("tasks",), ("models", "task")):
        for name in config.tasks if section == ("tasks",) else config.models.task:
            like = [task for task in TASKS if task[:2] == name[:2]]  # difflib is slow to import
            if like and name not in TASKS and (near := did_you_mean(name, like, cutoff=0.8)):
                yield Finding((*section, name), f"{shown(name)} is a new task", near, fatal=False)


def _models_named(config: Tree) -> Iterator[tuple[KeyPath, str]]:
    """Every place where a provider may be written before a model."""
    for name, model in config.models.tasks.items():
        yield ("models", "tasks", name), model
    for name, task in config.models.task.items():
        if task.preferred:
            yield ("models", "task", name, "preferred"), task.preferred
        for model in task.fallbacks:
            yield ("models", "task", name, "fallbacks"), model
    for name, model in config.costs.downgrade.items():
        yield ("costs", "downgrade", name), model
    if config.costs.baseline_model:
        yield ("costs", "baseline_model"), config.costs.baseline_model
    for name, model in config.routing.rules.items():
        yield ("routing", "rules", name), model
    for name, rule in config.routing.rule.items():
        if rule.use:
            yield ("routing", "rule", name, "use"), rule.use
    for tier in TIERS:
        if model := getattr(config.routing.tiers, tier):
            yield ("routing", "tiers", tier), model


def _fallbacks(config: Tree, names: Names) -> Iterator[Finding]:
    """Chains that come back to a model they have passed."""
    chains: list[tuple[KeyPath, str, str | None, tuple[str, ...]]] = []
    for name, task in config.models.task.items():
        first = task.preferred or config.models.tasks.get(name)
        chains.append((("models", "task", name, "fallbacks"), "", first, task.fallbacks))
    for name, one in config.providers.named.items():
        path = ("providers", name, "fallback_models")
        chains.append((path, name, one.model, one.fallback_models or ()))
    known = {*names.values(), *config.providers.named}
    for where, owner, first, rest in chains:
        # "anthropic/x" and "claude/x" are one model, and so is "x" in [providers.claude].
        same = [_whose(model, owner, known, names) for model in (first or "", *rest)]
        for at, model in enumerate(rest, 1):
            if same[at] == same[0]:
                yield Finding(where, f"{name_of(where)} falls back from {shown(model)} to itself")
            elif same[at] in same[at + 1 :] and same[at] not in same[1:at]:
                yield Finding(where, f"{name_of(where)} names {shown(model)} twice")
    yield from _circles(config, names)


def _whose(model: str, owner: str, known: Collection[str], names: Names) -> tuple[str, str]:
    provider, bare = split_model(model, known, names)
    return provider or owner, bare


def _circles(config: Tree, names: Names) -> Iterator[Finding]:
    """Providers whose fallback_models lead back to themselves."""
    named = config.providers.named
    leads = {
        name: [
            other
            for model in one.fallback_models or ()
            if (other := split_model(model, named, names)[0]) and other != name
        ]
        for name, one in named.items()
    }
    done: set[str] = set()
    for start in leads:
        road = _circle_from(start, leads)
        if road and not done & set(road):
            done |= set(road)
            yield Finding(
                ("providers", start, "fallback_models"),
                f"fallback_models go in a circle: {' -> '.join(road)}",
                "take one of them out",
            )


def _circle_from(start: str, leads: dict[str, list[str]]) -> list[str]:
    """A road from ``start`` back to it; [] where there is none."""
    roads = [[start]]
    seen: set[str] = set()
    while roads:
        road = roads.pop()
        for name in leads.get(road[-1], ()):
            if name == start:
                return [*road, name]
            if name not in seen:
                seen.add(name)
                roads.append([*road, name])
    return []


def _limits(config: Tree, providers: set[str], names: Names) -> Iterator[Finding]:
    for name in config.costs.limits:
        provider, _ = split_limit(name, names)
        path = ("costs", "limits", name)
        if not provider:
            yield Finding(
                path, f"{shown(name)} is no limit", "write PROVIDER_daily or PROVIDER_monthly"
            )
        elif provider not in providers:
            yield Finding(
                path,
                f"{shown(provider)} in {shown(name)} is no provider",
                did_you_mean(provider, providers),
            )
    yield from _limit_actions(config)
    yield from _downgrades(config)


def _limit_actions(config: Tree) -> Iterator[Finding]:
    costs = config.costs
    set_limits = [
        name
        for name in ("monthly_budget", "daily_limit", "per_request_limit")
        if getattr(costs, name) is not None
    ]
    set_limits += [*costs.limits, *costs.task_budgets]
    for name in costs.limit_actions:
        if name not in set_limits:
            yield Finding(
                ("costs", "limit_actions", name),
                f"{shown(name)} is no limit that is set",
                did_you_mean(name, set_limits),
            )


def _downgrades(config: Tree) -> Iterator[Finding]:
    paths = config.costs.downgrade
    leads = {start: [to] for start, to in paths.items()}
    done: set[str] = set()
    for start in leads:
        road = _circle_from(start, leads)
        if road and not done & set(road):
            done |= set(road)
            yield Finding(
                ("costs", "downgrade", start),
                f"costs.downgrade goes in a circle: {' -> '.join(road)}",
                "take one of them out",
            )


def _retry(config: Tree) -> Iterator[Finding]:
    if config.retry.initial_delay > config.retry.max_delay:
        yield Finding(
            ("retry", "initial_delay"),
            f"retry.initial_delay is longer than retry.max_delay ({format_duration(config.retry.max_delay)})",
        )


def _routing(config: Tree) -> Iterator[Finding]:
    routing = config.routing
    for name in routing.rules:
        if name not in DOMAINS:
            yield Finding(
                ("routing", "rules", name),
                f"{shown(name)} is no kind of request",
                did_you_mean(name, DOMAINS) or f"kinds are {', '.join(DOMAINS)}",
            )
    known = {*TASKS, *config.models.task, *config.tasks}
    for name, rule in routing.rule.items():
        path = ("routing", "rule", name)
        if not (rule.use or rule.tier or rule.strategy):
            yield Finding(path, f"{name_of(path)} does nothing", "give it use, tier or strategy")
        for task in rule.tasks:
            if task not in known:
                yield Finding(
                    (*path, "tasks"), f"{shown(task)} is not a task", did_you_mean(task, known)
                )
    if routing.tiers.cheap_up_to >= routing.tiers.powerful_from:
        yield Finding(
            ("routing", "tiers", "cheap_up_to"),
            "routing.tiers.cheap_up_to is not below powerful_from",
        )
    if "check" in routing.gates.escalate_on and not routing.gates.check:
        yield Finding(
            ("routing", "gates", "escalate_on"),
            'routing.gates.escalate_on names "check", but routing.gates.check is not set',
        )


def _reactions(config: Tree) -> Iterator[Finding]:
    for kind in config.fallback.on:
        if kind not in REACTIONS:
            yield Finding(
                ("fallback", "on", kind),
                f"{shown(kind)} is no kind of error",
                did_you_mean(kind, REACTIONS) or f"kinds are {', '.join(REACTIONS)}",
            )
