"""What money has to say before a turn's first call: a cheaper model, a question, a word."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from dataclasses import replace

from aircher.domain.classes import dataclass
from aircher.domain.errors import OverBudget
from aircher.domain.events import Downgraded, Event, Notice, Routed
from aircher.domain.models import ModelRef
from aircher.domain.questions import QuestionKind
from aircher.domain.routes import Candidate, Plan
from aircher.domain.settings import Consent, Limit
from aircher.domain.usage import dollars
from aircher.engine.consent import Asked
from aircher.engine.ports import EnginePorts
from aircher.policy.downgrade import Pressure, next_cheaper, path_from, pressure, worst
from aircher.policy.spend import caps, request_limit
from aircher.policy.unusual import score

Consider = Callable[[ModelRef], Candidate | None]
"""A model as a candidate for the request at hand; None where it cannot take it."""


@dataclass(frozen=True, slots=True)
class Cheaper:
    """A cheaper model that a limit asks for: who gives way to whom, and what presses."""

    wanted: ModelRef
    to: Candidate
    why: Pressure

    def first_in(self, plan: Plan, reason: str) -> Plan:
        """The plan with the cheaper model first, for this reason."""
        rest = [one for one in plan.candidates if one.ref != self.to.ref]
        return replace(plan, candidates=(replace(self.to, reason=reason), *rest))


class Spending:
    """Adapts a plan to the limits.  Nothing is held here: the ledger alone decides in the end.

    After ``events`` has ended, ``plan`` is what is to be done, and ``allowed_nano`` what the user
    allowed this request beyond the limit for one (0 = nothing).
    """

    def __init__(self, ports: EnginePorts, consider: Consider) -> None:
        self._ports = ports
        self._consider = consider
        self.plan: Plan | None = None
        self.allowed_nano = 0

    async def events(
        self, plan: Plan, ask: Callable[[], Asked], *, chosen: bool, consent: Consent
    ) -> AsyncGenerator[Event, None]:
        """``Routed`` with the plan as money lets it be, and what is to be said or asked of it.

        ``ask`` makes what one question is asked with; ``consent`` is the user's word on another
        model taking over.  Raises ``OverBudget`` where nothing may be sent.
        """
        found = self._give_way(plan, chosen=chosen, consent=consent)
        if found is not None and consent == "ask":
            asked = ask()
            async with aclosing(_agree(found, asked)) as events:
                async for event in events:
                    yield event
            if not asked.yes:
                self._stay(found)
                found = None
        if found is not None:
            plan = found.first_in(plan, f"cheaper than {found.wanted}")
        self.plan = plan
        yield Routed(plan)
        if found is not None:
            yield Downgraded(found.wanted, found.to.ref, f"{found.why.reason}.")
        asked = ask()
        async with aclosing(self._consent(plan, asked)) as events:
            async for event in events:
                yield event
        self.allowed_nano = (worst(plan.first) or 0) if asked.yes else 0

    def adapt(self, plan: Plan, *, chosen: bool, consent: Consent) -> Plan:
        """The plan with a cheaper model first where a limit asks for one; the reason says why."""
        found = self._give_way(plan, chosen=chosen, consent=consent)
        if found is None:
            return plan
        first = ", once you agree" if consent == "ask" else ""
        reason = f"instead of {found.wanted}{first}, because {found.why.reason}"
        return found.first_in(plan, reason)

    def _stay(self, refused: Cheaper) -> None:
        """The user keeps the model that was wanted.  Raises ``OverBudget`` where that cannot be.

        A limit on one request can be gone beyond: whether it shall is the next question.
        """
        if refused.why.refused and not refused.why.single:
            raise OverBudget(
                f"{refused.wanted} was not asked: {refused.why.reason}.",
                hint=f"Let {refused.to.ref} answer, raise the limit, or ask for less.",
            )

    def _give_way(self, plan: Plan, *, chosen: bool, consent: Consent) -> Cheaper | None:
        """Who should take over because of a limit.

        ``chosen`` models (the user named it for this request) give way only to a limit that
        would refuse them.  With the consent "never" no other model takes over: a limit then
        refuses the request.
        """
        settings = self._ports.settings.spending
        first = plan.first
        if not settings.auto_downgrade or consent == "never":
            return None
        now = self._ports.clock.now()
        limits = caps(self._ports.settings.limits, now)
        single = request_limit(self._ports.settings.limits)
        if not limits and single is None:
            return None
        states = self._ports.ledger.state(limits)

        def pressed(candidate: Candidate) -> Pressure | None:
            return pressure(candidate, plan.task, states, single, settings.downgrade_at)

        why = pressed(first)
        if why is None or (chosen and not why.refused):
            return None
        for cheaper in self._cheaper(plan, free=why.refused):
            again = pressed(cheaper)
            if again is None or not again.refused:
                return Cheaper(first.ref, cheaper, why)
        return None

    def _cheaper(self, plan: Plan, *, free: bool) -> Iterator[Candidate]:
        """The user's own path first, then the next cheaper of the models the rules name.

        ``free``: also models that cost nothing, which may be far weaker.
        """
        first, ports = plan.first, self._ports
        blocked = ports.health.blocked()
        seen = {first.ref}
        most = worst(first) or 0
        for ref in path_from(first.ref, plan.task, ports.settings.spending.downgrade):
            seen.add(ref)
            one = self._consider(ref)
            cost = worst(one) if one is not None else None
            if one is not None and cost is not None and cost < most:
                yield one
        pool = [
            self._consider(ref)
            for ref in ports.settings.rules.named
            if ref not in seen | set(blocked)
        ]
        for one in next_cheaper(first, (one for one in pool if one is not None)):
            if free or worst(one):
                yield one

    async def _consent(self, plan: Plan, asked: Asked) -> AsyncGenerator[Event, None]:
        """Asks where a request is over the limit for one, or unlike what the user spends.

        ``asked.yes`` is True afterwards if the user allowed it.  Raises ``OverBudget`` for a no.
        """
        first, limits = plan.first, self._ports.settings.limits
        most = worst(first)
        if not most:
            return
        soft = request_limit(limits, soft=True)
        if soft is not None and most > soft.nano_usd:
            yield Notice(f"{_over(first, most, soft)}, which only warns.")
        single = request_limit(limits)
        doubt = self._unusual(first)
        if single is not None and most > single.nano_usd:
            doubt = _over(first, most, single), "cost", single.name
        if doubt is None or self._refused_anyway(plan):
            return
        said, kind, key = doubt
        async with aclosing(
            asked.events(
                kind,
                f"{said}: send it all the same?",
                detail=_detail(first),
                yes="Send it",
                no="Don't send it",
            )
        ) as events:
            async for event in events:
                yield event
        if not asked.yes:
            raise OverBudget(
                f"{said}. It was not sent.",
                hint=f"Allow it (--yes), change {key}, ask for less, or choose a cheaper model.",
            )

    def _unusual(self, first: Candidate) -> tuple[str, QuestionKind, str] | None:
        settings, estimate = self._ports.settings.spending, first.estimate
        likely = estimate.likely.nano_usd if estimate else None
        if not likely or not settings.unusual_score or likely < settings.unusual_floor_nano:
            return None  # the past is not even read
        past = self._ports.ledger.recent_costs()
        found = score(likely, past)
        if found is None or found < settings.unusual_score:
            return None
        from statistics import median

        said = (
            f"This request will cost about {dollars(likely)} at {first.ref}, "
            f"{likely / median(past):,.0f} times what you usually spend on one"
        )
        return said, "unusual", "costs.unusual_score"

    def _refused_anyway(self, plan: Plan) -> bool:
        """True where a limit of a day or month refuses it: the ledger says so, nobody is asked."""
        limits = caps(self._ports.settings.limits, self._ports.clock.now())
        states = self._ports.ledger.state(limits)
        found = pressure(plan.first, plan.task, states, None, threshold=2.0)
        return found is not None and found.refused


async def _agree(found: Cheaper, asked: Asked) -> AsyncGenerator[Event, None]:
    """Asks whether the cheaper model may answer; ``asked.yes`` is True afterwards if so."""
    to, wanted = found.to.ref, found.wanted
    refused = found.why.refused and not found.why.single
    events = asked.events(
        "downgrade",
        f"Ask {to} instead of {wanted}, which is near a limit?"
        if not found.why.refused
        else f"Ask {to} instead of {wanted}, which does not fit a limit?",
        detail=f"{wanted}: {found.why.reason}.\n{_detail(found.to)}",
        yes=f"Ask {to}",
        no="Don't send it" if refused else f"Keep {wanted}",
    )
    async with aclosing(events) as asking:
        async for event in asking:
            yield event


def _over(candidate: Candidate, most: int, single: Limit) -> str:
    return (
        f"This request could cost {dollars(most)} at {candidate.ref}, "
        f"more than {single.name} = {dollars(single.nano_usd)}"
    )


def _detail(candidate: Candidate) -> str:
    estimate = candidate.estimate
    if estimate is None:
        return ""
    return (
        f"{candidate.ref}: about {estimate.prompt:,} tokens of prompt, "
        f"at most {estimate.max_output:,} of answer"
    )
