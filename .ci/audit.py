"""`make audit`: what is installed is what is locked, nothing runs at start, no known hole.

Ends with 1 for a finding, 75 where the vulnerability service cannot be reached.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
UNREACHABLE = 75

KNOWN_CODE = {"distutils-precedence.pth": "_distutils_hack"}
"""Files of code that Python runs at start -> what they are there for (setuptools' own)."""

NOT_LOCKED = frozenset({"aircher", "pip", "setuptools"})
"""Ours, and what Python's venv brings."""

FORBIDDEN = frozenset({"litellm"})
"""Malicious releases in 2026, four seconds to import, 150 MB."""


def locked(file: Path) -> dict[str, str]:
    """Name -> version of a lock file."""
    pinned = re.findall(
        r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", file.read_text(), re.MULTILINE
    )
    return {plain(name): version for name, version in pinned}


def plain(name: str) -> str:
    """A package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def run_at_start(folder: Path) -> Iterator[str]:
    """Files in a site-packages folder that make Python do something before any program begins."""
    for name in ("sitecustomize", "usercustomize"):
        yield from (f"{found.name} is run at every start" for found in folder.glob(f"{name}*"))
    for file in sorted(folder.glob("*.pth")):
        for line in file.read_text("utf-8", "replace").splitlines():
            if line.startswith(("import ", "import\t")):
                known = KNOWN_CODE.get(file.name)
                if known is None or known not in line or len(line) > 200:
                    yield f"{file.name} runs code at every start: {line[:60]}"
            elif line.strip() and not line.startswith("#") and not _ours(line, folder):
                yield f"{file.name} adds a folder of its own: {line[:60]}"


def _ours(line: str, folder: Path) -> bool:
    """A folder of this checkout, or of the environment itself."""
    place = Path(line.strip())
    return place in {ROOT, folder} or place.name in {"site-packages", ROOT.name}


def not_as_locked(lock: dict[str, str]) -> Iterator[str]:
    """Packages that are installed in another version, or without being locked."""
    for one in importlib.metadata.distributions():
        name = plain(one.metadata["Name"])
        if name in FORBIDDEN:
            yield f"{name} is installed"
        if name in NOT_LOCKED or lock.get(name) == one.version:
            continue
        yield f"{name} {one.version} is installed; {lock.get(name, 'none')} is locked"


def known_holes(pip_audit: str) -> int:
    """Asks the vulnerability service about every locked package; tells what it says.

    A package that was skipped is one that was not checked: where the service cannot be reached,
    or does not know what it is asked, pip-audit itself would call that a success.
    """
    command = [pip_audit, "--require-hashes", "--disable-pip", "--progress-spinner", "off"]
    done = subprocess.run(
        [*command, "--format", "json", "-r", str(ROOT / "requirements" / "run.txt")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        print("NOT CHECKED for known holes: the vulnerability service cannot be reached from here.")
        print(done.stderr.strip().rpartition("\n")[2][:200])
        return UNREACHABLE
    return verdict(packages)


def verdict(packages: list[dict[str, Any]]) -> int:
    """Tells of holes and of packages that were not checked; returns the exit code."""
    skipped = [one["name"] for one in packages if "skip_reason" in one]
    holes = [(one, hole) for one in packages for hole in one.get("vulns", ())]
    for one, hole in holes:
        mended = ", ".join(hole["fix_versions"]) or "no version yet"
        print(f"{one['name']} {one['version']}: {hole['id']}; mended in {mended}")
    checked = len(packages) - len(skipped)
    print(f"{checked} of {len(packages)} packages were checked; {len(holes)} known holes.")
    if not checked:
        print("NOT CHECKED for known holes: the service gave no answer about any package.")
    elif skipped:
        print(f"NOT CHECKED: {', '.join(skipped)}")
    return 1 if holes else UNREACHABLE if skipped else 0


def main(argv: list[str]) -> int:
    """Runs all checks; the first argument is pip-audit's program."""
    findings = list(run_at_start(Path(sysconfig.get_path("purelib"))))
    findings += not_as_locked(locked(ROOT / "requirements" / "dev.txt"))
    for finding in findings:
        print(finding)
    if findings:
        return 1
    print("What is installed is what is locked; nothing runs by itself at start.")
    return known_holes(argv[0]) if argv else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
