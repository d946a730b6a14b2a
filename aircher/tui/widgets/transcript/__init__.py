"""The conversation on the screen: one widget, lines cached, only the open tail rendered anew."""

from aircher.tui.widgets.transcript.blocks import Link
from aircher.tui.widgets.transcript.message import Entry, Role, State
from aircher.tui.widgets.transcript.widget import Transcript

__all__ = ["Entry", "Link", "Role", "State", "Transcript"]
