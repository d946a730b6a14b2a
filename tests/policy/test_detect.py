"""Detection: cases anyone would agree on, and what must hold for any text."""

from __future__ import annotations

import tomllib
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircher.domain.tasks import TASKS, GitState, Signals
from aircher.policy.detect import compile_patterns, detect

TABLES = tomllib.loads((resources.files("aircher.policy") / "tasks.toml").read_text("utf-8"))
PATTERNS = compile_patterns(TABLES)


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("write a commit message for my staged changes", "commit_messages"),
        ("tl;dr of this log please", "summaries"),
        ("please review this function for security problems", "code_review"),
        ("add docstrings to every public method", "documentation"),
        ("refactor this class into two smaller ones", "refactoring"),
        ("Traceback (most recent call last):\n  File 'x.py'\nKeyError: 'a'", "debugging"),
        ("how do I list branches by date in git?", "quick_questions"),
        ("write a python script that renames all files in a folder", "code_generation"),
        ("my grandmother's garden in spring", "default"),
    ],
)
def test_plain_cases(text: str, task: str) -> None:
    detection = detect(Signals(text), PATTERNS)
    assert detection.task == task
    assert any(item.task == task for item in detection.evidence)


def test_a_short_steer_keeps_the_task() -> None:
    detection = detect(Signals("the second one", previous_task="refactoring"), PATTERNS)
    assert detection.task == "refactoring"


def test_the_command_settles_it() -> None:
    detection = detect(Signals("fix the error please", command="commit"), PATTERNS)
    assert detection.task == "commit_messages"


def test_files_and_git_are_evidence() -> None:
    git = GitState(staged=2)
    detection = detect(Signals("hm", files=("server.log",), git=git), PATTERNS)
    details = {(item.source, item.detail) for item in detection.evidence}
    assert {("file", "server.log"), ("git", "2 staged files")} <= details


def test_the_request_is_found_behind_a_long_paste() -> None:
    text = "x = 1\n" * 4_000 + "please write a commit message for this"
    assert detect(Signals(text), PATTERNS).task == "commit_messages"


def test_users_add_words_and_tasks_of_their_own() -> None:
    mine = {"infra": {"keywords": ["terraform"], "message_patterns": ["(?:plan|apply) failed"]}}
    patterns = compile_patterns(TABLES, mine)
    assert detect(Signals("terraform plan failed"), patterns).task == "infra"


@given(st.text(max_size=6_000))
def test_any_text_gives_a_task_and_a_confidence(text: str) -> None:
    detection = detect(Signals(text), PATTERNS)
    assert detection.task in TASKS
    assert 0.0 <= detection.confidence <= 1.0
