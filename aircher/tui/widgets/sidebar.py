"""The right side: costs above, providers below."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from aircher.tui.widgets.costs import CostPanel
from aircher.tui.widgets.providers import ProviderPanel


class Sidebar(VerticalScroll, can_focus=False):
    """Hidden on narrow terminals; a key brings it back."""

    def compose(self) -> ComposeResult:
        """Both panels."""
        yield CostPanel(id="costs")
        yield ProviderPanel(id="providers")
