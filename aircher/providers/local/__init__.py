"""The built-in model: a small language model run by a child process on this machine.

Importing this package costs nothing; the child process imports it too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aircher.providers.connection import Connection
    from aircher.providers.local.provider import Local


def connect(connection: Connection) -> Local:
    """The provider for ``connection``; nothing is started before it is first used.

    ``connection.options`` may name ``model`` (a path to a GGUF file to be listed beside the
    built-in model), ``num_ctx`` (window in tokens for such files) and ``timeout`` (seconds a
    request may take).
    """
    from aircher.providers.local.provider import Local

    return Local(connection)
