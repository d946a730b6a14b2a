"""The model's features as reasons that people can read: their own words, or a plain phrase.

What cannot be said plainly (how long a message is in powers of two, which concepts stand beside
each other) is left out, however much it weighed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from aircher.domain.tasks import Evidence
from aircher.policy.detect.features import Lexicon, Reading

MOST = 3
"""So many reasons are shown; more are not read."""

PHRASES = {
    "traceback": "a traceback is in it",
    "error line": "an error message is in it",
    "error name": "an error is named in it",
    "diff": "a diff is in it",
    "log": "lines of a log are in it",
    "code fence": "a block of code is in it",
    "link": "a link is in it",
    "path": "a file is named in it",
    "@file": "a file is named in it",
    "list": "a list is in it",
    "HTML": "HTML is in it",
    "role prompt": "it gives the model a role",
    "first line asks": "it asks a question",
    "last line asks": "it asks a question",
    "words 2^1": "it is short",
    "words 2^2": "it is short",
    "words 2^8": "it is long",
    "words 2^9": "it is long",
    "code 3/4": "it is mostly code",
    "code 4/4": "it is mostly code",
    "other subjects' words 2": "its subject is not software",
    "other subjects' words 3": "its subject is not software",
}
"""Facts (features.py) in plain words; those that are missing here are not shown."""

_SAYS_NOTHING = frozenset(
    "a an and are as at be been by can could d do does for from had has have he her his i if in is "
    "it its ll m me my of on or our re s she so t that the their them then there they this to us ve "
    "was we were will with would you your ?".split()
)
_SHORTEST, _LONGEST = 2, 40


def in_words(
    reasons: Iterable[tuple[str, float]],
    task: str,
    found: Sequence[tuple[str, Evidence]],
    reading: Reading,
    lexicon: Lexicon,
) -> Iterator[Evidence]:
    """The strongest features that can be said plainly as evidence; ``weight`` is in log-odds."""
    excerpts = dict(found)
    told: list[str] = []
    meant: dict[str, str] | None = None
    for name, weight in reasons:
        block, rest = name[0], name[1:]
        if block == "*":
            detail = PHRASES.get(rest, "")
        elif block == "!":
            detail = _excerpt(rest, task, excerpts, found)
        elif block == "+":
            meant = _meant(reading, lexicon) if meant is None else meant
            detail = _quoted(meant.get(rest.lstrip("^$"), ""))
        else:
            detail = _quoted(rest.lstrip("^$"))
        if detail and not any(detail.strip("'") in one or one.strip("'") in detail for one in told):
            told.append(detail)
            yield Evidence("text", detail, round(weight, 2), task)
            if len(told) == MOST:
                return


def _quoted(words: str) -> str:
    """The user's words in quotes; "" for words that say nothing by themselves."""
    if len(words) < _SHORTEST or all(word in _SAYS_NOTHING for word in words.split()):
        return ""
    return f"'{words if len(words) <= _LONGEST else words[: _LONGEST - 1].rstrip() + '…'}'"


def _excerpt(
    name: str, task: str, excerpts: dict[str, Evidence], found: Sequence[tuple[str, Evidence]]
) -> str:
    """What a rule found; for a sum of rules, what the first one for the task found."""
    one = excerpts.get(name) or next((one for _, one in found if one.task == task), None)
    return _quoted(one.detail) if one is not None and one.task == task else ""


def _meant(reading: Reading, lexicon: Lexicon) -> dict[str, str]:
    """The user's first word for each concept; pairs of concepts are hard to say."""
    found: dict[str, str] = {}
    for name in reading.names:
        if name[0] != "=":
            break  # the ask's words come first
        for concept in lexicon.words.get(name[1:], ()):
            found.setdefault(concept, name[1:])
    return found
