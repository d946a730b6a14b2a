"""Hostile texts for terminals, and a reader of terminal output that knows only what is allowed."""

from __future__ import annotations

import re
from collections.abc import Iterator

ESC, BEL, ST = "\x1b", "\x07", "\x1b\\"
PIXEL = "R0lGODlhAQABAAAAACw="


def payloads() -> dict[str, str]:
    """Name -> text.  Each holds a mark of plain letters ("PWN07x"), so that a test can see that
    the text reached the screen at all."""
    made = dict(_payloads())
    return {name: text.replace("@", f"PWN{n:02}x") for n, (name, text) in enumerate(made.items())}


def _payloads() -> Iterator[tuple[str, str]]:
    for end_name, end in (("bel", BEL), ("st", ST), ("c1st", "\x9c")):
        yield f"osc0 title {end_name}", f"@{ESC}]0;@{end}"
        yield f"osc52 clipboard {end_name}", f"@{ESC}]52;c;c3RvbGVu{end}"
        yield f"osc8 link {end_name}", f"{ESC}]8;;https://evil.example{end}@{ESC}]8;;{end}"
    for name, body in (
        ("osc1 icon", "1;@"),
        ("osc2 title", "2;@"),
        ("osc4 colour", "4;1;rgb:ff/00/00"),
        ("osc7 folder", "7;file://evil.example/@"),
        ("osc9 notify", "9;@"),
        ("osc9;4 progress", "9;4;1;50"),
        ("osc10 foreground", "10;#000000"),
        ("osc12 cursor", "12;#ff0000"),
        ("osc50 font", "50;@"),
        ("osc104 reset", "104"),
        ("osc133 prompt", "133;A"),
        ("osc633 editor", "633;E;@"),
        ("osc777 notify", "777;notify;@;@"),
        ("osc1337 file", f"1337;File=inline=1:{PIXEL}"),
        ("osc1337 clipboard", "1337;CopyToClipboard=@"),
    ):
        yield name, f"@{ESC}]{body}{BEL}"
    yield "osc without end", f"@{ESC}]0;@"
    yield "osc in c1", "@\x9d0;@\x9c"
    for name, letter in (("dcs", "P"), ("apc", "_"), ("pm", "^"), ("sos", "X")):
        yield name, f"@{ESC}{letter}@{ST}"
    for name, code in (
        ("dcs c1", "\x90"),
        ("apc c1", "\x9f"),
        ("pm c1", "\x9e"),
        ("sos c1", "\x98"),
    ):
        yield name, f"@{code}@\x9c"
    yield "tmux passthrough", f"@{ESC}Ptmux;{ESC}{ESC}]0;@{BEL}{ST}"
    yield "screen title", f"@{ESC}k@{ST}"
    yield "kitty picture", f"@{ESC}_Gf=100,a=T;{PIXEL}{ST}"
    yield "sixel", f"@{ESC}Pq#0;2;0;0;0~-{ST}"
    for name, body in (
        ("clear", "2J"), ("home", "H"), ("up", "99A"), ("scroll region", "1;2r"), ("erase", "2K"),
        ("leave the screen", "?1049l"), ("hide the cursor", "?25l"), ("mouse", "?1003h"),
        ("paste off", "?2004l"), ("ask where", "6n"), ("ask what", "c"), ("ask title", "21t"),
        ("resize", "8;1;1t"), ("colour", "31;5m"), ("conceal", "8m"), ("insert", "4h"),
        ("kitty keys", ">31u"), ("soft reset", "!p"),
    ):  # fmt: skip
        yield f"csi {name}", f"@{ESC}[{body}"
    yield "csi c1", "@\x9b2J"
    yield "full reset", f"@{ESC}c"
    yield "character set", f"@{ESC}(0@"
    yield "single shift", "@\x8e\x8f"
    yield "backspaces", "good@\b\b\b\b\b\b\b\bbad"
    yield "carriage return", "good\r@"
    yield "vertical", "@\x0b\x0c"
    yield "bell", f"@{BEL}{BEL}"
    yield "nul and del", "@\x00\x7f\x1a"
    yield "shift out", "@\x0e@\x0f"
    yield "bidi override", "@\u202etxt.exe\u202c"
    yield "bidi isolate", "@\u2066\u2067\u2068\u2069\u200f\u061c"
    yield "tags", "@" + "".join(chr(0xE0000 + ord(c)) for c in "obey me")
    yield "variation selectors", "@" + "".join(chr(0xE0100 + n) for n in range(8))
    yield "zero width", "pay\u200bpal@\u2060\ufeff\u200c\u200d"
    yield "separators", "@\u2028\u2029"
    yield "lone surrogate", "@\ud83d"


_CSI = re.compile(rb"\x1b\[([0-?]*)([ -/]*)([@-~])")
_FINAL = {
    b"m": re.compile(rb"[\d;:]*"),  # colours and styles
    b"H": re.compile(rb"[\d;]*"),
    b"J": re.compile(rb"\d*"),
    b"K": re.compile(rb"\d*"),
    b"A": re.compile(rb"\d*"),
    b"h": re.compile(rb"\?(25|7|1000|1003|1004|1006|1015|1016|1049|2004|2026|2031|2048)"),
    b"l": re.compile(rb"\?(25|7|1000|1003|1004|1006|1015|1016|1049|2004|2026|2031|2048)"),
    b"u": re.compile(rb"[<>=]?\d*"),  # the keyboard protocol
    b"p": re.compile(rb"\?(2026|2048)"),  # asking for a mode ("$p")
    b"t": re.compile(rb"22|23|14|16|18"),
}
"""The controls that the program itself draws with, by final byte and parameters."""

_POINTER = re.compile(rb"\x1b\]22;[a-z-]+\x07")
"""The mouse pointer's shape, which Textual sets."""

_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)


def leaks(output: bytes, *, drawing: bool) -> list[str]:
    """What in the output no program of ours may have written; empty where all is well.

    With ``drawing`` the controls of a full-screen program are allowed, each by name; without it
    none is.  Invisible characters are never allowed.
    """
    found = []
    text = output
    if drawing:
        text, found = _without_known(output)
    shown = text.decode("utf-8", "surrogateescape")
    found += [
        f"{match.group()!r} in {_around(shown, match)!r}" for match in _HIDDEN.finditer(shown)
    ]
    # A carriage return may only end a line, as a terminal's line discipline writes it.
    if not drawing:
        found += [
            f"a bare return in {_around(shown, m)!r}" for m in re.finditer(r"\r(?!\r*\n)", shown)
        ]
    return found


def _without_known(output: bytes) -> tuple[bytes, list[str]]:
    unknown: list[str] = []

    def known(match: re.Match[bytes]) -> bytes:
        parameters, _, final = match.groups()
        allowed = _FINAL.get(final)
        if allowed is None or not allowed.fullmatch(parameters):
            unknown.append(repr(match.group()))
        return b""

    return _POINTER.sub(b"", _CSI.sub(known, output)), unknown


def _around(text: str, match: re.Match[str]) -> str:
    return text[max(0, match.start() - 20) : match.end() + 20]


def arrived(output: bytes) -> list[str]:
    """The hostile texts that stand in the output as they were sent, by name."""
    return [
        name for name, text in payloads().items() if text.encode("utf-8", "surrogatepass") in output
    ]
