"""``python -m benchmarks.commit.peers --peers FOLDER [--only NAME ...] [--cases NAME ...]``

Edge cases that real repositories have, and what Aircher and its peers do with them.  Each case is a
fresh repository; everyone talks to the same recording server on this machine, which answers each
request with the same text.  Prints a Markdown table: "ok", or what was wrong.

The peers are installed by hand, in FOLDER, and are told where the server is:

    npm install --prefix FOLDER aicommits opencommit
    python -m venv FOLDER/gac && FOLDER/gac/bin/pip install gac
    python -m venv FOLDER/aider && FOLDER/aider/bin/pip install aider-chat

One that is not there is left out.  A run takes at most ``LIMIT_S``; "hangs" means that it took longer.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

LIMIT_S = 60
GOOD = "Change what is staged"
LONG = "Change what is staged " + "and explain all of it at great length " * 5
KEY = "AKIA" + "Q4XN7RTB2LKM6WZP"
WHO = {"GIT_AUTHOR_NAME": "T", "GIT_AUTHOR_EMAIL": "t@example.invalid",
       "GIT_COMMITTER_NAME": "T", "GIT_COMMITTER_EMAIL": "t@example.invalid"}  # fmt: skip


# -- the server


class Server(ThreadingHTTPServer):
    """Answers every chat completion with ``reply``, and keeps the requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.reply = GOOD
        self.before: Callable[[], object] = lambda: None
        self.texts: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._send(b'{"object": "list", "data": [{"id": "m", "object": "model"}]}')

    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        server.texts.append(json.dumps(body, ensure_ascii=False))
        server.before()
        said = {"role": "assistant", "content": server.reply}
        done: dict[str, Any] = {"id": "x", "created": 1, "model": "m"}
        usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
        if body.get("stream"):
            chunk = done | {"object": "chat.completion.chunk"}
            first = chunk | {"choices": [{"index": 0, "delta": said, "finish_reason": None}]}
            last = chunk | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
            events = [first, last, chunk | {"choices": [], "usage": usage}]
            text = "".join(f"data: {json.dumps(one)}\n\n" for one in events) + "data: [DONE]\n\n"
            self._send(text.encode(), "text/event-stream")
        else:
            choice = {"index": 0, "message": said, "finish_reason": "stop"}
            whole = done | {"object": "chat.completion", "choices": [choice], "usage": usage}
            self._send(json.dumps(whole).encode())

    def _send(self, data: bytes, kind: str = "application/json") -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()


# -- who is compared


@dataclass(frozen=True)
class Peer:
    """A program that commits without asking; ``{url}`` stands for the server in its settings."""

    name: str
    version: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    """Files in its HOME."""
    first: tuple[str, ...] = ()
    """What is run once before: some migrate their settings, and end."""


AIRCHER = """
[providers]
default = "mine"
[providers.mine]
kind = "openai"
base_url = "{url}"
model = "m"
[models.custom."mine/m"]
input_price = 1.0
output_price = 2.0
context_window = 64000
"""


def peers(folder: Path) -> list[Peer]:
    """Those that are there."""
    bins = folder / "node_modules" / ".bin"
    gac, aider = folder / "gac/bin/gac", folder / "aider/bin/aider"
    aircher = [sys.executable, "-m", "aircher"]
    both = {"OPENAI_API_KEY": "sk-none", "OPENAI_BASE_URL": "{url}", "OPENAI_API_BASE": "{url}"}
    found = [
        Peer("aircher", _version([*aircher, "--version"]), (*aircher, "commit", "--yes"),
             files={".config/aircher/config.toml": AIRCHER}),
        Peer("aicommits", _version([str(bins / "aicommits"), "--version"]), (str(bins / "aicommits"), "--yes"), both,
             {".aicommits": "provider=custom\nOPENAI_API_KEY=sk-none\nOPENAI_BASE_URL={url}\nOPENAI_MODEL=m\n"}),
        Peer("opencommit", _version([str(bins / "oco"), "--version"]), (str(bins / "oco"), "--yes"),
             {"OCO_AI_PROVIDER": "openai", "OCO_API_KEY": "sk-none", "OCO_API_URL": "{url}", "OCO_MODEL": "gpt-4o-mini",
              "OCO_GITPUSH": "false"},
             {".opencommit": "OCO_AI_PROVIDER=openai\nOCO_API_KEY=sk-none\nOCO_API_URL={url}\nOCO_MODEL=gpt-4o-mini\nOCO_GITPUSH=false\n"},
             (str(bins / "oco"), "--yes")),
        Peer("gac", _version([str(gac), "--version"]), (str(gac), "--yes"),
             {"GAC_MODEL": "custom-openai:m", "CUSTOM_OPENAI_API_KEY": "sk-none", "CUSTOM_OPENAI_BASE_URL": "{url}",
              "GAC_NO_TIKTOKEN": "true", "GAC_LANGUAGE": "English"},
             {".gac.env": "GAC_MODEL=custom-openai:m\nCUSTOM_OPENAI_API_KEY=sk-none\nCUSTOM_OPENAI_BASE_URL={url}\n"
                          "GAC_NO_TIKTOKEN=true\nGAC_LANGUAGE=English\n"}),
        Peer("aider", _version([str(aider), "--version"]),
             (str(aider), "--commit", "--model", "openai/m", "--openai-api-base", "{url}", "--openai-api-key", "sk-none",
              "--yes-always", "--no-check-update", "--no-show-release-notes", "--analytics-disable", "--no-gitignore",
              "--no-show-model-warnings", "--no-auto-lint"), both),
    ]  # fmt: skip
    return [peer for peer in found if peer.version]


def _version(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False,
                              env={**os.environ, "NO_COLOR": "1"})  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    words = f"{done.stdout} {done.stderr}".replace("v", " ").split()
    return next((word for word in words if word[:1].isdigit() and "." in word), "?")


# -- the cases


@dataclass
class Scene:
    """One repository, and what came of a run in it."""

    path: Path
    server: Server
    cwd: Path
    env: dict[str, str] = field(default_factory=dict)
    head: str = ""
    staged: str = ""
    work: str = ""

    def git(self, *words: str, text: str = "") -> str:
        done = subprocess.run(["git", *words], cwd=self.path, input=text, capture_output=True,
                              text=True, check=False, env=_clean())  # fmt: skip
        return done.stdout.removesuffix("\n")

    def write(self, name: str, content: str) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    def stage(self, name: str, content: str = "x = 1\n") -> None:
        self.write(name, content)
        self.git("--literal-pathspecs", "add", "-f", "--", name)

    def hook(self, name: str, body: str) -> None:
        self.write(f".git/hooks/{name}", f"#!/bin/sh\n{body}\n")
        (self.path / ".git/hooks" / name).chmod(0o755)

    def remember(self) -> None:
        self.head, self.staged = (
            self.git("rev-parse", "-q", "--verify", "HEAD"),
            self.git("write-tree"),
        )
        self.work = self.git("status", "--porcelain")

    @property
    def made(self) -> bool:
        return self.git("rev-parse", "-q", "--verify", "HEAD") != self.head

    @property
    def message(self) -> str:
        return self.git("log", "-1", "--format=%B") if self.made else ""

    @property
    def sent(self) -> str:
        return "\n".join(self.server.texts)


Check = Callable[[Scene], str]
"""What is wrong, or ""."""


def committed(scene: Scene) -> str:
    if not scene.made:
        return "no commit"
    if scene.staged and scene.git("rev-parse", "HEAD^{tree}") != scene.staged:
        return "commits what is not staged"
    return ""


def sends(*wanted: str) -> Check:
    def check(scene: Scene) -> str:
        missing = [one for one in wanted if one not in scene.sent]
        if not scene.server.texts:
            return committed(scene) or "nothing sent"
        return "the diff is not sent" if missing else committed(scene)

    return check


def hides(secret: str) -> Check:
    return lambda scene: "the key is sent" if secret in scene.sent else ""


def refused(scene: Scene) -> str:
    return "commits all the same" if scene.made else ""


def short(scene: Scene) -> str:
    first = scene.message.split("\n")[0]
    return committed(scene) or (f"subject of {len(first)} characters" if len(first) > 72 else "")


def plain(scene: Scene) -> str:
    marks = [mark for mark in ("<think>", "```", "Sure") if mark in scene.message]
    return committed(scene) or (f"{marks[0]} in the message" if marks else "")


def merge_kept(scene: Scene) -> str:
    if not scene.made:
        return "no commit"
    return "" if scene.message.startswith("Merge branch") else "merge message replaced"


def nothing_sent(scene: Scene) -> str:
    if scene.server.texts:
        return "a model is asked about nothing"
    return "a commit is made" if scene.made else ""


def one_small(scene: Scene) -> str:
    calls = len(scene.server.texts)
    if "the_point" not in scene.sent:
        return "the small file is not sent"
    size = max(len(text) for text in scene.server.texts)
    if size > 400_000:
        return f"{size // 1000:,} kB in one request"
    return f"{calls} requests" if calls > 2 else committed(scene)


def hook_ran(scene: Scene) -> str:
    return committed(scene) or ("" if (scene.path / ".git/ran").exists() else "the hook is not run")


def not_moved(scene: Scene) -> str:
    return "commits what nobody described" if scene.made else ""


def change(scene: Scene) -> None:
    scene.stage("a.py", "def f():\n    return 2\n")


def setting(name: str, value: str) -> Callable[[Scene], None]:
    def arrange(scene: Scene) -> None:
        change(scene)
        scene.git("config", name, value)

    return arrange


def merging(scene: Scene) -> None:
    scene.git("checkout", "-qb", "side")
    scene.stage("a.py", "side\n")
    scene.git("commit", "-qm", "Side")
    scene.git("checkout", "-q", "main")
    scene.stage("a.py", "main\n")
    scene.git("commit", "-qm", "Main")
    scene.git("merge", "side")
    scene.stage("a.py", "both\n")


def partial(scene: Scene) -> None:
    change(scene)
    scene.write("a.py", "def f():\n    return 3\n")


def deep(scene: Scene) -> None:
    scene.stage("top.py", "at_top = 1\n")
    scene.stage("deep/er/x.py", "is_deep = 1\n")
    scene.cwd = scene.path / "deep/er"


def huge(scene: Scene) -> None:
    scene.stage("rows.sql", "".join(f"INSERT INTO t VALUES ({n});\n" for n in range(200_000)))
    scene.stage("small.py", "def the_point(): ...\n")


def moves(scene: Scene) -> None:
    change(scene)
    scene.server.before = lambda: scene.stage("late.py")


def reply(text: str) -> Callable[[Scene], None]:
    def arrange(scene: Scene) -> None:
        change(scene)
        scene.server.reply = text

    return arrange


def with_hook(name: str, body: str) -> Callable[[Scene], None]:
    def arrange(scene: Scene) -> None:
        change(scene)
        scene.hook(name, body)

    return arrange


CASES: dict[str, tuple[Callable[[Scene], object], Check]] = {
    "plain change": (change, sends("return 2")),
    "first commit of all": (lambda s: (s.git("checkout", "-q", "--orphan", "new")), sends("def f")),
    "staged in part": (partial, sends("return 2")),
    "from a sub-folder": (deep, sends("at_top", "is_deep")),
    "diff.external set": (setting("diff.external", "true"), sends("return 2")),
    "diff.noprefix set": (setting("diff.noprefix", "true"), sends("return 2")),
    "color.ui = always": (setting("color.ui", "always"), lambda s: "colour codes are sent" if "\\u001b[" in s.sent or "\x1b[" in s.sent else sends("return 2")(s)),
    "non-ASCII file name": (lambda s: s.stage("grün.py", "is_green = 1\n"), sends("is_green")),
    "file named :(exclude)a": (lambda s: s.stage(":(exclude)a", "is_odd = 1\n"), sends("is_odd")),
    "only a lock file": (lambda s: s.stage("package-lock.json", '{"version": "2"}\n'), sends("package-lock.json")),
    "200,000 lines beside a small file": (huge, one_small),
    "a key in the diff": (lambda s: s.stage("k.py", f'aws = "{KEY}"\n'), hides(KEY)),
    "nothing staged": (lambda s: s.write("a.py", "unstaged\n"), nothing_sent),
    "a merge": (merging, merge_kept),
    "answer of 200 characters": (reply(LONG), short),
    "answer with thoughts and fences": (reply(f"<think>hm</think>Sure! Here it is:\n```\n{GOOD}\n```"), plain),
    "empty answer": (reply(""), refused),
    "pre-commit hook": (with_hook("pre-commit", "touch .git/ran"), hook_ran),
    "pre-commit hook refuses": (with_hook("pre-commit", "exit 1"), refused),
    "commit-msg hook refuses": (with_hook("commit-msg", "exit 1"), refused),
    "staged meanwhile": (moves, not_moved),
}  # fmt: skip


def _clean() -> dict[str, str]:
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "AIRCHER_", "OPENAI_"))
    }
    return {**kept, **WHO, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def run_one(peer: Peer, name: str, server: Server, base: Path) -> str:
    """What came of one case: "ok", or what was wrong."""
    arrange, check = CASES[name]
    server.reply, server.before = GOOD, lambda: None
    server.texts.clear()
    with tempfile.TemporaryDirectory(prefix="commit-peers-") as folder:
        path, home = Path(folder, "repo"), Path(folder, "home")
        path.mkdir()
        scene = Scene(path, server, path)
        scene.git("init", "-q", "-b", "main")
        scene.stage("a.py", "def f():\n    return 1\n")
        scene.git("commit", "-qm", "Begin")
        arrange(scene)
        scene.remember()
        shutil.copytree(base, home)
        env = {**_clean(), **{k: v.replace("{url}", server.url) for k, v in peer.env.items()}}
        env |= {"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config"), "AIRCHER_DISCOVER": "false",
                "PYTHONPATH": os.getcwd() if peer.name == "aircher" else "", "NO_COLOR": "1", "CI": ""}  # fmt: skip
        ended = _run([word.replace("{url}", server.url) for word in peer.command], scene.cwd, env)
        if ended is None:
            return "hangs"
        said = check(scene)
        return said or "ok"


def _run(command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> int | None:
    """The exit code, at a terminal of its own; None if it took too long, and all of it is ended."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, cwd=cwd, env=dict(env), stdin=theirs, stdout=theirs,
                          stderr=theirs, start_new_session=True) as process:  # fmt: skip
        os.close(theirs)
        reader = threading.Thread(target=_drain, args=(ours,), daemon=True)
        reader.start()
        try:
            return process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return None


def _drain(terminal: int) -> None:
    """Reads what is shown, so that nobody waits for it, until nobody is there any more."""
    with contextlib.suppress(OSError):
        while os.read(terminal, 65_536):
            pass
    os.close(terminal)


def home_of(peer: Peer, server: Server, folder: Path) -> Path:
    """A HOME with the peer's settings, after it has set itself up there."""
    home = folder / f"home-{peer.name}"
    for file, text in peer.files.items():
        (home / file).parent.mkdir(parents=True, exist_ok=True)
        (home / file).write_text(text.replace("{url}", server.url))
    home.mkdir(exist_ok=True)
    if peer.first:
        place = folder / "first"
        place.mkdir(exist_ok=True)
        subprocess.run(["git", "init", "-q"], cwd=place, check=False)
        _run(peer.first, place, {**_clean(), "HOME": str(home), "CI": ""})
    return home


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", type=Path, default=Path("peers"))
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--cases", nargs="*", default=[])
    args = parser.parse_args()
    shutil.which("git") or sys.exit("git is not installed")
    found = [one for one in peers(args.peers.absolute()) if not args.only or one.name in args.only]
    print("| case | " + " | ".join(f"{one.name} {one.version}" for one in found) + " |")
    print("|---" * (len(found) + 1) + "|")
    right = dict.fromkeys((one.name for one in found), 0)
    names = [name for name in CASES if not args.cases or name in args.cases]
    with serving() as server, tempfile.TemporaryDirectory(prefix="commit-peers-") as folder:
        homes = {peer.name: home_of(peer, server, Path(folder)) for peer in found}
        for name in names:
            row = [run_one(peer, name, server, homes[peer.name]) for peer in found]
            for peer, said in zip(found, row, strict=True):
                right[peer.name] += said == "ok"
            print(f"| {name} | " + " | ".join(row) + " |", flush=True)
    print("| **right** | " + " | ".join(f"{n} of {len(names)}" for n in right.values()) + " |")


if __name__ == "__main__":
    main()
