"""The style of a repository's messages, learnt from its history, and the nearest past commits."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from itertools import count

from aircher.domain.classes import dataclass
from aircher.domain.commits import PastCommit
from aircher.domain.regexes import regex
from aircher.policy.commit.language import language_of
from aircher.policy.commit.ticket import tickets_in
from aircher.policy.commit.words import is_imperative

TYPES = (
    "build", "chore", "ci", "docs", "feat", "fix", "perf", "refactor", "revert", "style", "test",
)  # fmt: skip
"""Those of @commitlint/config-conventional, which is where most people have them from."""

HEADER = regex(r"(?P<type>[A-Za-z]+)(?:\((?P<scope>[^()\n]+)\))?(?P<bang>!)?:\s+(?P<subject>\S.*)")
"""conventionalcommits.org 1.0.0, any type."""

_AREA = regex(r"(?P<area>[\w./*{}+-]+(?:, ?[\w./*{}+-]+)*): (?P<subject>\S.*)")
_TRAILER = regex(r"(?P<name>[A-Z][A-Za-z]*(?:-[A-Za-z]+)*|BREAKING CHANGE): \S.*")
_EMOJI = regex(r"(?::[a-z0-9_+-]+:|[\u2600-\u27bf\U0001f300-\U0001faff]\ufe0f?)\s*")
_NUMBERED = regex(r"\s*\(#\d+\)$")
"""What GitHub adds when it squashes: no part of the style."""

ENOUGH = 5
"""Commits from which on a history says something."""


@dataclass(frozen=True, slots=True)
class Style:
    """What a history shows.  Shares are 0..1 of its commits; ``commits`` says how many there were.

    ``area_share`` is of subjects such as "net/http: fix ..." that are not conventional;
    ``upper_share`` of subjects that begin with a capital (after their prefix); ``median`` and
    ``long`` are subject lengths (the half, nine of ten); ``ticket_place`` is "prefix", "bracket",
    "trailer" or ""; ``language`` is an ISO 639-1 code.
    """

    commits: int = 0
    conventional_share: float = 0.0
    types: Mapping[str, int] = field(default_factory=dict)
    scopes: Mapping[str, int] = field(default_factory=dict)
    scope_share: float = 0.0
    area_share: float = 0.0
    upper_share: float = 0.0
    imperative_share: float = 0.0
    median: int = 50
    long: int = 72
    body_share: float = 0.0
    bullet_share: float = 0.0
    emoji_share: float = 0.0
    emojis: Mapping[str, int] = field(default_factory=dict)
    ticket_share: float = 0.0
    ticket_place: str = ""
    ticket_keys: tuple[str, ...] = ()
    ticket_trailer: str = ""
    number_share: float = 0.0
    trailers: Mapping[str, float] = field(default_factory=dict)
    language: str = "en"

    @property
    def conventional(self) -> bool:
        """True where most of enough commits are conventional."""
        return self.commits >= ENOUGH and self.conventional_share >= 0.5

    @property
    def areas(self) -> bool:
        """True where subjects begin with the part of the code that they are about."""
        return self.commits >= ENOUGH and not self.conventional and self.area_share >= 0.5


@dataclass(frozen=True, slots=True)
class _Read:
    """One message, taken apart."""

    subject: str
    type: str = ""
    scope: str = ""
    area: str = ""
    emoji: str = ""
    ticket_at: str = ""
    tickets: tuple[str, ...] = ()
    length: int = 0
    body: str = ""
    trailers: tuple[str, ...] = ()
    whole: str = ""


def learn(history: Sequence[PastCommit]) -> Style:
    """The style of these commits."""
    read = [_read(commit) for commit in history if commit.subject]
    if not read:
        return Style()
    total = len(read)
    known = [one for one in read if one.type]
    lengths = sorted(one.length for one in read)
    bodies = [one.body for one in read if one.body]
    places = Counter(one.ticket_at for one in read if one.tickets)
    keys = Counter(ticket.partition("-")[0] for one in read for ticket in one.tickets)
    trailers = Counter(name for one in read for name in set(one.trailers))
    numbered = sum(bool(re.search(r"(?:^|\s)#\d+\b", one.whole)) for one in read)
    return Style(
        commits=total,
        conventional_share=len(known) / total,
        types=dict(Counter(one.type for one in known).most_common(15)),
        scopes=dict(Counter(one.scope for one in known if one.scope).most_common(30)),
        scope_share=sum(bool(one.scope) for one in known) / max(1, len(known)),
        area_share=sum(bool(one.area) for one in read) / total,
        upper_share=sum(one.subject[:1].isupper() for one in read) / total,
        imperative_share=sum(is_imperative(one.subject) for one in read) / total,
        median=lengths[total // 2],
        long=lengths[min(total - 1, total * 9 // 10)],
        body_share=len(bodies) / total,
        bullet_share=sum(bool(re.search(r"(?m)^\s*[-*+] ", b)) for b in bodies)
        / max(1, len(bodies)),
        emoji_share=sum(bool(one.emoji) for one in read) / total,
        emojis=dict(Counter(one.emoji for one in read if one.emoji).most_common(20)),
        ticket_share=sum(places.values()) / total,
        ticket_place=places.most_common(1)[0][0] if places else "",
        ticket_keys=tuple(key for key, _ in keys.most_common(10)),
        ticket_trailer=_ticket_trailer(history),
        number_share=numbered / total,
        trailers={name: n / total for name, n in trailers.most_common(10) if n / total >= 0.1},
        language=language_of(f"{one.subject}\n{one.body}" for one in read),
    )


def _read(commit: PastCommit) -> _Read:
    subject = whole = _NUMBERED.sub("", commit.subject)
    emoji = ""
    if found := _EMOJI.match(subject):
        emoji, subject = found[0].strip(), subject[found.end() :]
    subject, at = _ticket_at(subject)
    type_ = scope = area = ""
    if (found := HEADER.fullmatch(subject)) and found["type"].lower() in TYPES:
        type_, scope, subject = found["type"], found["scope"] or "", found["subject"]
        if second := _EMOJI.match(subject):
            emoji, subject = second[0].strip(), subject[second.end() :]
    elif found := _AREA.fullmatch(subject):
        area, subject = found["area"], found["subject"]
    body, trailers = parted(commit.body)
    names = tuple(line.partition(":")[0] for line in trailers)
    tickets = tuple(tickets_in(commit.message))
    return _Read(
        subject, type_, scope, area, emoji, at or ("trailer" if tickets else ""), tickets,
        len(whole), body, names, commit.message,
    )  # fmt: skip


def _ticket_at(subject: str) -> tuple[str, str]:
    """The subject without its ticket, and where that stood."""
    if found := re.match(r"\[([A-Z][A-Z0-9]{1,9}-\d+)\]:?\s*", subject):
        return subject[found.end() :], "bracket" if tickets_in(found[1]) else ""
    found = re.match(r"([A-Z][A-Z0-9]{1,9}-\d+)(?::| -|)\s+", subject)
    if found and tickets_in(found[1]):
        return subject[found.end() :], "prefix" if ":" in found[0] else "bare"
    return subject, ""


def parted(body: str) -> tuple[str, tuple[str, ...]]:
    """A body without its trailers, and the trailers (git-interpret-trailers(1), simplified)."""
    paragraphs = body.strip().rsplit("\n\n", 1)
    last = paragraphs[-1].splitlines()
    folded = all(_TRAILER.fullmatch(line) or line.startswith((" ", "\t")) for line in last)
    if last and folded and _TRAILER.fullmatch(last[0]):
        before = paragraphs[0] if len(paragraphs) == 2 else ""
        return before.strip(), tuple(last)
    return body.strip(), ()


def _ticket_trailer(history: Iterable[PastCommit]) -> str:
    """The trailer in which tickets stand ("Refs", "Closes"), where one does."""
    names: Counter[str] = Counter()
    for commit in history:
        for line in parted(commit.body)[1]:
            name, _, value = line.partition(": ")
            if tickets_in(value) or re.fullmatch(r"#\d+", value.strip()):
                names[name] += 1
    return names.most_common(1)[0][0] if names else ""


def nearest(history: Sequence[PastCommit], paths: Iterable[str], most: int) -> list[PastCommit]:
    """The past commits that touched the most similar paths, best first, the newer before the older.

    Shared files count most, shared folders less; every part by how rare it is in the history.
    """
    wanted = _parts(paths)
    rarity: Counter[str] = Counter(part for commit in history for part in _parts(commit.paths))
    scored = []
    for age, commit in zip(count(), history, strict=False):
        parts = _parts(commit.paths)
        shared = sum(1 / rarity[part] for part in parts & wanted)
        if shared and commit.subject:
            scored.append((shared / (len(parts) ** 0.5), -age, commit))
    scored.sort(key=lambda item: item[:2], reverse=True)
    chosen: dict[str, PastCommit] = {}
    for _, _, commit in scored:
        chosen.setdefault(commit.subject, commit)
    rest = (commit for commit in history if commit.subject and commit.subject not in chosen)
    return [*chosen.values(), *rest][:most]


def _parts(paths: Iterable[str]) -> set[str]:
    """Paths with the folders they are in."""
    found = set()
    for path in paths:
        pieces = path.split("/")
        found |= {"/".join(pieces[:end]) for end in range(1, len(pieces) + 1)}
    return found
