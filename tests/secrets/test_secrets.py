"""Where keys are looked for, what is refused, and that no key is ever shown."""

import logging
import os
import subprocess
import sys
import traceback
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import keyring
import keyring.backend
import keyring.backends.chainer
import keyring.backends.fail
import keyring.backends.null
import keyring.errors
import pytest

from aircher.domain.errors import AuthenticationFailed, ConfigError
from aircher.domain.keys import KeyPlace, KeyUse
from aircher.secrets.environment import Environment
from aircher.secrets.keys import Key, fault_of
from aircher.secrets.os_keyring import ALLOWED, OsKeyring, plausible
from aircher.secrets.source import Secrets, secrets_from

pytestmark = pytest.mark.security

NAMES = ("GEMINI_API_KEY", "GOOGLE_API_KEY")
HOME = "https://generativelanguage.googleapis.com"


def use(provider: str = "gemini", *names: str, **more: str) -> KeyUse:
    return KeyUse(provider, names or NAMES, more.get("origin", HOME), HOME)


SESSION = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere"}


class Memory(keyring.backend.KeyringBackend):
    """A keyring that lives in this process."""

    priority = 1

    def __init__(self, **keys: str) -> None:
        super().__init__()
        self.keys = keys
        self.asked: list[tuple[str, str]] = []

    def get_password(self, service: str, username: str) -> str | None:
        self.asked.append((service, username))
        return self.keys.get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self.keys[username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.keys[username]


class Locked(Memory):
    """A keyring that the user declined to unlock."""

    def get_password(self, service: str, username: str) -> str | None:
        raise keyring.errors.KeyringLocked("declined")


TRUSTED = ALLOWED | {f"{__name__}.Memory", f"{__name__}.Locked"}


@pytest.fixture(autouse=True)
def _no_keyring_left():
    yield
    keyring.set_keyring(keyring.backends.null.Keyring())


def place(secrets: Secrets, wanted: KeyUse) -> str | None:
    found = secrets.place(wanted)
    return found.source if found else None


def with_keyring(backend: keyring.backend.KeyringBackend, **environ: str) -> Secrets:
    keyring.set_keyring(backend)
    variables = SESSION | environ
    return Secrets((Environment(variables), OsKeyring(variables, TRUSTED)))


def test_the_first_variable_that_is_set_wins() -> None:
    secrets = secrets_from({"GEMINI_API_KEY": "", "GOOGLE_API_KEY": "g-key"}, keyring=False)
    assert secrets.get(use()) == "g-key"
    assert place(secrets, use()) == "GOOGLE_API_KEY"
    assert secrets.get(use("gemini", "OTHER")) is None
    assert place(secrets, use("gemini", "OTHER")) is None


def test_the_environment_is_asked_before_the_keyring() -> None:
    backend = Memory(gemini="from-keyring")
    secrets = with_keyring(backend, GEMINI_API_KEY="from-env")
    assert secrets.get(use()) == "from-env"
    assert place(secrets, use()) == "GEMINI_API_KEY"
    assert backend.asked == []


def test_the_keyring_is_asked_once_per_provider() -> None:
    backend = Memory(gemini="from-keyring")
    secrets = with_keyring(backend)
    for _ in range(2):
        assert secrets.get(use()) == "from-keyring"
        assert place(secrets, use()) == "keyring"
        assert secrets.get(use("openai", "OPENAI_API_KEY")) is None
    assert backend.asked == [("aircher", "gemini"), ("aircher", "openai")]


FAULTS = [
    ("sk-abc\n", "line break"),
    ("\rsk-abc", "line break"),
    ("sk-abc\r\nX-Evil: 1", "line break"),
    (" sk-abc", "blank"),
    ("sk-abc\t", "blank"),
    ("sk-\u00a0abc", "blank"),
    ("sk-\u2011abc", "outside ASCII"),
    ("sk-\u200babc", "outside ASCII"),
    ("\u201csk-abc\u201d", "outside ASCII"),
    ("sk-\x00abc", "control character"),
    ("sk-\x1babc", "control character"),
    ("sk-\x7fabc", "control character"),
]


@pytest.mark.parametrize(("key", "fault"), FAULTS)
def test_a_key_that_cannot_be_right_is_refused_without_showing_it(key: str, fault: str) -> None:
    for secrets, place in (
        (Secrets((Environment({"GEMINI_API_KEY": key}),)), "GEMINI_API_KEY"),
        (with_keyring(Memory(gemini=key)), "keyring"),
    ):
        with pytest.raises(ConfigError) as caught:
            secrets.get(use())
        said = caught.value.message + caught.value.hint
        assert fault in said
        assert place in said
        assert "abc" not in said


def test_every_visible_ascii_key_is_taken() -> None:
    assert fault_of("".join(map(chr, range(33, 127)))) == ""


def test_a_key_is_hidden_wherever_reprs_are_shown(caplog: pytest.LogCaptureFixture) -> None:
    key = Environment({"K": "sk-canary"}).get(use("x", "K"))
    assert isinstance(key, str)
    assert key == "sk-canary"
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").debug("%r %s", key, {"key": key})
    try:
        raise ValueError([key])
    except ValueError:
        trace = traceback.format_exc()
    for shown in (repr(key), f"{key!r}", repr([key]), caplog.text, trace):
        assert "canary" not in shown
    assert "canary" not in repr(with_keyring(Memory(gemini="sk-canary")).get(use()))


def test_the_stores_do_not_show_the_keys_they_found() -> None:
    secrets = with_keyring(Memory(gemini="sk-canary"))
    assert secrets.get(use()) == "sk-canary"
    assert "canary" not in repr(secrets.stores[1])


class Plain(Memory):
    """Stands for keyrings.alt's file in plain text, or anything else unheard of."""


class Disguised(Memory):
    """An unknown class under a known name's last part."""


Disguised.__qualname__ = "Keyring"


def chain(*parts: keyring.backend.KeyringBackend) -> keyring.backend.KeyringBackend:
    made = keyring.backends.chainer.ChainerBackend.__new__(keyring.backends.chainer.ChainerBackend)
    keyring.backends.chainer.ChainerBackend.backends = list(parts)
    return made


UNSAFE = {
    "plain text": lambda: Plain(gemini="k"),
    "disguised": lambda: Disguised(gemini="k"),
    "null": keyring.backends.null.Keyring,
    "fail": keyring.backends.fail.Keyring,
    "chain with one unknown": lambda: chain(Memory(gemini="k"), Plain(gemini="k")),
    "empty chain": chain,
}


@pytest.fixture
def _chain_restored(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keyring.backends.chainer.ChainerBackend, "backends", [])


@pytest.mark.usefixtures("_chain_restored")
@pytest.mark.parametrize("kind", UNSAFE)
def test_backends_that_are_not_known_to_be_safe_are_not_used(kind: str) -> None:
    secrets = with_keyring(UNSAFE[kind]())
    assert secrets.get(use()) is None
    assert place(secrets, use()) is None
    assert "not known to keep keys safe" in secrets.stores[1].note


@pytest.mark.usefixtures("_chain_restored")
def test_a_chain_of_safe_backends_is_used() -> None:
    secrets = with_keyring(chain(Memory(openai="o"), Memory(gemini="g")))
    assert secrets.get(use()) == "g"


def test_a_keyring_that_fails_counts_as_absent_and_says_so() -> None:
    secrets = with_keyring(Locked())
    assert secrets.get(use()) is None
    assert "KeyringLocked" in secrets.stores[1].note


@pytest.mark.parametrize(
    ("environ", "platform", "expected"),
    [
        ({}, "linux", False),
        (SESSION, "linux", True),
        (SESSION | {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}, "linux", False),
        ({"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}, "darwin", False),
        ({}, "darwin", True),
        ({}, "win32", True),
    ],
)
def test_a_keyring_is_looked_for_only_where_one_may_be(
    environ: dict[str, str], platform: str, expected: bool
) -> None:
    assert plausible(environ, platform) is expected


def test_a_user_bus_is_seen_without_its_variable(tmp_path: Path) -> None:
    environ = {"XDG_RUNTIME_DIR": str(tmp_path)}
    assert not plausible(environ, "linux")
    (tmp_path / "bus").touch()
    assert plausible(environ, "linux")


def test_keyring_is_not_imported_while_the_environment_has_the_key() -> None:
    code = (
        "import sys\n"
        "from aircher.secrets.source import secrets_from\n"
        "import os\n"
        "from aircher.domain.keys import KeyUse\n"
        "secrets = secrets_from(os.environ)\n"
        "assert secrets.get(KeyUse('openai', ('OPENAI_API_KEY',))) == 'k'\n"
        "assert 'keyring' not in sys.modules\n"
        "secrets.get(KeyUse('claude', ('ANTHROPIC_API_KEY',)))\n"
        "assert ('keyring' in sys.modules) is (sys.argv[1] == 'session')\n"
    )
    environ = {
        name: value for name, value in os.environ.items() if name.startswith(("PATH", "HOME"))
    }
    environ["OPENAI_API_KEY"] = "k"
    for argument, more in (("none", {}), ("session", SESSION)):
        subprocess.run([sys.executable, "-c", code, argument], env=environ | more, check=True)


def test_key_is_text_for_those_who_send_it() -> None:
    assert f"Bearer {Key('abc')}" == "Bearer abc"
    assert Key("abc").encode() == b"abc"


AT = datetime(2026, 11, 21, 10, tzinfo=UTC)


def test_what_the_keyring_is_given_goes_to_its_own_origin_alone() -> None:
    backend = Memory()
    store = with_keyring(backend).stores[1]
    assert isinstance(store, OsKeyring)
    store.put("gemini", "sk-new", "https://gateway.example", AT)
    assert store.where(use()) == KeyPlace("keyring", "https://gateway.example", AT)
    assert store.get(use(origin="https://gateway.example")) == "sk-new"
    with pytest.raises(AuthenticationFailed, match=r"is for https://gateway.example, but gemini"):
        store.get(use())
    assert store.remove("gemini")
    assert not store.remove("gemini")
    assert backend.keys == {}


def test_a_key_put_into_the_keyring_by_hand_is_for_the_vendor() -> None:
    store = with_keyring(Memory(gemini="bare")).stores[1]
    assert store.get(use()) == "bare"
    with pytest.raises(AuthenticationFailed, match=f"is for {HOME}"):
        store.get(use(origin="https://elsewhere.example"))


def test_a_variable_s_key_goes_to_its_vendor_alone_unless_it_is_named_for_another() -> None:
    secrets = secrets_from({"GEMINI_API_KEY": "sk-canary"}, keyring=False)
    there = use(origin="https://evil.example")
    with pytest.raises(AuthenticationFailed) as caught:
        secrets.get(there)
    assert "GEMINI_API_KEY is for https://generativelanguage" in caught.value.message
    assert 'api_key_env = "GEMINI_API_KEY"' in caught.value.hint
    assert "canary" not in caught.value.message + caught.value.hint
    assert secrets.get(replace(there, home=None)) == "sk-canary"


def test_a_keyring_that_is_not_safe_takes_no_key() -> None:
    store = with_keyring(Plain()).stores[1]
    assert isinstance(store, OsKeyring)
    assert not store.usable()
    with pytest.raises(ConfigError, match="not known to keep keys safe"):
        store.put("gemini", "sk-canary", HOME, AT)
