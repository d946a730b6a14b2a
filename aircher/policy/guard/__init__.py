"""The outbound guard: what must not leave this machine is found in a text and taken out.

``clean`` is all that others need; it is pure.  The engine calls it at the one place where a
request leaves (engine/guard.py); whoever builds a text of their own may call it as well.
"""

from aircher.domain.guarding import Finding
from aircher.policy.guard.clean import Cleaned, GuardPolicy, Piece, clean
from aircher.policy.guard.rules import Rules, rules_from

__all__ = ["Cleaned", "Finding", "GuardPolicy", "Piece", "Rules", "clean", "rules_from"]
