"""The schema in words: rows for `config show`, the example file, the manual page, JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import groupby
from typing import Any

from aircher.config.load import Config
from aircher.config.positions import KeyPath
from aircher.config.rows import Row, Table, find, name_of, value_at
from aircher.config.schema import NOT_YET, TREE, all_rows
from aircher.config.values import format_duration, shown, toml_key, toml_text
from aircher.domain.settings import ConfigValue


def rows(config: Config) -> list[ConfigValue]:
    """Every key with a fixed name, and every one that the user set, in the schema's order.

    Values that look like keys are never shown.  A value that is not set is "".
    """
    found: list[ConfigValue] = []
    for row in all_rows():
        if "*" in row.path:
            paths = [path for path in config.origins if find(TREE, path) is row]
        else:
            paths = [row.path]
        found += [row_at(config, path) for path in sorted(paths)]
    return found


def row_at(config: Config, path: KeyPath) -> ConfigValue:
    """One setting, set or not; raises ``KeyError`` for a path that the schema lacks."""
    row = find_row(path)
    value = value_at(config, TREE, path)
    origin = config.origins.get(path)
    return ConfigValue(
        key=name_of(path),
        value="" if value is None else shown(row.kind.to_toml(value)),
        default=default_text(row),
        origin=str(origin) if origin else "default",
        help=row.help,
    )


def default_text(row: Row) -> str:
    """The default as TOML text; "" where there is none."""
    return "" if row.default is None else toml_text(row.kind.to_toml(row.default))


def _notes(row: Row) -> str:
    """Choices, bounds and what happens when it is not set, as one clause."""
    notes = []
    if row.choices:
        notes.append("one of " + ", ".join(row.choices) if _single(row) else _several(row))
    low, high = (_bound(row, bound) for bound in (row.minimum, row.maximum))
    if low in {"0", "0s"} and not high:
        low = ""  # "at least 0" tells nothing
    if low and high:
        notes.append(f"{low} to {high}")
    elif low or high:
        notes.append(f"at least {low}" if low else f"at most {high}")
    if row.unset:
        notes.append(f"not set: {row.unset}")
    if row.key in NOT_YET:
        notes.append("no effect in this version")
    return "; ".join(notes)


def _single(row: Row) -> bool:
    return row.kind.schema.get("type") != "array"


def _several(row: Row) -> str:
    return "any of " + ", ".join(row.choices)


def _bound(row: Row, bound: float | None) -> str:
    if bound is None:
        return ""
    return format_duration(bound) if row.kind.name == "duration" else f"{bound:g}"


def _names(row: Row) -> KeyPath:
    """The row's path with names put for each "*" (what stands in the example file)."""
    names = iter(row.under or _USUAL_NAMES.get(row.path[:-1], ()))
    return tuple(next(names) if part == "*" else part for part in row.path)


_USUAL_NAMES = {
    ("providers", "*"): ("openai",),
    ("models", "task", "*"): ("debugging",),
    ("tasks", "*"): ("infra",),
    ("routing", "rule", "*"): ("nights",),
    ("models", "custom", "*"): ("openai/ft:gpt-5-nano:acme::1",),
}


_MORE_PROVIDERS = {
    "claude": {"model": "claude-sonnet-5-5"},
    "gemini": {"model": "gemini-3.8-flash"},
    "ollama": {"model": "qwen3:4b"},
    "gateway": {"model": "our-model"},
}
"""Further sections of the example file, so that each kind of provider is seen once."""


def example_paths() -> list[tuple[KeyPath, Row]]:
    """Every key once, under the name it has in the example file, table by table."""
    pairs: list[tuple[KeyPath, Row]] = []
    more = [("providers", name, key) for name, keys in _MORE_PROVIDERS.items() for key in keys]
    for row in all_rows():
        if row.path == ("models", "tasks", "*"):
            pairs += [(path, find_row(path)) for path in more]
        pairs.append((_names(row), row))
    tables = list(dict.fromkeys(path[:-1] for path, _ in pairs))
    return sorted(pairs, key=lambda pair: tables.index(pair[0][:-1]))


def find_row(path: KeyPath) -> Row:
    """The row at a path of plain names; raises ``KeyError`` if there is none."""
    row = find(TREE, path)
    if not isinstance(row, Row):
        raise KeyError(".".join(path))
    return row


def _example_value(path: KeyPath, row: Row) -> Any:
    more = _MORE_PROVIDERS.get(path[1], {}).get(path[-1]) if path[0] == "providers" else None
    if more is not None:
        return more
    return row.kind.to_toml(row.default) if row.example is None else row.example


def example_toml() -> str:
    """config.example.toml: every key, commented out, with its help and its default or a sample."""
    lines = [
        "# Every setting of Aircher.  Nothing here is needed: without a file, whatever is found",
        "# (keys in the environment, a model server on this machine, the built-in model) is used.",
        "# Take the # away from what you want to change.  `aircher config check` finds mistakes.",
    ]
    for table, pairs in groupby(example_paths(), key=lambda pair: pair[0][:-1]):
        lines.append("")
        if table:
            told = [f"# {line}" for line in _table_help(table)]
            lines += [line for line in told if line not in lines]
            lines.append(f"# [{toml_key(table)}]")
        for path, row in pairs:
            notes = _notes(row)
            lines.append(f"# # {row.help}" + (f" ({notes})" if notes else ""))
            lines.append(f"# {toml_key(path[-1:])} = {toml_text(_example_value(path, row))}")
    return "\n".join(lines) + "\n"


def _table_help(table: KeyPath) -> Iterator[str]:
    node = find(TREE, table)
    if isinstance(node, Table) and node.help:
        yield f"# {node.help}"


_DOC_HEAD = """\
# Configuration

<!-- Generated from aircher/config/schema.py by `python -m aircher.bootstrap.docs`. -->

No file is needed.  Settings are read in this order, the later winning:

1. the defaults below;
2. your file, `$XDG_CONFIG_HOME/aircher/config.toml` (`~/.config/aircher/config.toml`), or the file
   that `AIRCHER_CONFIG` names;
3. `.aircher.toml` at the root of the work tree, once you have read it and said
   `aircher trust`; one changed byte, and it must be trusted anew;
4. environment variables `AIRCHER_<SECTION>_<KEY>` (lists with commas);
5. command-line flags.

`aircher config show --origin` tells where each value comes from, `aircher config check` lists all
mistakes with their lines, `aircher config set KEY VALUE` changes one value and keeps your comments.
[config.example.toml](../config.example.toml) holds every key;
[config.schema.json](config.schema.json) lets an editor complete them.

API keys never stand in this file.  In this order they come from `key_command` (a password
manager's program), the provider's own environment variable (`OPENAI_API_KEY`, ...; `api_key_env`
names another), and what `aircher keys set` stored: in the operating system's keyring (Secret
Service, KWallet, macOS Keychain or Windows Credential Locker, no other), else in an encrypted file.

A key goes only to the address it is for.  A stored key is for the address its provider had then; a
variable's key for its vendor's own.  With another `base_url`, say which key may go there by naming
`api_key_env` beside it, or store one with `aircher keys set`.  Addresses are https, or http on this
machine; proxies are taken from `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, except for
this machine's own servers, which are reached directly.

Durations are written as in Go: `"250ms"`, `"30s"`, `"1h30m"`.  Money is in USD.  `NAME` stands for
a name you choose.  A key marked "yours only" cannot be set by a project's file, trusted or not.
The provider name `anthropic` means `claude`.
"""


def markdown() -> str:
    """docs/config.md: one table per section."""
    lines = [_DOC_HEAD]
    for table, grouped in groupby(all_rows(), key=lambda row: row.path[:-1]):
        name = ".".join("NAME" if part == "*" else part for part in table)
        lines += [f"## [{name}]" if table else "## Top of the file", ""]
        node = find(TREE, table)
        if isinstance(node, Table) and node.help and table:
            lines += [node.help, ""]
        lines += ["| Key | Type | Default | Environment | Meaning |", "|---|---|---|---|---|"]
        lines += [_markdown_row(row) for row in grouped]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _markdown_row(row: Row) -> str:
    notes = [note for note in (_notes(row), "" if row.project else "yours only") if note]
    path = tuple("NAME" if part == "*" else part for part in row.path)
    env, default = row.env_name(path), default_text(row)
    cells = [
        f"`{path[-1]}`",
        row.kind.name,
        f"`{default}`" if default else "",
        f"`{env}`" if env else "",
        row.help + (f" ({'; '.join(notes)})" if notes else ""),
    ]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def json_schema() -> dict[str, Any]:
    """docs/config.schema.json, draft 2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Aircher configuration",
        **_table_schema(TREE),
    }


def _table_schema(table: Table) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object"}
    if table.help:
        schema["description"] = table.help
    if table.names:
        schema["properties"] = {name: _schema(node) for name, node in table.names.items()}
    schema["additionalProperties"] = _schema(table.other) if table.other else False
    return schema


def _schema(node: Row | Table) -> dict[str, Any]:
    return _row_schema(node) if isinstance(node, Row) else _table_schema(node)


def _row_schema(row: Row) -> dict[str, Any]:
    schema: dict[str, Any] = {**row.kind.schema, "description": row.help}
    if row.choices and _single(row):
        schema["enum"] = list(row.choices)
    elif row.choices:
        schema["items"] = {**schema["items"], "enum": list(row.choices)}
    if row.kind.name != "duration":
        bounds = {"minimum": row.minimum, "maximum": row.maximum}
        schema |= {name: bound for name, bound in bounds.items() if bound is not None}
    if row.default is not None:
        schema["default"] = _plain(row.kind.to_toml(row.default))
    return schema


def _plain(value: Any) -> Any:
    """A TOML value as JSON has it."""
    return float(value) if isinstance(value, Decimal) else value
