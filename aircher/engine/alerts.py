"""Tells once in a day or month that a share of a limit is spent."""

from __future__ import annotations

from collections.abc import Iterator

from aircher.domain.events import LimitAlert
from aircher.domain.models import ModelRef
from aircher.engine.ports import EnginePorts
from aircher.policy.alerts import shares_reached, words
from aircher.policy.spend import caps


def alerts(ports: EnginePorts, ref: ModelRef, task: str) -> Iterator[LimitAlert]:
    """What is to be told after a call to that model for that task was paid.

    Of one limit only the highest share is told, and the lower ones count as told.  Which were
    told is kept with the money, so neither a restart nor a second window tells it again.
    """
    limits = caps(ports.settings.limits, ports.clock.now(), provider=ref.provider, task=task)
    if not limits:
        return
    for state in ports.ledger.state(limits):
        shares = shares_reached(state, ports.settings.spending.alert_at)
        new = [share for share in shares if ports.ledger.first_alert(state.cap, share)]
        if new and new[0] == shares[0]:
            cap = state.cap
            yield LimitAlert(cap.name, new[0], state.spent_nano, cap.limit_nano, words(state))
