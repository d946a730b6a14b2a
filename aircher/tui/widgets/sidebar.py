"""The right side: costs above, providers below."""

from __future__ import annotations

from textual.containers import VerticalScroll


class Sidebar(VerticalScroll, can_focus=False):
    """Hidden on narrow terminals; a key brings it back."""
