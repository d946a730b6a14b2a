"""Files in which a repository sets rules for its commit messages, read as data, never run."""

from __future__ import annotations

import configparser
import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from aircher.domain.commits import RuleFile
from aircher.domain.regexes import regex

MOST_BYTES = 256_000

_Values = Mapping[str, Any]


class _NotOurs(Exception):
    """The file is there but says nothing of commit messages."""


def read_rule_files(top: Path) -> tuple[tuple[RuleFile, ...], tuple[str, ...]]:
    """The rule files at the top level, and the names of those that cannot be read as data."""
    found: list[RuleFile] = []
    unreadable: list[str] = []
    for kind, name, read in _FILES:
        try:
            path = top / name
            if path.stat().st_size > MOST_BYTES or any(have.kind == kind for have in found):
                continue
            values = read(path.read_text("utf-8"))
        except (FileNotFoundError, NotADirectoryError, _NotOurs):
            continue
        except (OSError, ValueError, configparser.Error):
            unreadable.append(name)
            continue
        found.append(RuleFile(kind, name, values))
    return tuple(found), tuple(unreadable)


def _json(text: str) -> _Values:
    return _mapping(json.loads(text))


def _yaml(text: str) -> _Values:
    """YAML, of which JSON is a part."""
    import yaml

    try:
        return _mapping(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _toml(text: str) -> _Values:
    return tomllib.loads(text)


def _ini(text: str) -> _Values:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    return {name: dict(parser[name]) for name in parser.sections()}


def _mapping(value: object) -> _Values:
    if not isinstance(value, Mapping):
        raise ValueError("not a table")  # noqa: TRY004 - it is the file's content that is wrong
    return value


def _within(read: Callable[[str], _Values], *names: str) -> Callable[[str], _Values]:
    """Reads the sub-table of that name; a file without it is not ours."""

    def inner(text: str) -> _Values:
        here: Any = read(text)
        for name in names:
            if not isinstance(here, Mapping) or name not in here:
                raise _NotOurs
            here = here[name]
        return _mapping(here)

    return inner


_RULE = regex(r"""["']?([a-z]+(?:-[a-z]+)+)["']?\s*:\s*(?=\[)""")
_COMMENT = regex(r"(?<![:\"'])//[^\n]*|/\*.*?\*/", re.DOTALL)


def _javascript(text: str) -> _Values:
    """What can be seen of a program without running it: which preset it extends, and its rules
    where they are written as plain lists.
    """
    plain = _COMMENT.sub("", text)
    values: dict[str, Any] = {"rules": {}}
    if "config-conventional" in plain or "config-angular" in plain:
        values["extends"] = ["@commitlint/config-conventional"]
    for name, source in _lists(plain):
        try:
            values["rules"][name] = json.loads(_as_json(source))
        except ValueError:
            continue  # made by code: its value is not known
    if not values["rules"] and "extends" not in values:
        raise ValueError("nothing that can be read without running it")
    return values


def _lists(text: str) -> Iterator[tuple[str, str]]:
    """Rule names with the source of their list."""
    for found in _RULE.finditer(text):
        depth = 0
        for at in range(found.end(), min(len(text), found.end() + 4_000)):
            depth += (text[at] == "[") - (text[at] == "]")
            if depth == 0:
                yield found.group(1), text[found.end() : at + 1]
                break


def _as_json(source: str) -> str:
    quoted = re.sub(r"'([^'\"\\\n]*)'", r'"\1"', source)
    return re.sub(r",\s*\]", "]", quoted)


_FILES: tuple[tuple[str, str, Callable[[str], _Values]], ...] = (
    ("commitlint", ".commitlintrc", _yaml),
    ("commitlint", ".commitlintrc.json", _json),
    ("commitlint", ".commitlintrc.yaml", _yaml),
    ("commitlint", ".commitlintrc.yml", _yaml),
    ("commitlint", ".commitlintrc.js", _javascript),
    ("commitlint", ".commitlintrc.cjs", _javascript),
    ("commitlint", ".commitlintrc.mjs", _javascript),
    ("commitlint", ".commitlintrc.ts", _javascript),
    ("commitlint", "commitlint.config.js", _javascript),
    ("commitlint", "commitlint.config.cjs", _javascript),
    ("commitlint", "commitlint.config.mjs", _javascript),
    ("commitlint", "commitlint.config.ts", _javascript),
    ("commitlint", "package.json", _within(_json, "commitlint")),
    ("gitlint", ".gitlint", _ini),
    ("commitizen", "pyproject.toml", _within(_toml, "tool", "commitizen")),
    ("commitizen", ".cz.toml", _within(_toml, "tool", "commitizen")),
    ("commitizen", "cz.toml", _within(_toml, "tool", "commitizen")),
    ("commitizen", ".cz.json", _within(_json, "commitizen")),
    ("commitizen", "cz.json", _within(_json, "commitizen")),
    ("commitizen", ".cz.yaml", _within(_yaml, "commitizen")),
    ("commitizen", "cz.yaml", _within(_yaml, "commitizen")),
    ("commitizen", "package.json", _within(_json, "config", "commitizen")),
)
"""Kind, name at the top level, reader; of one kind the first that is there counts, as their own
programs have it.  package.json's config.commitizen names an adapter only."""
