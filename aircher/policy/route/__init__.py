"""From a task to an ordered list of models, each with its reason.

``plan`` puts it together: the user's wish, the user's rules that apply (``special``), then what a
strategy proposes (``strategies``, each one pure function over the ``pool``), less what ``fitness``
finds unfit.  ``board`` keeps what depends on no request.  What is left out is kept, with its reason and the key that would change it, so that a
choice explains itself.
"""

from aircher.policy.route.board import Board
from aircher.policy.route.fitness import obstacle
from aircher.policy.route.names import nearest, provider_of, provider_or_model, resolve
from aircher.policy.route.plan import escalation, plan
from aircher.policy.route.situation import Situation
from aircher.policy.route.strategies import STRATEGIES, Proposal, Strategy

__all__ = [
    "STRATEGIES",
    "Board",
    "Proposal",
    "Situation",
    "Strategy",
    "escalation",
    "nearest",
    "obstacle",
    "plan",
    "provider_of",
    "provider_or_model",
    "resolve",
]
