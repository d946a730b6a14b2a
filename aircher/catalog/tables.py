"""OpenAI's own token tables, offline.

tiktoken counts; the tables it would download at first use are taken from the package
bpe-openai, which ships them byte for byte (only its data files are read: importing it loads
a 74 MB library).  Loading takes a quarter of a second, so it is done once, in a worker.
"""

from __future__ import annotations

import base64
import gzip
import importlib.util
import threading
from collections.abc import Callable
from pathlib import Path

ENCODINGS: tuple[tuple[str, str], ...] = (
    ("gpt-4o", "o200k_base"),
    ("chatgpt-4o", "o200k_base"),
    ("gpt-4.1", "o200k_base"),
    ("gpt-4.5", "o200k_base"),
    ("gpt-5", "o200k_base"),
    ("gpt-oss", "o200k_base"),
    ("o1", "o200k_base"),
    ("o3", "o200k_base"),
    ("o4-mini", "o200k_base"),
    ("gpt-4", "cl100k_base"),
    ("gpt-3.5", "cl100k_base"),
    ("text-embedding-", "cl100k_base"),
)
"""Start of a model's name -> its table; the first that fits counts.

From tiktoken 0.14's model table (gpt-oss' harmony table differs from o200k_base in special
tokens alone).  Models not named here have no published table: their counts are estimates.
"""

PATTERNS = {
    "cl100k_base": (
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+|"
        r" ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
    ),
    "o200k_base": (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*"
        r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+"
        r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
        r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
}
"""How each encoding splits text before merging (tiktoken_ext.openai_public, MIT)."""


def encoding_of(model: str) -> str:
    """The encoding of an OpenAI model, "" where none is published."""
    name = model.lower().rpartition("/")[2]
    return next((encoding for start, encoding in ENCODINGS if name.startswith(start)), "")


class Tables:
    """Encodings, each loaded at most once; safe to use from several threads."""

    def __init__(self) -> None:
        self._counters: dict[str, Callable[[str], int] | None] = {}
        self._lock = threading.Lock()

    def ready(self, encoding: str) -> Callable[[str], int] | None:
        """The counter if it is loaded already; never blocks."""
        return self._counters.get(encoding)

    def load(self, encoding: str) -> None:
        """Loads a table; does nothing where its data is not installed.  Blocking."""
        with self._lock:
            if encoding and encoding not in self._counters:
                self._counters[encoding] = _counter(encoding)


def _counter(encoding: str) -> Callable[[str], int] | None:
    spec = importlib.util.find_spec("bpe_openai")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "data" / f"{encoding}.tiktoken.gz"
    if not path.is_file():
        return None
    from tiktoken import Encoding

    ranks: dict[bytes, int] = {}
    with gzip.open(path) as lines:
        for line in lines:
            token, rank = line.split()
            ranks[base64.b64decode(token)] = int(rank)
    table = Encoding(encoding, pat_str=PATTERNS[encoding], mergeable_ranks=ranks, special_tokens={})
    ranks.clear()  # the core has its own copy; this one is 25 MB

    def count(text: str) -> int:
        # encode_ordinary: a pasted "<|endoftext|>" is text, not an order.
        return len(table.encode_ordinary(text))

    return count
