"""A turn that was stopped, as one result: what came of all models that wrote the answer."""

from __future__ import annotations

from aircher.cli.unfinished import Unfinished
from aircher.domain.chat import TextDelta
from aircher.domain.errors import NetworkFailed
from aircher.domain.events import FallingBack, Retrying, Started
from aircher.domain.models import ModelRef

A, B = ModelRef("a", "m"), ModelRef("b", "m")
CUT = NetworkFailed("cut")


def stopped(*events: object) -> Unfinished:
    turn = Unfinished()
    for event in events:
        turn.take(event)  # type: ignore[arg-type] - events of a turn
    return turn


def test_a_continued_answer_is_told_whole() -> None:
    result = stopped(
        Started(A, 1, "s", 1), TextDelta("One "), FallingBack(A, B, CUT, 4, continues=True),
        Started(B, 2, "s", 2), TextDelta("two"),
    ).result(None)  # fmt: skip
    assert (result.text, result.ref) == ("One two", B)
    assert [attempt.outcome for attempt in result.attempts] == ["network"]


def test_stopped_between_two_models_the_part_is_told() -> None:
    turn = stopped(
        Started(A, 1, "s", 1), TextDelta("One "), FallingBack(A, B, CUT, 4, continues=True)
    )
    assert turn.result(None).text == "One "


def test_going_on_with_the_same_model_is_one_attempt_of_it() -> None:
    result = stopped(
        Started(A, 1, "s", 1), TextDelta("One "), FallingBack(A, A, CUT, 4, continues=True),
        Retrying(A, 2, 1.0, CUT), Started(A, 2, "s", 2), TextDelta("two"),
    ).result(None)  # fmt: skip
    assert result.text == "One two"
    assert len(result.attempts) == 1


def test_an_answer_begun_anew_is_told_alone() -> None:
    result = stopped(
        Started(A, 1, "s", 1), TextDelta("One "), FallingBack(A, B, CUT, 4),
        Started(B, 2, "s", 2), TextDelta("Whole"),
    ).result(None)  # fmt: skip
    assert result.text == "Whole"
