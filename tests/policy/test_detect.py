"""Detection: cases anyone would agree on, and what must hold for any text."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aircher.bootstrap.detection import load_detector
from aircher.domain.tasks import TASKS, Correction, GitState, Signals
from aircher.policy.detect import Detector, compile_patterns
from aircher.policy.detect.features import read
from aircher.policy.detect.rules import said
from benchmarks.tasks.data import written

DETECTOR = load_detector()
NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("write a commit message for my staged changes", "commit_messages"),
        ("tl;dr of this log please", "summaries"),
        ("please review this function for security problems", "code_review"),
        ("add docstrings to every public method", "documentation"),
        ("refactor this class into two smaller ones", "refactoring"),
        ("Traceback (most recent call last):\n  File 'x.py'\nKeyError: 'a'", "debugging"),
        ("why does my loop never end?", "debugging"),
        ("how do I list branches by date in git?", "quick_questions"),
        ("what is HEAD~2 in git?", "quick_questions"),
        ("write a python script that renames all files in a folder", "code_generation"),
        ("write a poem about my grandmother's garden", "default"),
        ("¿cómo puedo ordenar una lista en python?", "quick_questions"),
        ("解释这段代码", "summaries"),
        ("erkläre mir diesen Code", "summaries"),
        ("añade comentarios a esta función", "documentation"),
    ],
)
def test_plain_cases(text: str, task: str) -> None:
    detection = DETECTOR.detect(Signals(text))
    assert detection.task == task
    assert detection.evidence
    assert abs(sum(detection.scores.values()) - 1) < 0.01


def test_a_word_with_an_accent_is_one_word() -> None:
    names = DETECTOR.features("erkläre mir diesen Code")
    assert "=erkläre" in names
    assert "+^explain" in names


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("the menu is above the list, and the list is below it", "*asks nothing"),
        ("Explain the menu.", "*first order"),
        ("could you please rename it", "*last polite order"),
        ("Thanks! What is a menu? Write one.", "*last order"),
        ("Thanks! What is a menu? Write one.", "*first question "),
        ("is this all", "*questions 1"),
    ],
)
def test_what_a_message_asks_is_a_fact(text: str, fact: str) -> None:
    assert fact in DETECTOR.features(text)


@pytest.mark.parametrize("steer", ["go on", "address 3", "yes", "the second one", "weiter"])
def test_a_short_steer_keeps_the_task(steer: str) -> None:
    detection = DETECTOR.detect(Signals(steer, previous_task="refactoring"))
    assert detection.task == "refactoring"


def test_a_request_of_its_own_does_not() -> None:
    text = "write a commit message for this"
    assert DETECTOR.detect(Signals(text, previous_task="debugging")).task == "commit_messages"


def test_the_command_settles_it() -> None:
    detection = DETECTOR.detect(Signals("fix the error please", command="commit"))
    assert detection.task == "commit_messages"


def test_files_and_git_are_evidence() -> None:
    git = GitState(staged=2)
    detection = DETECTOR.detect(Signals("hm", files=("server.log",), git=git))
    details = {(item.source, item.detail) for item in detection.evidence}
    assert {("file", "server.log"), ("git", "2 staged files")} <= details


def test_the_request_is_found_behind_a_long_paste() -> None:
    text = "x = 1\n" * 4_000 + "please write a commit message for this"
    assert DETECTOR.detect(Signals(text)).task == "commit_messages"


def test_unsure_is_said() -> None:
    detection = DETECTOR.detect(Signals("."))
    assert detection.task == "default"
    assert detection.evidence[0].detail


def own(**tables: dict[str, list[str]]) -> Detector:
    weights = {"keyword": 0.6, "pattern": 0.8, "context": 0.5}
    return Detector(lambda: DETECTOR.known, compile_patterns({"weights": weights}, tables))


def test_users_add_words_and_tasks_of_their_own() -> None:
    mine = own(infra={"keywords": ["terraform"], "message_patterns": ["(?:plan|apply) failed"]})
    detection = mine.detect(Signals("Terraform plan failed"))
    assert detection.task == "infra"
    assert detection.evidence[0].source == "yours"
    assert "infra" in mine.tasks
    assert mine.detect(Signals("fix this bug")).task == "debugging"


@pytest.mark.parametrize(
    ("sign", "git"),
    [
        ("branch:infra/*", GitState(branch="infra/vpc")),
        ("diff:tests", GitState(staged=1, changed=("tests/test_a.py",))),
        ("diff:docs", GitState(unstaged=1, changed=("docs/a.md",))),
        ("diff:large", GitState(unstaged=12)),
        ("merge", GitState(operation="merge")),
        ("clean", GitState()),
    ],
)
def test_git_shows_what_patterns_ask_for(sign: str, git: GitState) -> None:
    mine = own(infra={"git_patterns": [sign]})
    assert any(item.task == "infra" for item in mine.detect(Signals("hm", git=git)).evidence)
    other = GitState(branch="main", untracked=1, changed=("a.md", "b.py"))
    assert not any(item.task == "infra" for item in mine.detect(Signals("hm", git=other)).evidence)


def corrected(text: str, task: str) -> list[Correction]:
    return [Correction(1, NOW, text, "default", task)]


def test_a_correction_flips_the_like_and_leaves_the_unlike() -> None:
    made = corrected("sort out the importer module", "refactoring")
    assert DETECTOR.detect(Signals("sort out the importer module"), made).task == "refactoring"
    near = DETECTOR.detect(Signals("please sort out the exporter module"), made)
    assert near.task == "refactoring"
    assert near.evidence[0].source == "correction"
    assert DETECTOR.detect(Signals("what is a closure?"), made).task == "quick_questions"


def test_one_correction_leaves_two_hundred_unlike_prompts_alone() -> None:
    made = corrected("write a function that sorts out the importer module", "refactoring")
    texts = [one["text"] for one in written()][::2][:200]
    changed = [
        text
        for text in texts
        if DETECTOR.detect(Signals(text), made).task != DETECTOR.detect(Signals(text)).task
    ]
    assert len(changed) <= 2


@settings(deadline=None)
@given(st.text(max_size=6_000))
def test_any_text_gives_a_task_and_a_confidence(text: str) -> None:
    detection = DETECTOR.detect(Signals(text))
    assert detection.task in TASKS
    assert 0.0 <= detection.confidence <= 1.0


def test_the_cheap_look_never_hides_a_match() -> None:
    known = DETECTOR.known.patterns
    for one in written():
        ask = read(one["text"], DETECTOR.known.lexicon).ask
        told = {name for name, _ in said(ask, known)}
        for task in known.tasks:
            for number, rule in enumerate(task.patterns):
                assert (f"rule {task.task} {number}" in told) == bool(rule.compiled.search(ask))
