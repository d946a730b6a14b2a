"""How much a request asks of a model."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircher.policy.complexity import complexity

TRACE = 'Traceback (most recent call last):\n  File "a.py", line 3, in f\nKeyError: 1'


@pytest.mark.parametrize(
    ("text", "task", "low", "high"),
    [
        ("hi", "default", 0, 0),
        ("thanks!", "default", 0, 0),
        ("what is HEAD~2", "quick_questions", 0, 0),
        ("yes", "default", 0, 0),
        ("fix the typo in the readme", "documentation", 0, 1),
        (f"why does this fail?\n{TRACE}", "debugging", 2, 3),
        ("```python\nprint(1)\n```\nmake this faster", "refactoring", 2, 3),
        (
            (
                "design a distributed queue; migrate the storage, prove that no message is lost, "
                "optimise the hot path and explain the trade-offs"
            ),
            "code_generation",
            4,
            7,
        ),
        ("- a\n- b\n- c\n- d\n- e\n- f\n" + "please do it well " * 80, "code_generation", 6, 8),
    ],
)
def test_scores(text: str, task: str, low: int, high: int) -> None:
    found = complexity(text, task)
    assert low <= found.score <= high, found
    assert bool(found.factors) or found.score == 0


def test_files_and_a_long_conversation_count_and_each_factor_is_named() -> None:
    plain = complexity("rename it", "refactoring").score
    found = complexity("rename it", "refactoring", ("a.py", "b.py", "c.py"), earlier=9)
    assert found.score == plain + 3
    assert "+2 3 files" in found.factors
    assert "+1 9 earlier messages" in found.factors


@given(st.text(max_size=20_000), st.sampled_from(["default", "debugging"]), st.integers(0, 50))
def test_any_text_has_a_score_between_0_and_10(text: str, task: str, earlier: int) -> None:
    assert 0 <= complexity(text, task, (), earlier).score <= 10
