"""Instants as the file keeps them: UTC milliseconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class Now(Protocol):
    """The part of ``ports.Clock`` that storage needs."""

    def now(self) -> datetime:
        """The wall clock, aware."""
        ...


class SystemNow:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The present, in UTC."""
        return datetime.now(UTC)


def to_ms(instant: datetime) -> int:
    """An aware instant in milliseconds, rounded down."""
    return (instant - _EPOCH) // _MILLISECOND


def from_ms(milliseconds: int) -> datetime:
    """The instant, aware, in UTC."""
    return _EPOCH + milliseconds * _MILLISECOND
