"""A small share of `make budget-proof`: processes, kills, fallbacks and stops against one cap."""

from __future__ import annotations

import sys

import pytest

from benchmarks.budget import prove

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")


def test_a_hard_cap_holds_under_concurrency_kills_fallbacks_and_stops() -> None:
    result = prove(11, attempts=160, processes=3)
    assert result.overshoot == 0, result
    assert result.kills > 0
    assert result.tally["finished"] > 5
    assert result.billed > 0
