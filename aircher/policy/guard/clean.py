"""Texts in, the same texts without their secrets out, with a finding for each."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import field, replace

from aircher.domain.classes import dataclass
from aircher.domain.guarding import IGNORED_FILE, SENSITIVE_FILE, Finding, GuardAction
from aircher.policy.guard.paths import is_sensitive
from aircher.policy.guard.rules import Rules
from aircher.policy.guard.scan import scan


@dataclass(frozen=True, slots=True)
class Piece:
    """A text that is to leave, and where it stands.

    ``place`` is in the user's words ("your message", "src/app.py").  ``path`` is the file that
    it is the content of, or the diff of; "" for other texts.  ``ignored`` says that the user's
    ignore files name that path.
    """

    place: str
    text: str
    path: str = ""
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class GuardPolicy:
    """What the user wants done ([guard] in the configuration).

    ``actions`` are by kind; ``default`` is for the rest, but
    whether a sensitive file is sent as a whole is asked.  ``strict`` turns every "redact" and
    "ask" into "block".  ``allowed`` are fingerprints that may leave; ``paths`` further file
    patterns; ``send`` are paths that the user confirmed for this request.
    """

    default: GuardAction = "redact"
    actions: Mapping[str, GuardAction] = field(default_factory=dict)
    strict: bool = False
    allowed: frozenset[str] = frozenset()
    paths: tuple[str, ...] = ()
    send: frozenset[str] = frozenset()

    def action(self, kind: str, fingerprint: str) -> GuardAction:
        """What is to be done about this finding."""
        if fingerprint in self.allowed:
            return "allow"
        usual = "ask" if kind == SENSITIVE_FILE else self.default
        chosen = self.actions.get(kind, usual)
        return "block" if self.strict and chosen != "allow" else chosen

    def let(self, allowed: Sequence[Finding]) -> GuardPolicy:
        """The policy that also lets these through, as the user just said."""
        return replace(
            self,
            allowed=self.allowed | {one.fingerprint for one in allowed if one.fingerprint},
            send=self.send | {one.place for one in allowed if one.kind == SENSITIVE_FILE},
        )


PLAIN = GuardPolicy()


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The texts in their order, without what was found."""

    texts: tuple[str, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def blocked(self) -> tuple[Finding, ...]:
        """The findings that forbid sending at all."""
        return tuple(one for one in self.findings if one.action == "block")

    @property
    def asked(self) -> tuple[Finding, ...]:
        """The findings that are sent only if the user says so."""
        return tuple(one for one in self.findings if one.action == "ask")


def clean(pieces: Sequence[Piece], rules: Rules, policy: GuardPolicy = PLAIN) -> Cleaned:
    """Replaces every secret by ``<REDACTED:kind>``, and withholds whole sensitive files.

    What the policy allows stays as it is and is no finding; what it blocks is replaced too, so
    that the texts can be shown.
    """
    texts: list[str] = []
    findings: list[Finding] = []
    for piece in pieces:
        text, found = _cleaned(piece, rules, policy)
        texts.append(text)
        findings += found
    return Cleaned(tuple(texts), tuple(findings))


def _cleaned(piece: Piece, rules: Rules, policy: GuardPolicy) -> tuple[str, list[Finding]]:
    kind = _withheld(piece, rules, policy)
    if kind:
        action = policy.action(kind, "") if kind == SENSITIVE_FILE else "redact"
        if action != "allow":
            why = "matches an ignore file" if kind == IGNORED_FILE else "a sensitive file"
            path, _ = _cleaned(Piece(piece.place, piece.path), rules, policy)
            return f"<WITHHELD:{path}: {why}>", [Finding(kind, piece.place, 0, action, "")]
    parts: list[str] = []
    findings: list[Finding] = []
    at = line = 0
    counted = 0
    for span in scan(piece.text, rules):
        fingerprint = fingerprint_of(piece.text[span.start : span.end])
        action = policy.action(span.kind, fingerprint)
        if action == "allow":
            continue
        line += piece.text.count("\n", counted, span.start)
        counted = span.start
        findings.append(Finding(span.kind, piece.place, line + 1, action, fingerprint))
        parts += [piece.text[at : span.start], f"<REDACTED:{span.kind}>"]
        at = span.end
    return ("".join((*parts, piece.text[at:])) if parts else piece.text), findings


def _withheld(piece: Piece, rules: Rules, policy: GuardPolicy) -> str:
    if piece.ignored:
        return IGNORED_FILE
    if (
        piece.path
        and piece.path not in policy.send
        and is_sensitive(piece.path, rules, policy.paths)
    ):
        return SENSITIVE_FILE
    return ""


def fingerprint_of(secret: str) -> str:
    """Twelve hex digits that stand for a value.

    A slow hash, since a password has few enough possibilities to be guessed from a fast one.
    """
    made = hashlib.pbkdf2_hmac("sha256", secret.encode(errors="replace"), b"aircher guard", 2_000)
    return made.hex()[:12]
