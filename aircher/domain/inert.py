"""Text made harmless to a terminal.

Terminals obey control characters wherever they come from, so an answer, a file or a branch
name could set the clipboard, the title, or rewrite the screen.  Everything foreign passes
here before it is shown, printed or stored for display.  Characters are judged one by one, so
a sequence split over two chunks is caught as well.
"""

from __future__ import annotations

_DROPPED = (
    [c for c in range(0x20) if chr(c) not in "\n\t"]
    + list(range(0x7F, 0xA0))  # DEL and C1
    + [0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]  # bidi controls
    + [0x2028, 0x2029, 0xFEFF]  # line/paragraph separators, stray byte-order marks
    + list(range(0xE0000, 0xE0080))  # tag characters: invisible text
)
_SURROGATES = range(0xD800, 0xE000)  # lone ones cannot be encoded
_TABLE: dict[int, str | None] = {**dict.fromkeys(_DROPPED), **dict.fromkeys(_SURROGATES, "\ufffd")}


def inert(text: str) -> str:
    """``text`` without control characters (newline and tab stay); CRLF becomes LF."""
    return text.translate(_TABLE)
