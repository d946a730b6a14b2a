"""Stored keys behind a passphrase: asked for before the chat opens, then used, never shown."""

import sys
from pathlib import Path

import pytest

from tests.stories.conftest import Vendors
from tests.support.program import run
from tests.support.terminal import Terminal

pytestmark = pytest.mark.security
PASSPHRASE, KEY = "correct horse battery", "sk-canary-0123456789"


async def test_the_passphrase_is_asked_for_without_echo(
    vendors: Vendors, pane: Terminal, home: Path
) -> None:
    file = home / ".config" / "aircher" / "config.toml"
    file.write_text(file.read_text().replace('api_key_env = "ALPHA_KEY"\n', ""))
    key = home / "key"
    key.write_text(KEY)
    store = f"{sys.executable} -m aircher keys set alpha < {key}; exec {sys.executable} -m aircher"
    pane.start(("sh", "-c", store))
    await pane.wait_for("Choose a passphrase for your keys:")
    pane.type(PASSPHRASE)
    pane.key("Enter")
    await pane.wait_for("Once more:")
    pane.type(PASSPHRASE)
    pane.key("Enter")
    await pane.wait_for("is in the encrypted file")
    await pane.wait_for("Enter goes on without them")
    pane.type("wrong")
    pane.key("Enter")
    await pane.wait_for("That is not the passphrase")
    pane.type(PASSPHRASE)
    screen = pane.screen()
    pane.key("Enter")
    assert "correct" not in screen
    await pane.wait_for("Answers now  alpha/swift")
    pane.type("hello")
    await pane.wait_for("costs ~$")
    pane.key("Enter")
    await pane.wait_for("I am alpha.")
    assert vendors.alpha.received[-1].headers["authorization"] == f"Bearer {KEY}"
    assert "canary" not in pane.screen()
    assert "locked by a passphrase" in (await run("keys", "test", "alpha")).out
