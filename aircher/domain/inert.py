"""Text made harmless to a terminal, and to a reader who cannot see what is hidden in it.

Terminals obey control characters wherever they come from, so an answer, a file or a branch
name could set the clipboard, the title, or rewrite the screen.  Everything foreign passes
here before it is shown, printed or stored for display.  Characters are judged one by one, so
a sequence split over two chunks is caught as well.

Invisible characters go too: they carry text that a person does not see but a model reads
(tag characters, variation selectors), turn the order of words (bidi controls), or make two
names look the same (zero-width spaces).  The two joiners that Persian, the Indic scripts and
many emoji need stay where such a script can use them: one, after a character beyond U+05FF.
"""

from __future__ import annotations

from functools import cache

from aircher.domain.regexes import regex

_ASCII = dict.fromkeys([c for c in range(0x20) if chr(c) not in "\n\t"] + [0x7F])


@cache
def _table() -> dict[int, str | None]:
    """Made when a text first needs it, because it is large: 6,300 characters, 2 ms."""
    dropped = (
        *range(0x80, 0xA0),  # C1
        *(0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)),  # bidi controls
        *(0x2028, 0x2029, 0xFEFF),  # line/paragraph separators, stray byte-order marks
        # Zero-width and filling characters: soft hyphen, grapheme joiner, Hangul and Khmer
        # fillers, Mongolian selectors, zero-width space, word joiner, invisible operators,
        # annotations.
        *(0x00AD, 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x200B),
        *(*range(0x2060, 0x2066), *range(0x206A, 0x2070), 0x3164, 0xFFA0, *range(0xFFF9, 0xFFFC)),
        *range(0x1D173, 0x1D17B),  # musical format characters
        *range(0xE0000, 0xE1000),  # tags and variation selectors 17 to 256: invisible text
    )
    lone_surrogates = range(0xD800, 0xE000)  # they cannot be encoded
    return {**_ASCII, **dict.fromkeys(dropped), **dict.fromkeys(lone_surrogates, "\ufffd")}


_JOINERS = "\u200c\u200d"
_STRAY_JOINER = regex(
    f"(?<![\u0600-\u1fff\u2070-\U000dffff])[{_JOINERS}]+|(?<=[{_JOINERS}])[{_JOINERS}]+"
)


def inert(text: str) -> str:
    """``text`` without control and invisible characters (newline and tab stay); CRLF becomes LF."""
    if text.isascii():
        return text if text.isprintable() else text.translate(_ASCII)
    plain = text.translate(_table())
    if "\u200c" in plain or "\u200d" in plain:
        plain = _STRAY_JOINER.sub("", plain)
    return plain


def encodable(text: str) -> str:
    """``text`` as UTF-8, a wire and a database can carry it: lone surrogates are replaced.

    They come from arguments and file names that are no UTF-8.
    """
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
