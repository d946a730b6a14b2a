"""Everything that is decided about a message before a model is asked, and after it has answered."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from aircher.domain.changes import Changes
from aircher.domain.classes import dataclass
from aircher.domain.commits import CommitAsk, CommitMessage, CommitSettings, PastCommit, Payload
from aircher.domain.guarding import Finding, in_words
from aircher.policy.commit import plain
from aircher.policy.commit.cleaning import Clean, cleaned_changes, cleaned_texts
from aircher.policy.commit.fit import Size, fit, heading
from aircher.policy.commit.grounding import strange_names, without
from aircher.policy.commit.language import is_foreign
from aircher.policy.commit.lint import LintRules, lint, rules_of
from aircher.policy.commit.message import Contract, contract_of, render, whole_subject
from aircher.policy.commit.prompt import LANGUAGES, again, system_prompt, text_of
from aircher.policy.commit.reply import Draft, read_reply, schema
from aircher.policy.commit.style import ENOUGH, Style, learn, nearest
from aircher.policy.commit.words import is_statement

FAR_TOO_LONG = 1.2
"""So many times the allowed length, and a subject is asked for again instead of being cut: more than
a word or two would be lost."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A message, what it still breaks, and the names in it that stand nowhere in the diff.

    ``cut_from`` is how many characters the subject had before it was cut (0 = it was not).
    """

    message: CommitMessage
    faults: tuple[str, ...] = ()
    strange: tuple[str, ...] = ()
    cut_from: int = 0

    @property
    def fine(self) -> bool:
        """True when there is nothing to repair."""
        return not self.faults and not self.strange


@dataclass(frozen=True, slots=True)
class Brief:
    """One wish for a message, with the style and the rules it is to be written by.

    ``shown`` are the changes as they may leave: without secrets and withheld files.
    """

    ask: CommitAsk
    settings: CommitSettings
    style: Style
    rules: LintRules
    contract: Contract
    shown: Changes
    findings: tuple[Finding, ...]
    examples: tuple[PastCommit, ...]
    evidence: str
    """All that a message may name."""

    @property
    def system(self) -> str:
        """The system prompt."""
        return system_prompt(self.contract, self.style, self.rules, self.settings)

    @property
    def schema(self) -> dict[str, Any]:
        """The shape of the reply."""
        return schema(emoji=self.contract.emoji)

    def payload(self, room: int, size: Size) -> Payload:
        """The request with the diff in at most about ``room`` tokens."""
        fitted = fit(self.shown, room, size)
        return self._payload(fitted.text, fitted.cuts, summaries=False)

    @property
    def around(self) -> str:
        """All of the request but the diff."""
        return self.system + self._payload("", (), summaries=False).text

    def from_summaries(self, summaries: Sequence[str], cuts: Sequence[str]) -> Payload:
        """The request with summaries of the diff's parts instead of the diff."""
        listed = "\n".join(heading(file) for file in self.shown.files[:200])
        text = "\n\n".join((listed, *summaries))
        return self._payload(text, cuts, summaries=True)

    def _payload(self, diff: str, cuts: Sequence[str], *, summaries: bool) -> Payload:
        ask = self.ask
        mark = "diff-" + hashlib.sha256(diff.encode("utf-8", "replace")).hexdigest()[:6]
        text = text_of(
            diff,
            ask.setting,
            examples=self.examples,
            hint=ask.hint,
            count=ask.count,
            cuts=cuts,
            mark=mark,
            summaries=summaries,
        )
        if ask.earlier or ask.change:
            text += "\n\n" + again(ask.earlier, ask.change)
        said = tuple(dict.fromkeys(in_words((finding,)) for finding in self.findings))
        return Payload(self.system, text, tuple(cuts), said)

    def read(self, reply: str) -> list[Checked]:
        """The messages of a reply, each in form and checked; equal subjects once."""
        found: dict[str, Checked] = {}
        for draft in read_reply(reply, self.ask.count):
            checked = self._length_of(draft, self.check(render(draft, self.contract)))
            found.setdefault(checked.message.subject, checked)
        return list(found.values())

    def _length_of(self, draft: Draft, checked: Checked) -> Checked:
        """With what is to be said of the subject's length, before the form cut it."""
        limit, length = self.contract.subject_length, len(whole_subject(draft, self.contract))
        if length <= limit:
            return checked
        faults = checked.faults
        if length > limit * FAR_TOO_LONG:
            told = f"the subject has {length} characters, at most {limit} are allowed"
            faults = (*faults, told)
        return replace(checked, faults=faults, cut_from=length)

    def check(self, message: CommitMessage) -> Checked:
        """What the repository's rules and the diff say of a message."""
        strange = strange_names(message, self.evidence)
        faults = (*lint(message, self.rules), *self.wording(message))
        return Checked(message, faults, tuple(strange))

    def wording(self, message: CommitMessage) -> list[str]:
        """What no form can cure: another language, a subject that is no imperative."""
        style, faults = self.style, []
        wanted = (self.settings.language or style.language).lower()[:2]
        known = bool(self.settings.language) or style.commits >= ENOUGH
        if known and is_foreign(f"{message.subject}\n{message.body}", wanted):
            faults.append(f"it is not in {LANGUAGES.get(wanted, wanted)}")
        usual = style.commits < ENOUGH or style.imperative_share >= 0.5
        if self.contract.english and usual and is_statement(message.subject.rpartition(": ")[2]):
            faults.append("the subject does not begin with a verb in the imperative")
        return faults

    def without_strange(self, checked: Checked) -> CommitMessage:
        """The message with those names taken out."""
        if not checked.strange:
            return checked.message
        return without(checked.message, list(checked.strange), self.by_rules(1)[0].subject)

    def complaints(self, checked: Checked) -> list[str]:
        """What is wrong, in sentences for the model."""
        names = [f"{name!r} does not occur in the diff" for name in checked.strange]
        return [*checked.faults, *names]

    def repair(self, payload: Payload, checked: Sequence[Checked]) -> Payload:
        """The request for a better answer."""
        complaints = [said for one in checked for said in self.complaints(one)]
        complaints = complaints or ["it holds no commit message in the form that was asked for"]
        more = again([one.message for one in checked], "", complaints[:10])
        return replace(payload, text=f"{payload.text}\n\n{more}")

    def by_rules(self, count: int) -> list[CommitMessage]:
        """Messages made without a model."""
        ask = self.ask
        how = {"hint": ask.hint, "branch": ask.setting.branch}
        drafts: list[Draft] = [plain.by_rules(ask.changes, **how)]
        if count > 1:
            drafts += plain.several(ask.changes, count + 1, **how)
        made = {m.subject: m for m in (render(draft, self.contract) for draft in drafts)}
        return list(made.values())[:count]


def brief_of(ask: CommitAsk, settings: CommitSettings, clean: Clean) -> Brief:
    """The brief for a wish.  What must not leave is taken out here, before anything is cut."""
    style = learn(ask.setting.history)
    rules = rules_of(ask.setting.rules)
    contract = contract_of(settings, style, rules, ask.setting)
    examples = tuple(nearest(ask.setting.history, ask.changes.paths, settings.examples))
    shown, found = cleaned_changes(ask.changes, clean)
    texts = cleaned_texts(ask, examples, clean)
    return Brief(
        ask=texts.ask,
        settings=settings,
        style=style,
        rules=rules,
        contract=contract,
        shown=shown,
        findings=(*found, *texts.findings),
        examples=texts.examples,
        evidence=_evidence(ask, contract.ticket),
    )


def _evidence(ask: CommitAsk, ticket: str) -> str:
    setting = ask.setting
    said = (ask.hint, ask.change, setting.branch, setting.squashed, setting.amended, ticket)
    return "\n".join((ask.changes.text(), *said))


def better(earlier: Sequence[Checked], later: Sequence[Checked]) -> list[Checked]:
    """The better of two answers: the one with the least to complain of; the later of equals."""

    def faults(one: Checked) -> int:
        return len(one.faults) + len(one.strange)

    if not later or not earlier:
        return list(later or earlier)
    return list(later if min(map(faults, later)) <= min(map(faults, earlier)) else earlier)


def why(brief: Brief, found: Sequence[Checked]) -> str:
    """Why another answer is asked for, in a few words for the user."""
    complaints = [said for one in found for said in brief.complaints(one)]
    return complaints[0] if complaints else "the answer held no message"


def finished(brief: Brief, found: Sequence[Checked]) -> tuple[list[CommitMessage], list[str]]:
    """The messages as they are offered, the fine ones first, and what the user should know."""
    ordered = sorted(found, key=lambda one: not one.fine)
    messages: dict[str, CommitMessage] = {}
    notes: list[str] = []
    for one in ordered[: brief.ask.count]:
        message = brief.without_strange(one)
        messages.setdefault(message.subject, message)
        if one.strange:
            notes.append(f"taken out, since the diff does not hold it: {', '.join(one.strange)}")
        if one.cut_from:
            limit = brief.contract.subject_length
            notes.append(f"the subject was cut, from {one.cut_from} to at most {limit} characters")
        rules = brief.rules.origin or "the rules"
        notes += [f"{rules}: {fault}" for fault in lint(message, brief.rules)]
        notes += [f"{fault}, though asked for" for fault in brief.wording(message)]
    return list(messages.values()), list(dict.fromkeys(notes))
