"""Secrets in a text: one pass for all keywords, then a rule's expression around each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from aircher.domain.classes import dataclass
from aircher.domain.regexes import regex
from aircher.policy.guard import assignments
from aircher.policy.guard.lookalikes import CHECKS, entropy
from aircher.policy.guard.rules import ASSIGNED, NAMES, Rule, Rules
from aircher.policy.guard.views import views

_SURROGATES = regex("[\ud800-\udfff]")
_LONGEST = 30_000
"""No match is followed further than so many characters."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A secret in a text, from ``start`` to ``end``.  ``rank`` orders kinds: vendors' first."""

    start: int
    end: int
    rank: int
    kind: str


_BLOCK = 400_000
_OVERLAP = 64_000
"""A long text is looked through in blocks, so that no single step keeps other threads waiting; a
secret that begins in the middle of an overlap belongs to the block in which it is whole.
"""


def scan(text: str, rules: Rules) -> list[Span]:
    """All secrets, in order, none overlapping another.

    Takes a time linear in the text's length, for usual texts: every expression looks at a bounded
    stretch around a keyword.
    """
    found: list[Span] = []
    for base in range(0, max(1, len(text)), _BLOCK):
        block = text[base : base + _BLOCK + _OVERLAP] if len(text) > _BLOCK else text
        first = base + _OVERLAP // 2 if base else 0
        last = base + _BLOCK + _OVERLAP // 2
        found += (
            replace(span, start=base + span.start, end=base + span.end)
            for span in _spans(block, rules)
            if first <= base + span.start < last
        )
    return _merged(found)


def _spans(text: str, rules: Rules) -> Iterator[Span]:
    for view in views(text):
        for hit in _hits(view.text, rules):
            start, end = view.span(hit.start, hit.end)
            yield Span(start, end, hit.rank, hit.kind)


def _merged(spans: Iterable[Span]) -> list[Span]:
    """Overlapping spans as one; the best ranked names its kind."""
    merged: list[Span] = []
    for span in sorted(set(spans)):
        last = merged[-1] if merged else None
        if last is not None and span.start < last.end:
            best = min(last, span, key=lambda one: (one.rank, one.start - one.end))
            merged[-1] = Span(last.start, max(last.end, span.end), best.rank, best.kind)
        else:
            merged.append(span)
    return merged


def _lower(text: str) -> str:
    """In lower case, with every character in its place."""
    low = text.lower()
    if len(low) != len(text):  # U+0130 alone becomes two
        low = text.replace("\u0130", "i").lower()
    return _SURROGATES.sub("\ufffd", low) if _has_surrogates(low) else low


def _has_surrogates(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _hits(text: str, rules: Rules) -> Iterator[Span]:
    assigned = len(NAMES)
    places: dict[int, list[tuple[int, int]]] = {}
    for number, start, end in rules.automaton.find_matches_as_indexes(_lower(text), True):
        if number < assigned:
            for one in assignments.at(text, start, end, rules):
                rank = len(rules.rules) + ASSIGNED.index(one.kind)
                yield Span(one.start, one.end, rank, one.kind)
        for index in rules.by_keyword[number]:
            places.setdefault(index, []).append((start, end))
    for index, where in places.items():
        rule = rules.rules[index]
        for low, high in _windows(rule, where, len(text)):
            for start, end in _matches(rule, text, low, high, rules):
                yield Span(start, end, index, rule.kind)


def _windows(rule: Rule, where: Sequence[tuple[int, int]], size: int) -> Iterator[tuple[int, int]]:
    """The stretches around keywords, those that overlap as one."""
    low = high = -1
    for start, end in where:
        if start - rule.before > high:
            if high >= 0:
                yield low, high
            low = max(0, start - rule.before)
        high = min(size, end + rule.after)
    if high >= 0:
        yield low, high


def _matches(rule: Rule, text: str, low: int, high: int, rules: Rules) -> Iterator[tuple[int, int]]:
    at = low
    while (found := rule.pattern.search(text, at, high)) is not None:
        if found.end() >= high - 1 and high < len(text) and high - found.start() < _LONGEST:
            high = min(len(text), found.start() + 4 * max(rule.after, found.end() - found.start()))
            continue
        for start, end in _secrets(rule, found):
            value = text[start:end]
            if entropy(value) >= rule.entropy and CHECKS[rule.check](value, rules):
                yield start, end
        at = max(found.end(), at + 1)


def _secrets(rule: Rule, found: re.Match[str]) -> Iterator[tuple[int, int]]:
    if not rule.inner:
        group = next((n for n in range(1, found.re.groups + 1) if found[n] is not None), 0)
        yield found.span(group)
        return
    section, inner = rule.parts
    for block in section.finditer(found.string, *found.span()):
        for one in inner.finditer(found.string, *block.span(1)):
            yield one.span(1)
