"""aircher keys: set, list, test, rotate, rm; nothing that is printed or stored shows a key."""

import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import keyring
import keyring.backend
import keyring.backends.null
import pytest

from aircher.bootstrap.opening import records
from aircher.cli.main import main
from aircher.domain.models import ModelRef
from aircher.domain.usage import FREE, Tokens, UsageRow
from aircher.secrets.os_keyring import OsKeyring
from tests.support.loopback import plain, serving
from tests.support.program import run, write_config

pytestmark = pytest.mark.security

OLD, NEW = "sk-canary-old-0123456789", "sk-canary-new-0123456789"
Aircher = Callable[..., tuple[int, str, str]]


@pytest.fixture
def aircher(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Aircher:
    """Runs a command; ``stdin`` is piped in, ``typed`` are the passphrases, in order."""

    def call(*words: str, stdin: str = "", typed: tuple[str, ...] = ()) -> tuple[int, str, str]:
        answers = iter(typed)
        monkeypatch.setattr("aircher.cli.keys.at_terminal", lambda _prompt: next(answers, None))
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code = main(words)
        said = capsys.readouterr()
        assert "canary" not in said.out + said.err
        return code, said.out, said.err

    return call


@pytest.fixture
def key_file(home: Path) -> Path:
    """A key file instead of a passphrase."""
    file = home / "unlock"
    file.write_bytes(os.urandom(32))
    file.chmod(0o600)
    write_config(home, f'[secrets]\nkey_file = "{file}"\n')
    return file


def listed(aircher: Aircher) -> dict[str, dict[str, object]]:
    return {row["provider"]: row for row in json.loads(aircher("keys", "list", "--json")[1])}


def test_a_key_is_stored_listed_and_removed(aircher: Aircher, key_file: Path, home: Path) -> None:
    code, out, err = aircher("keys", "set", "openai", stdin=f"{OLD}\n")
    assert (code, out) == (0, "")
    assert "is in the encrypted file; it is sent to https://api.openai.com alone" in err
    row = listed(aircher)["openai"]
    assert (row["source"], row["origin"]) == ("encrypted file", "https://api.openai.com")
    shown = aircher("keys", "list")[1]
    assert "just now" in shown
    assert "openai" in aircher("provider", "list")[1]
    assert "no key" not in json.dumps(
        [
            r
            for r in json.loads(aircher("provider", "list", "--json")[1])
            if r["provider"] == "openai"
        ]
    )
    for file in home.rglob("*"):
        assert file.is_dir() or b"canary" not in file.read_bytes(), file
    assert "Took the key" in aircher("keys", "rm", "openai")[2]
    assert "openai" not in listed(aircher)
    assert "No key of openai is stored here." in aircher("keys", "rm", "openai")[2]


def test_a_passphrase_is_chosen_twice_and_wanted_from_then_on(aircher: Aircher) -> None:
    code, _, err = aircher("keys", "set", "openai", stdin=OLD, typed=("long enough", "not same"))
    assert (code, "were not the same" in err) == (2, True)
    assert aircher("keys", "set", "openai", stdin=OLD, typed=("short",))[0] == 2
    assert aircher("keys", "set", "openai", stdin=OLD)[0] == 7
    assert listed(aircher) == {}
    assert aircher("keys", "set", "openai", stdin=OLD, typed=("long enough", "long enough"))[0] == 0
    code, _, err = aircher("keys", "set", "claude", stdin=OLD, typed=("wrong one",))
    assert (code, "That is not the passphrase" in err) == (1, True)
    assert aircher("keys", "set", "claude", stdin=OLD, typed=("long enough",))[0] == 0
    assert set(listed(aircher)) == {"openai", "claude"}
    code, out, _ = aircher("keys", "test", "openai")
    assert (code, "locked by a passphrase" in out) == (1, True)


@pytest.mark.parametrize(
    ("words", "stdin", "code", "said"),
    [
        (("set", "openai", OLD), "", 2, "never given as an argument"),
        (("rotate", "openai", OLD), "", 2, ""),
        (("set", OLD), "", 2, "never given as an argument"),
        (("test", OLD), "", 2, "never given as an argument"),
        (("set", "openai"), "", 2, "No key was given"),
        (("set", "openai"), "two words", 7, "holds a blank"),
        (("set", "openai"), "sk-caf\u00e9", 7, "outside ASCII"),
        (("set", "nosuch"), OLD, 2, "No provider is named"),
        (("set", "azure"), OLD, 2, "has no address yet"),
        (("set", "openai", "--to", "keyring"), OLD, 7, "There is no keyring in this session"),
        (("rotate", "openai"), NEW, 2, "No key of openai is stored here"),
    ],
)
def test_what_cannot_be_stored_is_one_sentence(
    aircher: Aircher, key_file: Path, words: tuple[str, ...], stdin: str, code: int, said: str
) -> None:
    got, out, err = aircher("keys", *words, stdin=stdin)
    assert (got, out) == (code, "")
    assert said in err
    assert listed(aircher) == {}


def gateway(home: Path, key_file: Path, url: str, more: str = "") -> None:
    write_config(
        home,
        f'[secrets]\nkey_file = "{key_file}"\n[providers]\nfallback_order = ["gate"]\n'
        f'[providers.gate]\nkind = "openai"\nbase_url = "{url}/v1"\nmodel = "m"\n{more}',
    )


MODELS = plain({"data": [{"id": "m"}, {"id": "n"}]})
REFUSED = plain({"error": {"message": f"Incorrect API key provided: {NEW}"}}, 401)


async def test_rotate_tries_the_new_key_and_keeps_the_old_one_until_it_works(
    home: Path, key_file: Path
) -> None:
    async with serving(MODELS) as server:
        gateway(home, key_file, server.url)

        async def keys(*words: str, stdin: str = "") -> tuple[int, str]:
            ran = await run("keys", *words, stdin=stdin.encode())
            assert "canary" not in ran.out + ran.err
            return ran.code, ran.out + ran.err

        assert (await keys("set", "gate", stdin=OLD))[0] == 0
        code, said = await keys("test")
        assert (code, "gate: works (2 models)" in said) == (0, True)
        server.answers[:] = [REFUSED]
        code, said = await keys("rotate", "gate", stdin=NEW)
        assert (code, "the old one stays" in said) == (1, True)
        server.answers[:] = [MODELS]
        await keys("test", "gate")
        assert server.received[-1].headers["authorization"] == f"Bearer {OLD}"
        code, said = await keys("rotate", "gate", stdin=NEW)
        assert (code, "The new key works: 2 models" in said) == (0, True)
        await keys("test", "gate")
        assert server.received[-1].headers["authorization"] == f"Bearer {NEW}"


async def test_a_changed_address_is_refused_until_the_key_is_set_for_it(
    home: Path, key_file: Path
) -> None:
    async with serving(MODELS) as first, serving(MODELS) as second:
        gateway(home, key_file, first.url)
        assert (await run("keys", "set", "gate", stdin=OLD.encode())).code == 0
        gateway(home, key_file, second.url)
        ran = await run("ask", "hi")
        assert ran.code == 1
        assert f"is for {first.url}, but gate is at {second.url}; it was not sent" in ran.err
        assert "aircher keys set gate" in ran.err
        assert second.received == []
        doctor = (await run("doctor")).out
        assert f"the key in encrypted file is for {first.url}, not for {second.url}" in doctor
        assert (await run("keys", "set", "gate", stdin=NEW.encode())).code == 0
        assert "works" in (await run("keys", "test", "gate")).out
        assert second.received[-1].headers["authorization"] == f"Bearer {NEW}"


async def test_an_environment_s_key_is_sent_elsewhere_only_when_named_there(home: Path) -> None:
    async with serving(MODELS) as server:
        table = f'[providers.openai]\nbase_url = "{server.url}/v1"\n'
        write_config(home, table)
        env = {"OPENAI_API_KEY": OLD}
        ran = await run("keys", "test", "openai", env=env)
        assert ran.code == 1
        assert "OPENAI_API_KEY is for https://api.openai.com, but openai is at" in ran.out
        assert 'api_key_env = "OPENAI_API_KEY"' in ran.err
        assert server.received == []
        write_config(home, f'{table}api_key_env = "OPENAI_API_KEY"\n')
        assert (await run("keys", "test", "openai", env=env)).code == 0
        assert server.received[-1].headers["authorization"] == f"Bearer {OLD}"


async def test_a_command_s_key_is_sent(home: Path, key_file: Path) -> None:
    async with serving(MODELS) as server:
        code = 'key_command = ["/bin/echo", "sk-from-command"]'
        gateway(home, key_file, server.url, code)
        ran = await run("keys", "test")
        assert "gate: works" in ran.out
        assert server.received[-1].headers["authorization"] == "Bearer sk-from-command"
        assert json.loads((await run("keys", "list", "--json")).out)[0]["source"] == "key_command"


def test_the_key_file_must_be_private(aircher: Aircher, key_file: Path) -> None:
    key_file.chmod(0o620)
    code, _, err = aircher("keys", "set", "openai", stdin=OLD)
    assert (code, "others may write it" in err) == (7, True)
    key_file.chmod(0o600)
    key_file.write_bytes(b"short")
    assert "too short to be safe" in aircher("keys", "set", "openai", stdin=OLD)[2]


class Keyring(keyring.backend.KeyringBackend):
    """A keyring in memory that counts as safe here."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[username]


@pytest.fixture
def system_keyring(monkeypatch: pytest.MonkeyPatch) -> Iterator[Keyring]:
    made = Keyring()
    keyring.set_keyring(made)
    safe = frozenset({f"{Keyring.__module__}.{Keyring.__qualname__}"})
    monkeypatch.setattr("aircher.bootstrap.sources.OsKeyring", partial(OsKeyring, allowed=safe))
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
    yield made
    keyring.set_keyring(keyring.backends.null.Keyring())


def test_the_keyring_is_taken_where_there_is_one(aircher: Aircher, system_keyring: Keyring) -> None:
    code, _, err = aircher("keys", "set", "openai", stdin=OLD)
    assert (code, "is in the keyring" in err) == (0, True)
    assert json.loads(system_keyring.kept["openai"])["origin"] == "https://api.openai.com"
    assert listed(aircher)["openai"]["source"] == "keyring"
    rows = json.loads(aircher("provider", "list", "--json")[1])
    [row] = [row for row in rows if row["provider"] == "openai"]
    assert "no key" not in row["note"], "a key that was stored is used without a line of settings"
    assert "keyring" in aircher("keys", "rm", "openai")[2]
    assert system_keyring.kept == {}
    assert listed(aircher) == {}


def test_a_key_is_in_one_place_only(
    aircher: Aircher, key_file: Path, system_keyring: Keyring
) -> None:
    assert aircher("keys", "set", "openai", "--to", "keyring", stdin=OLD)[0] == 0
    assert aircher("keys", "set", "openai", "--to", "file", stdin=NEW)[0] == 0
    assert system_keyring.kept == {}
    assert listed(aircher)["openai"]["source"] == "encrypted file"
    assert aircher("keys", "set", "openai", "--to", "keyring", stdin=OLD)[0] == 0
    assert listed(aircher)["openai"]["source"] == "keyring"
    assert "keyring" in aircher("keys", "rm", "openai")[2]
    assert listed(aircher) == {}


def test_a_variable_that_comes_first_is_said(
    aircher: Aircher, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", NEW)
    err = aircher("keys", "set", "openai", stdin=OLD)[2]
    assert "It is not used now: OPENAI_API_KEY comes first." in err
    assert listed(aircher)["openai"]["source"] == "OPENAI_API_KEY"


def test_when_a_key_was_last_used_is_known_from_the_ledger(
    aircher: Aircher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", NEW)
    used = datetime.now(UTC) - timedelta(days=3, hours=1)
    with records() as opened:
        opened.ledger.settle(
            None,
            UsageRow(
                at=used, ref=ModelRef("openai", "m"), task="default", tokens=Tokens(1, 2), cost=FREE
            ),
        )
    assert "3 days ago" in aircher("keys", "list")[1]
    assert str(listed(aircher)["openai"]["last_used"]).startswith(f"{used:%Y-%m-%d}")


def test_no_variable_names_a_command_to_run(
    aircher: Aircher, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRCHER_PROVIDERS_OPENAI_KEY_COMMAND", "touch,/nowhere")
    assert listed(aircher) == {}
