"""From a task to an ordered list of models, each with its reason.

A strategy is one pure function that orders the models it may use; the table at the end is all
there is to register.  What is left out is kept, with its reason, so that a choice explains
itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice

from aircher.domain.errors import AircherError, ContextTooLong, NoModel
from aircher.domain.models import ModelFacts, ModelRef
from aircher.domain.routes import Candidate, Estimate, Plan, Rejected, Rules, Wish
from aircher.policy.estimate import fits

Proposal = tuple[ModelRef, str]
"""A model and why it is proposed."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What routing looks at besides the rules.

    ``estimate`` prices a model for this very prompt; ``blocked`` maps models whose breaker
    is open to the reason; ``needs`` are the features the request itself requires.
    """

    task: str
    wish: Wish
    facts: Callable[[ModelRef], ModelFacts]
    estimate: Callable[[ModelRef], Estimate]
    blocked: Mapping[ModelRef, str] = field(default_factory=dict)
    needs: frozenset[str] = frozenset()


def resolve(name: str, rules: Rules, facts: Callable[[ModelRef], ModelFacts]) -> ModelRef:
    """The model a user means by ``name``: "provider/model", a provider, or a bare model.

    A bare model belongs to the first provider in the user's order that the rules name it for,
    else to the first whose catalogue knows it, else to the first provider.
    """
    head, slash, tail = name.partition("/")
    head = rules.aliases.get(head, head)
    known = (*rules.order, *rules.unusable)
    if slash and head in known:
        return ModelRef(head, tail)
    if head in known and not slash:
        return ModelRef(head, rules.models.get(head, ""))
    for provider in rules.order:
        if name in (rules.models.get(provider), *rules.task_models.get(provider, {}).values()):
            return ModelRef(provider, name)
    for rule in rules.tasks.values():
        for ref in (rule.preferred, *rule.fallbacks):
            if ref.model == name:
                return ref
    refs = [ModelRef(provider, name) for provider in rules.order]
    listed = (ref for ref in refs if facts(ref).input_price is not None)
    return next(listed, refs[0] if refs else ModelRef("", name))


def plan(rules: Rules, situation: Situation) -> Plan:
    """The models to try, best first.

    Raises ``NoModel`` when none is left, with the reasons in the message, or
    ``ContextTooLong`` naming the model with the widest window when only size was in the way.
    """
    chosen: list[Candidate] = []
    rejected: list[Rejected] = []
    blocked: list[Candidate] = []
    proposals = _distinct(STRATEGIES[rules.strategy](rules, situation))
    for ref, reason in proposals if situation.wish.fallback else islice(proposals, 1):
        wished = reason in _CHOSEN
        if why := _unfit(ref, rules, situation) or ("" if wished else _dear(ref, rules, situation)):
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


def _unfit(ref: ModelRef, rules: Rules, situation: Situation) -> str:
    """Why this model cannot take the request, or ""."""
    if ref.provider in rules.unusable:
        return rules.unusable[ref.provider]
    if ref.provider not in rules.order:
        return f"no provider named {ref.provider!r} is configured"
    if not ref.model:
        return f"no model is configured for {ref.provider}"
    facts = situation.facts(ref)
    required = situation.needs
    if situation.task in rules.tasks:
        required |= rules.tasks[situation.task].required_features
    if facts.features is not None and (missing := required - facts.features):
        return f"has no {', '.join(sorted(missing))}"
    prompt = situation.estimate(ref).prompt
    if not fits(facts, prompt):
        return f"window of {facts.context_window:,} tokens is too small for {prompt:,}"
    return ""


def _dear(ref: ModelRef, rules: Rules, situation: Situation) -> str:
    """Why the task's price limit leaves this model out, or ""; a wish goes over the limit."""
    rule = rules.tasks.get(situation.task)
    if rule is None or not rule.max_cost_per_1k:
        return ""
    facts = situation.facts(ref)
    if facts.free:
        return ""
    if facts.input_price is None or facts.output_price is None:
        return "its price is not known, and max_cost_per_1k is set"
    price = (facts.input_price + facts.output_price) / 2 / 1000
    if price <= Decimal(rule.max_cost_per_1k):
        return ""
    return f"${price.normalize():f} per 1,000 tokens is over max_cost_per_1k"


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


def _distinct(proposals: Iterator[Proposal]) -> Iterator[Proposal]:
    seen: set[ModelRef] = set()
    for ref, reason in proposals:
        if ref not in seen:
            seen.add(ref)
            yield ref, reason


_CHOSEN = frozenset({"you chose this model", "you chose this provider"})


def _wished(rules: Rules, situation: Situation) -> Iterator[Proposal]:
    wish = situation.wish
    provider = rules.aliases.get(wish.provider, wish.provider)
    if wish.model and provider:
        yield ModelRef(provider, wish.model.removeprefix(f"{provider}/")), "you chose this model"
    elif wish.model:
        yield resolve(wish.model, rules, situation.facts), "you chose this model"
    elif provider:
        yield _model_of(provider, rules, situation.task), "you chose this provider"


def _model_of(provider: str, rules: Rules, task: str) -> ModelRef:
    """The provider's model for a task: the task's own rule first, then its default."""
    rule = rules.tasks.get(task)
    if rule is not None:
        for ref in (rule.preferred, *rule.fallbacks):
            if ref.provider == provider:
                return ref
    own = rules.task_models.get(provider, {}).get(task) or rules.models.get(provider, "")
    return ModelRef(provider, own)


def by_task(rules: Rules, situation: Situation) -> Iterator[Proposal]:
    """The user's wish, the task's rule and its fallbacks, then every provider in order."""
    task = situation.task
    yield from _wished(rules, situation)
    rule = rules.tasks.get(task)
    if rule is not None:
        yield rule.preferred, f"{task} ({rule.origin})"
        for ref in rule.fallbacks:
            yield ref, f"fallback of {task} ({rule.origin})"
    for number, provider in enumerate(rules.order):
        reason = "the default provider" if number == 0 else "next in fallback_order"
        yield _model_of(provider, rules, task), reason


def by_cost(rules: Rules, situation: Situation) -> Iterator[Proposal]:
    """The same models, the cheapest for this prompt first; unknown prices last."""
    yield from _wished(rules, situation)

    def price(proposal: Proposal) -> tuple[bool, int]:
        nano = situation.estimate(proposal[0]).likely.nano_usd
        return nano is None, nano or 0

    for ref, _ in sorted(_distinct(by_task(rules, situation)), key=price):
        yield ref, "cheapest for this prompt" if ref not in situation.blocked else "cheap"


STRATEGIES: dict[str, Callable[[Rules, Situation], Iterator[Proposal]]] = {
    "task": by_task,
    "cost": by_cost,
}
