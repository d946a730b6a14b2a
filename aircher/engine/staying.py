"""Whether a request may leave this machine at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from aircher.domain.messages import Document, Image, Part
from aircher.domain.sessions import StoredMessage
from aircher.domain.settings import PrivacySettings
from aircher.domain.turns import TurnRequest
from aircher.policy.guard.paths import first_match


def kept_here(
    request: TurnRequest, stored: Sequence[StoredMessage], privacy: PrivacySettings
) -> tuple[TurnRequest, str]:
    """The request, with ``wish.local`` set where it must stay, and the file that says so ("").

    One file that matches ``local_only``, anywhere in the conversation, keeps all of it here:
    every later message is sent together with it.
    """
    path = first_match(_paths(request, stored), privacy.local_only) if privacy.local_only else ""
    if (path or privacy.local) and not request.wish.local:
        request = replace(request, wish=replace(request.wish, local=True))
    return request, path


def _paths(request: TurnRequest, stored: Sequence[StoredMessage]) -> Iterator[str]:
    yield from request.files
    yield from _names(request.attachments)
    for item in stored:
        yield from _names(item.message.parts)


def _names(parts: Iterable[Part]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, Document | Image) and part.name:
            yield part.name
