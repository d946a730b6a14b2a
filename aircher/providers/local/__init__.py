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

    ``connection.options`` may hold ``model`` (path of a GGUF file to be listed beside the
    built-in model; a request names it by the same path), ``num_ctx`` (window in tokens, 8192
    if not said), ``threads``, ``idle_unload`` (seconds until an unused model leaves memory,
    0 = never) and ``timeout`` (seconds that one answer may take).
    """
    from aircher.providers.local.provider import Local

    return Local(connection)
