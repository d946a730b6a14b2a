"""--local and privacy.local_only, proved by an audit hook over the real program's sockets."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.test_ask import HELLO
from tests.support.loopback import Answer, Loopback, plain, serving
from tests.support.program import write_config

HOOKED = """
import os, sys
log = os.open(os.environ["SOCKET_LOG"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
def hook(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        where = args[1] if event in ("socket.connect", "socket.sendto") else args[0]
        os.write(log, f"{event} {where!r}\\n".encode())
sys.addaudithook(hook)
sys.argv = ["aircher", *sys.argv[1:]]
from aircher.entry import main
sys.exit(main())
"""
"""Runs the program with every connection and look-up written down before anything is imported."""

_LOCAL_ROUTE = re.compile(r"([0-9.]+)\n\s+/32 host LOCAL")


def _own_address() -> str:
    """An address of this machine that is not loopback, or ""."""
    table = Path("/proc/net/fib_trie")
    found = _LOCAL_ROUTE.findall(table.read_text()) if table.exists() else []
    return next((one for one in found if not one.startswith("127.")), "")


FAR = _own_address()
pytestmark = [
    pytest.mark.security,
    pytest.mark.skipif(not FAR, reason="this machine has no address but loopback"),
]


@dataclass
class Bench:
    """A server that counts as this machine's, and one that stands in for a vendor."""

    here: Loopback
    far: Loopback
    folder: Path

    async def run(self, *words: str) -> tuple[int, str, list[str]]:
        """Exit code, stderr, and all that sockets were opened to."""
        log = self.folder / "sockets.txt"
        log.unlink(missing_ok=True)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", HOOKED, *words,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE, cwd=self.folder,
            env={**os.environ, "SOCKET_LOG": str(log), "FAR_KEY": "k-123456"},
        )  # fmt: skip
        async with asyncio.timeout(60):
            _, err = await process.communicate()
        lines = log.read_text().splitlines() if log.exists() else []
        return process.returncode or 0, err.decode(), lines


def elsewhere(lines: list[str]) -> list[str]:
    """The connections and look-ups that are not of this machine."""
    known = ("'127.0.0.1'", "'localhost'", "'::1'", "None", "b'127.0.0.1'")
    return [line for line in lines if not any(one in line for one in known)]


def config(here: Loopback, far: Loopback, more: str = "") -> str:
    return (
        '[providers]\ndefault = "far"\nfallback_order = ["far", "here"]\n'
        '[providers.far]\nkind = "openai"\nmodel = "m"\nallow_http = true\napi_key_env = "FAR_KEY"\n'
        f'base_url = "{far.url}/v1"\n'
        f'[providers.here]\nkind = "openai"\nmodel = "m"\nlocal = true\nbase_url = "{here.url}/v1"\n'
        f'[retry]\nmax_retries = 0\ninitial_delay = "10ms"\n{more}'
    )


@pytest.fixture
async def bench(home: Path, tmp_path: Path) -> AsyncIterator[Bench]:
    async with serving(HELLO) as here, serving(HELLO, host=FAR) as far:
        write_config(home, config(here, far))
        yield Bench(here, far, tmp_path)


async def test_the_listener_stands_in_for_a_vendor(bench: Bench) -> None:
    """What the other tests count is seen where --local is not given."""
    code, err, lines = await bench.run("ask", "hello")
    assert code == 0, err
    assert len(bench.far.received) == 1
    assert elsewhere(lines)


async def test_ask_local_opens_no_socket_elsewhere(bench: Bench) -> None:
    code, err, lines = await bench.run("ask", "--local", "hello")
    assert code == 0, err
    assert "model: here/m" in err
    assert (len(bench.here.received), bench.far.received) == (1, [])
    assert lines, "the hook saw the connection to this machine"
    assert elsewhere(lines) == []


async def test_a_failure_here_does_not_fall_back_elsewhere(bench: Bench) -> None:
    bench.here.answers[:] = [plain({"error": {"message": "boom"}}, status=500)]
    code, err, lines = await bench.run("ask", "--local", "hello")
    assert code == 1, err
    assert len(bench.here.received) >= 1
    assert (bench.far.received, elsewhere(lines)) == ([], [])


async def test_a_provider_elsewhere_named_with_local_is_refused(bench: Bench) -> None:
    code, err, lines = await bench.run("ask", "--local", "-m", "far/m", "hello")
    assert code in {2, 8}, err
    assert (bench.far.received, elsewhere(lines)) == ([], [])


@pytest.mark.parametrize("words", [("route", "--local", "hello"), ("ask", "--local", "-c", "more")])
async def test_other_commands_with_local_stay_here(bench: Bench, words: tuple[str, ...]) -> None:
    await bench.run("ask", "--local", "hello")
    code, err, lines = await bench.run(*words)
    assert code == 0, err
    assert (bench.far.received, elsewhere(lines)) == ([], [])


async def test_probes_of_a_machine_that_keeps_all_here_stay_here(bench: Bench, home: Path) -> None:
    write_config(home, config(bench.here, bench.far, "[privacy]\nlocal = true\n"))
    models = Answer(json.dumps({"data": [{"id": "m"}]}).encode())
    bench.here.answers[:] = [models]
    for words in (("provider", "status", "--probe"), ("models", "--all"), ("doctor",)):
        _, _, lines = await bench.run(*words)
        assert (bench.far.received, elsewhere(lines)) == ([], []), words


async def test_without_a_model_here_one_sentence_says_so(bench: Bench, home: Path) -> None:
    write_config(
        home,
        '[providers]\ndefault = "far"\nfallback_order = ["far"]\n[providers.far]\nkind = "openai"\n'
        f'model = "m"\nallow_http = true\nbase_url = "{bench.far.url}/v1"\napi_key_env = "FAR_KEY"\n',
    )
    code, err, lines = await bench.run("ask", "--local", "hello")
    assert code == 8
    assert "must stay on this machine" in err
    assert "Traceback" not in err
    assert (bench.far.received, elsewhere(lines)) == ([], [])


async def test_a_local_only_file_keeps_its_chat_here(bench: Bench, home: Path) -> None:
    write_config(home, config(bench.here, bench.far, '[privacy]\nlocal_only = ["clients/**"]\n'))
    (bench.folder / "clients").mkdir()
    (bench.folder / "clients" / "notes.md").write_text("confidential plans")
    code, err, lines = await bench.run("ask", "-f", "clients/notes.md", "sum this up")
    assert code == 0, err
    assert "clients/notes.md matches privacy.local_only" in err
    code, err, more = await bench.run("ask", "-c", "and the second point?")
    assert code == 0, err
    assert (len(bench.here.received), bench.far.received) == (2, [])
    assert elsewhere(lines + more) == []


async def test_local_only_holds_from_a_folder_below_and_through_a_link(
    bench: Bench, home: Path
) -> None:
    write_config(home, config(bench.here, bench.far, '[privacy]\nlocal_only = ["clients/**"]\n'))
    (bench.folder / ".git").mkdir()
    inner = bench.folder / "clients" / "acme"
    inner.mkdir(parents=True)
    (inner / "notes.md").write_text("confidential plans")
    (bench.folder / "harmless.md").symlink_to(inner / "notes.md")
    await bench.run("ask", "-f", "harmless.md", "sum this up")
    below = Bench(bench.here, bench.far, inner)
    await below.run("ask", "-f", "notes.md", "sum this up")
    assert bench.far.received == []


async def test_no_proxy_is_asked_for_what_stays_here(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, bench.far.url)
    code, err, lines = await bench.run("ask", "--local", "hello")
    assert (bench.far.received, elsewhere(lines)) == ([], [])
    assert code == 0, err
