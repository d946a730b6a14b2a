"""The layers put together: defaults < user file < trusted project file < environment < flags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, fields
from pathlib import Path
from typing import Any

from aircher.config.checks import findings
from aircher.config.content import read_content
from aircher.config.layers import (
    Flag,
    Layer,
    Origin,
    env_layer,
    file_layer,
    flag_layer,
)
from aircher.config.names import BUILT_IN, Names, canonical, split_limit, split_model
from aircher.config.positions import KeyPath
from aircher.config.rows import Row, build, find, name_of, parse_key, resolve, value_at
from aircher.config.schema import NOT_YET, TREE, Tree
from aircher.config.trust import Trust
from aircher.domain.classes import dataclass
from aircher.domain.settings import ConfigProblem, Limit
from aircher.domain.usage import usd_to_nano


@dataclass(frozen=True)
class Config(Tree):
    """The whole configuration, typed; sections are attributes ("config.retry.max_retries").

    ``problems`` must be mended by the user (a bad value is left out, so the default holds);
    ``warnings`` need not.  ``files`` are those that were read.
    """

    problems: tuple[ConfigProblem, ...] = ()
    warnings: tuple[ConfigProblem, ...] = ()
    files: tuple[str, ...] = ()
    origins: Mapping[KeyPath, Origin] = field(default_factory=dict, repr=False)
    names: Names = field(default_factory=lambda: BUILT_IN, repr=False)

    def was_set(self, key: str) -> bool:
        """True if the user set this key anywhere ("providers.openai.model")."""
        return self.path(key) in self.origins

    def origin(self, key: str) -> str:
        """Where the value comes from: "FILE:LINE", "environment NAME", "flag --x", "default"."""
        found = self.origins.get(self.path(key))
        return str(found) if found else "default"

    def get(self, key: str) -> Any:
        """The typed value of a dotted key; None where nothing is set.  ``KeyError`` if unknown."""
        return value_at(self, TREE, self.path(key))

    def path(self, key: str) -> KeyPath:
        """The parts of a dotted key, a provider by its own name.  Raises ``KeyError`` for one that the schema lacks."""
        found = resolve(TREE, parse_key(key))
        if found is None:
            raise KeyError(key)
        path = found[0]
        if path[0] == "providers" and len(path) > 2:
            return (path[0], canonical(self.names, path[1]), *path[2:])
        return path

    def split_model(self, text: str) -> tuple[str, str]:
        """Provider and model of "provider/model"; provider "" where it names none."""
        known = {*self.names.values(), *self.providers.named}
        return split_model(text, known, self.names)

    def limits(self) -> tuple[Limit, ...]:
        """All limits of [costs], in nano-dollars."""
        costs = self.costs
        rows = [
            ("per_request_limit", "request", costs.per_request_limit, "", ""),
            ("daily_limit", "day", costs.daily_limit, "", ""),
            ("monthly_budget", "month", costs.monthly_budget, "", ""),
        ]
        for name, usd in costs.limits.items():
            provider, window = split_limit(name, self.names)
            if provider:
                rows.append((f"limits.{name}", window, usd, provider, ""))
        rows += [
            (f"task_budgets.{task}", "month", usd, "", task)
            for task, usd in costs.task_budgets.items()
        ]
        return tuple(
            Limit(
                f"costs.{name}", window, usd_to_nano(usd), provider, task, soft=self._is_soft(name)
            )
            for name, window, usd, provider, task in rows
            if usd is not None
        )

    def _is_soft(self, name: str) -> bool:
        """Whether the limit that stands at costs.``name`` only warns."""
        own = self.costs.limit_actions.get(name.rpartition(".")[2])
        return (own or self.costs.on_limit) == "warn"


@dataclass(frozen=True, slots=True)
class Places:
    """The files that may hold settings.

    ``user_required`` is set when the user named the file, so that its absence is a problem.
    ``project`` counts only if ``trust`` allows its content.
    """

    user: Path | None = None
    project: Path | None = None
    trust: Trust | None = None
    user_required: bool = False


def load(
    places: Places,
    *,
    environ: Mapping[str, str],
    flags: Sequence[Flag] = (),
    names: Names = BUILT_IN,
) -> Config:
    """Reads all layers.  Never raises for what a user wrote: see ``problems``.

    ``names`` are the known providers' names and aliases.
    """
    layers = [*_user(places, names), *_project(places, names)]
    written = {path[1] for layer in layers for path in layer.tables if path[0] == "providers"}
    layers += [
        env_layer(environ, {name: name for name in written} | dict(names)),
        flag_layer(flags, names),
    ]
    return combine(layers, files=[str(f) for f in (places.user, places.project) if f], names=names)


def combine(
    layers: Sequence[Layer], *, files: Sequence[str] = (), names: Names = BUILT_IN
) -> Config:
    """One configuration from layers, the strongest last; then the checks between keys."""
    values: dict[KeyPath, Any] = {}
    origins: dict[KeyPath, Origin] = {}
    tables: dict[KeyPath, Origin] = {}
    for layer in layers:
        values.update({path: _added(values, path, new) for path, new in layer.values.items()})
        origins.update(layer.origins)
        tables.update(layer.tables)
    tree: Tree = build(TREE, _nested(tables, values))
    problems = [problem for layer in layers for problem in layer.problems]
    warnings = [warning for layer in layers for warning in layer.warnings]
    for finding in findings(tree, names):
        origin = _nearest(finding.path, origins, tables)
        explained = finding.unless and any(p.key == name_of(finding.unless) for p in problems)
        if origin is None or explained:
            continue
        target = problems if finding.fatal else warnings
        target.append(origin.problem(finding.path, finding.message, finding.hint))
    warnings += _idle(origins)
    return Config(
        **{f.name: getattr(tree, f.name) for f in fields(tree)},
        problems=tuple(_by_line(problems)),
        warnings=tuple(warnings),
        files=tuple(files),
        origins=origins,
        names=names,
    )


def _added(values: Mapping[KeyPath, Any], path: KeyPath, new: Any) -> Any:
    """The layer's value; for a list that may only grow, what stood there before and the new."""
    before = values.get(path)
    row = find(TREE, path) if isinstance(before, tuple) else None
    if before and isinstance(row, Row) and row.stricter:
        return tuple(dict.fromkeys((*before, *new)))
    return new


def _by_line(problems: Sequence[ConfigProblem]) -> list[ConfigProblem]:
    """From top to bottom of each file, as they are mended; files in the order of their layers."""
    files = list(dict.fromkeys(problem.file for problem in problems))
    return sorted(problems, key=lambda problem: (files.index(problem.file), problem.line))


def _idle(origins: Mapping[KeyPath, Origin]) -> list[ConfigProblem]:
    """One warning that names every key that was set without effect."""
    idle = [
        path for path in origins if isinstance(row := find(TREE, path), Row) and row.key in NOT_YET
    ]
    if not idle:
        return []
    keys = ", ".join(name_of(path) for path in idle)
    verb = "has" if len(idle) == 1 else "have"
    return [origins[idle[0]].problem(idle[0], f"{keys} {verb} no effect in this version")]


def _user(places: Places, names: Names) -> Iterator[Layer]:
    if places.user is None:
        return
    content = read_content(places.user)
    name = str(places.user)
    if content.problem:
        yield Layer(problems=[content.problem])
    elif not content.missing:
        yield file_layer(name, content.text, names=names)
    elif places.user_required:
        missing = ConfigProblem(
            name,
            0,
            "",
            "AIRCHER_CONFIG names this file, but it is not there",
            "make it, or unset the variable",
        )
        yield Layer(problems=[missing])


def _project(places: Places, names: Names) -> Iterator[Layer]:
    """The project's file: nothing of it counts, or is even judged, until it is trusted."""
    if places.project is None or places.trust is None:
        return
    content = read_content(places.project, follow=False)
    if content.missing:
        return
    name = str(places.project)
    if content.problem is None and places.trust.allows(places.project, content.data):
        yield file_layer(name, content.text, names=names, project=True)
        return
    changed = (
        "has changed since it was trusted"
        if places.trust.knows(places.project)
        else "is not trusted"
    )
    warning = ConfigProblem(
        name,
        0,
        "",
        f"{changed}, so nothing in it counts",
        "read it, then run `aircher trust`",
    )
    yield Layer(warnings=[content.problem or warning])


def _nested(tables: Mapping[KeyPath, Origin], values: Mapping[KeyPath, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for path in tables:
        _table_at(nested, path)
    for path, value in values.items():
        _table_at(nested, path[:-1])[path[-1]] = value
    return nested


def _table_at(nested: dict[str, Any], path: KeyPath) -> dict[str, Any]:
    for name in path:
        nested = nested.setdefault(name, {})
    return nested


def _nearest(
    path: KeyPath, origins: Mapping[KeyPath, Origin], tables: Mapping[KeyPath, Origin]
) -> Origin | None:
    """Where ``path`` was set, or its table, or anything in it; None for a default."""
    for size in range(len(path), 0, -1):
        part = path[:size]
        if here := origins.get(part) or tables.get(part):
            return here
        if below := [origin for at, origin in origins.items() if at[:size] == part]:
            return below[0]
    return None
