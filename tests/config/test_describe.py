"""The generated documents: fresh, complete, and true to the loader."""

import json
import re
import subprocess
import sys
import tomllib
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest

from aircher.bootstrap import docs
from aircher.bootstrap.configuring import provider_names
from aircher.config.describe import example_toml, json_schema, markdown, rows
from aircher.config.layers import env_layer
from aircher.config.load import Places, load
from aircher.config.positions import layout_of
from aircher.config.rows import find
from aircher.config.schema import NOT_YET, TREE, all_rows
from tests.config.test_load import ENVIRONMENT, MISTAKES

ROOT = Path(__file__).resolve().parents[2]


def uncommented() -> str:
    return "".join(line.removeprefix("# ") for line in example_toml().splitlines(keepends=True)[3:])


def test_generated_documents_are_fresh() -> None:
    assert docs.stale() == [], "run `make docs`"


def test_a_stale_or_missing_document_is_found_and_written(tmp_path: Path) -> None:
    assert docs.stale(tmp_path) == [name for name, _ in docs.DOCUMENTS]
    assert docs.write(tmp_path) == [name for name, _ in docs.DOCUMENTS]
    assert docs.stale(tmp_path) == []
    (tmp_path / "docs" / "config.md").write_text("old")
    assert docs.stale(tmp_path) == ["docs/config.md"]
    assert docs.write(tmp_path) == ["docs/config.md"]


def test_the_example_as_it_is_changes_nothing(tmp_path: Path) -> None:
    assert tomllib.loads(example_toml()) == {}
    assert all(line.startswith("#") or not line for line in example_toml().splitlines())


def test_the_example_without_its_marks_holds_every_key_and_no_mistake(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(uncommented())
    config = load(Places(file), environ={}, names=provider_names())
    assert config.problems == ()
    assert [one.message for one in config.warnings if "no effect" not in one.message] == []
    told = [find(TREE, path) for path in config.origins]
    assert [row.key for row in all_rows() if row not in told] == []


def test_the_example_satisfies_the_schema() -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(tomllib.loads(uncommented()), schema)
    jsonschema.validate({}, schema)


def test_schema_and_loader_agree_on_single_mistakes(tmp_path: Path) -> None:
    """What the schema refuses, the loader refuses; the loader knows more (names, circles)."""
    validator = jsonschema.Draft202012Validator(json_schema())
    refused = 0
    for text, _ in MISTAKES:
        try:
            data = json.loads(json.dumps(tomllib.loads(text), default=str))
        except (tomllib.TOMLDecodeError, RecursionError):
            continue
        refused += not validator.is_valid(data)
    assert refused >= 20


def test_the_manual_names_every_key_and_variable() -> None:
    text = markdown()
    for row in all_rows():
        path = tuple("NAME" if part == "*" else part for part in row.path)
        [line] = [
            line
            for line in text.splitlines()
            if line.startswith(f"| `{path[-1]}` |")
            and f" {row.help}" in line
            and (f"`{row.env_name(path)}`" if row.env_name(path) else "|  | ") in line
        ]
        assert ("yours only" in line) is not row.project
    variables = re.findall(r"`(AIRCHER_[A-Z_0-9]+)`", text)
    assert len(variables) == len(set(variables))


def test_every_variable_in_the_manual_reaches_its_key() -> None:
    for row in all_rows():
        path = tuple("openai" if part == "*" else part for part in row.path)
        name = row.env_name(path)
        if name:
            layer = env_layer({name: "?"})
            touched = {".".join(p) for p in layer.values} | {one.key for one in layer.problems}
            assert touched == {".".join(path)}, name


def test_keys_without_effect_are_marked_in_the_documents() -> None:
    keys = {row.key for row in all_rows()}
    assert keys >= NOT_YET
    for text in (markdown(), example_toml()):
        assert text.count("no effect in this version") == len(NOT_YET)


def test_rows_show_value_default_and_origin(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(
        '[providers.anthropic]\nmodel = "m"\n[retry]\nmax_delay = "90s"\n[chat]\nsystem_prompt = "a\\nb"\n'
    )
    config = load(Places(file), environ={"AIRCHER_COSTS_DAILY_LIMIT": "0.10"})
    shown = {row.key: (row.value, row.default, row.origin) for row in rows(config)}
    assert shown["providers.claude.model"] == ('"m"', "", f"{file}:2")
    assert shown["retry.max_delay"] == ('"1m30s"', '"30s"', f"{file}:4")
    assert shown["chat.system_prompt"] == ('"a\\nb"', '""', f"{file}:6")
    assert shown["costs.daily_limit"] == ("0.10", "", "environment AIRCHER_COSTS_DAILY_LIMIT")
    assert shown["costs.monthly_budget"] == ("", "", "default")
    assert "providers.openai.model" not in shown
    assert all(row.help for row in rows(config))


def test_a_value_that_looks_like_a_key_is_hidden(tmp_path: Path) -> None:
    key = "sk-proj-abcdefgh12345678"
    config = load(Places(), environ={"AIRCHER_CHAT_SYSTEM_PROMPT": f"use {key}"})
    assert key not in repr(rows(config))


def test_written_defaults_mean_the_defaults() -> None:
    for row in all_rows():
        if row.default is not None:
            text = row.kind.to_toml(row.default)
            assert row.read(list(text) if isinstance(text, tuple) else text) == row.default


@pytest.mark.parametrize(("name", "text", "key", "_value"), ENVIRONMENT)
def test_values_as_shown_can_be_set_again(name: str, text: str, key: str, _value: object) -> None:
    config = load(
        Places(), environ={name: text}, names={**provider_names(), "lm-studio": "lmstudio"}
    )
    [row] = [row for row in rows(config) if row.key == key]
    literal = tomllib.loads(f"v = {row.value}", parse_float=Decimal)["v"]
    found = find(TREE, config.path(key))
    assert found is not None
    assert found.read(literal) == config.get(key)


POSITIONS = '''\
# c
a.b = 1 # x = 2
"q.r" = """x
y"""" # z

[providers."open ai"] # hi
list = [
  1, # one = 1
  "]",
]
t = { x = 1, y = "a=b" }
lit = \'\'\'
[no]
\'\'\'
[ ui ]
[[fruit]]
'''


def test_positions_are_found_in_all_of_toml() -> None:
    layout = layout_of(POSITIONS)
    assert {path: one.line for path, one in layout.assignments.items()} == {
        ("a", "b"): 2,
        ("q.r",): 3,
        ("providers", "open ai", "list"): 7,
        ("providers", "open ai", "t"): 11,
        ("providers", "open ai", "lit"): 12,
    }
    assert layout.headers == {("providers", "open ai"): 6, ("ui",): 15, ("fruit",): 16}
    assert [POSITIONS[one.value_start : one.value_end] for one in layout.assignments.values()] == [
        "1",
        '"""x\ny""""',
        '[\n  1, # one = 1\n  "]",\n]',
        '{ x = 1, y = "a=b" }',
        "'''\n[no]\n'''",
    ]
    assert layout.line(("providers", "open ai", "t", "x")) == 11
    assert layout.line(("a",)) == 2
    assert layout.line(("nowhere",)) == 0


def test_loading_a_normal_file_is_quick_and_imports_nothing_large(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(uncommented())
    code = (
        "import sys, time\n"
        "from aircher.bootstrap.configuring import load_config, provider_names\n"
        "provider_names()\n"
        "start = time.process_time()\n"
        "config = load_config()\n"
        "print(round((time.process_time() - start) * 1000), len(config.problems))\n"
        "slow = {'tomlkit', 'keyring', 'difflib', 'textual', 'rich', 'openai', 'platformdirs'}\n"
        "print(sorted(slow & set(sys.modules)))\n"
    )
    env = {"AIRCHER_CONFIG": str(tmp_path / "config.toml"), "XDG_DATA_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=env, cwd=ROOT, check=True
    )
    timing, modules = done.stdout.splitlines()
    milliseconds, problems = timing.split()
    assert (problems, modules) == ("0", "[]")
    assert int(milliseconds) <= 15
