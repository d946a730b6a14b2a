"""A canary key through every feature and a crash: it reaches the provider, and nothing else.

Looked through: what is printed, every file that exists afterwards, and the environment and
arguments of every program that was started.
"""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from aircher.bootstrap.logs import begun
from aircher.cli.main import main
from aircher.domain.children import names_a_secret
from aircher.entry import main as entry
from aircher.providers.local.child import _PASSED_ON
from tests.support.program import run, write_config
from tests.support.terminal import terminal, tmux_found

pytestmark = pytest.mark.security

CANARY = "sk-canary7f3a9c01d2ab47e6"
KINDS = {"o": "openai", "a": "anthropic", "g": "gemini", "l": "ollama", "b": "bedrock"}


class Echoing:
    """Answers every call with 401 and the key that it was sent, in body and headers."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.asked: list[str] = []
        """The path of each call that brought the canary."""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", 0)))
                names = ("authorization", "x-api-key", "x-goog-api-key", "api-key")
                sent = " ".join(self.headers.get(name, "") for name in names).strip()
                outer.keys.append(sent)
                if CANARY in sent:
                    outer.asked.append(self.path)
                error = {
                    "message": f"Incorrect API key provided: {sent}",
                    "type": "invalid",
                    "code": 401,
                }
                body = json.dumps({"error": error, "type": "error"}).encode()
                self.send_response(401, f"No {CANARY}")
                for name, value in (
                    ("content-type", "application/json"),
                    ("content-length", str(len(body))),
                    ("x-request-id", sent or "none"),
                    ("www-authenticate", f"Bearer {sent}"),
                ):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = _answer  # noqa: N815 - http.server's names

            def log_message(self, *_args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def server() -> Iterator[Echoing]:
    made = Echoing()
    yield made
    made.close()


@pytest.fixture
def children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """git and an editor that note what they are given; the folder of the notes."""
    folder = tmp_path / "children"
    programs = tmp_path / "bin"
    folder.mkdir()
    programs.mkdir()
    for name, then in (("git", 'exec /usr/bin/git "$@"'), ("myeditor", "exit 0")):
        script = programs / name
        script.write_text(
            f'#!/bin/sh\ncat /proc/$$/environ /proc/$$/cmdline > "{folder}/{name}-$$"\n{then}\n'
        )
        script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("VISUAL", "myeditor")
    return folder


@pytest.fixture
def ready(
    home: Path, server: Echoing, children: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Five providers, one for each SDK; the key in a variable with a name of the user's own."""
    tables = "".join(
        f'[providers.{name}]\nkind = "{kind}"\nbase_url = "{server.url}"\nmodel = "m"\n'
        'api_key_env = "WHATEVER_IT_IS"\n'
        for name, kind in KINDS.items()
    )
    order = list(KINDS)
    write_config(
        home,
        f"[providers]\nfallback_order = {order}\n{tables}[retry]\nmax_retries = 1\ninitial_delay = '0s'\n",
    )
    monkeypatch.setenv("WHATEVER_IT_IS", CANARY)
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    os.system("git init -q . && touch a b && git add a")
    for note in children.iterdir():
        note.unlink()  # that was ours
    return tmp_path


def found_in(*roots: Path) -> list[Path]:
    """Every file that holds the canary."""
    files = (one for root in roots for one in root.rglob("*") if one.is_file())
    return [one for one in files if CANARY.encode() in one.read_bytes()]


COMMANDS: tuple[tuple[str, ...], ...] = (
    *(("ask", "--model", f"{name}/m", "--no-fallback", "hi") for name in KINDS),
    ("ask", "--output-format", "json", "hi"),
    ("ask", "--output-format", "stream-json", "hi"),
    ("route", "hi"),
    ("models", "--all"),
    ("provider", "status"),
    ("provider", "status", "--json"),
    ("provider", "list", "--json"),
    ("config", "show", "--origin"),
    ("config", "show", "--json"),
    ("config", "check", "--json"),
    ("config", "edit"),
    ("keys", "list"),
    ("keys", "list", "--json"),
    ("keys", "test"),
    ("sessions", "list"),
    ("sessions", "list", "--json"),
    ("costs", "--json"),
    ("doctor", "--json"),
    ("doctor", "--online"),
    ("trust", "list"),
    ("completions", "bash"),
)


@pytest.fixture
def one_log() -> Iterator[None]:
    """A process writes one log until it ends; the tests after this one want theirs."""
    yield
    if handler := begun():
        logging.getLogger().removeHandler(handler)
        handler.close()


@pytest.mark.usefixtures("one_log")
def test_every_command(
    ready: Path,
    home: Path,
    server: Echoing,
    children: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = home / "a.log"
    for words in COMMANDS:
        monkeypatch.setattr(sys, "stdin", io.StringIO(""))
        monkeypatch.setattr(
            sys, "argv", ["aircher", "--log", str(log), "--log-level", "debug", *words]
        )
        streams = sys.stdout, sys.stderr, sys.excepthook
        try:
            entry()
        except SystemExit:
            pass
        finally:
            sys.stdout, sys.stderr, sys.excepthook = streams
        said = capfd.readouterr()
        assert CANARY not in said.out + said.err, words
    assert sum(CANARY in key for key in server.keys) >= len(KINDS)
    for road in ("/chat/completions", "/messages", ":streamGenerate", "/api/chat", "/converse"):
        assert any(road in path for path in server.asked), road
    assert log.stat().st_size > 1000
    assert {note.name.partition("-")[0] for note in children.iterdir()} >= {"git", "myeditor"}
    assert found_in(home, ready) == []


CHANGES: tuple[tuple[str, ...], ...] = (
    ("commit", "--dry-run"),
    ("commit", "--print"),
    ("commit", "--json", "--yes"),
    ("commit", "--split", "--yes"),
    ("commit", "--amend", "--yes", "--signoff"),
    ("commit", "--range", "HEAD~1..HEAD"),
    ("pr", "HEAD~1"),
    ("changelog", "HEAD~1..HEAD"),
    ("branch", "add a greeting"),
    ("hook", "install"),
    ("hook", "status"),
    ("pull", "--provider", "l", "m"),
)


@pytest.fixture
def with_changes(ready: Path) -> Path:
    """A repository with a commit and the next one staged; the provider answers with 401."""
    for number in (1, 2):
        Path("a").write_text(f"def greeting():\n    return {number}\n")
        for words in (("add", "-A"), ("commit", "-qm", "Begin"))[: 3 - number]:
            subprocess.run(["/usr/bin/git", *words], check=True)
    return ready


async def test_commits_and_what_is_written_of_them(
    with_changes: Path, home: Path, server: Echoing, children: Path
) -> None:
    log = ("--log", str(home / "a.log"), "--log-level", "debug")
    for words in CHANGES:
        ran = await run(*log, *words)
        assert CANARY not in ran.out + ran.err, words
        assert "Traceback" not in ran.err
        Path("a").write_text(Path("a").read_text() + f"# {words}\n")
        subprocess.run(["/usr/bin/git", "add", "a"], check=True)
    assert any(CANARY in key for key in server.keys)
    assert {note.name.partition("-")[0] for note in children.iterdir()} == {"git"}
    assert found_in(home, with_changes) == []


async def test_the_hook_in_git_s_own_commit(
    with_changes: Path,
    home: Path,
    server: Echoing,
    children: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CI", raising=False)  # where the hook does nothing
    assert (await run("hook", "install")).code == 0
    # As git runs it, but with a git that notes what it is given: git puts its own folder first.
    message = Path(".git", "COMMIT_EDITMSG")
    message.write_text("\n# Please enter the commit message.\n")
    hook = Path(".git", "hooks", "prepare-commit-msg").absolute()
    done = subprocess.run([hook, str(message)], capture_output=True, text=True, check=True)
    assert "no message was written" in message.read_text()
    assert any(CANARY in key for key in server.keys)
    said = done.stdout + done.stderr
    assert "aircher ended with" not in said, (
        "then the shell would ask git, with the user's own keys"
    )
    assert list(children.iterdir())

    environ = {**os.environ, "GIT_EDITOR": "sed -i 1s/^/Greet/"}
    done = subprocess.run(
        ["/usr/bin/git", "commit"], env=environ, capture_output=True, text=True, check=True
    )
    assert CANARY not in said + done.stdout + done.stderr
    shown = subprocess.run(
        ["/usr/bin/git", "log", "-1"], capture_output=True, text=True, check=True
    )
    assert CANARY not in shown.stdout
    assert found_in(home, with_changes) == []


def test_stored_keys_as_well(
    ready: Path,
    home: Path,
    server: Echoing,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unlock = home / "unlock"
    unlock.write_bytes(os.urandom(32))
    unlock.chmod(0o600)
    write_config(
        home,
        f'[secrets]\nkey_file = "{unlock}"\n[providers.o]\nkind = "openai"\nbase_url = "{server.url}"\nmodel = "m"\n',
    )
    for words in (
        ("keys", "set", "o"),
        ("keys", "rotate", "o"),
        ("keys", "test", "o"),
        ("keys", "list"),
    ):
        monkeypatch.setattr(sys, "stdin", io.StringIO(CANARY))
        main(words)
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    main(["ask", "--model", "o/m", "--no-fallback", "hi"])
    said = capfd.readouterr()
    assert CANARY not in said.out + said.err
    assert any(CANARY in key for key in server.keys)
    assert found_in(home, ready) == []


CRASH = """
import sys
from aircher.providers import registry
def made(kind, connection):
    raise AssertionError(f"headers: {{'Authorization': 'Bearer {connection.key}'}} {connection.key!r}")
registry._made = made
sys.argv = ["aircher", "--log", sys.argv[1], "ask", "hi"]
from aircher.entry import main
sys.exit(main())
"""


async def test_a_crash(ready: Path, home: Path, tmp_path: Path) -> None:
    import asyncio

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CRASH, str(home / "a.log"),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert b"something went wrong inside (AssertionError" in err
    assert CANARY.encode() not in out + err
    events = [json.loads(line)["event"] for line in (home / "a.log").read_text().splitlines()]
    assert "crash" in events
    assert found_in(home, ready) == []


def test_the_built_in_model_s_process_gets_no_variable_with_a_key() -> None:
    assert not [name for name in _PASSED_ON if names_a_secret(name)]


APP_CRASH = CRASH.replace(
    '["aircher", "--log", sys.argv[1], "ask", "hi"]', '["aircher", "--log", sys.argv[1]]'
)


@pytest.mark.story
@pytest.mark.skipif(not tmux_found(), reason="needs tmux: apt install tmux")
@pytest.mark.parametrize("how", ["as it is", "crashing"])
async def test_the_app(ready: Path, home: Path, server: Echoing, children: Path, how: str) -> None:
    words = (sys.executable, "-m", "aircher", "--log", str(home / "a.log"))
    if how == "crashing":
        words = (sys.executable, "-c", APP_CRASH, str(home / "a.log"))
    with terminal(Path.cwd()) as pane:
        pane.start(words)
        screens = [await pane.wait_for("Answers now")] if how != "crashing" else []
        if how != "crashing":
            pane.key("C-g")
            await _until(lambda: any("myeditor" in note.name for note in children.iterdir()))
            await pane.wait_for("Answers now")
        else:
            screens.append(await pane.wait_for("A fault in Aircher ended it"))
            assert "****" in screens[-1]
            assert "[31m" not in screens[-1]  # no leftovers of colours that did not get through
        if how != "crashing":
            pane.type("hello")
            await pane.wait_for("price unknown")
            pane.key("Enter")
            screens.append(await pane.wait_for("hello"))
            await _until(lambda: any(CANARY in key for key in server.keys))
            screens.append(await pane.wait_for("key"))
            pane.key("F4")
            screens.append(await pane.wait_for("Enter switches"))
            pane.key("Escape")
            await pane.wait_gone("Enter switches")
            pane.key("C-d")
            assert await pane.wait_ended() >= 0
        screens.append(pane.screen())
    assert CANARY not in "".join(screens)
    assert found_in(home, ready) == []


@pytest.mark.story
@pytest.mark.skipif(not tmux_found(), reason="needs tmux: apt install tmux")
async def test_a_commit_in_the_app(
    with_changes: Path, home: Path, server: Echoing, children: Path
) -> None:
    words = (sys.executable, "-m", "aircher", "--log", str(home / "a.log"), "--log-level", "debug")
    with terminal(Path.cwd()) as pane:
        pane.start(words)
        await pane.wait_for("Answers now")
        pane.type("/commit to greet better")
        pane.key("Enter")
        await _until(lambda: bool(server.asked))
        screens = [await pane.wait_for("did not accept the key")]
        pane.key("Escape")
        await pane.wait_gone("did not accept the key")
        screens.append(pane.screen())
        pane.key("C-d")
        assert await pane.wait_ended() >= 0
        screens.append(pane.screen())
    assert CANARY not in "".join(screens)
    assert {note.name.partition("-")[0] for note in children.iterdir()} == {"git"}
    assert found_in(home, with_changes) == []


SECRET_KEY = "canary7f3a9c01d2ab47e6" + "x" * 18
"""What Amazon calls a secret access key: it signs, and is never sent."""


@pytest.mark.usefixtures("one_log")
@pytest.mark.parametrize("by", ["environment", "file"])
async def test_a_key_that_only_signs(
    ready: Path, home: Path, server: Echoing, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    monkeypatch.delenv("WHATEVER_IT_IS")
    if by == "environment":
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEEXAMPLE01")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    else:
        given = home / "aws"
        given.write_text(
            "[default]\naws_access_key_id = AKIAEXAMPLEEXAMPLE01\n"
            f"aws_secret_access_key = {SECRET_KEY}\n"
        )
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(given))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    write_config(
        home,
        f'[providers.bedrock_converse]\nbase_url = "{server.url}"\nmodel = "m"\n'
        '[providers]\ndefault = "bedrock_converse"\nfallback_order = ["bedrock_converse"]\n'
        "[retry]\nmax_retries = 0\n",
    )
    log = ("--log", str(home / "a.log"), "--log-level", "debug")
    for words in (("ask", "hi"), ("keys", "list"), ("doctor", "--online"), ("models",)):
        ran = await run(*log, *words)
        assert SECRET_KEY not in ran.out + ran.err, words
    assert any("AWS4-HMAC-SHA256" in key for key in server.keys), server.keys
    assert not any(SECRET_KEY in key for key in server.keys)
    held = [
        one for one in home.rglob("*") if one.is_file() and SECRET_KEY.encode() in one.read_bytes()
    ]
    assert held == ([home / "aws"] if by == "file" else [])


async def _until(question: Callable[[], Any]) -> None:
    import asyncio

    async with asyncio.timeout(20):
        while not question():
            await asyncio.sleep(0.02)


async def test_a_key_on_the_command_line_is_not_repeated(home: Path) -> None:
    for words in (
        ("keys", "set", "openai", CANARY),
        ("keys", "set", CANARY),
        ("keys", "rm", CANARY),
    ):
        ran = await run(*words)
        assert ran.code == 2
        assert CANARY not in ran.out + ran.err
