"""The plan: the user's wish, the user's rules, then what a strategy proposes, less what is unfit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice

from aircher.domain.errors import AircherError, ConfigError, ContextTooLong, NoModel
from aircher.domain.models import ModelRef
from aircher.domain.preferences import SpecialRule
from aircher.domain.routes import Candidate, Plan, Rejected, Rules
from aircher.policy.route.board import BEST, FEW, board_of
from aircher.policy.route.fitness import obstacle, unsure
from aircher.policy.route.names import resolve
from aircher.policy.route.pool import model_of
from aircher.policy.route.situation import Situation
from aircher.policy.route.special import applying
from aircher.policy.route.strategies import NEXT, STRATEGIES, Proposal, Strategy

MOST = 6
"""Candidates of a strategy that compares models; the user's own order is never cut."""

BY_NAME = frozenset({"you chose this model", "you chose this provider"})
"""Reasons of what the user asked for by name: not to be replaced by something else."""

_AUTOMATIC = "leave the choice to Aircher (F6 in the app)"


def plan(
    rules: Rules, situation: Situation, strategies: Mapping[str, Strategy] = STRATEGIES
) -> Plan:
    """The models to try, best first.

    Raises ``NoModel`` when none is left, with the reasons in the message, ``ContextTooLong``
    naming the model with the widest window when only size was in the way, and ``ConfigError``
    for a strategy that does not exist.
    """
    fired = applying(rules, situation, lambda: _size(rules, situation))
    board = board_of(rules, situation)
    situation = replace(situation, tier=_first(rule.tier for rule in fired), board=board)
    name = _first(rule.strategy for rule in fired) or rules.strategy
    if name not in strategies:
        raise ConfigError(
            f"There is no routing strategy {name!r}.",
            hint=f"Set routing.strategy to one of: {', '.join(strategies)}.",
        )
    proposals = chain(_wished(rules, situation), _ruled(fired), strategies[name](rules, situation))
    most = None if name == "task" else MOST
    chosen, blocked, rejected = _sift(proposals, rules, situation, most)
    told = len(chosen) + len(rejected)
    # A model that is resting is still better than no answer at all.
    candidates = chosen or blocked
    if not candidates:
        raise _nothing(rules, situation, rejected)
    return Plan(
        situation.task,
        name,
        tuple(candidates),
        tuple(rejected),
        complexity=situation.complexity,
        fired=tuple(f"{rule.name} ({rule.origin})" for rule in fired),
        fired_keys=tuple(rule.key or f"routing.rule.{rule.name}" for rule in fired),
        untold=max(0, len(board.pool(situation)) - told) if most else 0,
    )


def escalation(first: ModelRef, rules: Rules, situation: Situation) -> Iterator[Candidate]:
    """Fit models of a higher tier than ``first``, the next one up first."""
    for ref in board_of(rules, situation).stronger(first, situation):
        if ref not in situation.blocked and not obstacle(ref, rules, situation):
            yield Candidate(ref, f"stronger than {first}", situation.estimate(ref))


def _sift(
    proposals: Iterable[Proposal], rules: Rules, situation: Situation, most: int | None
) -> tuple[list[Candidate], list[Candidate], list[Rejected]]:
    """The fit, the fit whose breaker is open, and those left out with their reasons."""
    chosen: list[Candidate] = []
    blocked: list[Candidate] = []
    rejected: list[Rejected] = []
    unknown: list[Candidate] = []
    passed = ""
    wanted = islice(_distinct(proposals), None if situation.wish.fallback else 1)
    for proposal in wanted:
        ref, reason, confidence, figure = proposal
        by_name = reason in BY_NAME
        found_one = bool(chosen or blocked or unknown)
        if by_name and found_one:
            continue  # further models of a chosen provider stand in only for its first
        if not (by_name or found_one) and (situation.wish.model or situation.wish.provider):
            break  # what the user asked for by name is not replaced by something else
        if found := obstacle(ref, rules, situation, by_name=by_name):
            if most is None and not rejected:
                passed = f"{ref} is left out: {found[0]}"
            rejected.append(Rejected(ref, *found))
            continue
        if reason.startswith(NEXT) and not found_one:
            reason = f"{reason.removeprefix(NEXT)} of those that can take it"
        candidate = Candidate(ref, reason, situation.estimate(ref), confidence, figure)
        asked = by_name or reason.startswith("your rule ")
        if (features := unsure(ref, rules, situation)) and not asked:
            # One that is known to have them comes first.
            why = f"whether it has {features} is not known"
            passed = passed or (f"{ref} comes later: {why}" if most is None else "")
            unknown.append(replace(candidate, reason=f"{reason}; {why}"))
            continue
        if why := situation.blocked.get(ref, ""):
            if not (blocked or passed):
                passed = f"{ref} is left out: {why}"
            rejected.append(Rejected(ref, why))
            blocked.append(candidate)
        elif passed and not chosen:  # the first choice is another than it would be
            chosen.append(replace(candidate, reason=f"{reason}; {passed}"))
        else:
            chosen.append(candidate)
        if len(chosen) == most:
            size = len(board_of(rules, situation).pool(situation))
            more = FEW if size <= FEW else max(0, BEST - most - len(rejected))
            behind = (one.ref for one in islice(wanted, more))
            rejected += (Rejected(ref, f"{most} others come before it") for ref in behind)
            break
    chosen += unknown[: None if most is None else most - len(chosen)]
    return chosen, blocked, rejected


def _wished(rules: Rules, situation: Situation) -> Iterator[Proposal]:
    wish = situation.wish
    provider = rules.aliases.get(wish.provider, wish.provider)
    if wish.model and provider:
        ref = ModelRef(provider, wish.model.removeprefix(f"{provider}/"))
        yield Proposal(ref, "you chose this model")
    elif wish.model:
        yield Proposal(resolve(wish.model, rules, situation.facts), "you chose this model")
    elif provider:
        first = model_of(provider, rules, situation)
        others = (ref for ref in rules.named if ref.provider == provider)
        yield from (Proposal(ref, "you chose this provider") for ref in (first, *others))


def _ruled(fired: Sequence[SpecialRule]) -> Iterator[Proposal]:
    for rule in fired:
        if rule.use is not None:
            yield Proposal(rule.use, f"your rule {rule.name} ({rule.origin})")


def _distinct(proposals: Iterable[Proposal]) -> Iterator[Proposal]:
    """Each model once, with the first reason it was proposed for."""
    seen: set[ModelRef] = set()
    for proposal in proposals:
        if proposal.ref not in seen:
            seen.add(proposal.ref)
            yield proposal


def _size(rules: Rules, situation: Situation) -> int:
    """The prompt's tokens, as counted for the first provider's model."""
    if not rules.order:
        return 0
    return situation.estimate(model_of(rules.order[0], rules, situation)).prompt


def _first(words: Iterable[str]) -> str:
    return next((word for word in words if word), "")


def _nothing(rules: Rules, situation: Situation, rejected: list[Rejected]) -> AircherError:
    by_name = bool(rejected and (situation.wish.model or situation.wish.provider))
    too_small = [
        (window, r.ref)
        for r in rejected
        if r.key.endswith(".context_window")
        and (window := situation.facts(r.ref).context_window) is not None
    ]
    if too_small:
        window, widest = max(too_small)
        tokens = f"The prompt of about {situation.estimate(widest).prompt:,} tokens"
        said = (
            f"{tokens} does not fit {widest}, which was asked for by name; its window is {window:,}."
            if by_name
            else f"{tokens} fits no configured model; the widest window is {widest} with {window:,}."
        )
        other = f"{_AUTOMATIC}." if by_name else "configure a model with a longer window."
        return ContextTooLong(
            said,
            hint=f"Send less, /compact the conversation, or {other}",
            provider=widest.provider,
            model=widest.model,
        )
    if by_name:
        elsewhere = ", name a model here, or leave out --local" if situation.local else ""
        other = elsewhere or ", or name another model"
        return NoModel(
            f"{rejected[0].ref} was asked for by name: {rejected[0].reason}.",
            hint=f"L{_AUTOMATIC[1:]}{other}.",
        )
    if situation.local:
        return NoModel(
            "This must stay on this machine, and no model here can take it.",
            hint="Run `aircher local pull`, start Ollama, or leave out --local and local files.",
        )
    if not rules.order and not rejected:
        return NoModel(
            "No model is configured and none was found.",
            hint="Set a key such as OPENAI_API_KEY, start Ollama, or run `aircher local pull`.",
        )
    reasons = "; ".join(f"{r.ref}: {r.reason}" for r in rejected)
    hint = "`aircher route` explains a choice; `aircher provider list` shows what is set up."
    if any(r.key.endswith(".features") for r in rejected):
        hint = "Leave that out, or set up a model that has it (`aircher provider compare` tells)."
    return NoModel(f"No model can take this request ({reasons}).", hint=hint)
