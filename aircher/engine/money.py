"""One leg's money: the worst case held before the call, the real price settled after it."""

from __future__ import annotations

from dataclasses import replace

from aircher.domain.budget import Claim, Reservation
from aircher.domain.chat import (
    Chunk,
    RefusalDelta,
    Reply,
    ReplyBuilder,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    UsageReport,
)
from aircher.domain.errors import OverBudget
from aircher.domain.routes import Candidate
from aircher.domain.settings import Limit
from aircher.domain.usage import NO_TOKENS, UNKNOWN_COST, Cost, Tokens, UsageRow, dollars
from aircher.engine.errand import Errand
from aircher.engine.ports import EnginePorts
from aircher.policy.spend import caps, request_limit

NOTHING_USED = Cost(0, "exact")


PROBE = 1_000
"""So many tokens more tell what one more costs."""

RECOUNT_BYTES = 64
"""The running answer is counted anew at the earliest after so many bytes."""


class Meter:
    """Watches one stream's cost without counting its tokens at every piece.

    A token is a byte at least, so an answer that may hold n more tokens can hold n more bytes
    before it has to be counted again.
    """

    def __init__(self, reserved_nano: int, max_output: int) -> None:
        self._reserved = reserved_nano
        self._safe = max_output
        self._added = 0

    def due(self, chunk: Chunk) -> bool:
        """Takes note of a piece; True where the answer must be counted now."""
        match chunk:
            case TextDelta(text) | RefusalDelta(text) | ThinkingDelta(text, _):
                self._added += len(text.encode(errors="replace"))
            case ToolCallDelta(_, _, _, arguments):
                self._added += len(arguments.encode(errors="replace"))
            case UsageReport():
                return True  # the vendor's word on the prompt may be dearer than thought
            case _:
                return False
        return self._added > self._safe

    def passed(self, nano_usd: int | None, ahead_nano: int | None) -> bool:
        """Whether the cost now is past what was reserved.

        ``ahead_nano`` is the cost with ``PROBE`` tokens more, which tells how far it may go on.
        """
        if nano_usd is None or ahead_nano is None:
            return False
        self._added = 0
        a_token = max(1, (ahead_nano - nano_usd) // PROBE)
        self._safe = max(RECOUNT_BYTES, (self._reserved - nano_usd) // a_token)
        return nano_usd > self._reserved


class LegMoney:
    """Hold, price, settle, for one call to one model."""

    def __init__(self, ports: EnginePorts, errand: Errand, candidate: Candidate) -> None:
        self._ports = ports
        self._errand = errand
        self._ref = candidate.ref
        self._estimate = candidate.estimate
        self._max_output = 0
        self._reservation: Reservation | None = None
        self._meter: Meter | None = None

    def hold(self, max_output: int) -> int | None:
        """Reserves the worst case; returns it in nano-dollars, None where no price is known.

        ``max_output`` is what the request lets the model write.  Raises ``OverBudget``.
        """
        self._max_output = max_output
        ports, ref, estimate = self._ports, self._ref, self._estimate
        worst = estimate.worst.nano_usd if estimate is not None else None
        now = ports.clock.now()
        limits = caps(ports.settings.limits, now, provider=ref.provider, task=self._errand.task)
        single = request_limit(ports.settings.limits)
        hard = single is not None or any(not cap.soft for cap in limits)
        if worst is None:
            if hard and not ports.settings.allow_unknown_price:
                raise OverBudget(
                    f"The price of {ref} is not known, so it cannot be kept under your limits.",
                    hint="Set costs.allow_unknown_price = true, or choose another model.",
                )
            return None
        if single is not None:
            self._check_request(worst, single)
        asked = estimate.prompt if estimate is not None else 0
        claim = Claim(
            ref,
            self._errand.task,
            worst,
            now,
            self._errand.session_id,
            prompt=asked,
            prompt_nano=ports.catalog.cost(ref, Tokens(input=asked, output=0), now).nano_usd or 0,
            max_output=max_output,
        )
        self._reservation = ports.ledger.reserve(claim, limits)
        if hard and worst:
            self._meter = Meter(worst, max_output)
        return worst

    def _check_request(self, worst: int, single: Limit) -> None:
        """Raises ``OverBudget`` if the turn could pass the limit on one request with this call."""
        before = self._errand.spent_nano
        if not worst or before + worst <= max(single.nano_usd, self._errand.allowed_nano):
            return
        spent = f" besides the {dollars(before)} it has cost" if before else ""
        raise OverBudget(
            f"This request could cost {dollars(worst)} at {self._ref}{spent}, "
            f"more than {single.name} = {dollars(single.nano_usd)}.",
            hint="Lower chat.max_output, raise the limit, or choose a cheaper model.",
        )

    def used_up(self, chunk: Chunk, builder: ReplyBuilder) -> bool:
        """True once the call itself has cost all that was reserved, by count or by estimate.

        Only asked under a hard limit: without one nothing was promised, and no answer is cut.
        """
        if self._meter is None or builder.finished or not self._meter.due(chunk):
            return False
        tokens = self._guess(builder.reply(), whole=False)
        now = self._ports.clock.now()
        more = replace(tokens, output=(tokens.output or 0) + PROBE)
        here = self._ports.catalog.cost(self._ref, tokens, now).nano_usd
        ahead = self._ports.catalog.cost(self._ref, more, now).nano_usd
        return self._meter.passed(here, ahead)

    def worst(self) -> tuple[Tokens, Cost]:
        """Tokens and cost of a call of which nothing came back: all that was held.

        The vendor may have worked for as long as it was waited for, and may bill it.
        """
        if self._estimate is None:
            return NO_TOKENS, UNKNOWN_COST
        cost = self._estimate.worst
        if cost.nano_usd:
            cost = replace(cost, tag="estimated")
        return Tokens(input=self._estimate.prompt), cost

    def price(self, reply: Reply, *, whole: bool) -> tuple[Tokens, Cost]:
        """Tokens and cost of what was made: the vendor's count, estimated where it gave none.

        A call that was refused before anything came is billed by no vendor and does not get
        here.  One that was stopped or broke off (not ``whole``) is billed for its prompt and for
        what was made, so that is estimated; of a whole reply the tokens stay as reported, and
        only the cost is an estimate.
        """
        ports, ref = self._ports, self._ref
        counted = whole and reply.tokens.known
        full = reply.tokens if counted else self._within(reply, self._guess(reply, whole=whole))
        cost = ports.catalog.cost(ref, full, ports.clock.now(), reply.vendor_cost_usd)
        if whole and self._estimate and reply.tokens.input:
            ports.catalog.calibrate(ref, self._estimate.prompt, reply.tokens.input)
        if not counted and cost.tag == "exact" and cost.nano_usd:
            cost = replace(cost, tag="estimated")
        return (reply.tokens if whole else full), cost

    def _within(self, reply: Reply, guess: Tokens) -> Tokens:
        """A guess at the answer's length is no longer than the vendor was told to write.

        Otherwise a count that is a little too high would spend more than what was held.
        """
        most = max(self._max_output, reply.tokens.output or 0)
        if not self._max_output or guess.output is None or guess.output <= most:
            return guess
        return replace(guess, output=most)

    def settle(self, row: UsageRow) -> None:
        """Writes what was used and frees what was held."""
        self._ports.ledger.settle(self._reservation, row)

    def release(self) -> None:
        """Frees what was held; nothing was used."""
        if self._reservation is not None:
            self._ports.ledger.release(self._reservation)

    def _guess(self, reply: Reply, *, whole: bool) -> Tokens:
        said = reply.tokens
        written = reply.text + reply.thinking + reply.refusal
        written += "".join(call.arguments for call in reply.tool_calls)
        output = self._ports.catalog.count_text(self._ref, written)
        prompt = self._estimate.prompt if self._estimate else None
        return replace(
            said,
            input=said.input if said.input is not None else prompt,
            # A count that came with the stream's beginning is not yet the whole.
            output=said.output
            if whole and said.output is not None
            else max(output, said.output or 0),
        )
