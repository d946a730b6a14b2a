"""An answer that broke off: what stands of it, and how another leg goes on from there."""

from __future__ import annotations

from dataclasses import replace

from aircher.domain.chat import ChatRequest, Reply
from aircher.domain.routes import Candidate, Estimate
from aircher.engine.ports import EnginePorts
from aircher.policy.continuing import INSTRUCTION, can_continue, room_left
from aircher.policy.estimate import estimate, fits


class Broken:
    """``text`` is what the next leg goes on from; "" where it begins an answer.

    ``standing`` is what the user has seen, for when nothing better comes.
    """

    def __init__(self, ports: EnginePorts, task: str) -> None:
        self._ports = ports
        self._task = task
        self.text = ""
        self.standing = ""
        self._shaped = False

    def keep(self, reply: Reply, *, goes_on: bool) -> int:
        """Takes in the part that a leg left; returns how many characters stand."""
        self.standing = self.text + reply.text
        self.text = self.standing if goes_on else ""
        return len(self.standing)

    def whole(self, last: Reply, *, counted: bool) -> str:
        """The answer with the last leg's part, which may have been taken in before."""
        return self.standing if counted else self.text + last.text or self.standing

    def can_go_on(self, reply: Reply, to: Candidate) -> bool:
        """Whether ``to`` may go on with this reply: by the settings, its kind, and the window."""
        if self._ports.settings.fallback.broken_answer != "continue" or not can_continue(reply):
            return False
        if self._shaped:
            return False
        if to.estimate is None:
            return True
        size = self._prompt(to, to.estimate, self.text + reply.text)
        return fits(self._ports.catalog.facts(to.ref), size)

    def rest_of(self, candidate: Candidate, request: ChatRequest) -> tuple[Candidate, ChatRequest]:
        """Both for the rest of the answer: a longer prompt to pay, less room to fill."""
        # What a schema prescribes is made whole by each model; two halves would not fit.
        self._shaped = request.json_schema is not None
        if not self.text:
            return candidate, request
        ports, ref = self._ports, candidate.ref
        room = room_left(request.max_output, ports.catalog.count_text(ref, self.text))
        before = candidate.estimate
        if before is None:
            return candidate, replace(request, max_output=room)
        at = ports.clock.now()
        grown = estimate(
            ports.catalog.facts(ref),
            self._prompt(candidate, before, self.text),
            self._task,
            before.max_output if room is None else room,
            lambda tokens: ports.catalog.cost(ref, tokens, at),
        )
        return replace(candidate, estimate=grown), replace(request, max_output=grown.max_output)

    def _prompt(self, candidate: Candidate, known: Estimate, text: str) -> int:
        """Tokens of the prompt with the part that came and the word about it."""
        added = self._ports.catalog.count_text(candidate.ref, text + INSTRUCTION)
        return known.prompt + added
