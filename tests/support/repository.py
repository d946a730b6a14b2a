"""Fresh, real git repositories for tests."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Repo:
    """A repository on disk; every call runs the real git."""

    path: Path

    def git(self, *words: str | bytes, stdin: bytes = b"", fine: tuple[int, ...] = (0,)) -> str:
        """What git prints, without the last newline."""
        done = subprocess.run(
            ["git", *words], cwd=self.path, input=stdin, capture_output=True, check=False
        )
        assert done.returncode in fine, (words, done.stderr.decode(errors="replace"))
        return done.stdout.decode("utf-8", "replace").removesuffix("\n")

    def write(self, name: str | bytes, content: str | bytes = "x\n") -> None:
        """Writes a file, with its folders."""
        path = os.path.join(os.fsencode(self.path), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)

    def stage(self, name: str | bytes, content: str | bytes = "x\n") -> None:
        """Writes a file and stages it, whatever its name."""
        self.write(name, content)
        self.git("--literal-pathspecs", "add", "--force", "--", name)

    def commit(self, message: str = "Begin", **files: str | bytes) -> None:
        """Commits the files (names with __ for a dot), or nothing."""
        for name, content in files.items():
            self.stage(name.replace("__", "."), content)
        self.git("commit", "--allow-empty", "-q", "-F", "-", stdin=message.encode())

    # -- looking

    @property
    def head(self) -> str:
        """HEAD's commit, or ""."""
        return self.git("rev-parse", "-q", "--verify", "HEAD", fine=(0, 1))

    @property
    def message(self) -> str:
        """The whole message of HEAD."""
        return self.git("log", "-1", "--format=%B").removesuffix("\n")

    @property
    def index(self) -> str:
        """What is staged, exactly."""
        return self.git("ls-files", "--stage")

    @property
    def tree(self) -> dict[str, bytes]:
        """The work tree's files."""
        return {
            os.fsdecode(os.path.relpath(os.path.join(folder, name), os.fsencode(self.path))): (
                os.readlink(full) if os.path.islink(full) else _content(full)
            )
            for folder, folders, names in os.walk(os.fsencode(self.path))
            for name in names
            if (full := os.path.join(folder, name)) and b"/.git/" not in full and name != b".git"
        }


def _content(path: bytes) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def new_repo(path: Path, *options: str) -> Repo:
    """``git init`` there, on branch main."""
    path.mkdir(parents=True, exist_ok=True)
    repo = Repo(path)
    repo.git("init", "-q", "-b", "main", *options)
    return repo
