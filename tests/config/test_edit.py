"""Changing one value: all else stays byte for byte, and a crash leaves the old file."""

import errno
import os
import stat
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aircher.config import atomic
from aircher.config.edit import set_value, unset
from aircher.domain.errors import ConfigError, StorageError, UsageError

COMMENTED = """\
# My settings.   Two  blanks  on purpose.
discover   =   false # odd spacing stays

[providers.openai] # the first one
model = "gpt-5" # not the big one
fallback_models = [
    "a", # one
    "b",
]

# About looks:
[ui]
'theme' = "nord"\t# tab
"""

CHANGES = [
    # key, text, the one difference: (old piece, new piece)
    ("discover", "yes", ("=   false", "=   true")),
    ("providers.openai.model", "gpt-6", ('"gpt-5"', '"gpt-6"')),
    ("ui.theme", "solar", ('"nord"', '"solar"')),
    (
        "providers.openai.fallback_models",
        "x, y",
        ('[\n    "a", # one\n    "b",\n]', '["x", "y"]'),
    ),
    ("providers.openai.max_tokens", "77", ('    "b",\n]\n', '    "b",\n]\nmax_tokens = 77\n')),
    ("ui.sidebar", "off", ("# tab\n", "# tab\nsidebar = false\n")),
    ("costs.daily_limit", "2.50", ("# tab\n", "# tab\n\n[costs]\ndaily_limit = 2.50\n")),
    ("providers.default", "openai", ("# tab\n", '# tab\n\n[providers]\ndefault = "openai"\n')),
    ("keys.provider.next", "f4", ("# tab\n", '# tab\n\n[keys]\n"provider.next" = "f4"\n')),
    (
        "models.custom.openai/gpt-4.1.quality",
        "0.5",
        ("# tab\n", '# tab\n\n[models.custom."openai/gpt-4.1"]\nquality = 0.5\n'),
    ),
]


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize(("key", "text", "change"), CHANGES, ids=[key for key, _, _ in CHANGES])
def test_set_changes_only_what_it_must(
    tmp_path: Path, key: str, text: str, change: tuple[str, str], newline: str
) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(COMMENTED.replace("\n", newline).encode())
    set_value(file, key, text)
    old, new = change
    assert COMMENTED.count(old) == 1
    assert file.read_bytes() == COMMENTED.replace(old, new).replace("\n", newline).encode()


@pytest.mark.parametrize(("key", "text", "change"), CHANGES, ids=[key for key, _, _ in CHANGES])
def test_unset_takes_back_what_set_added(
    tmp_path: Path, key: str, text: str, change: tuple[str, str]
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(COMMENTED)
    set_value(file, key, text)
    assert unset(file, key)
    assert not unset(file, key)
    left = file.read_text()
    assert all(line in left for line in COMMENTED.splitlines() if line.startswith("#"))
    data = tomllib.loads(left)
    for name in key.split(".")[:-1]:
        data = data.get(name, {})
    assert key.rsplit(".", maxsplit=1)[-1] not in data


ODD_SHAPES = [
    ("", "providers.default", "openai", {"providers": {"default": "openai"}}),
    (
        'providers.openai.model = "x"',
        "providers.openai.max_tokens",
        "5",
        {"providers": {"openai": {"model": "x", "max_tokens": 5}}},
    ),
    (
        'providers = { default = "ollama" } # c\n',
        "providers.default",
        "openai",
        {"providers": {"default": "openai"}},
    ),
    (
        "[models]\ntasks = { default = 'a' }\n",
        "models.tasks.debugging",
        "b",
        {"models": {"tasks": {"default": "a", "debugging": "b"}}},
    ),
    (
        '[providers.anthropic]\nmodel = "a"\n',
        "providers.claude.model",
        "b",
        {"providers": {"anthropic": {"model": "b"}}},
    ),
    (
        '[providers.anthropic]\nmodel = "a"\n',
        "providers.claude.max_tokens",
        "5",
        {"providers": {"anthropic": {"model": "a", "max_tokens": 5}}},
    ),
    ("[keys]\na.b = 'f2'", "keys.a.b", "f3", {"keys": {"a": {"b": "f3"}}}),
    (
        '[ui]\ntheme = "a"\n[providers.openai]\nmodel = "m"\n[providers]\n',
        "providers.default",
        "openai",
        {"ui": {"theme": "a"}, "providers": {"openai": {"model": "m"}, "default": "openai"}},
    ),
    (
        '[chat]\nsystem_prompt = """\n[ui]\ntheme = "no"\n"""\n',
        "ui.theme",
        "yes",
        {"chat": {"system_prompt": '[ui]\ntheme = "no"\n'}, "ui": {"theme": "yes"}},
    ),
]


@pytest.mark.parametrize(("old", "key", "text", "data"), ODD_SHAPES)
def test_set_works_in_every_shape_of_file(
    tmp_path: Path, old: str, key: str, text: str, data: dict[str, object]
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(old)
    set_value(file, key, text)
    assert tomllib.loads(file.read_text()) == data


@pytest.mark.parametrize(
    ("old", "key", "data"),
    [
        (
            'providers = { default = "ollama", openai = { model = "m" } } # c\n',
            "providers.default",
            {"providers": {"openai": {"model": "m"}}},
        ),
        ("[keys]\na.b = 'f2'\na.c = 'f3'\n", "keys.a.b", {"keys": {"a": {"c": "f3"}}}),
        (
            'providers.openai.model = "x"\ndiscover = true\n',
            "providers.openai.model",
            {"discover": True},
        ),
        (
            "[retry]\nretryable_errors = [\n 'timeout', # a\n]\nmax_retries = 1",
            "retry.retryable_errors",
            {"retry": {"max_retries": 1}},
        ),
    ],
)
def test_unset_works_in_every_shape_of_file(
    tmp_path: Path, old: str, key: str, data: dict[str, object]
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(old)
    assert unset(file, key)
    assert {k: v for k, v in tomllib.loads(file.read_text()).items() if v != {"openai": {}}} == data


@settings(max_examples=40)
@given(prompt=st.text(st.characters(codec="utf-8")))
def test_any_text_can_be_set_and_is_read_back(
    prompt: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.toml"
    file.write_text('[chat]\nsystem_prompt = "old" # kept\n')
    set_value(file, "chat.system_prompt", prompt)
    text = file.read_text()
    assert tomllib.loads(text) == {"chat": {"system_prompt": prompt}}
    assert text.endswith(" # kept\n")


REFUSED = [
    ("foo.bar", "1", UsageError, "not a known key"),
    ("retry.max_retrys", "1", UsageError, "not a known key"),
    ("providers", "openai", UsageError, "not a known key"),
    ("retry.max_retries", "many", ConfigError, "must be a whole number"),
    ("retry.max_retries", "99", ConfigError, "at most 20"),
    ("retry.max_delay", "30", ConfigError, "30s"),
    ("providers.openai.api_key_env", "sk-abcdefgh123456", ConfigError, "NAME"),
    ("providers.default", "opnai", ConfigError, "no provider"),
    ("providers.openai.base_url", "http://10.1.1.1", ConfigError, "not encrypted"),
    ("models.tasks.poetry", "x", ConfigError, "not a task"),
    ("providers.openai.fallback_models", "claude/a", ConfigError, "circle"),
    ("costs.limits.openai_weekly", "1", ConfigError, "no limit"),
]


@pytest.mark.parametrize(("key", "text", "error", "message"), REFUSED)
def test_a_value_that_would_be_wrong_is_not_written(
    tmp_path: Path, key: str, text: str, error: type[Exception], message: str
) -> None:
    file = tmp_path / "config.toml"
    old = '[providers.claude]\nfallback_models = ["openai/b"]\n'
    file.write_text(old)
    with pytest.raises(error, match=message) as caught:
        set_value(file, key, text)
    assert "sk-abc" not in str(caught.value)
    assert file.read_text() == old


def test_other_mistakes_in_the_file_do_not_hinder_a_good_change(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[chat]\nmax_output = -1\nnonsense = 1\n")
    set_value(file, "chat.max_output", "5")
    assert file.read_text() == "[chat]\nmax_output = 5\nnonsense = 1\n"


@pytest.mark.parametrize("content", [b"a = ", b"\xff", b"ui = 1\n"])
def test_a_broken_file_is_left_alone(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError):
        set_value(file, "ui.theme", "nord")
    assert file.read_bytes() == content


def test_a_new_file_and_its_folder_are_private(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b" / "config.toml"
    set_value(file, "ui.theme", "nord")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert file.read_text() == '[ui]\ntheme = "nord"\n'


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target = tmp_path / "dotfiles" / "aircher.toml"
    target.parent.mkdir()
    target.write_text('[ui]\ntheme = "a"\n')
    link = tmp_path / "config.toml"
    link.symlink_to(Path("dotfiles") / "aircher.toml")
    set_value(link, "ui.theme", "b")
    assert link.is_symlink()
    assert target.read_text() == '[ui]\ntheme = "b"\n'
    assert os.listdir(target.parent) == ["aircher.toml"]


def test_a_byte_order_mark_stays(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(b'\xef\xbb\xbf[ui]\ntheme = "a"\n')
    set_value(file, "ui.theme", "b")
    assert file.read_bytes() == b'\xef\xbb\xbf[ui]\ntheme = "b"\n'


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_failure_at_any_step_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(COMMENTED)

    def fail(*_args: object, **_kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    if call == "write":
        monkeypatch.setattr(os, "fdopen", fail)
    else:
        monkeypatch.setattr(atomic.os, call, fail)
    with pytest.raises((StorageError, ConfigError), match="No space left"):
        set_value(file, "ui.theme", "b")
    monkeypatch.undo()
    assert file.read_text() == COMMENTED
    assert os.listdir(tmp_path) == ["config.toml"]


def test_a_crash_between_write_and_rename_leaves_the_old_file(tmp_path: Path) -> None:
    """A process dies as by kill -9 at the moment of the rename."""
    file = tmp_path / "config.toml"
    file.write_text(COMMENTED)
    code = (
        "import os, sys, pathlib\n"
        "from aircher.config.edit import set_value\n"
        "os.replace = lambda *_: os._exit(9)\n"
        "set_value(pathlib.Path(sys.argv[1]), 'ui.theme', 'b')\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(file)], check=False).returncode == 9
    assert file.read_text() == COMMENTED
    [left] = set(os.listdir(tmp_path)) - {"config.toml"}
    assert (tmp_path / left).read_text() == COMMENTED.replace('"nord"', '"b"')


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("")
    keys = [f"models.custom.openai/m{number}.max_output" for number in range(12)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda key: set_value(file, key, "100"), keys))
    assert len(tomllib.loads(file.read_text())["models"]["custom"]) == len(keys)


def test_a_bad_duration_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="initial_delay is not usable: write a duration"):
        set_value(tmp_path / "config.toml", "retry.initial_delay", "5")


def test_a_key_s_own_name_is_told_where_it_belongs(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        set_value(tmp_path / "config.toml", "providers.openai.api_key", "x")
    assert "environment variable" in refused.value.hint


def test_a_full_disk_is_not_told_as_a_matter_of_permissions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(StorageError) as refused:
        set_value(tmp_path / "config.toml", "ui.theme", "x")
    assert "Free some space" in refused.value.hint
    assert list(tmp_path.iterdir()) == []
