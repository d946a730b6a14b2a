"""[fallback] and each task's consent, as the engine reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from aircher.config.load import Config
from aircher.domain.settings import BrokenAnswer, Consent, FallbackSettings, Reaction


def fallback_settings(config: Config) -> FallbackSettings:
    """Who may take over, and when; the words were checked when they were read."""
    own = config.fallback
    return FallbackSettings(
        consent=cast("Consent", own.consent),
        tasks={
            name: cast("Consent", task.fallback)
            for name, task in config.models.task.items()
            if task.fallback
        },
        on=cast("Mapping[str, Reaction]", own.on),
        broken_answer=cast("BrokenAnswer", own.broken_answer),
    )
