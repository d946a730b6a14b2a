"""From a task to an ordered list of models, each with its reason.

A strategy (``strategies``) is one pure function that orders the models it may use; ``fitness``
says why a model cannot take a request; ``plan`` puts both together.  What is left out is kept,
with its reason, so that a choice explains itself.
"""

from aircher.policy.route.names import resolve
from aircher.policy.route.plan import plan
from aircher.policy.route.situation import Situation
from aircher.policy.route.strategies import STRATEGIES

__all__ = ["STRATEGIES", "Situation", "plan", "resolve"]
