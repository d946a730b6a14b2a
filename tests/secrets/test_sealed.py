"""The encrypted file: what opens it, what does not, and what nobody can change unseen."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aircher.config.atomic import read_private, write_private
from aircher.domain.errors import AuthenticationFailed, ConfigError
from aircher.domain.keys import KeyPlace, KeyUse
from aircher.secrets.sealed import Files, SealedFile

pytestmark = pytest.mark.security

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
HOME = "https://api.openai.com"
OPENAI = KeyUse("openai", origin=HOME, home=HOME)
CANARY = "sk-canary-5d41402abc4b2a76b9719d911017c592"
CHEAP = {"n": 2**14, "r": 8, "p": 1}


def sealed(path: Path, passphrase: str | None = "correct horse") -> SealedFile:
    """As a new run of the program sees it."""
    return SealedFile(
        path,
        Files(read_private, write_private),
        lambda _lock: passphrase.encode() if passphrase else None,
        CHEAP,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "data" / "keys.sealed"
    sealed(file).put("openai", CANARY, HOME, AT, "passphrase")
    return file


def test_a_key_comes_back_and_stands_nowhere_in_the_file(path: Path) -> None:
    assert sealed(path).get(OPENAI) == CANARY
    assert sealed(path, None).places() == {"openai": KeyPlace("encrypted file", HOME, AT)}
    content = path.read_bytes()
    assert b"canary" not in content
    assert b"correct" not in content
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_the_same_key_is_never_sealed_alike(path: Path) -> None:
    before = json.loads(path.read_text())["keys"]["openai"]
    sealed(path).put("openai", CANARY, HOME, AT, "passphrase")
    after = json.loads(path.read_text())["keys"]["openai"]
    assert before["nonce"] != after["nonce"]
    assert before["data"] != after["data"]


@pytest.mark.parametrize("wrong", ["Correct horse", "", "correct horse ", "x" * 1000])
def test_a_wrong_passphrase_is_one_sentence(path: Path, wrong: str) -> None:
    with pytest.raises(AuthenticationFailed) as caught:
        sealed(path, wrong).get(OPENAI)
    assert caught.value.message.count(".") <= 2
    assert wrong not in caught.value.message or not wrong
    with pytest.raises(AuthenticationFailed):
        sealed(path, wrong).put("claude", "k", HOME, AT, "passphrase")
    assert sealed(path).get(OPENAI) == CANARY


def flip(text: str) -> str:
    return ("B" if text[0] == "A" else "A") + text[1:]


TAMPERED = {
    "data": lambda c: c["keys"]["openai"].update(data=flip(c["keys"]["openai"]["data"])),
    "nonce": lambda c: c["keys"]["openai"].update(nonce=flip(c["keys"]["openai"]["nonce"])),
    "time": lambda c: c["keys"]["openai"].update(set="2020-01-01T00:00:00+00:00"),
    "origin": lambda c: c["keys"]["openai"].update(origin="https://evil.example"),
    "moved to another provider": lambda c: c["keys"].update(claude=c["keys"].pop("openai")),
    "salt": lambda c: c["kdf"].update(salt=flip(c["kdf"]["salt"])),
    "cost": lambda c: c["kdf"].update(n=2**15),
    "cheap cost": lambda c: c["kdf"].update(n=2),
    "endless cost": lambda c: c["kdf"].update(n=2**30),
    "another kdf": lambda c: c["kdf"].update(name="none"),
    "check": lambda c: c["check"].update(data=flip(c["check"]["data"])),
    "no check": lambda c: c.pop("check"),
    "newer": lambda c: c.update(aircher_keys=2),
    "no version": lambda c: c.pop("aircher_keys"),
    "lock": lambda c: c.update(lock="nothing"),
    "keys is a list": lambda c: c.update(keys=[]),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_what_was_changed_does_not_open_and_is_not_deleted(path: Path, how: str) -> None:
    content = json.loads(path.read_text())
    TAMPERED[how](content)
    path.write_text(json.dumps(content))
    path.chmod(0o600)
    wherever = {"origin": "https://evil.example"}.get(how, HOME)
    for provider in ("openai", "claude"):
        use = KeyUse(provider, origin=wherever, home=HOME)
        try:
            assert sealed(path).get(use) is None
        except (AuthenticationFailed, ConfigError) as error:
            assert "canary" not in error.message + error.hint  # noqa: PT017 - either end is right
        assert sealed(path).path.exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"null", b"\xff\xfe", b'{"aircher_keys": 1}', b"[" * 5000],
    ids=["empty", "bare", "list", "null", "binary", "short", "deep"],
)
def test_a_file_that_is_none_is_said_to_be_damaged(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)
    for act in (
        lambda: sealed(path).get(OPENAI),
        lambda: sealed(path).places(),
        lambda: sealed(path).put("openai", "k", HOME, AT, "passphrase"),
    ):
        with pytest.raises(ConfigError, match="damaged"):
            act()
    assert path.read_bytes() == content


def test_a_key_is_for_its_origin_alone_and_the_passphrase_is_not_even_asked(path: Path) -> None:
    def never(_lock: str) -> bytes:
        raise AssertionError

    elsewhere = KeyUse("openai", origin="https://evil.example", home=HOME)
    with pytest.raises(AuthenticationFailed, match=r"is for https://api.openai.com, but openai"):
        SealedFile(path, Files(read_private, write_private), never).get(elsewhere)


def test_nobody_to_ask_is_said(path: Path) -> None:
    with pytest.raises(AuthenticationFailed, match="locked by a passphrase") as caught:
        sealed(path, None).get(OPENAI)
    assert "secrets.key_file" in caught.value.hint


def test_a_key_is_taken_out_without_the_passphrase(path: Path) -> None:
    assert sealed(path, None).remove("openai")
    assert not sealed(path, None).remove("openai")
    assert sealed(path).get(OPENAI) is None


def test_links_and_files_that_others_may_write_are_refused(path: Path, tmp_path: Path) -> None:
    path.chmod(0o622)
    with pytest.raises(ConfigError, match="others may write it"):
        sealed(path).places()
    path.chmod(0o644)
    assert sealed(path).get(OPENAI) == CANARY
    assert path.stat().st_mode & 0o777 == 0o600
    moved = tmp_path / "elsewhere"
    path.rename(moved)
    path.symlink_to(moved)
    with pytest.raises(ConfigError, match="it is a link"):
        sealed(path).places()
    with pytest.raises(OSError, match="it is a link"):
        write_private(path, b"x")
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ConfigError, match="not a plain file"):
        sealed(path).places()
