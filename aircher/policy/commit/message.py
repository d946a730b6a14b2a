"""The contract of a message, held by code: whatever a draft says, the form comes out right."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping

from aircher.domain.classes import dataclass
from aircher.domain.commits import CommitMessage, CommitSettings, Setting, Switch
from aircher.domain.inert import inert
from aircher.domain.regexes import regex
from aircher.policy.commit.lint import LintRules
from aircher.policy.commit.reply import Draft
from aircher.policy.commit.style import ENOUGH, TYPES, Style, parted
from aircher.policy.commit.ticket import ticket_of
from aircher.policy.commit.words import imperative


@dataclass(frozen=True, slots=True)
class Contract:
    """What every message keeps to.

    ``case`` is the first letter's: "upper", "lower" or "" (as it comes).  ``ticket`` is put in
    its ``ticket_place``.  ``trailers`` are kept from an amended commit.  ``default_type`` stands
    in where a draft names none that is allowed.
    """

    subject_length: int = 72
    body_width: int = 72
    conventional: bool = False
    types: tuple[str, ...] = TYPES
    scopes: tuple[str, ...] = ()
    scope_allowed: bool = True
    areas: bool = False
    case: str = ""
    english: bool = True
    body: Switch = "auto"
    emoji: bool = False
    ticket: str = ""
    ticket_place: str = ""
    ticket_trailer: str = "Refs"
    trailers: tuple[str, ...] = ()
    default_type: str = "chore"


def contract_of(
    settings: CommitSettings, style: Style, rules: LintRules, setting: Setting
) -> Contract:
    """The contract from the user's settings, the repository's rules and its history, in this order."""
    conventional = {"always": True, "never": False}.get(
        settings.conventional, rules.conventional or style.conventional
    )
    learnt = tuple(name for name, seen in style.types.items() if seen > 1 and name.islower())
    types = rules.types or tuple(dict.fromkeys((*TYPES, *learnt)))
    limits = (settings.subject_length, rules.max_subject or settings.subject_length)
    widths = (settings.body_width, rules.max_body_line or settings.body_width)
    enough = style.commits >= ENOUGH
    case = "lower" if conventional else "upper"
    if enough:
        case = "upper" if style.upper_share >= 0.5 else "lower"
    ticket = ""
    if settings.ticket:
        ticket = ticket_of(setting.branch, style.ticket_keys, numbers=style.number_share >= 0.2)
    return Contract(
        subject_length=min(limits),
        body_width=min(widths),
        conventional=conventional,
        types=types,
        scopes=rules.scopes,
        scope_allowed=not rules.scope_forbidden,
        areas=style.areas and not conventional,
        case=rules.subject_case or case,
        english=(settings.language or style.language).lower().startswith("en"),
        body="always" if rules.body_required and settings.body == "auto" else settings.body,
        emoji=enough and style.emoji_share >= 0.5,
        ticket=ticket,
        ticket_place=style.ticket_place if style.ticket_share >= 0.3 else "",
        ticket_trailer=style.ticket_trailer or "Refs",
        trailers=parted(setting.amended.partition("\n")[2])[1] if setting.amended else (),
        default_type=next((name for name in ("chore", "other", "misc") if name in types), types[0]),
    )


def render(draft: Draft, contract: Contract) -> CommitMessage:
    """The message: the form by the contract, the words by the draft.

    The subject is one line of at most ``subject_length`` characters, cut between words.
    """
    prefix, summary = _subject(draft, contract)
    subject = prefix + cut(summary, max(contract.subject_length - len(prefix), 1))
    body = "" if contract.body == "never" else wrap(_body(draft.body, subject), contract.body_width)
    breaking = _one_line(draft.breaking)
    trailers = []
    if breaking and contract.conventional:
        trailers.append(f"BREAKING CHANGE: {breaking}")
    if contract.ticket and contract.ticket not in subject and not _placed(contract):
        trailers.append(f"{contract.ticket_trailer}: {contract.ticket}")
    trailers += [line for line in contract.trailers if line not in trailers]
    return CommitMessage(subject, body, tuple(trailers))


def whole_subject(draft: Draft, contract: Contract) -> str:
    """The subject in its form, before it is cut to the length that is allowed."""
    return "".join(_subject(draft, contract))


def _subject(draft: Draft, contract: Contract) -> tuple[str, str]:
    """What goes before the summary, and the summary."""
    prefix = _prefix(draft, contract)
    if contract.conventional and contract.subject_length - len(prefix) < _LEAST:
        prefix = f"{_type(draft, contract)}: "  # one that leaves no room says less than the summary
    return prefix, _summary(draft.subject, contract)


_LEAST = 20
"""Characters that a summary needs to say anything."""


def _placed(contract: Contract) -> bool:
    return contract.ticket_place in {"prefix", "bracket", "bare"}


def _type(draft: Draft, contract: Contract) -> str:
    named = draft.type.strip().lower()
    by_lower: Mapping[str, str] = {name.lower(): name for name in contract.types}
    return by_lower.get(named, contract.default_type)


def _prefix(draft: Draft, contract: Contract) -> str:
    parts = []
    if contract.ticket and _placed(contract):
        forms = {"prefix": "{}: ", "bracket": "[{}] ", "bare": "{} "}
        parts.append(forms[contract.ticket_place].format(contract.ticket))
    if contract.emoji and draft.emoji and len(draft.emoji) <= 30:
        parts.append(f"{_one_line(draft.emoji)} ")
    scope = _scope(draft.scope, contract)
    if contract.conventional:
        inner = f"({scope})" if scope else ""
        parts.append(f"{_type(draft, contract)}{inner}{'!' if draft.breaking.strip() else ''}: ")
    elif contract.areas and scope:
        parts.append(f"{scope}: ")
    return "".join(parts)


def _scope(scope: str, contract: Contract) -> str:
    plain = re.sub(r"[^\w./*,+-]+", "-", _one_line(scope)).strip("-,.")
    if not contract.scope_allowed or len(plain) > 30:
        return ""
    if contract.scopes:
        return next((name for name in contract.scopes if name.lower() == plain.lower()), "")
    return plain


def _one_line(text: str) -> str:
    return " ".join(inert(text).split())


def _summary(text: str, contract: Contract) -> str:
    plain = _one_line(text).lstrip("#*-•> ").strip()
    if contract.ticket:
        plain = re.sub(rf"^\[?{re.escape(contract.ticket)}\]?[:\s-]*", "", plain)
    plain = _without_stop(plain)
    if contract.english:
        plain = imperative(plain)
    return _cased(plain, contract.case)


def _without_stop(text: str) -> str:
    """Without periods and other marks at the end; "..." is one as well."""
    return text.rstrip(" .;:,!…。") or text


def _cased(text: str, case: str) -> str:
    first = text.split(maxsplit=1)[0] if text.split() else ""
    # A name keeps its own letters: README, iOS, HttpClient, parse_diff(), `x`.
    plain = first[:1].isalpha() and first[1:].islower() and first.isalpha()
    if case == "upper" and (plain or (len(first) == 1 and first.isalpha())):
        return text[:1].upper() + text[1:]
    if case == "upper" and re.fullmatch(r"[a-z]+(?:-[a-z]+)+,?", first):
        return text[:1].upper() + text[1:]
    if case == "lower" and plain and first[0].isupper():
        return text[:1].lower() + text[1:]
    return text


_DANGLING = frozenset(
    """
    a an and as at because but by for from if in into like of on onto or over since so than that the
    their to under until via when where which while with without its is are be not no this these
    really quite very more most much also even only then both either such
    """.split()
)


def cut(text: str, room: int) -> str:
    """At most ``room`` characters, ending with a whole word that can stand at an end."""
    if len(text) <= room:
        return text
    words = text[: room + 1].split(" ")
    words.pop()
    while words and (words[-1].lower().strip(",;:(") in _DANGLING or not words[-1].strip(",;:-(")):
        words.pop()
    short = " ".join(words).rstrip(" ,;:-(")
    for opening, closing in (("(", ")"), ("[", "]"), ("“", "”")):
        if short.count(opening) > short.count(closing):
            short = short[: short.rindex(opening)].rstrip(" ,;:-(")
    for mark in ("`", '"'):
        if short.count(mark) % 2:
            short = short[: short.rindex(mark)].rstrip(" ,;:-(")
    return short or text[:room].rstrip()


# -- the body

_TAKEN_OUT = regex(
    r"(?im)^[ \t]*(?:signed-off-by|co-?authored-by|reviewed-by|acked-by|tested-by|reported-by"
    r"|change-id|generated[- ]by|assisted-by|🤖)\b.*$\n?"
)
"""A model can vouch for nobody, and knows no one's address."""

_URL = regex(r"[a-z][a-z0-9+.-]*://\S")
_BULLET = regex(r"^(\s*(?:[-*+•]|\d{1,3}[.)])\s+)(\S.*)$")
_FENCE = regex(r"^\s*(?:```|~~~)")


def _body(text: str, subject: str) -> str:
    plain = _TAKEN_OUT.sub("", inert(text)).strip("\n").rstrip()
    plain = re.sub(r"(?m)^#{1,6}[ \t]+", "", plain)
    first, _, rest = plain.partition("\n")
    summary = subject.rpartition(": ")[2].lower()
    if _without_stop(first.strip()).lower() in {subject.lower(), summary}:
        plain = rest.strip("\n")
    plain = re.sub(r"\n\s*\n", "\n\n", plain)  # blank lines hold nothing, and one is enough
    return re.sub(r"\A\s*\n", "", plain).rstrip()


def wrap(text: str, width: int) -> str:
    """Paragraphs and list items filled to ``width``; code, tables and URLs stay as they are.

    No line begins with "#", which git would take for a comment when the message is edited.
    """
    lines = [line for block in _blocks(text) for line in _filled(block, width)]
    return "\n".join(f" {line}" if line.startswith("#") else line for line in lines).rstrip()


def _blocks(text: str) -> Iterator[tuple[bool, list[str]]]:
    """Runs of lines: (is it to be kept as it is, lines)."""
    run: list[str] = []
    fenced = False
    for line in text.split("\n"):
        fence = _FENCE.match(line) is not None
        if fenced or fence or _as_it_is(line, run):
            if run:
                yield False, run
                run = []
            yield True, [line.rstrip()]
            fenced = fenced != fence
        else:
            if run and _BULLET.match(line):
                yield False, run
                run = []
            run.append(line)
    if run:
        yield False, run


def _as_it_is(line: str, run: list[str]) -> bool:
    """A blank line, a table, indented code (but not a list item's second line)."""
    if not line.strip() or line.lstrip().startswith("|"):
        return True
    indented = line.startswith(("    ", "\t"))
    return indented and not _BULLET.match(line) and not (run and _BULLET.match(run[0]))


def _filled(block: tuple[bool, list[str]], width: int) -> list[str]:
    kept, lines = block
    if kept or all(len(line) <= width for line in lines):
        return [line.rstrip() for line in lines]
    found = _BULLET.match(lines[0])
    first = found[1] if found else ""
    words = " ".join([found[2] if found else lines[0], *lines[1:]]).split()
    return textwrap.wrap(
        " ".join(words),
        width=max(width, len(first) + 10),
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )
