"""The one mapping from what vendors say to our error tree.

A dialect takes a foreign error apart into plain facts (status, type, code, message, headers)
and hands them here; the rules are a table, because vendors disagree about the meaning of
every single field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aircher.domain.errors import ProviderError


@dataclass(frozen=True, slots=True)
class Facts:
    """A foreign error in plain values; "" and None where the vendor said nothing."""

    provider: str
    model: str = ""
    status: int | None = None
    type: str = ""
    code: str = ""
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Lower-case names."""
    request_id: str = ""
    in_stream: bool = False


def fault(facts: Facts) -> ProviderError:
    """The error of our tree that these facts amount to."""
    raise NotImplementedError
