"""``aircher pr``, ``changelog`` and ``branch`` in real repositories."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from aircher.cli.main import main
from aircher.domain.changes import Changes
from aircher.domain.commits import Setting
from aircher.domain.texts import TextAsk
from aircher.policy.commit.texts import by_rules, read
from tests.commit.conftest import Bench, Ran
from tests.support.recording import said

KEY = "AKIA" + "Q4XN7RTB2LKM6WZP"


def run(bench: Bench, *words: str) -> Ran:
    bench.monkeypatch.chdir(bench.repo.path)
    bench.capture.readouterr()
    code = main(words)
    out, err = bench.capture.readouterr()
    return Ran(code, out, err.decode())


def branch(bench: Bench) -> None:
    bench.repo.git("tag", "v1")
    bench.repo.git("checkout", "-qb", "fix/crash")
    bench.repo.commit("fix: Guard parse against nothing", parse__py="def parse(): ...\n")
    bench.repo.commit("test: Try parse", test_parse__py=f'key = "{KEY}"\n')


def answer(title: str, body: str = "") -> object:
    return said(json.dumps({"title": title, "body": body}))


def test_pull_request(bench: Bench) -> None:
    branch(bench)
    bench.model.answer(
        answer(
            "Guard parse against an empty text.",
            "It crashed.\n\n- `parse` is new\n- `invent_me` too",
        )
    )
    ran = run(bench, "pr")
    assert ran.code == 0, ran.err
    assert (
        ran.out.decode() == "Guard parse against an empty text\n\nIt crashed.\n\n- `parse` is new\n"
    )
    sent = bench.model.texts[0]
    assert "fix: Guard parse against nothing" in sent
    assert "+def parse(): ..." in sent
    assert "Branch: fix/crash" in sent
    assert KEY not in sent
    assert "invent_me" in ran.err
    assert bench.repo.git("status", "--porcelain") == ""


def test_pull_request_without_a_model_or_a_change(bench: Bench) -> None:
    assert run(bench, "pr").code == 4
    assert run(bench, "pr", "--base", "nowhere").code == 2
    branch(bench)
    ran = run(bench, "pr", "--offline", "--json")
    assert ran.json["source"] == "rules"
    assert "- test: Try parse" in ran.json["body"]
    assert not bench.model.bodies


def test_an_answer_without_a_text(bench: Bench) -> None:
    branch(bench)
    bench.model.answer(said("I cannot."))
    ran = run(bench, "pr")
    assert ran.code == 1
    assert "--offline" in ran.err


def test_changelog_entry(bench: Bench) -> None:
    assert run(bench, "changelog").code == 2
    bench.repo.commit("Log", CHANGELOG__md="# Changes\n\n## 1.0\n\n- Begin\n")
    branch(bench)
    bench.model.answer(answer("", "## Unreleased\n- Parse takes nothing"))
    ran = run(bench, "changelog")
    assert ran.out.decode() == "- Parse takes nothing\n"
    assert "- Begin" in bench.model.texts[0]
    assert (
        run(bench, "changelog", "v1", "--offline").out.decode() == "- Guard parse against nothing\n"
    )


def test_branch_name(bench: Bench) -> None:
    branch(bench)
    bench.model.answer(answer("Fix/Crash"))
    ran = run(bench, "branch", "the parser crashes")
    assert ran.out.decode() == "fix/crash-2\n"
    assert "def parse" not in bench.model.texts[0]
    bench.model.answer(answer("x..y~z^:"))
    bench.repo.stage("new.py", "new = 1\n")
    assert run(bench, "branch").out.decode() == "x-y-z\n"
    assert "+new = 1" in bench.model.texts[-1]
    bench.repo.git("reset", "-q")
    assert run(bench, "branch").code == 4


_ASK = TextAsk("branch", Changes(()), Setting("/"))


@given(
    st.text(max_size=80), st.frozensets(st.sampled_from(["a", "a/b", "change", "fix"]), max_size=4)
)
def test_every_name_is_valid_and_new(title: str, taken: frozenset[str]) -> None:
    ask = replace(_ASK, taken=taken, hint=title)
    for name in (by_rules(ask).title, read(json.dumps({"title": f"x {title}"}), ask, "")[0].title):
        assert name not in taken
        assert not any(one.startswith(f"{name}/") or name.startswith(f"{one}/") for one in taken)
        assert len(name) <= 60
        _NAMES.add(name)


_NAMES: set[str] = set()


def test_git_takes_these_names() -> None:
    """Runs after the property above; git itself is asked once for a sample of its names."""
    for name in [*sorted(_NAMES)[:40], "fix/crash-2"]:
        done = subprocess.run(["git", "check-ref-format", "--branch", name], check=False)
        assert done.returncode == 0, name
