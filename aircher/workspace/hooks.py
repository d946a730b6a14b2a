"""The prepare-commit-msg hook on disk: found as git finds it, put there, taken away again."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from aircher.domain.errors import GitRefused, NothingToDo, StorageError, UsageError
from aircher.domain.hooks import HookState, HookStatus, HookSurroundings, Manager
from aircher.domain.regexes import regex
from aircher.workspace.call import TIMEOUT_S, clean_environment, refused

NAME = "prepare-commit-msg"

_TEMPLATE = Path(__file__).with_name("hook.sh")
_MARK = regex(rb"^# aircher-hook 1 ([0-9a-f]{16})( made-folder)?$", re.MULTILINE)
_PROGRAM = regex(rb"^program=(.*)$", re.MULTILINE)
_EARLIER = regex(rb'^earlier="\$here/(.*)"$', re.MULTILINE)

_BESIDE = f"{NAME}.aircher-earlier"
_BELOW = f"aircher-earlier/{NAME}"
_BY_NAME = regex(rb"basename|##\*/")
"""A hook that serves several purposes by its own name must keep that name."""

_MANAGERS: tuple[tuple[Manager, bytes], ...] = (
    ("pre-commit", b"pre-commit.com"),
    ("lefthook", b"LEFTHOOK"),
)
"""What these tools write into the hooks that they make."""

_SETTINGS = r"^(core\.comment(char|string)|commit\.cleanup|i18n\.commitencoding)$"


class HookFiles:
    """The port ``Hooks`` for the work tree at ``top``; see there."""

    def __init__(self, top: Path, environ: Mapping[str, str] | None = None) -> None:
        self._top = top
        self._env = clean_environment(top, environ)
        self._folder = top / os.fsdecode(self._git("rev-parse", "--git-path", "hooks"))
        self._common = top / os.fsdecode(self._git("rev-parse", "--git-common-dir"))
        self._husky = self._folder.name == "_" and (self._folder / "h").is_file()
        self._place = self._folder.parent if self._husky else self._folder

    def status(self) -> HookStatus:
        """How things stand; changes nothing."""
        file, state = self._found()
        script = _read(file) if state != "absent" else b""
        program = _program(script)
        return HookStatus(
            state=state,
            file=os.fspath(file),
            folder=os.fspath(self._folder),
            chosen_by="core.hooksPath"
            if self._git("config", "core.hooksPath", fine=(0, 1))
            else "",
            shared=not self._is_own(),
            manager=self._manager(),
            program=program,
            program_found=bool(program) and (_runs(program) or bool(shutil.which("aircher"))),
            earlier=_shown(_earlier(file, script)),
            tracked=self._among_files(),
        )

    def install(self, program: str, *, after: bool, shared: bool) -> HookStatus:
        """Puts the hook there; one that is there already is kept and run too."""
        if not self._is_own() and not shared:
            raise UsageError(
                f"Git looks for hooks in {self._folder}, which other repositories use too.",
                hint="--shared installs it there, for all of them; or unset core.hooksPath here.",
            )
        file, state = self._found()
        if state == "displaced":
            file.unlink()
            file, state = self._place / NAME, "absent"
        try:
            self._write(file, state, program, after=after)
        except OSError as error:
            raise StorageError(f"The hook cannot be written: {error.strerror}.") from error
        return self.status()

    def uninstall(self, *, force: bool) -> HookStatus:
        """Takes it away; what was there before is there again."""
        file, state = self._found()
        if state == "absent":
            raise NothingToDo("The hook is not installed here.")
        if state == "changed" and not force:
            raise UsageError(
                f"{file} was edited since it was installed.", hint="--force takes it away anyway."
            )
        script = _read(file)
        earlier = _earlier(file, script)
        try:
            if earlier is not None and file.suffix == ".legacy" and _manager_of(earlier):
                # Its maker has written it anew, and would not run a second one of its own.
                earlier.unlink()
                file.unlink()
            elif earlier is not None:
                os.replace(earlier, file)
            else:
                file.unlink()
        except OSError as error:
            raise StorageError(f"The hook cannot be taken away: {error.strerror}.") from error
        mark = _MARK.search(script)
        with contextlib.suppress(OSError):  # not empty, or not there
            (file.parent / _BELOW).parent.rmdir()
        if mark is not None and mark[2]:
            with contextlib.suppress(OSError):
                file.parent.rmdir()
        return self.status()

    def surroundings(self) -> HookSurroundings:
        """The settings that a message file depends on; of each the last counts, as for git."""
        found = self._git("config", "-z", "--get-regexp", _SETTINGS, fine=(0, 1))
        values = {}
        for entry in found.split(b"\0"):
            name, _, value = entry.decode("utf-8", "surrogateescape").partition("\n")
            values["comment" if name.startswith("core.comment") else name] = value
        return HookSurroundings(
            comment=values.get("comment", ""),
            cleanup=values.get("commit.cleanup", ""),
            encoding=values.get("i18n.commitencoding", ""),
        )

    # -- in parts

    def _write(self, file: Path, state: HookState, program: str, *, after: bool) -> None:
        made = not file.parent.is_dir()
        file.parent.mkdir(parents=True, exist_ok=True)
        earlier = _earlier(file, _read(file)) if state != "absent" else None
        kept = earlier.relative_to(file.parent).as_posix() if earlier else _BESIDE
        if state == "absent" and os.path.lexists(file):
            kept = _BELOW if _BY_NAME.search(_read(file)) and not file.is_symlink() else _BESIDE
            self._keep(file, file.parent / kept)
        mark = _MARK.search(_read(file)) if state != "absent" else None
        script = _script(
            program, kept, husky=self._husky, after=after, made=made or bool(mark and mark[2])
        )
        fresh = file.with_name(f"{NAME}.aircher-new")
        fresh.write_bytes(script)
        umask = os.umask(0)
        os.umask(umask)
        fresh.chmod(0o777 & ~umask)
        os.replace(fresh, file)

    def _keep(self, file: Path, kept: Path) -> None:
        """A second name for the hook that is there, so that at no moment there is none."""
        if os.path.lexists(kept):
            if _read(kept) != _read(file) and _manager_of(kept) != "lefthook":
                raise UsageError(
                    f"Both {file} and {kept} are there.",
                    hint="Delete the one that is not needed, then install again.",
                )
            kept.unlink()
        kept.parent.mkdir(exist_ok=True)
        try:
            os.link(file, kept, follow_symlinks=False)
        except OSError:  # a file system without links
            shutil.copy2(file, kept, follow_symlinks=False)

    def _found(self) -> tuple[Path, HookState]:
        """Where the hook is, or would be, and how it is."""
        file = self._place / NAME
        for place in (file, *self._moved()):
            script = _read(place)
            mark = _MARK.search(script)
            if mark is None:
                continue
            if place.suffix == ".old":
                return place, "displaced"
            return place, "installed" if _sum(script) == mark[1].decode() else "changed"
        return file, "absent"

    def _moved(self) -> Iterator[Path]:
        """Where other tools move a hook: pre-commit runs it from there, lefthook does not."""
        yield self._place / f"{NAME}.legacy"
        yield self._place / f"{NAME}.old"

    def _manager(self) -> Manager:
        if self._husky or (self._place.name == ".husky"):
            return "husky"
        for name in (NAME, _BESIDE, "pre-commit", "commit-msg"):
            if (found := _manager_of(self._place / name)) != "":
                return found
        return ""

    def _is_own(self) -> bool:
        """True for a folder that serves this repository alone."""
        folder = self._folder.resolve()
        return any(folder.is_relative_to(own.resolve()) for own in (self._top, self._common))

    def _among_files(self) -> bool:
        place = self._place.resolve()
        inside = place.is_relative_to(self._top.resolve())
        return inside and not place.is_relative_to(self._common.resolve())

    def _git(self, *words: str, fine: tuple[int, ...] = (0,)) -> bytes:
        """As ``ask_git``, but with the user's own core.hooksPath: it is what is asked for."""
        try:
            done = subprocess.run(
                ["git", "-C", os.fspath(self._top), *words],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env=self._env,
                timeout=TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise GitRefused("git cannot be run.") from error
        if done.returncode not in fine:
            raise refused(done.stderr)
        return done.stdout.removesuffix(b"\n")


def _script(program: str, kept: str, *, husky: bool, after: bool, made: bool) -> bytes:
    """The hook's text, with its own checksum in it."""
    order = ['run_earlier "$@" || exit $?', 'write_message "$@"']
    text = _TEMPLATE.read_text(encoding="utf-8")
    values = {
        "PROGRAM": shlex.quote(program),
        "EARLIER": kept,
        "HUSKY": "yes" if husky else "no",
        "ORDER": "\n".join(reversed(order) if after else order),
        "SUM": "0" * 16 + (" made-folder" if made else ""),
    }
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    raw = text.encode("utf-8", "surrogateescape")
    return raw.replace(b"0" * 16, _sum(raw).encode(), 1)


def _sum(script: bytes) -> str:
    """The checksum of a hook's text, whatever checksum stands in it."""
    plain = _MARK.sub(b"", script, count=1)
    return hashlib.sha256(plain).hexdigest()[:16]


def _program(script: bytes) -> str:
    found = _PROGRAM.search(script)
    words = shlex.split(os.fsdecode(found[1])) if found else []
    return words[0] if words else ""


def _runs(program: str) -> bool:
    return os.access(program, os.X_OK)


def _earlier(file: Path, script: bytes) -> Path | None:
    """The hook that was there before, where there is one."""
    found = _EARLIER.search(script)
    kept = file.parent / os.fsdecode(found[1]) if found else None
    return kept if kept is not None and os.path.lexists(kept) else None


def _shown(path: Path | None) -> str:
    return "" if path is None else os.fspath(path)


def _manager_of(file: Path) -> Manager:
    text = _read(file)
    if _MARK.search(text):
        return ""
    return next((name for name, mark in _MANAGERS if mark in text), "")


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(1024 * 1024)
    except OSError:
        return b""
