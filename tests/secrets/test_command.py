"""key_command: run without a shell, kept in memory, its failures told in one sentence."""

import os
import sys
from pathlib import Path

import pytest

from aircher.domain.errors import AuthenticationFailed, ConfigError
from aircher.domain.keys import KeyUse
from aircher.secrets.command import Command

pytestmark = pytest.mark.security

CANARY = "sk-canary-1234"


def python(code: str, *args: str) -> KeyUse:
    return KeyUse("openai", command=(sys.executable, "-c", code, *args))


def test_what_it_prints_is_the_key_and_it_is_run_once(tmp_path: Path) -> None:
    count = tmp_path / "count"
    code = "import sys; open(sys.argv[1], 'a').write('x'); print('  sk-canary-1234  ')"
    command = Command(os.environ)
    use = python(code, str(count))
    assert [command.get(use), command.get(use)] == [CANARY, CANARY]
    assert count.read_text() == "x"
    assert "canary" not in repr(command)


def test_there_is_no_shell() -> None:
    use = KeyUse("openai", command=("/bin/echo", "sk-$HOME;`id`"))
    assert Command(os.environ).get(use) == "sk-$HOME;`id`"


def test_it_is_given_no_vendor_s_key_but_what_password_managers_need() -> None:
    environ = {**os.environ, "OPENAI_API_KEY": "no", "MINE": "no", "OP_SERVICE_ACCOUNT_TOKEN": "op"}
    code = "import os; print('-'.join(sorted(v for v in os.environ.values() if v in ('no', 'op'))))"
    assert Command(environ, {"MINE"}).get(python(code)) == "op"


FAILURES = {
    "not installed": (KeyUse("openai", command=("/nowhere/op", "read")), "is not installed"),
    "fails": (python("import sys; print('sk-canary'); sys.exit('sk-canary')"), "with code 1"),
    "says nothing": (python(""), "printed nothing"),
    "waits": (python("import time; time.sleep(60)"), "did not answer within 0.5 s"),
    "reads stdin": (python("print(input())"), "with code 1"),
    "never ends": (python("while True: print('sk-canary' * 9999)"), "more than any key"),
    "closes its output and waits": (
        python("import os, time; os.close(1); time.sleep(60)"),
        "did not answer within 0.5 s",
    ),
    "leaves a child with its output": (
        python("import subprocess; subprocess.Popen(['sleep', '5'])"),
        "did not answer within 0.5 s",
    ),
    "a folder": (KeyUse("openai", command=("/",)), "cannot be run"),
    "a NUL": (KeyUse("openai", command=("a\0b",)), "cannot be run"),
}


@pytest.mark.parametrize("how", FAILURES)
def test_a_failure_is_one_sentence_without_its_output(how: str) -> None:
    use, said = FAILURES[how]
    with pytest.raises(AuthenticationFailed) as caught:
        Command(os.environ, limit_s=0.5 if "0.5 s" in said else 20).get(use)
    assert said in caught.value.message
    assert "canary" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    "text", ["two words", "two\nlines", "a" * 20_000, "caf\u00e9", "esc\x1b[0m"]
)
def test_what_cannot_be_a_key_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Command(os.environ).get(python(f"print({text!r})"))
    assert "key_command of openai" in caught.value.message
    assert text not in caught.value.message
