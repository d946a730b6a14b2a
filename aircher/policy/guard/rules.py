"""The rules as data: tables in, compiled rules out.

A rule's regular expression is compiled when one of its keywords is first met: of some 400 rules
a usual text needs none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol

from aircher.domain.classes import dataclass

NAMES = ("passw", "pwd", "passphrase", "secret", "token", "key", "credential", "auth")
"""Parts of names to which secrets are given (assignments.py)."""

ASSIGNED = ("password", "secret-assignment")
"""The kinds of what is given to such names."""


class Automaton(Protocol):
    """All keywords at once, found in one pass (Aho and Corasick, 1975)."""

    def find_matches_as_indexes(
        self, haystack: str, overlapping: bool = ...
    ) -> list[tuple[int, int, int]]:
        """(number of the keyword, start, end) of each, overlapping ones included."""
        ...


@dataclass(frozen=True)
class Rule:
    """One kind of secret.

    ``keywords`` are in lower case; one of them stands in, or beside, every match.  The first
    group that matched is the secret, or the whole match.  ``entropy`` is in bits per character.
    A match begins at most ``before`` characters before a keyword; ``after`` is how far it is
    looked for at first (it is followed further if it does not end there).  ``check`` names a
    function of lookalikes.py.  ``section`` and ``inner`` find several secrets in one match.
    """

    kind: str
    keywords: tuple[str, ...]
    regex: str
    entropy: float = 0.0
    before: int = 160
    after: int = 500
    check: str = ""
    section: str = ""
    inner: str = ""
    multiline: bool = False

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The compiled expression; its classes of characters mean ASCII."""
        return re.compile(self.regex, re.ASCII | (re.MULTILINE if self.multiline else 0))

    @cached_property
    def parts(self) -> tuple[re.Pattern[str], re.Pattern[str]]:
        """Compiled ``section`` and ``inner``."""
        return re.compile(self.section, re.ASCII), re.compile(self.inner, re.ASCII)


@dataclass(frozen=True)
class Rules:
    """All rules, and what looks like a secret but is none.

    ``examples`` are parts of keys that documentation shows; ``words`` are values that people
    write where a password is to be put; both in lower case.  ``sensitive`` are file patterns.
    """

    rules: tuple[Rule, ...]
    examples: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()
    sensitive: tuple[str, ...] = ()
    harmless: tuple[str, ...] = ()

    @cached_property
    def keywords(self) -> tuple[str, ...]:
        """All keywords, those of assignments first, each once."""
        return tuple(dict.fromkeys((*NAMES, *(k for r in self.rules for k in r.keywords))))

    @cached_property
    def by_keyword(self) -> Sequence[tuple[int, ...]]:
        """For each keyword the numbers of the rules that have it."""
        found: dict[str, list[int]] = {}
        for number, rule in enumerate(self.rules):
            for keyword in rule.keywords:
                found.setdefault(keyword, []).append(number)
        return tuple(tuple(found.get(keyword, ())) for keyword in self.keywords)

    @cached_property
    def automaton(self) -> Automaton:
        """The prefilter."""
        from ahocorasick_rs import AhoCorasick

        made: Automaton = AhoCorasick(self.keywords)
        return made

    @property
    def kinds(self) -> Sequence[str]:
        """The names of all kinds, for settings and lists."""
        return tuple(dict.fromkeys((*(rule.kind for rule in self.rules), *ASSIGNED)))


def rules_from(*tables: Mapping[str, Any]) -> Rules:
    """The rules of parsed files, the earlier files' rules going first."""
    rows: list[Mapping[str, Any]] = [row for table in tables for row in table.get("rule", ())]

    def listed(name: str) -> Iterable[str]:
        return (word for table in tables for word in table.get(name, ()))

    return Rules(
        rules=tuple(_rule(row) for row in rows),
        examples=tuple(word.lower() for word in listed("examples")),
        words=frozenset(word.lower() for word in listed("words")),
        sensitive=tuple(listed("sensitive")),
        harmless=tuple(listed("harmless")),
    )


def _rule(row: Mapping[str, Any]) -> Rule:
    rest = {name: value for name, value in row.items() if name not in {"id", "keywords"}}
    return Rule(kind=row["id"], keywords=tuple(row["keywords"]), **rest)
