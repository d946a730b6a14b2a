"""What is looked at while a request goes out: where its connection leads, and when it has left.

Both httpx and httpx2 hand a request's ``trace`` extension down to httpcore, which calls it at each
step.  So the address that is judged is the one that was connected to, after every look-up, and
nothing has been sent to it yet, no TLS greeting either.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aircher.domain.sending import has_left, is_connecting
from aircher.providers.addresses import OF_NO_SERVER, is_forbidden

Hook = Callable[[Any], Awaitable[None]]


class ForbiddenPeer(ConnectionError):
    """A name led to an address that no model server has; nothing was sent."""

    def __init__(self) -> None:
        super().__init__(f"it is {OF_NO_SERVER}")


def request_hooks() -> Mapping[str, list[Hook]]:
    """``event_hooks`` for a client of either family."""
    return {"request": [_watch]}


async def _watch(request: Any) -> None:
    request.extensions = {**request.extensions, "trace": _Steps(_text(request.url.raw_host))}
    is_connecting()


class _Steps:
    """The steps of one request to ``host``."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._direct = False

    async def __call__(self, step: str, info: Mapping[str, Any]) -> None:
        """``step`` is such as "connection.connect_tcp.started"."""
        if step.endswith("connect_tcp.started"):
            # By a proxy it is the proxy that looks the name up.
            self._direct = _text(info["host"]) == self._host
        elif step.endswith("connect_tcp.complete") and self._direct:
            stream = info["return_value"]
            peer = stream.get_extra_info("server_addr")
            if peer and is_forbidden(str(peer[0])):
                await stream.aclose()
                raise ForbiddenPeer
        elif step.endswith("send_request_headers.started") and info["request"].method != b"CONNECT":
            has_left()  # CONNECT is for a proxy alone


def _text(host: str | bytes) -> str:
    return host.decode("ascii", "replace") if isinstance(host, bytes) else host
