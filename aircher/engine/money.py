"""One leg's money: the worst case held before the call, the real price settled after it."""

from __future__ import annotations

from dataclasses import replace

from aircher.domain.budget import Claim, Reservation
from aircher.domain.chat import Reply
from aircher.domain.errors import OverBudget
from aircher.domain.routes import Candidate
from aircher.domain.usage import Cost, Tokens, UsageRow, dollars
from aircher.engine.ports import EnginePorts
from aircher.policy.spend import caps, request_limit

NOTHING_USED = Cost(0, "exact")


class LegMoney:
    """Hold, price, settle, for one call to one model."""

    def __init__(
        self, ports: EnginePorts, candidate: Candidate, task: str, session_id: str
    ) -> None:
        self._ports = ports
        self._ref = candidate.ref
        self._estimate = candidate.estimate
        self._task = task
        self._session_id = session_id
        self._reservation: Reservation | None = None

    def hold(self, max_output: int) -> int | None:
        """Reserves the worst case; returns it in nano-dollars, None where no price is known.

        ``max_output`` is what the request lets the model write.  Raises ``OverBudget``.
        """
        ports, ref, estimate = self._ports, self._ref, self._estimate
        worst = estimate.worst.nano_usd if estimate is not None else None
        now = ports.clock.now()
        limits = caps(ports.settings.limits, now, provider=ref.provider, task=self._task)
        single = request_limit(ports.settings.limits)
        if worst is None:
            hard = single is not None or any(not cap.soft for cap in limits)
            if hard and not ports.settings.allow_unknown_price:
                raise OverBudget(
                    f"The price of {ref} is not known, so it cannot be kept under your limits.",
                    hint="Set costs.allow_unknown_price = true, or choose another model.",
                )
            return None
        if single is not None and worst > single.nano_usd:
            raise OverBudget(
                f"This request could cost {dollars(worst)} at {ref}, "
                f"more than {single.name} = {dollars(single.nano_usd)}.",
                hint="Lower chat.max_output, raise the limit, or choose a cheaper model.",
            )
        asked = estimate.prompt if estimate is not None else 0
        claim = Claim(
            ref,
            self._task,
            worst,
            now,
            self._session_id,
            prompt=asked,
            prompt_nano=ports.catalog.cost(ref, Tokens(input=asked, output=0), now).nano_usd or 0,
            max_output=max_output,
        )
        self._reservation = ports.ledger.reserve(claim, limits)
        return worst

    def price(self, reply: Reply, *, whole: bool) -> tuple[Tokens, Cost]:
        """Tokens and cost of what was made: the vendor's count, estimated where it gave none.

        A call that was refused before anything came is billed by no vendor and does not get
        here.  One that was stopped or broke off (not ``whole``) is billed for its prompt and for
        what was made, so that is estimated; of a whole reply the tokens stay as reported, and
        only the cost is an estimate.
        """
        ports, ref = self._ports, self._ref
        counted = whole and reply.tokens.known
        full = reply.tokens if counted else self._guess(reply, whole=whole)
        cost = ports.catalog.cost(ref, full, ports.clock.now(), reply.vendor_cost_usd)
        if whole and self._estimate and reply.tokens.input:
            ports.catalog.calibrate(ref, self._estimate.prompt, reply.tokens.input)
        if not counted and cost.tag == "exact" and cost.nano_usd:
            cost = replace(cost, tag="estimated")
        return (reply.tokens if whole else full), cost

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
