"""How many tokens a prompt is: exact for OpenAI's models, a calibrated estimate for others.

Sources: the overhead per message is OpenAI's own recipe (cookbook, "How to count tokens with
tiktoken": 3 per message plus its role, 3 to prime the reply), checked against recorded usage;
gpt-5 bills 2 to prime.  The o-series was not checked, so its counts are not called exact.  Sizes of images and PDF pages
are the vendors' published rules, reduced to the usual case: Claude at most about 1,600 tokens
an image, Gemini 258 a tile or page, OpenAI 85 + 170 a tile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from aircher.catalog.tables import Tables, encoding_of
from aircher.domain.messages import (
    Document,
    Image,
    Message,
    Part,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from aircher.domain.models import ModelRef
from aircher.domain.regexes import regex

PER_MESSAGE = 4
"""3 for the frame and 1 for the role."""
PER_REPLY = (("gpt-5", 2), ("", 3))
UNCHECKED = ("o1", "o3", "o4", "gpt-oss")
IMAGE = (("claude", 1_600), ("gemini", 258), ("", 765))
PAGE = (("claude", 2_000), ("gemini", 258), ("", 1_100))
"""By a word in the model's name: tokens of one image, of one PDF page."""
WHOLE = 100_000
"""Texts up to this many characters are counted whole; longer ones are sampled."""
SAMPLES, SAMPLE = 10, 5_000
FIRST = (
    ("claude-opus-4-7", 1.3),
    ("claude-opus-4-8", 1.3),
    ("claude-opus-5", 1.3),
    ("claude-sonnet-5", 1.3),
    ("claude-haiku-5", 1.3),
    ("claude-fable-5", 1.3),
)
"""Ratios to begin with: by Anthropic's migration guides, these models' tokenizer makes about
30 % more tokens of the same text than their predecessors'."""
RATIO = (0.5, 2.0)
"""How far a calibration may go: a vendor's hidden prompt must not spoil later estimates."""
WEIGHT = 0.3
"""The share of a new report in the running ratio."""

_PAGE_MARK = regex(rb"/Type\s*/Page(?!s)")
_WORDS = regex(r"[A-Za-z]+|[\u00a0-\u1fff]+|[\u2000-\U0010ffff]")


class TokenCounter:
    """Counts prompts; remembers how far off its estimates were, per model, in memory."""

    def __init__(self) -> None:
        self._tables = Tables()
        self._ratios: dict[ModelRef, float] = {}

    def load(self, model: str) -> None:
        """Loads the model's table if it has one.  Blocking: up to 0.4 s."""
        self._tables.load(encoding_of(model))

    def text(self, ref: ModelRef, text: str) -> int:
        """An estimate for a text, without tables."""
        return round(_sampled(_estimate, text) * self._ratio(ref))

    def prompt(self, ref: ModelRef, messages: Sequence[Message], system: str) -> tuple[int, bool]:
        """Tokens of a whole prompt; exact if all of it is text that a loaded table counts."""
        table = self._tables.ready(encoding_of(ref.model))
        count = table or _estimate
        parts = [part for message in messages for part in message.parts]
        texts = [system, *(_text_of(part) for part in parts)]
        plain = all(isinstance(part, Text) for part in parts)
        whole = all(len(text) <= WHOLE for text in texts)
        tokens = sum(_sampled(count, text) for text in texts if text)
        if table is None:
            tokens = round(tokens * self._ratio(ref))
        tokens += sum(_attachment(ref.model, part) for part in parts)
        tokens += PER_MESSAGE * (len(messages) + bool(system)) + _by_name(PER_REPLY, ref.model)
        checked = not any(word in ref.model for word in UNCHECKED)
        return tokens, table is not None and plain and whole and checked

    def calibrate(self, ref: ModelRef, estimated: int, reported: int) -> None:
        """Moves the model's ratio towards reported / estimated, smoothly and within bounds."""
        if estimated <= 0 or reported <= 0 or encoding_of(ref.model):
            return
        now = self._ratio(ref)
        seen = now * reported / estimated
        low, high = RATIO
        self._ratios[ref] = min(high, max(low, now + WEIGHT * (seen - now)))

    def _ratio(self, ref: ModelRef) -> float:
        ratio = self._ratios.get(ref)
        if ratio is None:
            return next((first for start, first in FIRST if start in ref.model), 1.0)
        return ratio


def _text_of(part: Part) -> str:
    """The part's text as far as it is sent as text."""
    match part:
        case Text(text) | Thinking(text):
            return text
        case ToolCall(_, name, arguments):
            return f"{name} {arguments}"
        case ToolResult(_, content):
            return content
        case Document(_, media_type, data) if media_type != "application/pdf":
            return data.decode("utf-8", "replace")
        case _:
            return ""


def _attachment(model: str, part: Part) -> int:
    """Tokens of what is not sent as text."""
    match part:
        case Image():
            return _by_name(IMAGE, model)
        case Document(_, "application/pdf", data):
            return max(1, len(_PAGE_MARK.findall(data))) * _by_name(PAGE, model)
        case _:
            return 0


def _by_name(sizes: Sequence[tuple[str, int]], model: str) -> int:
    """The first size whose word is in the model's name; the last row's word is ""."""
    return next(size for word, size in sizes if word in model.lower())


def _sampled(count: Callable[[str], int], text: str) -> int:
    """``count`` of the whole text, or scaled up from evenly spread pieces of a very long one."""
    if len(text) <= WHOLE:
        return count(text)
    step = (len(text) - SAMPLE) // (SAMPLES - 1)
    seen = "".join(text[i * step : i * step + SAMPLE] for i in range(SAMPLES))
    return round(count(seen) * len(text) / len(seen))


@lru_cache(maxsize=256)
def _estimate(text: str) -> int:
    """Tokens without a table, by kinds of characters; remembered, for a chat grows at its end.

    Fitted to o200k_base on prose, code and other scripts (a test holds it within 30 %): an
    English word is a token and a long one more, other alphabets take more a letter, signs and
    digits are about half a token, CJK three quarters a character, an emoji two tokens.
    """
    tokens = 0.0
    known = 0
    for word in _WORDS.findall(text):
        known += len(word)
        if word < "\x80":
            tokens += 1.05 + len(word) // 8
        elif word < "\u2000":
            tokens += 0.5 + len(word) / 6
        else:
            tokens += 2 if word > "\uffff" else 0.78
    spaces = text.count(" ") + text.count("\n") + text.count("\t")
    return round(tokens + 0.62 * (len(text) - known - spaces) + 0.4 * text.count("\n"))
