"""Task detection put together: its files read, the user's own patterns compiled."""

from __future__ import annotations

import tomllib
from pathlib import Path

from aircher.config.load import Config
from aircher.policy import detect
from aircher.policy.detect import Detector, Known, Patterns, compile_patterns, lexicon, parse

_FOLDER = Path(detect.__file__).parent
_OWN = {"weights": {"keyword": 0.6, "pattern": 0.8, "context": 0.5}}
"""What the user's own signs weigh: they were written for this user's requests."""


def load_detector(config: Config | None = None) -> Detector:
    """The detector; its own files are read at the first request."""
    return Detector(_known, None if config is None else own_patterns(config))


def _known() -> Known:
    model = parse((_FOLDER / "model.bin").read_bytes())
    table = tomllib.loads((_FOLDER / "tasks.toml").read_text(encoding="utf-8"))
    return Known(
        compile_patterns(table, needs=model.needs),
        lexicon(tomllib.loads((_FOLDER / "concepts.toml").read_text(encoding="utf-8"))),
        model,
    )


def own_patterns(config: Config) -> Patterns | None:
    """The patterns of [tasks.*]; None where there are none."""
    if not config.tasks:
        return None
    tables = {
        name: {
            "keywords": one.keywords,
            "message_patterns": one.message_patterns,
            "file_patterns": one.file_patterns,
            "git_patterns": one.git_patterns,
            "commands": one.commands,
        }
        for name, one in config.tasks.items()
    }
    return compile_patterns(_OWN, tables)
