"""Other programs at the same job, side by side: start-up, one question, a reply that is cut.

    python -m benchmarks.peers [--quick]

Measures those that are on PATH (or named by AIRCHER_PEERS as a list of folders, like PATH):
llm, aider, oterm, opencode, codex.  Each is asked through the same loopback server, with an
empty HOME and as little else to do as its flags allow.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.timing import HEAD, environment, interleaved, python, row

NAMES = ("llm", "aider", "oterm", "opencode", "codex")
OURS = python("-c", "import sys; from aircher.entry import main; sys.exit(main())")


def found() -> dict[str, str]:
    """The peers that are here, by name."""
    path = os.pathsep.join(filter(None, (os.environ.get("AIRCHER_PEERS"), os.environ["PATH"])))
    return {name: where for name in NAMES if (where := shutil.which(name, path=path))}


def questions(peers: Mapping[str, str], url: str, home: Path, key: str) -> dict[str, list[str]]:
    """The command of each program that asks one question of the server at ``url``."""
    config = home / ".config" / "aircher" / "config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(
        f'[providers]\ndefault = "openai"\nfallback_order = ["openai"]\n[providers.openai]\n'
        f'base_url = "{url}/v1"\nmodel = "gpt-5-nano"\n[retry]\ninitial_delay = "100ms"\n'
    )
    commands = {"aircher": [*OURS, "ask", "hello"]}
    if "llm" in peers:
        models = home / "llm" / "extra-openai-models.yaml"
        models.parent.mkdir(exist_ok=True)
        models.write_text(f"- model_id: m\n  model_name: m\n  api_base: {url}/v1\n")
        commands["llm"] = [peers["llm"], "-m", "m", "--key", key, "hello"]
    if "aider" in peers:
        flags = (
            "--no-git --yes-always --no-check-update --no-show-model-warnings --no-analytics "
            "--map-tokens 0 --no-show-release-notes --no-pretty --no-gitignore --no-fancy-input"
        )
        commands["aider"] = [
            peers["aider"], "--model", "openai/gpt-4o-mini", "--openai-api-base", f"{url}/v1",
            "--openai-api-key", key, "--message", "hello", *flags.split(),
        ]  # fmt: skip
    return commands


def _outcome(command: Sequence[str], env: Mapping[str, str], folder: Path) -> tuple[int, str]:
    """Exit code and what reached stdout."""
    ended = subprocess.run(
        command, check=False, env=env, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip
    return ended.returncode, ended.stdout


def run(*, quick: bool = False) -> None:
    peers = found()
    if not peers:
        print("none of them is on PATH; see the docstring")
        return
    runs = 3 if quick else 7
    env = environment()
    home = Path(env["HOME"])
    env |= {"OPENAI_API_KEY": "plain", "LLM_USER_PATH": str(home / "llm")}
    folder = Path(tempfile.mkdtemp(prefix="aircher-peers-"))
    versions = {"aircher": [*OURS, "--version"]}
    versions |= {name: [where, "--version"] for name, where in peers.items()}
    print("--version")
    print(HEAD)
    times = interleaved(versions, runs, env)
    for name, values in times.items():
        row(name, values, times["aircher"])
    server = subprocess.Popen(python("-m", "benchmarks.server"), stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        print("\none question")
        print(HEAD)
        times = interleaved(questions(peers, url, home, "plain"), runs, env)
        for name, values in times.items():
            row(name, values, times["aircher"])
        print("\na reply that ends in the middle        exit code (0 = taken for a whole answer)")
        for name, command in questions(peers, f"{url}/cut", home, "plain").items():
            code, _ = _outcome(command, env, folder)
            print(f"{name:<39}{code}")
        print("\na server that is busy once             exit code, answered?")
        for name in questions(peers, url, home, "plain"):
            env["OPENAI_API_KEY"] = f"busy-{name}"
            command = questions(peers, f"{url}/busy", home, f"busy-{name}")[name]
            code, out = _outcome(command, env, folder)
            print(f"{name:<39}{code}, {'yes' if 'word19' in out else 'no'}")
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    run(quick="--quick" in sys.argv[1:])
