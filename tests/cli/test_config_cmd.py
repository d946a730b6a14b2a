"""`aircher config` as a user runs it."""

import json
import re
import shlex
import sys
import tomllib
from pathlib import Path

import jsonschema
import pytest

from aircher.cli.main import main
from tests.support.program import run as run_program
from tests.support.program import write_config

SECRET = "sk-proj-abcdefgh12345678"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AIRCHER_DISCOVER")
    monkeypatch.delenv("VISUAL", raising=False)


@pytest.fixture
def file(home: Path) -> Path:
    """Where the user's file is; it is not there yet."""
    return home / ".config" / "aircher" / "config.toml"


@pytest.fixture
def aircher(capsys: pytest.CaptureFixture[str]):
    """Runs `aircher config ...` (or trust); returns exit code, stdout, stderr."""

    def run(*words: str) -> tuple[int, str, str]:
        code = main(words if words[:1] == ("trust",) else ["config", *words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def put(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_without_a_file_all_is_well(aircher, file: Path) -> None:
    code, out, err = aircher("check")
    assert (code, out) == (0, "")
    assert "none is needed" in err
    assert aircher("path") == (0, f"{file}\n", "")
    assert not file.exists()


def test_show_prints_settings_and_where_they_come_from(aircher, file: Path, monkeypatch) -> None:
    put(file, '[ui]\ntheme = "nord"\n[providers.openai]\nmodel = "gpt-5"\n')
    monkeypatch.setenv("AIRCHER_COSTS_DAILY_LIMIT", "2.5")
    code, out, err = aircher("show", "--origin")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert f'ui.theme = "nord"  # {file}:2' in lines
    assert f'providers.openai.model = "gpt-5"  # {file}:4' in lines
    assert "costs.daily_limit = 2.5  # environment AIRCHER_COSTS_DAILY_LIMIT" in lines
    assert "retry.max_retries = 2  # default" in lines
    assert "# costs.monthly_budget is not set" in lines
    plain = aircher("show")[1]
    data = tomllib.loads(plain)
    assert data["ui"]["theme"] == "nord"
    assert data["providers"]["openai"]["model"] == "gpt-5"


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("ui.theme", "nord\n"),
        ("chat.max_output", "4096\n"),
        ("retry.initial_delay", "1s\n"),
        ("keys.provider.next", "f2\n"),
        ("costs.daily_limit", "\n"),
        ("providers.claude.model", "\n"),
        ("retry.retryable_errors", '["timeout"]\n'),
        (
            "routing.weights",
            "routing.weights.cost = 1.0\nrouting.weights.quality = 1.0\nrouting.weights.speed = 1.0\n",
        ),
    ],
)
def test_show_one_key_prints_what_a_script_wants(
    aircher, file: Path, key: str, expected: str
) -> None:
    put(
        file,
        '[ui]\ntheme = "nord"\n[keys]\nprovider.next = "f2"\n[retry]\nretryable_errors = ["timeout"]\n',
    )
    assert aircher("show", key) == (0, expected, "")


def test_show_json_is_one_list(aircher, file: Path) -> None:
    put(file, '[ui]\ntheme = "nord"\n')
    code, out, _ = aircher("show", "ui.theme", "--json")
    assert code == 0
    assert json.loads(out) == [
        {
            "key": "ui.theme",
            "value": '"nord"',
            "default": '"aircher-dark"',
            "origin": f"{file}:2",
            "help": "The theme's name.",
        }
    ]


def test_check_lists_all_mistakes_and_ends_with_7(aircher, file: Path) -> None:
    put(file, "discver = true\n[chat]\nmax_output = 0\n")
    code, out, err = aircher("check")
    assert code == 7
    assert out == (
        f'{file}:1: discver is not a known key (did you mean "discover"?)\n'
        f"{file}:3: chat.max_output must be at least 1\n"
    )
    assert err == ""
    code, out, _ = aircher("check", "--json")
    assert code == 7
    assert [(row["level"], row["line"], row["key"]) for row in json.loads(out)] == [
        ("problem", 1, "discver"),
        ("problem", 3, "chat.max_output"),
    ]
    code, out, err = aircher("show", "chat.max_output")
    assert (code, out) == (0, "4096\n")
    assert "2 mistakes" in err


def test_set_and_unset_keep_comments(aircher, file: Path) -> None:
    put(file, '# mine\n[ui]\ntheme = "nord" # nice\n')
    code, out, err = aircher("set", "ui.theme", "solar")
    assert (code, out) == (0, "")
    assert 'ui.theme = "solar"' in err
    assert file.read_text() == '# mine\n[ui]\ntheme = "solar" # nice\n'
    assert aircher("unset", "ui.theme")[0] == 0
    assert file.read_text() == "# mine\n[ui]\n"
    assert "not set" in aircher("unset", "ui.theme")[2]


def test_set_by_another_name_of_a_provider_has_its_effect(aircher, file: Path) -> None:
    code, _, err = aircher("set", "providers.anthropic.model", "claude-x")
    assert code == 0
    assert "no effect" not in err
    assert aircher("show", "providers.claude.model")[1] == "claude-x\n"


def test_a_folder_is_not_edited(aircher, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "no-such-editor-anywhere")
    file.mkdir(parents=True)
    code, _, err = aircher("edit")
    assert code == 2
    assert "is a folder" in err


def test_set_says_when_something_stronger_hides_the_value(aircher, monkeypatch) -> None:
    monkeypatch.setenv("AIRCHER_UI_THEME", "dark")
    code, _, err = aircher("set", "ui.theme", "solar")
    assert code == 0
    assert "no effect now: environment AIRCHER_UI_THEME" in err


def test_set_says_when_a_key_does_nothing_yet(aircher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aircher.config.load.NOT_YET", frozenset({"ui.notify"}))
    code, _, err = aircher("set", "ui.notify", "off")
    assert code == 0
    assert "no effect in this version" in err
    assert "no effect" not in aircher("set", "ui.sidebar", "off")[2]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["set", "ui.tehme", "x"], 2, 'did you mean "ui.theme"?'),
        (["set", "chat.max_output", "lots"], 7, "must be a whole number"),
        (["set", "providers.openai.api_key_env", SECRET], 7, "takes the NAME"),
        (["set", "providers.openai.api_key", SECRET], 2, "not a known key"),
        (["show", "nonsense"], 2, "not a known key"),
        (["unset", "nonsense"], 2, "not a known key"),
        (["trust"], 2, "There is no .aircher.toml"),
    ],
)
def test_refusals_have_an_exit_code_and_a_sentence(
    aircher, file: Path, words: list[str], code: int, message: str
) -> None:
    got, out, err = aircher(*words)
    assert (got, out) == (code, "")
    assert message in err
    assert SECRET not in err
    assert not file.exists()


@pytest.mark.parametrize("words", [[], ["set", "ui.theme"], ["frobnicate"]])
def test_a_wrong_command_line_ends_with_2(aircher, words: list[str]) -> None:
    code, out, err = aircher(*words)
    assert (code, out) == (2, "")
    assert "--help` shows what it takes" in err


def test_a_pasted_key_is_never_printed(aircher, file: Path) -> None:
    put(
        file,
        f'[providers.openai]\napi_key = "{SECRET}"\n[chat]\nsystem_prompt = "{SECRET}"\n[keys]\n"{SECRET}" = "f2"\n',
    )
    for words in (
        ["show"],
        ["show", "--json"],
        ["show", "chat.system_prompt"],
        ["check"],
        ["check", "--json"],
    ):
        _, out, err = aircher(*words)
        assert SECRET not in out + err


def test_control_characters_never_reach_the_terminal(aircher, file: Path) -> None:
    put(file, '[chat]\nsystem_prompt = "a\\u001b]0;x\\u0007\\u202e\\u009b"\n"\\u001b[2J" = 1\n')
    for words in (["show"], ["show", "chat.system_prompt"], ["check"]):
        _, out, err = aircher(*words)
        assert not set(out + err) & set("\x1b\x07\u202e\x9b")


def test_a_hostile_file_name_never_reaches_the_terminal(
    aircher, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setenv("AIRCHER_CONFIG", str(tmp_path / "a\x1b]0;x\x07.toml"))
    for words in (["check"], ["show"], ["path"], ["set", "ui.theme", "nord"], ["check"]):
        _, out, err = aircher(*words)
        assert not set(out + err) & set("\x1b\x07")


def editor(script: str) -> str:
    return shlex.join([sys.executable, "-c", script])


def test_edit_opens_the_example_and_checks_what_was_written(
    aircher, file: Path, monkeypatch
) -> None:
    monkeypatch.setenv(
        "EDITOR", editor("import sys; open(sys.argv[1], 'a').write('discver = 1\\n')")
    )
    code, out, err = aircher("edit")
    assert (code, out) == (7, "")
    assert "discver is not a known key" in err
    assert file.read_text().startswith("# Every setting of Aircher.")
    monkeypatch.setenv(
        "VISUAL", editor("import sys; open(sys.argv[1], 'w').write('discover = true\\n')")
    )
    code, _, err = aircher("edit")
    assert code == 0
    assert "No mistakes" in err


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        ("no-such-editor-anywhere", 2, "cannot be started"),
        ('unbalanced "', 2, "cannot be started"),
        (editor("raise SystemExit(3)"), 1, "code 3"),
    ],
)
def test_an_editor_that_fails_is_told(
    aircher, monkeypatch, command: str, code: int, message: str
) -> None:
    monkeypatch.setenv("EDITOR", command)
    got, _, err = aircher("edit")
    assert got == code
    assert message in err


def test_example_and_schema_are_printed(aircher) -> None:
    code, out, err = aircher("example")
    assert (code, err, tomllib.loads(out)) == (0, "", {})
    code, out, err = aircher("schema")
    assert (code, err) == (0, "")
    jsonschema.Draft202012Validator.check_schema(json.loads(out))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A work tree; the user stands in a folder below its root."""
    (tmp_path / ".git").mkdir()
    below = tmp_path / "src" / "deep"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    return tmp_path / ".aircher.toml"


def test_a_project_file_counts_only_after_trust_and_until_it_changes(
    aircher, project: Path
) -> None:
    project.write_text('[ui]\ntheme = "ours"\n')
    code, out, err = aircher("show", "ui.theme")
    assert (code, out) == (0, "aircher-dark\n")
    assert f"{project}: is not trusted" in err
    assert "aircher trust" in err
    assert aircher("check")[0] == 0

    assert aircher("trust")[0] == 0
    assert aircher("show", "ui.theme") == (0, "ours\n", "")
    assert aircher("show", "ui.theme", "--origin")[1] == f'ui.theme = "ours"  # {project}:2\n'

    project.write_text('[ui]\ntheme = "theirs"\n')
    code, out, err = aircher("show", "ui.theme")
    assert out == "aircher-dark\n"
    assert "has changed since" in err

    assert aircher("trust")[0] == 0
    assert aircher("trust", "rm")[0] == 0
    assert aircher("show", "ui.theme")[1] == "aircher-dark\n"


def test_a_project_file_that_reaches_too_far_is_not_trusted(aircher, project: Path) -> None:
    project.write_text('[providers.openai]\nbase_url = "https://evil.example/v1"\n')
    code, out, err = aircher("trust")
    assert (code, out) == (7, "")
    assert "may not be set by a project" in err
    assert "evil" not in aircher("show")[1]
    assert "is not trusted" in aircher("show")[2]


def test_a_mistake_in_the_user_file_does_not_hinder_trust(
    aircher, project: Path, file: Path
) -> None:
    put(file, "discver = true\n")
    project.write_text('[ui]\ntheme = "ours"\n')
    code, _, err = aircher("trust")
    assert code == 0
    assert "discver" not in err


def test_a_project_file_may_name_a_provider_of_the_user(aircher, project: Path, file: Path) -> None:
    put(file, '[providers.gateway]\nbase_url = "https://gateway.example/v1"\n')
    project.write_text('[providers]\ndefault = "gateway"\n')
    assert aircher("trust")[0] == 0
    assert aircher("show", "providers.default") == (0, "gateway\n", "")


def test_aircher_config_names_another_file(aircher, tmp_path: Path, monkeypatch) -> None:
    other = tmp_path / "other.toml"
    monkeypatch.setenv("AIRCHER_CONFIG", str(other))
    assert aircher("path")[1] == f"{other}\n"
    assert aircher("check")[0] == 7
    assert aircher("set", "ui.theme", "nord")[0] == 0
    assert other.read_text() == '[ui]\ntheme = "nord"\n'
    assert aircher("check")[0] == 0


@pytest.mark.security
@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/v1",
        "https://metadata.google.internal/v1",
        "https://[fd00:ec2::254]/v1",
        "https://0xa9fea9fe/v1",
    ],
)
async def test_the_check_refuses_an_address_that_no_call_would_be_made_to(
    home: Path, url: str
) -> None:
    write_config(
        home, f'[providers.mine]\nkind = "openai"\nbase_url = "{url}"\nallow_http = true\n'
    )
    ran = await run_program("config", "check")
    assert ran.code == 7
    assert re.search(r"config\.toml:3: providers\.mine\.base_url (is|hides) ", ran.out), ran.out
    assert "give the address of a model server" in ran.out
