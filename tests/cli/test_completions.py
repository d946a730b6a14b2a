"""Completion scripts, loaded by real shells where they are installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from aircher.cli.main import COMMANDS, main


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_command_is_completed(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completions", shell]) == 0
    script = capsys.readouterr().out
    assert all(name in script for name in COMMANDS)


def test_bash_completes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed")
    main(["completions", "bash"])
    script = tmp_path / "aircher.bash"
    script.write_text(capsys.readouterr().out)
    ask = f"""
set -u
source {script}
complete -p aircher
COMP_WORDS=(aircher local pu) COMP_CWORD=2
"$(complete -p aircher | sed -E 's/.*-F ([^ ]+) .*/\\1/')" aircher pu local
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(
        [bash, "-c", ask], capture_output=True, text=True, timeout=20, check=False
    )
    assert done.stderr == ""
    assert done.stdout.startswith("complete ")
    assert done.stdout.splitlines()[-1].strip() == "pull"
