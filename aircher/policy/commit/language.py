"""Which language messages are written in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from aircher.domain.regexes import regex

_STOP_WORDS: Mapping[str, frozenset[str]] = {
    "en": frozenset(
        "the and for with from that this when not into is are be add fix of to in".split()
    ),
    "de": frozenset(
        "und der die das nicht mit für von auf ist wird werden eine den bei zu im".split()
    ),
    "fr": frozenset("le la les des une pour avec dans est sur pas de du et ajout au aux".split()),
    "es": frozenset("el la los las una para con en que por del se no de y al como".split()),
    "pt": frozenset("o os as uma para com em que por do da não de e ao como dos".split()),
    "it": frozenset("il lo gli una per con che di del della non nel e al dei".split()),
    "nl": frozenset("de het een en voor met van niet op is wordt naar bij als".split()),
    "pl": frozenset("i w na z do nie dla się że jest po od przez oraz".split()),
}
_SCRIPTS = (
    ("ja", regex(r"[\u3040-\u30ff]")),
    ("ko", regex(r"[\uac00-\ud7af]")),
    ("zh", regex(r"[\u4e00-\u9fff]")),
    ("ru", regex(r"[\u0400-\u04ff]")),
    ("el", regex(r"[\u0370-\u03ff]")),
    ("he", regex(r"[\u0590-\u05ff]")),
    ("ar", regex(r"[\u0600-\u06ff]")),
)


def language_of(texts: Iterable[str]) -> str:
    """The language most of the texts are in, as an ISO 639-1 code; "en" in doubt."""
    votes: Counter[str] = Counter()
    for text in texts:
        script = next((code for code, letters in _SCRIPTS if letters.search(text)), "")
        if script:
            votes[script] += 1
            continue
        words = set(re.findall(r"[^\W\d_]+", text.lower()))
        scores = {code: len(words & stop) for code, stop in _STOP_WORDS.items()}
        best = max(scores, key=lambda code: (scores[code], code == "en"))
        votes[best if scores[best] else "en"] += 1
    return votes.most_common(1)[0][0] if votes else "en"


def is_foreign(text: str, wanted: str) -> bool:
    """True where the text is surely not in that language (an ISO 639-1 code).

    Names of code are the same in every language, so some evidence for another one is needed, and
    none for this one.
    """
    letters = sum(map(str.isalpha, text))
    scripts = dict(_SCRIPTS)
    if wanted in scripts:
        return letters > 10 and not scripts[wanted].search(text)
    if any(len(script.findall(text)) * 2 > letters for script in scripts.values()):
        return True
    words = set(re.findall(r"[^\W\d_]+", text.lower()))
    scores = {code: len(words & stop) for code, stop in _STOP_WORDS.items()}
    return wanted in scores and not scores[wanted] and max(scores.values()) > 1
