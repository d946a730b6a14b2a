"""One layer of settings each: a file, the environment, the flags.

A layer holds typed values by path, where each came from, and everything wrong with it; a bad
value is left out, so that the layer below shows through and the program can still start.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import field
from typing import Any

from aircher.config.content import parse
from aircher.config.names import BUILT_IN, Names, canonical
from aircher.config.positions import KeyPath, Layout, layout_of
from aircher.config.rows import Row, Table, name_of, parse_key, resolve
from aircher.config.schema import TREE
from aircher.config.values import PROVIDER, PROVIDERS
from aircher.domain.classes import dataclass
from aircher.domain.settings import ConfigProblem


@dataclass(slots=True)
class Source:
    """Where a layer's values come from: a file with its text, or a variable, or a flag."""

    name: str
    text: str = ""
    _layout: Layout | None = None

    def line(self, path: KeyPath) -> int:
        """The line of ``path`` in the file; 0 where there is none."""
        if not self.text:
            return 0
        if self._layout is None:
            self._layout = layout_of(self.text)
        return self._layout.line(path)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where one value was set; ``written`` is its path as the user wrote it."""

    source: Source
    written: KeyPath

    def __str__(self) -> str:
        line = self.source.line(self.written)
        return f"{self.source.name}:{line}" if line else self.source.name

    def problem(self, path: KeyPath, message: str, hint: str = "") -> ConfigProblem:
        """A problem that is to be mended here."""
        line = self.source.line(self.written)
        return ConfigProblem(self.source.name, line, name_of(path), message, hint)


@dataclass(slots=True)
class Layer:
    """Typed values with their origins; ``tables`` are the tables that stand in a file."""

    values: dict[KeyPath, Any] = field(default_factory=dict)
    origins: dict[KeyPath, Origin] = field(default_factory=dict)
    tables: dict[KeyPath, Origin] = field(default_factory=dict)
    problems: list[ConfigProblem] = field(default_factory=list)
    warnings: list[ConfigProblem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Flag:
    """A command-line flag that stands for a key: ``Flag("--theme", "ui.theme", "nord")``."""

    name: str
    key: str
    value: str


def file_layer(name: str, text: str, *, names: Names = BUILT_IN, project: bool = False) -> Layer:
    """The values of a file; with ``project``, keys that no repository may set are refused."""
    layer = Layer()
    data, problem = parse(name, text)
    if problem:
        layer.problems.append(problem)
    _Walk(layer, Source(name, text), names, project).table(TREE, data, (), ())
    return layer


@dataclass(slots=True)
class _Walk:
    """Goes through parsed TOML along the schema's tables."""

    layer: Layer
    source: Source
    names: Names
    project: bool

    def table(self, tree: Table, data: Mapping[str, Any], path: KeyPath, written: KeyPath) -> None:
        for word, value in data.items():
            here = (*path, canonical(self.names, word) if path == ("providers",) else word)
            raw = (*written, word)
            node = tree.names.get(word) or tree.other
            if node is None:
                self._unknown(tree, here, raw)
            elif isinstance(node, Row) and word not in tree.names:
                self._free(node, value, here, raw)
            elif isinstance(node, Row):
                self._set(node, value, here, raw)
            elif isinstance(value, dict):
                if word not in tree.names:
                    self.layer.tables[here] = Origin(self.source, raw)
                self.table(node, value, here, raw)
            else:
                self._not_a_table(tree, here, raw)

    def _free(self, row: Row, value: Any, path: KeyPath, written: KeyPath) -> None:
        """A name of the user's own; ``a.b = 1`` without quotes means the name "a.b"."""
        if isinstance(value, dict):
            for word, inner in value.items():
                name = (*path[:-1], f"{path[-1]}.{word}")
                self._free(row, inner, name, (*written, word))
        else:
            self._set(row, value, path, written)

    def _set(self, row: Row, value: Any, path: KeyPath, written: KeyPath) -> None:
        origin = Origin(self.source, written)
        if self.project and not row.project:
            self._problem(
                origin,
                path,
                f"{name_of(path)} may not be set by a project",
                "set it in your own file if you want it",
            )
        elif self.project and row.stricter and value is False:
            self._problem(origin, path, f"{name_of(path)} may not be switched off by a project")
        elif path in self.layer.values:
            self._problem(origin, path, f"{name_of(path)} is set twice (under two names)")
        else:
            _store(self.layer, row, path, value, origin, self.names)

    def _unknown(self, tree: Table, path: KeyPath, written: KeyPath) -> None:
        hint = KEY_HINTS.get(path[-1]) or did_you_mean(path[-1], tree.names)
        self._problem(
            Origin(self.source, written), path, f"{name_of(path)} is not a known key", hint
        )

    def _not_a_table(self, tree: Table, path: KeyPath, written: KeyPath) -> None:
        hint = did_you_mean(path[-1], tree.names) if path[-1] not in tree.names else ""
        header = f"[{name_of(path)}]"
        self._problem(
            Origin(self.source, written),
            path,
            f"{name_of(path)} is not a known key" if hint else f"{header} must be a table",
            hint or f"write {header} on a line of its own, its keys below",
        )

    def _problem(self, origin: Origin, path: KeyPath, message: str, hint: str = "") -> None:
        self.layer.problems.append(origin.problem(path, message, hint))


KEY_HINTS = {
    "api_key": "keys do not belong in this file: put the key in an environment variable "
    "and name that with api_key_env",
    "key": "keys do not belong in this file: name an environment variable with api_key_env",
    "token": "keys do not belong in this file: name an environment variable with api_key_env",
}
"""Keys that other programs have, and what to do here instead."""


def did_you_mean(word: str, known: Collection[str], *, cutoff: float = 0.6) -> str:
    """'did you mean "model"?' for the nearest known word, or ""."""
    import difflib

    near = difflib.get_close_matches(word, list(known), 1, cutoff)
    return f'did you mean "{near[0]}"?' if near else ""


def _store(layer: Layer, row: Row, path: KeyPath, value: Any, origin: Origin, names: Names) -> None:
    try:
        typed = row.read(value)
    except ValueError as error:
        layer.problems.append(origin.problem(path, f"{name_of(path)} {going_on(str(error))}"))
    else:
        if row.kind is PROVIDER:
            typed = canonical(names, typed)
        elif row.kind is PROVIDERS:
            typed = tuple(canonical(names, name) for name in typed)
        layer.values[path] = typed
        layer.origins[path] = origin


def going_on(text: str) -> str:
    """A reader's complaint, so that the key's name can stand before it."""
    return text if text.startswith(("must ", "takes ")) else f"is not usable: {text}"


NOT_SETTINGS = frozenset({"AIRCHER_CONFIG"})
"""Variables of ours that stand for no key."""


def env_layer(environ: Mapping[str, str], names: Names = BUILT_IN) -> Layer:
    """The values of AIRCHER_<SECTION>_<KEY> variables; an empty one counts as not set.

    ``names`` may hold dashes: AIRCHER_PROVIDERS_LM_STUDIO_MODEL finds "lm-studio".
    """
    layer = Layer()
    spelled = {name.replace("-", "_"): name for name in names}
    for variable in sorted(environ):
        if not variable.startswith("AIRCHER_") or variable in NOT_SETTINGS:
            continue
        words = variable.removeprefix("AIRCHER_").lower()
        origin = Origin(Source(f"environment {variable}"), ())
        found = _match_env(TREE, words)
        if found is None:
            _unknown_variable(layer, words, origin)
        elif environ[variable].strip():
            path, row = found
            if path[0] == "providers" and len(path) > 2:
                path = (path[0], canonical(names, spelled.get(path[1], path[1])), *path[2:])
            _store(layer, row, path, row.kind.from_text(environ[variable]), origin, names)
    return layer


def _match_env(tree: Table, words: str) -> tuple[KeyPath, Row] | None:
    """The key whose path, joined by underscores, is ``words``."""
    for name, node in tree.names.items():
        if isinstance(node, Row):
            if words == name and node.env:
                return (name,), node
        elif words.startswith(f"{name}_") and (found := _match_env(node, words[len(name) + 1 :])):
            return (name, *found[0]), found[1]
    if isinstance(tree.other, Row):
        return ((words,), tree.other) if tree.other.env else None
    if tree.other:
        for cut in (i for i, c in enumerate(words) if c == "_" and i):
            if found := _match_env(tree.other, words[cut + 1 :]):
                return (words[:cut], *found[0]), found[1]
    return None


def _unknown_variable(layer: Layer, words: str, origin: Origin) -> None:
    """A warning only: other programs may have variables that begin like ours."""
    section = words.partition("_")[0]
    if section in TREE.names:
        known = [row.key.replace(".", "_") for row in _fixed_rows() if "*" not in row.path]
        near = did_you_mean(words, known)
        hint = (
            near.replace(near.split('"')[1], "AIRCHER_" + near.split('"')[1].upper())
            if near
            else ""
        )
        layer.warnings.append(origin.problem((), "stands for no key and is ignored", hint))


def _fixed_rows() -> Sequence[Row]:
    from aircher.config.schema import all_rows

    return all_rows()


def flag_layer(flags: Sequence[Flag], names: Names = BUILT_IN) -> Layer:
    """The values of flags; each names its key."""
    layer = Layer()
    for flag in flags:
        origin = Origin(Source(f"flag {flag.name}"), ())
        found = resolve(TREE, parse_key(flag.key))
        if found is None:
            raise KeyError(flag.key)
        path, row = found
        _store(layer, row, path, row.kind.from_text(flag.value), origin, names)
    return layer
