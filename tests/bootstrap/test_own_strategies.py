"""Strategies that other packages register: loaded when named, their mistakes told in a sentence."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aircher.bootstrap import strategies
from aircher.bootstrap.configuring import load_config
from aircher.cli.main import main
from tests.support.program import write_config

MODULE = """
from aircher.domain.models import ModelRef
from aircher.policy.route import Proposal

def backwards(rules, situation):
    for provider in reversed(rules.order):
        yield Proposal(ModelRef(provider, rules.models[provider]), "the last shall be first")

def plain(rules, situation):
    return [(ModelRef("claude", "claude-haiku-5-5"), "a plain pair will do")]

def broken(rules, situation):
    yield Proposal(ModelRef("claude", "claude-haiku-5-5"), "one")
    raise KeyError("two")

def odd(rules, situation):
    return ["claude"]

not_a_function = 3
"""
ENTRIES = """[aircher.strategies]
backwards = own_strategies_of_a_test:backwards
plain = own_strategies_of_a_test:plain
broken = own_strategies_of_a_test:broken
odd = own_strategies_of_a_test:odd
number = own_strategies_of_a_test:not_a_function
missing = own_strategies_of_a_test:nowhere
"""


@pytest.fixture(autouse=True)
def package(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "own_strategies_of_a_test.py").write_text(MODULE)
    info = tmp_path / "own_strategies_of_a_test-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: own-strategies\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRIES)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("OPENAI_API_KEY", "test-1")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test-2")
    write_config(home, 'discover = false\n[providers]\nfallback_order = ["openai", "claude"]\n')
    strategies._registered.cache_clear()
    yield
    strategies._registered.cache_clear()
    sys.modules.pop("own_strategies_of_a_test", None)


@pytest.mark.parametrize(
    ("name", "first", "why"),
    [
        ("backwards", "claude/", "the last shall be first"),
        ("plain", "claude/claude-haiku-5-5", "a plain pair will do"),
    ],
)
def test_a_strategy_of_one_s_own_decides(
    name: str, first: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["route", "hello there", "--strategy", name]) == 0
    out = capsys.readouterr().out
    model = next(line for line in out.splitlines() if line.startswith("model"))
    assert first in model
    assert why in model


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("broken", "'broken' of your own failed: KeyError: 'two'"),
        ("odd", "'odd' of your own failed: TypeError: it proposed str"),
        ("number", "'number' of your own failed: TypeError: it is no function"),
        ("missing", "'missing' of your own failed: AttributeError"),
        ("nobody_s", 'there is no routing strategy "nobody_s"'),
    ],
)
def test_one_that_fails_is_one_sentence_and_exit_code_7(
    name: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["route", "hello there", "--strategy", name]) == 7
    err = capsys.readouterr().err
    assert said in err
    assert "Traceback" not in err


def test_nothing_is_imported_that_is_not_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["route", "hello there", "--strategy", "cost"]) == 0
    assert "own_strategies_of_a_test" not in sys.modules


def test_a_name_that_nobody_has_is_a_problem_with_its_line(home: Path) -> None:
    write_config(home, '[routing]\nstrategy = "balnced"\n[routing.rule.x]\nstrategy = "plain"\n')
    [problem] = load_config().problems
    assert problem.line == 2
    assert "balanced" in problem.hint
