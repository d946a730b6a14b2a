"""What the outbound guard found, and what was done about it."""

from __future__ import annotations

from typing import Literal

from aircher.domain.classes import dataclass

GuardAction = Literal["redact", "block", "allow", "ask"]
"""What is done about a finding: replaced by its kind, not sent at all, sent, or asked about (and
replaced unless the user says yes)."""

SENSITIVE_FILE = "sensitive-file"
IGNORED_FILE = "ignored-file"


@dataclass(frozen=True, slots=True)
class Finding:
    """A secret that was found; never its value.

    ``line`` counts from 1; 0 means the whole file.  ``fingerprint`` is the same for the same
    value everywhere, for ``aircher guard allow``; the value cannot be read from it ("" for a file).
    """

    kind: str
    place: str
    line: int
    action: GuardAction
    fingerprint: str

    @property
    def where(self) -> str:
        """Such as "src/app.py:12" or "your message, line 3"; the place alone for a whole file."""
        if not self.line:
            return self.place
        if " " in self.place:
            return f"{self.place}, line {self.line}"
        return f"{self.place}:{self.line}"


def in_words(findings: tuple[Finding, ...], most: int = 3) -> str:
    """Such as "github-pat in src/app.py:3 and 2 more", for one line."""
    told = [
        one.where if one.kind in {SENSITIVE_FILE, IGNORED_FILE} else f"{one.kind} in {one.where}"
        for one in findings[:most]
    ]
    more = len(findings) - len(told)
    return ", ".join(told) + (f" and {more} more" if more else "")


def guarded(findings: tuple[Finding, ...]) -> str:
    """What was taken out, and how to let it pass, in one sentence."""
    secrets = tuple(one for one in findings if one.kind not in {SENSITIVE_FILE, IGNORED_FILE})
    files = tuple(one for one in findings if one not in secrets)
    said = []
    if secrets:
        known = next(one.fingerprint for one in secrets)
        lets = f" (`aircher guard allow {known}` lets it pass)" if len(secrets) == 1 else ""
        said.append(f"taken out before sending: {in_words(secrets)}{lets}")
    if files:
        said.append(f"not sent, sensitive or ignored: {in_words(files)}")
    return "; ".join(said)
