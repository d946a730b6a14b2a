"""What a configuration says of models, by the program's own word: one case a line.

Each case adds to one configuration of two vendors and asks ``aircher route --json`` (``-m`` and
the like where the case says so) for the first model, or for why a model is left out.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from aircher.cli.main import main
from tests.support.program import write_config

BASE = """
discover = false
[providers]
default = "alpha"
fallback_order = ["alpha", "beta"]
[providers.alpha]
kind = "openai"
base_url = "http://127.0.0.1:9/v1"
model = "plain"
[providers.beta]
kind = "openai"
base_url = "http://127.0.0.2:9/v1"
model = "able"
local = false
[models.custom."alpha/plain"]
features = ["streaming"]
context_window = 4000
input_price = 1.0
output_price = 2.0
quality = 0.5
[models.custom."beta/able"]
features = ["vision", "tools", "json", "thinking", "streaming"]
context_window = 300_000
input_price = 10.0
output_price = 30.0
quality = 0.9
"""
PLAIN, ABLE = "alpha/plain", "beta/able"


def task(text: str) -> str:
    return f'[models.task.quick_questions]\npreferred = "{PLAIN}"\n{text}\n'


def needs(*features: str) -> str:
    return task(f"required_features = {json.dumps(features)}")


@pytest.fixture
def route(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any) -> Any:
    """route(config, *words) -> the explanation, or the error's words and the exit code."""
    monkeypatch.chdir(tmp_path)

    def ask(config: str, *words: str, task: str = "quick_questions", code: int = 0) -> Any:
        write_config(home, BASE + config)
        given = ["route", "--json", *(["--task", task] if task else []), *words]
        assert main([*given, *([] if words and words[-1] == "TEXT" else ["hello"])]) == code
        said = capsys.readouterr()
        return json.loads(said.out) if code == 0 else said.err

    return ask


def first(found: Any) -> str:
    one = found["plan"]["candidates"][0]
    return f"{one['provider']}/{one['model']}"


def left_out(found: Any) -> dict[str, tuple[str, str | None]]:
    return {
        f"{one['provider']}/{one['model']}": (one["reason"], one["key"])
        for one in found["plan"]["rejected"]
    }


@pytest.mark.parametrize(
    ("config", "model", "reason"),
    [
        (task(""), PLAIN, ""),
        (needs("streaming"), PLAIN, ""),
        (needs("vision"), ABLE, "has no vision"),
        (needs("tools"), ABLE, "has no tools"),
        (needs("json"), ABLE, "has no json"),
        (needs("thinking"), ABLE, "has no thinking"),
        (needs("long_context"), ABLE, "has no long_context"),
        (needs("vision", "json"), ABLE, "has no json, vision"),
        (task("min_quality = 0.5"), PLAIN, ""),
        (task("min_quality = 0.51"), ABLE, "quality 0.5 is below min_quality 0.51"),
        # the middle of $1 and $2 per million is $0.0015 per 1,000
        (
            task("max_cost_per_1k = 0.0015"),
            PLAIN,
            "",
        ),
    ],
)
def test_a_task_s_long_form_leaves_out_what_it_does_not_want(
    route: Any, config: str, model: str, reason: str
) -> None:
    found = route(config)
    assert first(found) == model
    if reason:
        why, key = left_out(found)[PLAIN]
        assert why == reason
        assert key.startswith("models.task.quick_questions.")
        assert reason in found["plan"]["candidates"][0]["reason"]  # the choice says whom it passes
        assert any(change["key"] == key for change in found["change"])
    else:
        assert PLAIN not in left_out(found)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (task("max_cost_per_1k = 0.0014"), "$0.0015 per 1,000 tokens is over max_cost_per_1k"),
        (needs("local"), "does not run on this machine"),
        (task("min_quality = 0.95"), "quality 0.9 is below min_quality 0.95"),
        ("[routing]\nmax_cost_per_request = 0.000001\n", "over max_cost_per_request"),
    ],
)
def test_where_nothing_is_left_each_model_has_its_reason(
    route: Any, config: str, words: str
) -> None:
    said = route(config, code=8)
    assert PLAIN in said
    assert ABLE in said
    assert words in said


def test_a_request_s_cost_is_bounded_by_its_worst_case(route: Any) -> None:
    found = route('[routing]\nmax_cost_per_request = 0.05\nstrategy = "quality"\n')
    assert first(found) == PLAIN
    reason, key = left_out(found)[ABLE]
    assert reason.startswith("may cost $0.12")
    assert key == "routing.max_cost_per_request"


def test_by_name_a_user_s_own_limits_do_not_count(route: Any) -> None:
    config = "[routing]\nmax_cost_per_request = 0.05\n" + task("min_quality = 0.95")
    assert first(route(config, "-m", ABLE)) == ABLE


@pytest.mark.parametrize(
    ("name", "domain", "model"),
    [
        ("shot.png", 'vision = "beta/able"', ABLE),
        ("paper.pdf", 'documents = "beta/able"', ABLE),
        ("long.txt", 'large_context = "beta/able"', ABLE),
        ("note.txt", 'large_context = "beta/able"', PLAIN),
        ("note.txt", 'vision = "beta/able"', PLAIN),
    ],
)
def test_a_domain_rule_names_the_model(
    route: Any, tmp_path: Path, name: str, domain: str, model: str
) -> None:
    content = {
        "shot.png": bytes.fromhex("89504e470d0a1a0a0000000d49484452"),
        "paper.pdf": b"%PDF-1.4\n/Type /Page\n",
        "long.txt": b"a word of it " * 600,
        "note.txt": b"short",
    }[name]
    (tmp_path / name).write_bytes(content)
    found = route(f"[routing]\nlarge_context_from = 1500\n[routing.rules]\n{domain}\n", "-f", name)
    assert first(found) == model
    if model == ABLE:
        assert found["plan"]["candidates"][0]["reason"].startswith("your rule ")
        key = f"routing.rules.{domain.split(maxsplit=1)[0]}"
        assert {"key": key, "what": "your rule, which applies here"} in found["change"]


def test_an_image_goes_to_a_model_that_sees_without_any_rule(route: Any, tmp_path: Path) -> None:
    (tmp_path / "shot.png").write_bytes(bytes.fromhex("89504e470d0a1a0a0000000d49484452"))
    found = route("", "-f", "shot.png")
    assert first(found) == ABLE
    assert left_out(found)[PLAIN][0] == "has no vision"
    said = route("", "-m", PLAIN, "-f", "shot.png", code=8)
    assert f"{PLAIN} was asked for by name: has no vision" in said


def test_a_prompt_too_long_for_a_model_goes_to_a_longer_window_or_is_refused(
    route: Any, tmp_path: Path
) -> None:
    (tmp_path / "long.txt").write_text("a word of it " * 2_000)
    found = route("", "-f", "long.txt")
    assert first(found) == ABLE
    assert "window of 4,000 tokens is too small" in left_out(found)[PLAIN][0]
    said = route("", "-m", PLAIN, "-f", "long.txt", code=1)
    assert f"does not fit {PLAIN}, which was asked for by name" in said


@pytest.mark.parametrize(
    ("branch", "hours", "applies"),
    [
        ("release/2", "00:00-24:00", True),
        ("main", "00:00-24:00", False),
        ("release/2", "", True),
    ],
)
def test_hours_and_branch_hold_together(
    route: Any, tmp_path: Path, branch: str, hours: str, applies: bool
) -> None:
    subprocess.run(["git", "init", "-q", "-b", branch, str(tmp_path)], check=True)
    when = f'hours = "{hours}"\n' if hours else ""
    found = route(
        f'[routing.rule.release]\n{when}branches = ["release/*"]\nuse = "{ABLE}"\n', task=""
    )
    assert (first(found) == ABLE) is applies
    keys = [change["key"] for change in found["change"]]
    assert ("routing.rule.release" in keys) is applies


def test_where_no_model_sees_it_is_said_what_to_do_about_the_image(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shot.png").write_bytes(bytes.fromhex("89504e470d0a1a0a0000000d49484452"))
    write_config(home, BASE.replace('"vision", ', ""))
    assert main(["route", "-f", "shot.png", "what is this"]) == 8
    said = capsys.readouterr().err
    assert f"{PLAIN}: has no vision; {ABLE}: has no vision" in said
    assert "Leave that out, or set up a model that has it" in said
