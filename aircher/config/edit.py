"""Changing one setting in the user's file; everything else in it stays byte for byte.

An existing value is replaced where it stands; a new key goes behind the last one of its
table, a new table to the end of the file.  Shapes that this does not reach (inline tables,
dotted keys of a table) are left to tomlkit.  Whatever way was taken, the result must parse to
exactly the old values with the one change, or nothing is written.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from aircher.config.atomic import one_writer, write_private
from aircher.config.content import parse, read_content
from aircher.config.layers import KEY_HINTS, did_you_mean, file_layer, going_on
from aircher.config.load import combine
from aircher.config.names import BUILT_IN, Names, canonical
from aircher.config.positions import KeyPath, layout_of
from aircher.config.rows import Row, name_of, parse_key, resolve
from aircher.config.schema import TREE, all_rows
from aircher.config.values import toml_key, toml_text
from aircher.domain.errors import ConfigError, StorageError, UsageError
from aircher.domain.settings import ConfigProblem

_BOM = "\ufeff"


def find_key(key: str) -> tuple[KeyPath, Row]:
    """The path and row of a dotted key; raises ``UsageError`` for an unknown one."""
    found = resolve(TREE, parse_key(key))
    if found is None:
        last = key.rpartition(".")[2]
        near = KEY_HINTS.get(last) or did_you_mean(key, [row.key for row in all_rows()])
        raise UsageError(
            f"{key} is not a known key.", hint=near or "`aircher config show` lists all keys."
        )
    return found


def set_value(file: Path, key: str, text: str, *, names: Names = BUILT_IN) -> str:
    """Sets ``key`` to the value that ``text`` means; returns it as TOML text.

    Makes the file if there is none.  Raises ``UsageError`` for an unknown key, ``ConfigError``
    with the problems for a value that cannot be, ``StorageError`` if it cannot be written.
    """
    path, row = find_key(key)
    value = row.kind.from_text(text)
    try:
        row.read(value)
    except ValueError as error:
        raise ConfigError(f"{name_of(path)} {going_on(str(error))}.") from None
    literal = toml_text(value)
    with one_writer(file):
        old = _read(file)
        path = _as_written(file, old, path, names)
        _replace(
            file,
            old,
            _with(parse(str(file), old)[0], path, parse("", f"v = {literal}")[0]["v"]),
            (lambda: _put(old, path, literal), lambda: _put_by_tomlkit(old, path, literal)),
            names,
        )
    return literal


def unset(file: Path, key: str, *, names: Names = BUILT_IN) -> bool:
    """Takes ``key`` out of the file, so that its default holds; False if it was not there.

    Raises as ``set_value`` does.
    """
    path, _ = find_key(key)
    with one_writer(file):
        old = _read(file)
        path = _as_written(file, old, path, names)
        data = parse(str(file), old)[0]
        if not _has(data, path):
            return False
        _replace(
            file,
            old,
            _without(data, path),
            (lambda: _take(old, path), lambda: _take_by_tomlkit(old, path)),
            names,
        )
    return True


def problems_of(file: Path, text: str, names: Names = BUILT_IN) -> tuple[ConfigProblem, ...]:
    """Everything wrong with a user file of this text, taken by itself."""
    return combine([file_layer(str(file), text, names=names)], names=names).problems


def _read(file: Path) -> str:
    """The file's text with its own line ends; "" for a missing one."""
    content = read_content(file)
    problem = content.problem or parse(str(file), content.text)[1]
    if problem:
        raise ConfigError(f"{problem}", hint="Mend the file first: `aircher config edit`.")
    return content.text


def _as_written(file: Path, text: str, path: KeyPath, names: Names) -> KeyPath:
    """The path as the file spells it: [providers.anthropic] stays so."""
    layer = file_layer(str(file), text, names=names)
    if path in layer.origins:
        return layer.origins[path].written
    if path[0] == "providers" and len(path) > 2:
        table = (path[0], canonical(names, path[1]))
        if table in layer.tables:
            return (*layer.tables[table].written, *path[2:])
        return (*table, *path[2:])
    return path


def _replace(
    file: Path,
    old: str,
    wanted: Mapping[str, Any],
    ways: tuple[Callable[[], str], ...],
    names: Names,
) -> None:
    """Writes the first way's result that means exactly ``wanted``."""
    for way in ways:
        new = way()
        data, problem = parse(str(file), new)
        if problem is None and _pruned(data) == _pruned(wanted):
            break
    else:
        raise ConfigError(
            f"{file} is written in a shape that cannot be changed safely.",
            hint="Change it by hand: `aircher config edit`.",
        )
    before = {(one.key, one.message) for one in problems_of(file, old, names)}
    worse = [one for one in problems_of(file, new, names) if (one.key, one.message) not in before]
    if worse:
        raise ConfigError("Nothing was changed: " + "; ".join(f"{one}" for one in worse))
    try:
        write_private(
            file,
            (_BOM if _starts_with_bom(file) else "").encode() + new.encode(),
            through_link=True,
        )
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise StorageError(
            f"{file} cannot be written: {error.strerror}.",
            hint="Free some space; the old file is unchanged."
            if full
            else "Check its folder's permissions.",
        ) from error


def _starts_with_bom(file: Path) -> bool:
    return read_content(file).data.startswith(_BOM.encode())


def _put(text: str, path: KeyPath, literal: str) -> str:
    """Replaces the value, or adds the line, or adds the table."""
    layout = layout_of(text)
    newline = "\r\n" if "\r\n" in text else "\n"
    if path in layout.assignments:
        one = layout.assignments[path]
        return text[: one.value_start] + literal + text[one.value_end :]
    table = path[:-1]
    line = f"{toml_key(path[-1:])} = {literal}{newline}"
    if table in layout.ends:
        at = layout.ends[table]
        gap = newline if at and not text[:at].endswith("\n") else ""
        return text[:at] + gap + line + text[at:]
    gap = "" if not text else newline if text.endswith("\n") else newline * 2
    return f"{text}{gap}[{toml_key(table)}]{newline}{line}"


def _take(text: str, path: KeyPath) -> str:
    """Removes the key's own lines."""
    layout = layout_of(text)
    if path not in layout.assignments:
        return text
    one = layout.assignments[path]
    return text[: text.rfind("\n", 0, one.start) + 1] + text[one.end :]


def _put_by_tomlkit(text: str, path: KeyPath, literal: str) -> str:
    import tomlkit

    document = tomlkit.parse(text)
    here: Any = document
    for name in path[:-1]:
        if name not in here:
            here[name] = tomlkit.table()
        here = here[name]
    here[path[-1]] = tomlkit.value(literal)
    return document.as_string()


def _take_by_tomlkit(text: str, path: KeyPath) -> str:
    import tomlkit

    document = tomlkit.parse(text)
    here: Any = document
    for name in path[:-1]:
        here = here[name]
    del here[path[-1]]
    return document.as_string()


def _pruned(data: Mapping[str, Any]) -> dict[str, Any]:
    """``data`` without empty tables: whether one is left behind does not matter."""
    kept = {k: _pruned(v) if isinstance(v, Mapping) else v for k, v in data.items()}
    return {k: v for k, v in kept.items() if v != {}}


def _has(data: Mapping[str, Any], path: KeyPath) -> bool:
    here: Any = data
    for name in path:
        if not isinstance(here, Mapping) or name not in here:
            return False
        here = here[name]
    return True


def _with(data: Mapping[str, Any], path: KeyPath, value: Any) -> dict[str, Any]:
    changed = deepcopy(dict(data))
    here = changed
    for name in path[:-1]:
        here = here.setdefault(name, {})
        if not isinstance(here, dict):
            raise ConfigError(
                f"{name_of(path)} cannot be set: {name} is not a table in the file.",
                hint="Mend the file first: `aircher config edit`.",
            )
    here[path[-1]] = value
    return changed


def _without(data: Mapping[str, Any], path: KeyPath) -> dict[str, Any]:
    changed = deepcopy(dict(data))
    here = changed
    for name in path[:-1]:
        here = here[name]
    del here[path[-1]]
    return changed
