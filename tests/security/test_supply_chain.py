"""What is installed: pinned, hashed, looked at, and nothing that runs before the program does."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement

pytestmark = pytest.mark.security

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("run.txt", "dev.txt", "tools.txt", "train.txt")


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", ROOT / ".ci" / "audit.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_is_pinned_and_hashed_and_no_address_is_named(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text()
    entries = re.split(r"\n(?=[^\s#])", text.strip())
    assert len(entries) > 40
    for entry in entries:
        assert re.match(r"^[A-Za-z0-9._-]+(\[[^\]]*\])?==[^\s;]+( ;[^\n]*)? \\\n", entry), entry[
            :80
        ]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry[:80]
    assert "://" not in text
    assert "--index" not in text


@pytest.mark.parametrize("name", LOCKS)
def test_what_was_stolen_before_is_not_in_it(audit: ModuleType, name: str) -> None:
    assert not set(audit.locked(ROOT / "requirements" / name)) & audit.FORBIDDEN


def test_the_lock_satisfies_what_the_project_asks_for(audit: ModuleType) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    for file, wanted in (
        ("run.txt", [*project["dependencies"], *extras["local"]]),
        ("train.txt", [*project["dependencies"], *extras["train"]]),
        ("dev.txt", [*project["dependencies"], *extras["local"], *extras["dev"]]),
    ):
        lock = audit.locked(ROOT / "requirements" / file)
        for text in wanted:
            need = Requirement(text)
            assert need.specifier.contains(lock[audit.plain(need.name)], prereleases=True), text
    run, dev = (audit.locked(ROOT / "requirements" / name) for name in LOCKS[:2])
    assert run.items() <= dev.items()


def test_make_installs_by_hash_alone() -> None:
    lines = (ROOT / "Makefile").read_text().splitlines()
    installs = [one for one in lines if "$(PIP) " in one or "pip install" in one]
    installs = [one for one in installs if not one.startswith("PIP :=")]
    assert len(installs) == 5
    for one in installs:
        assert "--require-hashes" in one or "--no-deps --no-build-isolation --editable ." in one
    assert any("--exclude-newer $(WEEK_AGO)" in one for one in lines)


def test_nothing_unknown_runs_when_python_starts_here(audit: ModuleType) -> None:
    assert list(audit.run_at_start(Path(sysconfig.get_path("purelib")))) == []


PLANTED = {
    "sitecustomize.py": "print('hello')\n",
    "usercustomize.py": "",
    "evil.pth": "import os; os.system('true')\n",
    "tab.pth": "import\tos\n",
    "distutils-precedence.pth": "import os; os.system('true')\n",
    "folder.pth": "/somewhere/else\n",
}


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_planted_is_found(audit: ModuleType, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(PLANTED[name])
    assert len(list(audit.run_at_start(tmp_path))) == 1


HOLE = {"id": "PYSEC-1", "fix_versions": ["2.0"]}


@pytest.mark.parametrize(
    ("packages", "code", "said"),
    [
        ([{"name": "a", "version": "1", "vulns": []}], 0, "1 of 1 packages were checked; 0 known"),
        ([{"name": "a", "version": "1", "vulns": [HOLE]}], 1, "a 1: PYSEC-1; mended in 2.0"),
        ([{"name": "a", "skip_reason": "not found"}], 75, "NOT CHECKED for known holes"),
        (
            [{"name": "a", "skip_reason": "x"}, {"name": "b", "version": "1", "vulns": []}],
            75,
            "NOT CHECKED: a",
        ),
    ],
)
def test_what_was_not_checked_is_not_called_sound(
    audit: ModuleType, capsys: pytest.CaptureFixture[str], packages, code: int, said: str
) -> None:
    assert audit.verdict(packages) == code
    assert said in capsys.readouterr().out


def test_a_file_that_was_changed_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as made:
        made.writestr("tiny.py", "")
        made.writestr(
            "tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n"
        )
        made.writestr(
            "tiny-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        made.writestr("tiny-1.0.dist-info/RECORD", "")
    lock = tmp_path / "lock.txt"
    lock.write_text(f"tiny==1.0 --hash=sha256:{'0' * 64}\n")
    command = [sys.executable, "-m", "pip", "--isolated", "install", "--no-index", "--find-links",
               str(tmp_path), "--require-hashes", "--target", str(tmp_path / "out"), "-r", str(lock)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "HASHES" in done.stdout + done.stderr
    assert not (tmp_path / "out").exists()
