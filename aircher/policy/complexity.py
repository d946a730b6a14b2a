"""How much a request asks of a model: 0 (a greeting) to 10 (a large design), by what is in it.

A score of our own, not a measurement: each factor adds a little, is named, and can be seen with
``aircher route``.  The factors, and how much each can add:

    words of the request itself        3   over 40, 120, 300 (pasted material is not counted)
    pasted code, diff, traceback       2   one for each kind
    files given                        2   one; two from three files on
    separate demands                   2   a list or "and then ... also", from 3 and from 6 on
    words of hard work                 3   design, concurrency, migration, security, proof ...
    a task that makes or changes code  1
    a long conversation                1   from six earlier messages of the user on

A short question that asks what something is, a greeting or a thank-you subtracts one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from aircher.domain.regexes import regex
from aircher.domain.routes import Complexity

MOST = 10
READ = 6_000
"""Characters looked at, half from the front and half from the end."""

_FENCE = regex(r"```.*?(?:```|\Z)", re.DOTALL)
_DIFF = regex(r"^(?:diff --git |@@ .* @@|[-+]{3} [ab]/)", re.MULTILINE)
_TRACE = regex(
    r"^(?:Traceback \(most recent call last\)|\s+at \S+\(|\s+File \".*\", line \d+|panic: )",
    re.MULTILINE,
)
_DEMAND = regex(
    r"^\s*(?:[-*+]|\d{1,2}[.)])\s+\S|\b(?:and then|also|additionally|furthermore|finally)\b|;",
    re.MULTILINE | re.IGNORECASE,
)
_HARD = regex(
    r"\b(architect\w*|design\w*|concurren\w*|race condition\w*|deadlock\w*|distributed|migrat\w*|"
    r"redesign\w*|rewrite|end[- ]to[- ]end|from scratch|proof|prove|optimi[sz]\w*|performance|"
    r"scal(?:e|ing|ab)\w*|security|vulnerab\w*|cryptograph\w*|algorithm\w*|trade-?offs?|"
    r"backward\w* compat\w*|whole (?:code ?base|project|repo\w*)|across (?:all|the) \w+)\b",
    re.IGNORECASE,
)
_EASY = regex(
    r"^\s*(?:hi|hello|hey|thanks?|thank you|ok(?:ay)?|yes|no|what(?:'s| is| are| does)|"
    r"which|when|who|where|how (?:do|can) (?:i|you)|translate|spell)\b",
    re.IGNORECASE,
)
_MAKING = frozenset({"code_generation", "refactoring", "debugging", "code_review"})


def complexity(
    text: str, task: str = "default", files: Sequence[str] = (), earlier: int = 0
) -> Complexity:
    """The score and what counted.  ``earlier`` is how many messages of the user came before."""
    if len(text) > READ:
        text = f"{text[: READ // 2]}\n{text[-READ // 2 :]}"
    prose = _FENCE.sub(" ", text) if "```" in text else text
    words = prose.count(" ") + prose.count("\n") + 1
    hard = list(dict.fromkeys(found.casefold() for found in _HARD.findall(prose)))[:3]
    demands = len(_DEMAND.findall(prose))
    pasted = [
        name
        for name, there in (
            ("code", "```" in text),
            ("a diff", bool(_DIFF.search(text))),
            ("a traceback", bool(_TRACE.search(text))),
        )
        if there
    ][:2]
    easy = words <= 12 and not hard and not pasted and bool(_EASY.match(prose))
    counted = (
        (_steps(words, 40, 120, 300), f"{words} words"),
        (len(pasted), f"{' and '.join(pasted)} pasted"),
        (_steps(len(files), 1, 3), f"{len(files)} file{'s' if len(files) != 1 else ''}"),
        (_steps(demands, 3, 6), f"{demands} separate demands"),
        (len(hard), ", ".join(hard)),
        (int(task in _MAKING), f"the task {task}"),
        (int(earlier >= 6), f"{earlier} earlier messages"),
        (-int(easy), "a short, plain question"),
    )
    score = sum(points for points, _ in counted)
    return Complexity(
        min(MOST, max(0, score)),
        tuple(f"{points:+d} {what}" for points, what in counted if points),
    )


def _steps(value: int, *steps: int) -> int:
    """How many of the steps are reached."""
    return sum(1 for step in steps if value >= step)
