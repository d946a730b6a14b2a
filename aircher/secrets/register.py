"""Which providers' keys we put into the keyring: a keyring cannot be asked what it holds.

The file holds names and times only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from aircher.domain.classes import dataclass
from aircher.domain.keys import KeyPlace
from aircher.secrets.sealed import Files


@dataclass(frozen=True, slots=True)
class Register:
    """The file at ``path``; a missing or damaged one knows nothing."""

    path: Path
    files: Files

    def places(self) -> Mapping[str, KeyPlace]:
        """Provider -> where its key is."""
        if not self.path.exists():
            return {}
        try:
            entries = json.loads(self.files.read(self.path))
            return {
                name: KeyPlace("keyring", str(raw["origin"]), datetime.fromisoformat(raw["set"]))
                for name, raw in entries.items()
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}

    def add(self, provider: str, origin: str, at: datetime) -> None:
        """Notes a key.  Raises ``OSError``."""
        self._write({**self.places(), provider: KeyPlace("keyring", origin, at)})

    def remove(self, provider: str) -> None:
        """Forgets one.  Raises ``OSError``."""
        places = dict(self.places())
        if places.pop(provider, None) is not None:
            self._write(places)

    def _write(self, places: Mapping[str, KeyPlace]) -> None:
        entries = {
            name: {"origin": place.origin, "set": place.stored_at.isoformat()}
            for name, place in places.items()
            if place.stored_at is not None
        }
        self.files.write(self.path, json.dumps(entries, indent=1, sort_keys=True).encode())
