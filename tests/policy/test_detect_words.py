"""Reasons that a request's task is shown with are words that its writer understands."""

from __future__ import annotations

import re

import pytest

from aircher.bootstrap.detection import load_detector
from aircher.domain.tasks import Signals
from aircher.policy.detect.words import MOST, PHRASES
from benchmarks.tasks.data import written

DETECTOR = load_detector()
TRACE = 'Traceback (most recent call last):\n  File "a.py", line 3, in go\nKeyError: 1\n'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("what is HEAD~2 in git?", "'what is'"),
        ("rename foo to bar everywhere", "'rename'"),
        ("write a commit message for this", "'commit message'"),
    ],
)
def test_reasons_are_the_users_own_words(text: str, reason: str) -> None:
    assert reason in {item.detail for item in DETECTOR.detect(Signals(text)).evidence}


def test_a_traceback_is_named() -> None:
    details = {item.detail for item in DETECTOR.detect(Signals(TRACE)).evidence}
    assert details & {
        "a traceback is in it",
        "an error message is in it",
        "an error is named in it",
    }


def test_no_reason_names_a_feature() -> None:
    for row in written():
        text = " ".join(re.sub(r"[\s\u2019]+", " ", row["text"].lower()).split())
        evidence = DETECTOR.detect(Signals(row["text"])).evidence
        assert 1 <= len(evidence) <= MOST
        for item in evidence:
            said = item.detail
            if said.startswith("'"):
                words = re.findall(r"\w+", said.strip("'…"))
                assert words, said
                assert all(word in text for word in words[:-1]), (said, text)
            else:
                allowed = {*PHRASES.values(), "its wording as a whole"}
                assert said in allowed or said.startswith("no task stands out"), said
