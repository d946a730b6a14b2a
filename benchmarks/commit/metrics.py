"""Figures about one message: 0..1 each, so that means can be compared."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, fields

from aircher.domain.commits import CommitMessage
from aircher.policy.commit.grounding import strange_names
from aircher.policy.commit.style import HEADER, TYPES
from aircher.policy.commit.words import is_imperative

_STOP = frozenset(
    """
    the and for with from that this when not into are was were has have had its their then than also
    which while where what will would can could should may more most some such only just like used using
    use add adds added fix fixes fixed update updates updated remove removes removed change changes
    changed make makes made improve support allow instead now new old all any each other both
    """.split()
)


@dataclass(frozen=True)
class Scores:
    """``conventional``: a valid header; ``short``: at most 72 characters; ``imperative``: begins
    with a verb in its base form; ``grounded``: share of content words that occur in the diff;
    ``real``: names nothing that is not there; ``similar``: F1 of words with the human subject,
    both without their type.
    """

    conventional: float
    short: float
    imperative: float
    grounded: float
    real: float
    similar: float


NAMES = tuple(field.name for field in fields(Scores))


def summary_of(subject: str) -> str:
    """The subject without its conventional type and scope."""
    header = HEADER.fullmatch(subject)
    return header["subject"] if header and header["type"].lower() in TYPES else subject


def score(message: CommitMessage, human: CommitMessage, evidence: str) -> Scores:
    """The figures of a message against the diff and what a human wrote."""
    header = HEADER.fullmatch(message.subject)
    summary = summary_of(message.subject)
    return Scores(
        conventional=float(bool(header and header["type"] in TYPES)),
        short=float(len(message.subject) <= 72),
        imperative=float(is_imperative(summary)),
        grounded=grounded(f"{summary} {message.body}", evidence),
        real=float(not strange_names(message, evidence)),
        similar=similar(summary, summary_of(human.subject)),
    )


def grounded(text: str, evidence: str) -> float:
    """The share of content words (four letters and more, common words left out) in the diff."""
    words = {w for w in re.findall(r"[a-z]{4,}", text.lower()) if w not in _STOP}
    low = evidence.lower()
    found = sum(w in low or w.rstrip("sedy")[:6] in low for w in words)
    return found / len(words) if words else 1.0


def similar(one: str, other: str) -> float:
    """F1 of the two texts' words, as bags."""
    first, second = (Counter(re.findall(r"\w+", text.lower())) for text in (one, other))
    shared = sum((first & second).values())
    if not shared:
        return 0.0
    precision, recall = shared / sum(first.values()), shared / sum(second.values())
    return 2 * precision * recall / (precision + recall)
