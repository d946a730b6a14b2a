"""The outbound guard, made from the configuration and the shipped rules."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import cast

from aircher.config.load import Config
from aircher.domain.guarding import GuardAction
from aircher.domain.routes import Rules as RouteRules
from aircher.domain.settings import PrivacySettings
from aircher.engine.guard import Guard
from aircher.policy import guard
from aircher.policy.guard import GuardPolicy, Rules, rules_from
from aircher.policy.route.fitness import is_local

_FILES = ("vendors.toml", "own.toml", "lookalikes.toml")


@cache
def load_guard_rules() -> Rules:
    """The shipped rules; some 10 ms the first time."""
    folder = Path(guard.__file__).parent
    texts = ((folder / name).read_text(encoding="utf-8") for name in _FILES)
    return rules_from(*(tomllib.loads(text) for text in texts))


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
                "it is not on this machine, and --local is set",
            ),
        },
        more=tuple(ref for ref in rules.more if ref.provider in rules.local),
    )
