"""The evaluation of messages: its figures, and that it runs on a repository with a model."""

from __future__ import annotations

import json

from aircher.domain.commits import CommitMessage
from benchmarks.commit.__main__ import report
from benchmarks.commit.metrics import grounded, score, similar
from tests.commit.conftest import Bench


def test_figures_of_one_message() -> None:
    human = CommitMessage("fix(db): Close the connection early")
    same = score(CommitMessage("feat: Close the connection early"), human, "close connection early")
    assert (same.conventional, same.short, same.imperative, same.real) == (1, 1, 1, 1)
    assert (same.similar, same.grounded) == (1, 1)
    other = score(CommitMessage("Rewrote render_all() entirely " + "x" * 60), human, "nothing")
    assert (other.conventional, other.short, other.imperative, other.real) == (0, 0, 0, 0)
    assert other.similar == 0
    assert similar("a b c", "a b d") == 2 / 3
    assert grounded("parse nested tables", "def parse(tables)") == 2 / 3


def test_it_runs_with_the_configured_model(bench: Bench) -> None:
    for n in range(26):
        bench.repo.commit(f"Draw part number {n}", ui__py=f"part = {n}\n")
    bench.repo.commit("Bump x from 1 to 2", ui__py="bumped\n")
    bench.monkeypatch.chdir(bench.repo.path)
    assert report([bench.repo.path], most=3, model="configured", as_json=True) == 0
    means = json.loads(bench.capture.readouterr().out)
    assert set(means) == {
        "human", "rules", "nearest earlier commit", "template", "another commit's", "configured",
    }  # fmt: skip
    assert {row["commits"] for row in means.values()} == {3}
    assert means["human"]["similar"] == 1
    assert len(bench.model.bodies) == 3
    assert "Draw part number" in bench.model.texts[0]
    assert "Bump" not in str(means)
