"""The one place where text leaves: every request passes here before a provider gets it.

What is stored stays as the user wrote it, in a file of their own that only they can read; what is
sent is without secrets.  So an answer can be looked up beside its whole question, and a value
that was allowed later, or a model on this machine, still finds it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import replace

from aircher.domain.chat import ChatRequest
from aircher.domain.errors import NoModel, SecretBlocked
from aircher.domain.events import Asking, Guarded
from aircher.domain.guarding import SENSITIVE_FILE, Finding, in_words
from aircher.domain.models import ModelRef
from aircher.engine.consent import Asked
from aircher.engine.pieces import Pieces, taken
from aircher.policy.guard import GuardPolicy, Piece, Rules, clean

_MUCH = 50_000
"""Characters that are looked through in a thread, so that the screen stays alive."""

_REMEMBERED = 4_096
"""Texts whose result is kept: those of the conversation, which are sent again with every turn."""

_Result = tuple[str | None, tuple[Finding, ...]]
"""The text without its secrets (None: as it was), and what was found."""


class Guard:
    """Looks through what is sent.  One serves all turns of a process.

    ``rules`` is called when first needed.  ``local`` tells whether a model runs on this machine:
    nothing leaves to it, so it gets everything, unless the policy is strict.  ``ignored`` tells
    whether the user's ignore files name a path.
    """

    def __init__(
        self,
        rules: Callable[[], Rules],
        policy: GuardPolicy,
        *,
        local: Callable[[ModelRef], bool],
        ignored: Callable[[str], bool],
    ) -> None:
        self._rules = rules
        self._policy = policy
        self._local = local
        self._ignored = ignored
        self._known: OrderedDict[bytes, _Result] = OrderedDict()
        self.told: set[tuple[str, str, str]] = set()
        self.answered: dict[str, bool] = {}
        self._wider: dict[frozenset[str], Guard] = {}

    def outgoing(
        self,
        request: ChatRequest,
        ref: ModelRef,
        *,
        session_id: str,
        local: bool,
        asked: Asked | None,
    ) -> Outgoing:
        """The request on its way to that model.  ``local``: it must not leave this machine."""
        return Outgoing(self, request, ref, session_id=session_id, local=local, asked=asked)

    def on_this_machine(self, ref: ModelRef) -> bool:
        """True for a model to which nothing leaves."""
        return self._local(ref)

    def passes_unread(self, ref: ModelRef) -> bool:
        """True where nothing has to be looked for."""
        return self._local(ref) and not self._policy.strict

    async def cleaned(self, pieces: Sequence[Piece]) -> list[tuple[str, tuple[Finding, ...]]]:
        """The texts without secrets, each with its findings."""
        pieces = [
            replace(one, ignored=bool(one.path) and self._ignored(one.path)) for one in pieces
        ]
        keys = [_key(piece) for piece in pieces]
        new = {
            key: piece for key, piece in zip(keys, pieces, strict=True) if key not in self._known
        }
        if sum(len(piece.text) for piece in new.values()) > _MUCH:
            results = await asyncio.to_thread(self._look, tuple(new.values()))
        else:
            results = self._look(tuple(new.values()))
        fresh = dict(zip(new, results, strict=True))
        made = []
        for key, piece in zip(keys, pieces, strict=True):
            text, findings = fresh[key] if key in fresh else self._known[key]
            placed = tuple(replace(one, place=piece.place) for one in findings)
            made.append((piece.text if text is None else text, placed))
        self._known.update(fresh)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return made

    def _look(self, pieces: Sequence[Piece]) -> list[_Result]:
        results: list[_Result] = []
        for piece in pieces:
            done = clean([piece], self._rules(), self._policy)
            text = done.texts[0]
            results.append((None if text is piece.text else text, done.findings))
        return results

    async def ask(
        self, findings: Sequence[Finding], to: str, asked: Asked
    ) -> AsyncGenerator[Asking, None]:
        """Asks once for all that were not asked about before; ``to`` names who would get it."""
        open_ = {_name(one): one for one in findings if _name(one) not in self.answered}
        if not open_:
            return
        told = in_words(tuple(open_.values()))
        files = all(one.kind == SENSITIVE_FILE for one in open_.values())
        text = f"Send the sensitive file {told} to {to}?" if files else f"Send {told} to {to}?"
        detail = "Secrets that are found in it are taken out all the same." if files else ""
        asking = asked.events("secret", text, detail=detail, yes="Send it", no="Leave it out")
        async with aclosing(asking) as events:
            async for event in events:
                yield event
        self.answered.update(dict.fromkeys(open_, asked.yes))

    def allowed(self, findings: Iterable[Finding]) -> list[Finding]:
        """Those of which the user said that they may leave."""
        return [one for one in findings if self.answered.get(_name(one))]

    def let(self, allowed: Sequence[Finding]) -> Guard:
        """A guard that also lets these through, as the user just said."""
        names = frozenset(_name(one) for one in allowed)
        if names in self._wider:
            return self._wider[names]
        wider = Guard(
            self._rules, self._policy.let(allowed), local=self._local, ignored=self._ignored
        )
        self._wider[names] = wider
        return wider


def _key(piece: Piece) -> bytes:
    """The same for the same text of the same file."""
    head = f"{piece.path}\0{piece.ignored}\0".encode(errors="surrogatepass")
    made = hashlib.blake2b(head, digest_size=16)
    made.update(piece.text.encode(errors="surrogatepass"))
    return made.digest()


class Outgoing:
    """One request.  After ``events`` has ended, ``request`` is what may be sent."""

    def __init__(
        self,
        guard: Guard,
        request: ChatRequest,
        ref: ModelRef,
        *,
        session_id: str,
        local: bool,
        asked: Asked | None,
    ) -> None:
        self._guard = guard
        self._ref = ref
        self._session_id = session_id
        self._stay = local
        self._asked = asked
        self.request = request

    async def events(self) -> AsyncGenerator[Asking | Guarded, None]:
        """``Guarded`` where something new was found, ``Asking`` where the user is to decide.

        Raises ``SecretBlocked`` where something found forbids sending, and ``NoModel`` for a
        model elsewhere if the request must not leave this machine.
        """
        if self._stay and not self._guard.on_this_machine(self._ref):
            raise NoModel(
                f"{self._ref} is not on this machine, and this must not leave it.",
                hint="Nothing was sent.  `aircher local pull` fetches a model for this machine.",
            )
        if self._guard.passes_unread(self._ref):
            return
        original = self.request
        self.request, findings = await _cleaned(self._guard, original)
        if blocked := [one for one in findings if one.action == "block"]:
            raise _blocked(tuple(blocked))
        wanted = [one for one in findings if one.action == "ask"]
        if wanted and self._asked is not None:
            asking = self._guard.ask(wanted, str(self._ref), self._asked)
            async with aclosing(asking) as events:
                async for event in events:
                    yield event
            if allowed := self._guard.allowed(wanted):
                self.request, findings = await _cleaned(self._guard.let(allowed), original)
        if fresh := self._untold(findings):
            yield Guarded(fresh)

    def _untold(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """What was not yet told in this conversation: a message is sent again every turn."""
        fresh = []
        for one in findings:
            key = (self._session_id, one.kind, _name(one))
            if key not in self._guard.told:
                self._guard.told.add(key)
                fresh.append(one)
        return tuple(fresh)


def _name(finding: Finding) -> str:
    return finding.fingerprint or finding.place


def _blocked(findings: tuple[Finding, ...]) -> SecretBlocked:
    named = next((one.fingerprint for one in findings if one.fingerprint), "")
    how = f"`aircher guard allow {named}` lets it pass." if named else "Leave the file out."
    return SecretBlocked(
        f"Nothing was sent, because of what would leave: {in_words(findings)}.",
        hint=f"Take it out, or keep it here with --local.  {how}",
    )


async def _cleaned(guard: Guard, request: ChatRequest) -> tuple[ChatRequest, tuple[Finding, ...]]:
    """The request without secrets, and what was found in it."""
    pieces = Pieces()
    rebuild = taken(request, pieces)
    results = await guard.cleaned(pieces.all)
    findings = tuple(finding for _, found in results for finding in found)
    if not findings:
        return request, ()
    return rebuild([text for text, _ in results]), findings
