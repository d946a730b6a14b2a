"""Files that are mentioned with "@": read for the request, and for the look at it beforehand."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import on

from aircher.domain.errors import UsageError
from aircher.domain.regexes import regex
from aircher.tui import messages as msg
from aircher.tui.base import BaseApp

if TYPE_CHECKING:  # annotations only: the first frame needs none of it
    from aircher.domain.messages import Part

_MENTION = regex(r"(?:^|(?<=\s))@([^\s@()<>\"'`]+)")
_LOOKS_LIKE_FILE = regex(r"[./\\]")
_SURELY_FILE = regex(r"[/\\]")
"""What has no slash may be a decorator in pasted code; that it is no file is not worth a word."""


class Attaching(BaseApp):
    """Reads mentioned files, always in a thread."""

    async def attachments(self, text: str) -> dict[str, Part]:
        """The files mentioned with "@"; one that cannot be read is told and left as text."""
        self.chat.looked.clear()
        chosen = self._chosen(text)
        for path in self._named(text):
            if path not in chosen:
                part = await self._read(path, tell=bool(_SURELY_FILE.search(path)))
                if part is not None:
                    chosen[path] = part
        return chosen

    async def mentioned(self, text: str) -> dict[str, Part]:
        """The same for a look beforehand: nothing is told, and each file is read once."""
        found = self._chosen(text)
        looked = self.chat.looked
        for path in self._named(text):
            if path not in found and path not in looked:
                looked[path] = await self._read(path, tell=False)
            part = looked.get(path)
            if part is not None:
                found.setdefault(path, part)
        return found

    def _chosen(self, text: str) -> dict[str, Part]:
        return {path: part for path, part in self.chat.files.items() if f"@{path}" in text}

    @staticmethod
    def _named(text: str) -> list[str]:
        paths = [match[1].rstrip(",;:!?") for match in _MENTION.finditer(text)]
        return [path for path in paths if _LOOKS_LIKE_FILE.search(path)]

    async def _read(self, path: str, *, tell: bool = True) -> Part | None:
        if self.services is None:
            return None
        try:
            return await asyncio.to_thread(self.services.workspace.attach, path)
        except UsageError as error:
            if tell:
                self.tell(f"@{path} was not attached: {error.message}")
            return None

    @on(msg.FileChosen)
    async def _file_chosen(self, event: msg.FileChosen) -> None:
        part = await self._read(event.path)
        if part is not None:
            self.chat.files[event.path] = part
            self.show_chips()
            self.plan_ahead()
