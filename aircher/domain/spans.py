"""How long something lasts, as people say it."""

from __future__ import annotations

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def lasting(seconds: float) -> str:
    """Such as "1 second", "90 seconds", "5 minutes", "1 hour 30 minutes", "2 days 4 hours".

    Rounded up: who waits that long has waited long enough.
    """
    step = 1 if seconds <= 2 * _MINUTE - 1 else _MINUTE if seconds < _DAY - _MINUTE else _HOUR
    whole = step * max(1, -int(-seconds // step))
    if step == 1:
        return _counted(whole, "second")
    units = (("day", whole // _DAY), ("hour", whole % _DAY // _HOUR),
             ("minute", whole % _HOUR // _MINUTE))  # fmt: skip
    return " ".join(_counted(count, unit) for unit, count in units if count)


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
