"""The four documents that streaming is measured with: the same text on every machine.

Each is about 20,000 tokens (80 kB) at full size; ``size`` cuts it at a line end.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

_TEXT = (
    "the a request model answer token stream budget provider router fallback cache window "
    "latency price ledger retry signal terminal cursor buffer parser syntax function value "
    "type module import test branch commit merge because therefore when after each small large "
    "fast slow simple careful often never always may should must can writes reads keeps drops"
)
WORDS = re.findall(r"\w+", _TEXT)
FULL = 80_000


def _sentence(rng: random.Random) -> str:
    words = rng.choices(WORDS, k=rng.randint(8, 18))
    dress = rng.random()
    spot = rng.randrange(len(words))
    if dress < 0.25:
        words[spot] = f"`{words[spot]}`"
    elif dress < 0.45:
        words[spot] = f"**{words[spot]}**"
    elif dress < 0.5:
        words[spot] = f"[{words[spot]}](https://example.invalid/{spot})"
    return " ".join(words).capitalize() + "."


def _prose(rng: random.Random) -> Iterator[str]:
    for number in range(10_000):
        if number % 6 == 0:
            yield f"## {_sentence(rng).rstrip('.')}\n\n"
        yield " ".join(_sentence(rng) for _ in range(rng.randint(3, 6))) + "\n\n"


def _fence(rng: random.Random) -> Iterator[str]:
    yield "```python\n"
    for number in range(10_000):
        a, b, c = rng.sample(WORDS, 3)
        yield f"def {a}_{number}({b}: int, {c}: str = 'x') -> dict[str, int]:\n"
        yield f'    """{_sentence(rng)}"""\n'
        yield f"    total = sum(len({c}) * {number} for _ in range({b}))  # {_sentence(rng)}\n"
        yield f"    if total > {number * 7}:\n"
        yield f"        raise ValueError(f'{{total}} is more than {{{b}}} allows: {a}')\n"
        yield f"    return {{'{a}': total, '{b}': {number}, 'text': {c!r}.count('x')}}\n\n\n"


def _list(rng: random.Random) -> Iterator[str]:
    for number in range(10_000):
        yield f"- **{rng.choice(WORDS)} {number}**: {_sentence(rng)} {_sentence(rng)}\n"
        if number % 5 == 0:
            yield f"  - {_sentence(rng)}\n"


def _table(rng: random.Random) -> Iterator[str]:
    yield "| Model | Input | Output | Remarks | Again |\n|---|--:|--:|---|---|\n"
    for number in range(10_000):
        price = rng.randint(1, 9999) / 100
        yield (
            f"| `model-{number}` | ${price:.2f} | ${price * 4:.2f} "
            f"| {_sentence(rng)} {_sentence(rng)} | {_sentence(rng)} {_sentence(rng)} |\n"
        )


_MAKERS = {"prose": _prose, "fence": _fence, "list": _list, "table": _table}
NAMES = tuple(_MAKERS)


def document(name: str, size: int = FULL) -> str:
    """The document ``name``, at least ``size`` characters unless its last line is cut off."""
    text = ""
    parts: list[str] = []
    length = 0
    for part in _MAKERS[name](random.Random(name)):
        parts.append(part)
        length += len(part)
        if length >= size:
            break
    text = "".join(parts)
    return text + "```\n" if name == "fence" else text


def chunks(text: str, mean: int = 16, seed: int = 1) -> list[str]:
    """``text`` as a model streams it: pieces of about ``mean`` characters."""
    rng = random.Random(seed)
    pieces = []
    at = 0
    while at < len(text):
        step = rng.randint(1, 2 * mean - 1)
        pieces.append(text[at : at + step])
        at += step
    return pieces


def conversation(messages: int, seed: int = 7) -> list[tuple[str, str]]:
    """Role and text of alternate messages: short questions, answers of about 1,200 characters."""
    rng = random.Random(seed)
    answers = [
        "\n".join(
            (
                document("prose", rng.randint(300, 900)),
                document("list", rng.randint(100, 400)),
                document("fence", rng.randint(100, 600)),
            )
        )
        for _ in range(20)
    ]
    return [
        ("user", _sentence(rng)) if number % 2 == 0 else ("assistant", answers[number % 20])
        for number in range(messages)
    ]
