"""The provider ``local`` with the real model in a real child process."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from aircher.domain.chat import ChatRequest, ReplyBuilder, TextDelta
from aircher.domain.errors import ContextTooLong, InvalidRequest, ModelNotFound, TimedOut
from aircher.domain.messages import Image, user
from aircher.providers.connection import Connection
from aircher.providers.local import connect, model
from aircher.providers.local.child import ModelFile, start
from aircher.providers.local.model import SMOLLM2
from aircher.providers.local.provider import Local
from tests.support.index import wait_until

pytestmark = pytest.mark.local_model
HEAD = ChatRequest(SMOLLM2.name, (user("What is the capital of France?"),))
LONG = ChatRequest(SMOLLM2.name, (user("Write a very long story about a dog."),))


@pytest.fixture
async def local(real_model: Path) -> AsyncIterator[Local]:
    provider = connect(Connection("local"))
    yield provider
    await provider.aclose()


async def collect(local: Local, request: ChatRequest, builder: ReplyBuilder) -> None:
    async for chunk in local.stream(request):
        builder.add(chunk)


def children(name: str = "aircher.providers.local.server") -> set[int]:
    """Process ids of this process's children that run the model."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if parent == os.getpid() and name in (folder / "cmdline").read_text():
                found.add(int(folder.name))
        except (OSError, ValueError):
            continue
    return found


async def test_a_conversation(local: Local) -> None:
    assert children() == set()
    assert await local.count_tokens(HEAD) is None
    assert [row.id for row in await local.models()] == [SMOLLM2.name]
    assert children() == set(), "listing must not load the model"

    builder = ReplyBuilder()
    await collect(local, HEAD, builder)
    reply = builder.reply()
    assert "Paris" in reply.text
    assert reply.outcome == "complete"
    assert reply.tokens.known
    assert await local.count_tokens(HEAD) == reply.tokens.input
    assert len(children()) == 1

    with pytest.raises(ContextTooLong) as caught:
        await collect(local, ChatRequest(SMOLLM2.name, (user("word " * 9000),)), builder)
    assert caught.value.provider == "local"

    await local.aclose()
    assert children() == set()


async def test_stopping_a_stream_stops_the_model(local: Local) -> None:
    stream = local.stream(LONG)
    async for chunk in stream:
        if isinstance(chunk, TextDelta):
            break
    await stream.aclose()
    # One request runs at a time: were the story still being told, this would wait for it
    # (1,024 tokens, about ten seconds).
    begun = time.monotonic()
    async for chunk in local.stream(HEAD):
        if isinstance(chunk, TextDelta):
            break
    assert time.monotonic() - begun < 3


async def test_a_request_has_a_wall_clock_limit(real_model: Path) -> None:
    local = connect(Connection("local", options={"timeout": 1.5}))
    await local.warm()
    builder = ReplyBuilder()
    with pytest.raises(TimedOut, match="did not finish within 2 s"):
        await collect(local, LONG, builder)
    assert builder.reply().text
    assert not builder.finished
    await local.aclose()


async def test_several_callers_share_one_process_and_a_dead_one_is_replaced(local: Local) -> None:
    assert await asyncio.gather(local.warm(), local.warm(), local.warm()) == [True] * 3
    (pid,) = children()
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    builder = ReplyBuilder()
    await collect(local, HEAD, builder)
    assert "Paris" in builder.reply().text
    assert children().isdisjoint({pid})


def test_the_child_is_told_its_key_in_private(
    real_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "canary-of-the-user")
    child = start(ModelFile(SMOLLM2.name, real_model, 512, builtin=True), 1, 300)
    try:
        folder = Path(f"/proc/{child.pid}")
        seen = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        assert b"aircher.providers.local.server" in seen
        assert child.key.encode() not in seen
        assert b"canary" not in seen
        assert len(child.key) >= 32
        assert child.url.startswith("http://127.0.0.1:")
    finally:
        child.stop()
    assert not child.alive


def test_the_child_goes_with_its_parent(real_model: Path, tmp_path: Path) -> None:
    script = f"""
import sys, time
from pathlib import Path
from aircher.providers.local.child import ModelFile, start
print(start(ModelFile("m", Path({str(real_model)!r}), 512, builtin=True), 1, 300).pid, flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout as told:
        pid = int(told.readline())
    assert Path(f"/proc/{pid}").exists()
    parent.kill()
    parent.wait()
    wait_until(lambda: not _runs(pid), 2.0)


def _runs(pid: int) -> bool:
    """False also for a zombie that nobody reaps."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except FileNotFoundError:
        return False


def test_nothing_is_imported_from_the_current_folder(
    real_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('taken from the current folder')\n")
    monkeypatch.chdir(tmp_path)
    start(ModelFile(SMOLLM2.name, real_model, 512, builtin=True), 1, 300).stop()


async def test_an_unused_model_leaves_memory_and_comes_back(real_model: Path) -> None:
    local = connect(Connection("local", options={"idle_unload": 1, "num_ctx": 1024}))
    assert [row.context_window for row in await local.models()] == [1024]
    await local.warm()
    (pid,) = children()
    full = resident_kb(pid)
    wait_until(lambda: resident_kb(pid) < full / 2)
    builder = ReplyBuilder()
    await collect(local, HEAD, builder)
    assert "Paris" in builder.reply().text
    await local.aclose()


def resident_kb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


async def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"not a model" * 100)
    local = connect(Connection("local", options={"model": str(broken)}))
    with pytest.raises(ModelNotFound, match=r"cannot be loaded: .*invalid magic"):
        await anext(local.stream(ChatRequest(str(broken), (user("hi"),))))
    await local.aclose()


async def test_a_missing_model_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    local = connect(Connection("local"))
    assert await local.warm() is False
    with pytest.raises(ModelNotFound) as caught:
        await anext(local.stream(HEAD))
    assert "aircher local pull" in caught.value.hint
    assert caught.value.provider == "local"
    with pytest.raises(ModelNotFound):
        await local.models()
    await local.aclose()


async def test_a_missing_runtime_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "any.gguf"
    file.write_bytes(b"GGUF")
    monkeypatch.setattr(model.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(ModelNotFound) as caught:
        await anext(connect(Connection("local")).stream(ChatRequest(str(file), (user("hi"),))))
    assert caught.value.hint == "Install it with: pip install 'aircher[local]'"


async def test_images_are_refused_before_anything_starts(real_model: Path) -> None:
    asked = ChatRequest(SMOLLM2.name, (user("What is this?", Image("image/png", b"x")),))
    with pytest.raises(InvalidRequest, match="text only"):
        await anext(connect(Connection("local")).stream(asked))
    assert children() == set()
