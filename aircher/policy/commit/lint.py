"""A repository's own rules for its messages: read from commitlint, gitlint or commitizen, applied.

What the renderer can hold by itself (lengths, types, case) is turned into its contract; the rest
is checked afterwards, and what a message breaks is said in a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from aircher.domain.classes import dataclass
from aircher.domain.commits import CommitMessage, RuleFile
from aircher.policy.commit.style import HEADER, TYPES

PATTERN_SECONDS = 0.2
"""A pattern comes from a repository: one that would run for ever is given up."""


@dataclass(frozen=True, slots=True)
class LintRules:
    """What messages must keep to; None, empty or False where there is no rule.

    ``subject_case`` is "lower" or "upper" (the first letter); ``pattern`` a regular expression
    that the whole message must match from its start; ``origin`` names the file.
    """

    origin: str = ""
    conventional: bool = False
    max_subject: int | None = None
    min_subject: int | None = None
    max_body_line: int | None = None
    types: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    scope_required: bool = False
    scope_forbidden: bool = False
    body_required: bool = False
    subject_case: str = ""
    full_stop_allowed: bool = False
    pattern: str = ""
    forbidden_words: tuple[str, ...] = ()
    trailers: tuple[str, ...] = ()


def rules_of(files: Sequence[RuleFile]) -> LintRules:
    """The rules of all files together; of two that say the same thing the stricter counts."""
    rules = LintRules()
    for file in files:
        rules = READERS[file.kind](rules, file.values)
    return replace(rules, origin=", ".join(file.path for file in files))


def lint(message: CommitMessage, rules: LintRules) -> list[str]:
    """What the message breaks, each as a sentence a model can act on; empty when it is fine."""
    return [said for check in _CHECKS for said in check(message, rules)]


# -- checks


def _lengths(message: CommitMessage, rules: LintRules) -> Iterator[str]:
    length = len(message.subject)
    if rules.max_subject is not None and length > rules.max_subject:
        yield f"the subject has {length} characters, at most {rules.max_subject} are allowed"
    if rules.min_subject is not None and length < rules.min_subject:
        yield f"the subject has {length} characters, at least {rules.min_subject} are wanted"
    longest = max(
        (len(line) for line in message.body.splitlines() if " " in line.strip()), default=0
    )
    if rules.max_body_line is not None and longest > rules.max_body_line:
        yield f"a body line has {longest} characters, at most {rules.max_body_line} are allowed"


def _header(message: CommitMessage, rules: LintRules) -> Iterator[str]:
    if not rules.conventional:
        return
    found = HEADER.fullmatch(message.subject)
    if found is None:
        yield 'the subject must have the form "type(scope): summary"'
        return
    if rules.types and found["type"] not in rules.types:
        yield f"the type {found['type']!r} must be one of: {', '.join(rules.types)}"
    scope = found["scope"] or ""
    if rules.scopes and scope and scope not in rules.scopes:
        yield f"the scope {scope!r} must be one of: {', '.join(rules.scopes)}"
    if rules.scope_required and not scope:
        yield "a scope is required"
    if rules.scope_forbidden and scope:
        yield "no scope is allowed"


def _body(message: CommitMessage, rules: LintRules) -> Iterator[str]:
    if rules.body_required and not message.body:
        yield "a body is required"


def _content(message: CommitMessage, rules: LintRules) -> Iterator[str]:
    words = message.subject.lower().split()
    for word in rules.forbidden_words:
        if word.lower() in words:
            yield f"the subject must not contain the word {word!r}"
    for name in rules.trailers:
        if not any(line.startswith(f"{name}:") for line in message.trailers):
            yield f"a trailer {name!r} is required"
    if rules.pattern and not _matches(rules.pattern, str(message).strip()):
        yield f"the message must match the pattern {rules.pattern}"


def _matches(pattern: str, text: str) -> bool:
    """Whether the pattern matches; True where it cannot be used (its own tool will tell)."""
    import regex

    try:
        return regex.match(pattern, text, timeout=PATTERN_SECONDS) is not None
    except (regex.error, TimeoutError):
        return True


_CHECKS: tuple[Callable[[CommitMessage, LintRules], Iterator[str]], ...] = (
    _lengths,
    _header,
    _body,
    _content,
)


# -- readers: values of a file -> rules

_COMMITLINT_DEFAULTS: Mapping[str, Any] = {
    "header-max-length": [2, "always", 100],
    "body-max-line-length": [2, "always", 100],
    "type-enum": [2, "always", list(TYPES)],
    "type-empty": [2, "never"],
    "subject-case": [2, "never", ["sentence-case", "start-case", "pascal-case", "upper-case"]],
}
"""@commitlint/config-conventional (its README), as far as it has a part here."""


def _commitlint(rules: LintRules, values: Mapping[str, Any]) -> LintRules:
    extends = values.get("extends") or ()
    named = [extends] if isinstance(extends, str) else list(extends)
    said: dict[str, Any] = {}
    if any("conventional" in str(name) or "angular" in str(name) for name in named):
        said.update(_COMMITLINT_DEFAULTS)
    own = values.get("rules")
    said.update(own if isinstance(own, Mapping) else {})
    for name, rule in said.items():
        if not isinstance(rule, list) or not rule or not rule[0]:
            continue  # level 0: turned off
        when = rule[1] if len(rule) > 1 else "always"
        value = rule[2] if len(rule) > 2 else None
        rules = _commitlint_rule(rules, name, when != "never", value)
    return rules


def _commitlint_rule(rules: LintRules, name: str, always: bool, value: Any) -> LintRules:
    match name, always:
        case (("header-max-length" | "subject-max-length"), _) if _whole(value):
            return replace(rules, max_subject=_least(rules.max_subject, value))
        case "header-min-length", _ if _whole(value):
            return replace(rules, min_subject=value)
        case "body-max-line-length", _ if _whole(value):
            return replace(rules, max_body_line=_least(rules.max_body_line, value))
        case "type-enum", True if isinstance(value, list):
            return replace(rules, conventional=True, types=tuple(map(str, value)))
        case "scope-enum", True if isinstance(value, list):
            return replace(rules, scopes=tuple(map(str, value)))
        case "type-empty", False:
            return replace(rules, conventional=True)
        case "scope-empty", _:
            return replace(rules, scope_required=not always, scope_forbidden=always)
        case "body-empty", False:
            return replace(rules, body_required=True)
        case "subject-case", _:
            return replace(rules, subject_case=_case(value, always) or rules.subject_case)
        case "subject-full-stop", True:
            return replace(rules, full_stop_allowed=True)
        case "trailer-exists", True if isinstance(value, str):
            return replace(rules, trailers=(*rules.trailers, value.rstrip(": ")))
        case _:
            return rules


def _case(value: Any, always: bool) -> str:
    names = {
        str(name).replace("_", "-") for name in (value if isinstance(value, list) else [value])
    }
    upper = bool(names & {"sentence-case", "sentencecase"})
    lower = bool(names & {"lower-case", "lowercase"})
    if upper != lower:
        return "upper" if upper == always else "lower"
    return ""


def _gitlint(rules: LintRules, values: Mapping[str, Any]) -> LintRules:
    general = _section(values, "general")
    ignored = _list(general.get("ignore", ""))
    contrib = _list(general.get("contrib", ""))
    title = _section(values, "title-max-length", "T1")
    body = _section(values, "body-max-line-length", "B1")
    known = _section(values, "contrib-title-conventional-commits", "CT1")
    shortest = _section(values, "title-min-length", "T8").get("min-length")
    conventional = bool({"contrib-title-conventional-commits", "CT1"} & set(contrib))
    forbidden = _section(values, "title-must-not-contain-word", "T5").get("words", "wip")
    minimal = _section(values, "body-min-length", "B5")
    off = set(ignored)
    return replace(
        rules,
        conventional=rules.conventional or conventional,
        max_subject=rules.max_subject
        if off & {"T1", "title-max-length"}
        else _least(rules.max_subject, _number(title.get("line-length", 72))),
        max_body_line=rules.max_body_line
        if off & {"B1", "body-max-line-length"}
        else _least(rules.max_body_line, _number(body.get("line-length", 80))),
        types=tuple(_list(known.get("types", ""))) or rules.types,
        min_subject=_number(shortest) or rules.min_subject,
        forbidden_words=tuple(_list(forbidden)),
        pattern=str(_section(values, "title-match-regex", "T7").get("regex", "")) or rules.pattern,
        body_required=rules.body_required
        or (bool(minimal) and not off & {"B6", "body-is-missing"}),
    )


_CZ_PATTERN = "cz_conventional_commits"


def _commitizen(rules: LintRules, values: Mapping[str, Any]) -> LintRules:
    name = values.get("name", _CZ_PATTERN)
    limit = _number(values.get("message_length_limit"))
    custom = values.get("customize")
    pattern = custom.get("schema_pattern", "") if isinstance(custom, Mapping) else ""
    plain = name == _CZ_PATTERN and isinstance(name, str) and not values.get("path")
    return replace(
        rules,
        conventional=rules.conventional or plain,
        types=rules.types or ((*TYPES, "bump") if plain else ()),
        max_subject=_least(rules.max_subject, limit or None),
        pattern=rules.pattern or str(pattern),
    )


READERS: Mapping[str, Callable[[LintRules, Mapping[str, Any]], LintRules]] = {
    "commitlint": _commitlint,
    "gitlint": _gitlint,
    "commitizen": _commitizen,
}


def _section(values: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    found: object = next((values[name] for name in names if name in values), None)
    return found if isinstance(found, Mapping) else {}


def _list(text: object) -> list[str]:
    return [word.strip() for word in str(text).split(",") if word.strip()]


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _number(value: object) -> int | None:
    text = str(value).strip()
    return int(text) if text.isascii() and text.isdigit() and int(text) > 0 else None


def _least(*values: int | None) -> int | None:
    known = [value for value in values if value is not None]
    return min(known) if known else None
