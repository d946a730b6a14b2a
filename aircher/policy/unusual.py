"""Whether a request would cost unlike anything its user usually spends.

The score is a modified z-score: how far the amount lies from the median of the past, in units
of the median absolute deviation times 1.4826, which makes it a standard deviation for normal
data (Iglewicz & Hoaglin, 1993, who call 3.5 the point from which on a value is an outlier).
It is taken of the logarithms, because costs spread by factors: a request of ten times the
usual is as far off as one of a tenth.  Only what is dearer can be unusual.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

ENOUGH = 20
"""Calls that must have been paid before anything can be called unusual."""

LEAST_SPREAD = 0.4
"""The spread is taken for at least this (in natural logarithms): with the usual threshold of 3.5
nothing is unusual below four times the median, however alike the past calls were."""


def score(nano_usd: int, past: Sequence[int]) -> float | None:
    """How unusual ``nano_usd`` is beside past costs (all positive); None with too few of them."""
    if len(past) < ENOUGH or nano_usd <= 0:
        return None
    from statistics import median  # most requests are too cheap to be looked at

    logs = [math.log(cost) for cost in past]
    middle = median(logs)
    spread = 1.4826 * median(abs(one - middle) for one in logs)
    return (math.log(nano_usd) - middle) / max(spread, LEAST_SPREAD)
