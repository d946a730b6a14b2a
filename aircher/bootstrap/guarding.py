"""The outbound guard, made from the configuration and the shipped rules."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, cast

from aircher.bootstrap.configuring import load_config, set_value, unset
from aircher.config.load import Config
from aircher.domain.errors import UsageError
from aircher.domain.guarding import Finding, GuardAction
from aircher.domain.health import ELSEWHERE
from aircher.domain.messages import Document
from aircher.domain.regexes import regex
from aircher.domain.routes import Rules as RouteRules
from aircher.domain.settings import PrivacySettings
from aircher.engine.guard import Guard
from aircher.policy import guard
from aircher.policy.guard import GuardPolicy, Piece, Rules, clean, rules_from
from aircher.policy.route.fitness import is_local
from aircher.workspace.folder import Folder

_FILES = ("vendors.json", "own.toml", "lookalikes.toml")


@cache
def load_guard_rules() -> Rules:
    """The shipped rules; some milliseconds the first time."""
    folder = Path(guard.__file__).parent
    return rules_from(*(_table(folder / name) for name in _FILES))


def _table(path: Path) -> dict[str, Any]:
    """What people write is TOML; the long list that a program writes is JSON, read in a tenth."""
    text = path.read_text(encoding="utf-8")
    table: dict[str, Any] = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    return table


def guard_policy(config: Config) -> GuardPolicy:
    """[guard], for the guard."""
    table = config.guard
    return GuardPolicy(
        default=cast("GuardAction", table.action),
        actions={kind: cast("GuardAction", action) for kind, action in table.rules.items()},
        strict=table.strict,
        allowed=frozenset(table.allow),
        paths=table.paths,
    )


def make_guard(config: Config, rules: RouteRules, ignored: Callable[[str], bool]) -> Guard:
    """The guard of a process; its rules are read when something is first sent elsewhere."""
    return Guard(
        load_guard_rules,
        guard_policy(config),
        local=lambda ref: is_local(ref, rules),
        ignored=ignored,
    )


def privacy_settings(config: Config) -> PrivacySettings:
    """[privacy], a home folder's "~" written out."""
    patterns = tuple(os.path.expanduser(pattern) for pattern in config.privacy.local_only)
    return PrivacySettings(config.privacy.local, patterns)


def only_here(rules: RouteRules) -> RouteRules:
    """The rules without providers elsewhere: with --local they do not exist in this process."""
    return replace(
        rules,
        order=tuple(name for name in rules.order if name in rules.local),
        unusable={
            **rules.unusable,
            **dict.fromkeys(
                (name for name in rules.order if name not in rules.local),
                ELSEWHERE,
            ),
        },
        more=tuple(ref for ref in rules.more if ref.provider in rules.local),
    )


def check_text(text: str, place: str) -> Sequence[Finding]:
    """What the guard would take out of a text, by the user's own settings."""
    return clean([Piece(place, text)], load_guard_rules(), guard_policy(load_config())).findings


def check_files(paths: Sequence[str]) -> Sequence[Finding]:
    """The same for files.  Raises ``UsageError`` for one that cannot be attached either."""
    folder, pieces = Folder(), []
    for path in paths:
        part = folder.attach(path)
        if isinstance(part, Document):
            text = part.data.decode(errors="replace") if part.media_type.startswith("text/") else ""
            pieces.append(Piece(part.name, text, part.name))
    policy = guard_policy(load_config())
    named = clean([replace(one, text="") for one in pieces], load_guard_rules(), policy)
    inside = clean([replace(one, path="") for one in pieces], load_guard_rules(), policy)
    return (*named.findings, *inside.findings)


def allowed_fingerprints() -> Sequence[str]:
    """guard.allow."""
    return load_config().guard.allow


_FINGERPRINT = regex("[0-9a-f]{12}")


def allow_fingerprint(fingerprint: str) -> None:
    """Adds to guard.allow in the user's file.  Raises ``UsageError``, ``ConfigError``."""
    if not _FINGERPRINT.fullmatch(fingerprint):
        raise UsageError(
            "That is no fingerprint.",
            hint="It is the twelve digits that the guard shows with a finding, never the value.",
        )
    allowed = dict.fromkeys((*allowed_fingerprints(), fingerprint))
    set_value("guard.allow", ",".join(allowed))


def forget_fingerprint(fingerprint: str) -> None:
    """Takes it out of guard.allow again.  Raises ``UsageError`` if it is not there."""
    allowed = list(allowed_fingerprints())
    if fingerprint not in allowed:
        raise UsageError("That fingerprint is not in guard.allow.", hint="aircher guard list")
    allowed.remove(fingerprint)
    if allowed:
        set_value("guard.allow", ",".join(allowed))
    else:
        unset("guard.allow")
