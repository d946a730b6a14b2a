"""The plan: what a strategy proposes, less what is unfit."""

from __future__ import annotations

from itertools import islice

from aircher.domain.errors import AircherError, ContextTooLong, NoModel
from aircher.domain.routes import Candidate, Plan, Rejected, Rules
from aircher.policy.estimate import fits
from aircher.policy.route.fitness import dear, unfit
from aircher.policy.route.situation import Situation
from aircher.policy.route.strategies import CHOSEN, STRATEGIES, distinct


def plan(rules: Rules, situation: Situation) -> Plan:
    """The models to try, best first.

    Raises ``NoModel`` when none is left, with the reasons in the message, or
    ``ContextTooLong`` naming the model with the widest window when only size was in the way.
    """
    chosen: list[Candidate] = []
    rejected: list[Rejected] = []
    blocked: list[Candidate] = []
    proposals = distinct(STRATEGIES[rules.strategy](rules, situation))
    for ref, reason in proposals if situation.wish.fallback else islice(proposals, 1):
        wished = reason in CHOSEN
        if why := unfit(ref, rules, situation) or ("" if wished else dear(ref, rules, situation)):
            rejected.append(Rejected(ref, why))
            if wished and ref.provider not in rules.order:
                break  # what the user asked for by name is not replaced by something else
            continue
        candidate = Candidate(ref, reason, situation.estimate(ref))
        if why := situation.blocked.get(ref, ""):
            rejected.append(Rejected(ref, why))
            blocked.append(candidate)
        else:
            chosen.append(candidate)
    # A model that is resting is still better than no answer at all.
    candidates = chosen or blocked
    if not candidates:
        raise _nothing(rules, situation, rejected)
    return Plan(situation.task, rules.strategy, tuple(candidates), tuple(rejected))


def _nothing(rules: Rules, situation: Situation, rejected: list[Rejected]) -> AircherError:
    too_small = [
        (window, r.ref)
        for r in rejected
        if r.ref.provider in rules.order
        and (window := situation.facts(r.ref).context_window) is not None
        and not fits(situation.facts(r.ref), situation.estimate(r.ref).prompt)
    ]
    if too_small:
        window, widest = max(too_small)
        return ContextTooLong(
            f"The prompt of about {situation.estimate(widest).prompt:,} tokens fits no configured "
            f"model; the widest window is {widest} with {window:,}.",
            hint="Send less, /compact the conversation, or configure a model with a longer window.",
            provider=widest.provider,
            model=widest.model,
        )
    if not rules.order and not rejected:
        return NoModel(
            "No model is configured and none was found.",
            hint="Set a key such as OPENAI_API_KEY, start Ollama, or run `aircher local pull`.",
        )
    reasons = "; ".join(f"{r.ref}: {r.reason}" for r in rejected)
    return NoModel(
        f"No model can take this request ({reasons}).",
        hint="`aircher route` explains a choice; `aircher provider list` shows what is set up.",
    )
