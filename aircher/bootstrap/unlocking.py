"""The passphrase of stored keys, asked for before the chat takes the terminal.

Most users have none, and for them this is one look at the disk.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from aircher.bootstrap.places import SEALED_NAME

TYPE_CHECKING = False  # as in entry.py: the first frame waits for this module
if TYPE_CHECKING:
    from aircher.bootstrap.sources import Ask

_TRIES = 3


def passphrase_for_chat() -> Ask:
    """Asks until it is right, at most three times; an empty line goes on without stored keys."""
    if _exists():
        from aircher.bootstrap.passphrase import at_terminal, nobody

        return _asked(at_terminal) or nobody
    return lambda _prompt: None


def _exists() -> bool:
    folder = os.environ.get("XDG_DATA_HOME", "")
    if os.path.isabs(folder):
        return os.path.exists(os.path.join(folder, "aircher", SEALED_NAME))
    if str(sys.platform) == "linux":  # what platformdirs says, without importing it
        return os.path.exists(os.path.expanduser(f"~/.local/share/aircher/{SEALED_NAME}"))
    from aircher.bootstrap.configuring import data_dir

    return Path(data_dir() / SEALED_NAME).exists()


def _asked(ask: Ask) -> Ask | None:
    from aircher.bootstrap.configuring import load_config
    from aircher.bootstrap.sources import stores_of
    from aircher.domain.errors import AircherError, AuthenticationFailed

    config = load_config()
    try:
        if stores_of(config, ask).sealed.lock != "passphrase":
            return None
        for _ in range(_TRIES):
            said = ask("Passphrase of your keys (Enter goes on without them): ")
            if not said:
                break
            try:
                stores_of(config, _answering(said)).sealed.open()
            except AuthenticationFailed as error:
                print(f"aircher: {error.message}", file=sys.stderr)
            else:
                return _answering(said)
    except AircherError as error:
        print(f"aircher: {error.message}", file=sys.stderr)
    return None


def _answering(said: str) -> Ask:
    return lambda _prompt: said
