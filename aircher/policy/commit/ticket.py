"""The ticket that a branch names, without taking "utf-8" or "release-2.0" for one."""

from __future__ import annotations

from collections.abc import Iterable

from aircher.domain.regexes import regex

_KEY = regex(r"(?<![A-Za-z0-9.])([A-Za-z][A-Za-z0-9]{1,9})-(\d{1,6})(?![A-Za-z0-9]|\.\d)")
_IN_TEXT = regex(r"(?<![A-Za-z0-9-])([A-Z][A-Z0-9]{1,9})-(\d{1,6})(?![A-Za-z0-9-])")
_NUMBER = regex(
    r"(?:^|[/_-])(?:issues?|gh|bug|ticket|fix|fixes|closes)[/_-]?#?(\d{1,6})(?![\d.])"
    r"|(?:^|/)#?(\d{1,6})(?=[-_][A-Za-z])"
)

NOT_TICKETS = frozenset(
    """
    UTF UCS ISO IEC RFC PEP CVE CWE ECMA ES SHA MD AES DES RSA ECC ED X H MP IPV IP HTTP HTTPS TLS SSL
    FTP SMTP USB PCI ARM AMD INTEL WIN WINDOWS LINUX MACOS OSX IOS JAVA JDK JRE PYTHON PY NODE NODEJS
    RUBY GO PHP PERL RUST SWIFT KOTLIN VUE REACT ANGULAR NEXT DJANGO RAILS LARAVEL SPRING GCC LLVM CLANG
    CMAKE BASE CRC BLAKE ARGON GPT CLAUDE GEMINI LLAMA LATIN CP KOI BIG GB WCAG A AA COVID LEVEL STEP
    PART PHASE TASK V VERSION VER RELEASE REL RC BETA ALPHA DEV PR PULL REVIEW WIP TOP DAY WEEK SPRINT
    YEAR Q S K OPTION PLAN TEST CASE UPDATE BACKUP COPY BRANCH PATCH FEATURE HOTFIX DRAFT TRY ATTEMPT
    """.split()
)
"""Words that a number follows without any tracker: encodings, standards, versions, counting."""


def tickets_in(text: str) -> list[str]:
    """Ticket ids in a message: "ABC-12"."""
    return [f"{key}-{number}" for key, number in _IN_TEXT.findall(text) if key not in NOT_TICKETS]


def ticket_of(branch: str, known: Iterable[str] = (), *, numbers: bool = False) -> str:
    """The ticket named in a branch: "ABC-12", or "#12" where the history has such; else "".

    A key in capitals is believed unless it is a word of ``NOT_TICKETS``; one in small letters only
    where the history knows that project (``known`` keys).  A name with two candidates that differ
    is not believed.
    """
    keys = set(known)
    found = {
        f"{key.upper()}-{int(number)}"
        for key, number in _KEY.findall(branch)
        if key.upper() not in NOT_TICKETS
        and (key.upper() in keys or (key.isupper() and not keys))
        and int(number) > 0
    }
    if len(found) == 1:
        return found.pop()
    if found or not numbers:
        return ""
    plain = {first or second for first, second in _NUMBER.findall(branch)}
    return f"#{int(plain.pop())}" if len(plain) == 1 else ""
