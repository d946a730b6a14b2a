"""A blocking call's results, one by one, in an event loop.

boto3 has no async client.  The thread is a daemon, so that a call under way cannot hold up
the end of the program.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from typing import TypeVar

from aircher.domain.errors import ProviderError

T = TypeVar("T")


async def items(work: Callable[[], Iterator[T]]) -> AsyncGenerator[T, None]:
    """What ``work`` yields in a thread of its own; its ``ProviderError`` is raised here.

    ``work`` must raise nothing else.  Where the reader leaves early, ``work`` is left with its
    next item; whoever leaves should see to it that this one does not take long.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[T | ProviderError | None] = asyncio.Queue()
    left = threading.Event()

    def put(item: T | ProviderError | None) -> None:
        with suppress(RuntimeError):  # the loop has ended; nobody waits any more
            loop.call_soon_threadsafe(queue.put_nowait, item)

    def run() -> None:
        try:
            for item in work():
                put(item)
                if left.is_set():
                    return
        except ProviderError as error:
            put(error)
        finally:
            put(None)

    # With what this task knows: what is told of the request in there is told about its own.
    work_here = partial(copy_context().run, run)
    threading.Thread(target=work_here, name="bedrock", daemon=True).start()
    try:
        while (item := await queue.get()) is not None:
            if isinstance(item, ProviderError):
                raise item
            yield item
    finally:
        left.set()
