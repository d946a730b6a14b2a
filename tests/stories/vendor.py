"""What the stories' servers say (OpenAI's protocol), and the configuration that names them."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.support.loopback import Answer, Loopback, paced

PROMPT_TOKENS, OUTPUT_TOKENS = 1000, 500
"""What every whole answer says it used: $0.0010 + $0.0010 at the prices below."""


def chunk(text: str | None = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    """One event of a stream."""
    delta = {} if text is None else {"content": text}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "x", "object": "chat.completion.chunk", "model": "m", "choices": [choice], **more}


def answer(*steps: str | float | asyncio.Event) -> Answer:
    """A whole answer; seconds and events between its pieces are waited for."""
    usage = {
        "prompt_tokens": PROMPT_TOKENS,
        "completion_tokens": OUTPUT_TOKENS,
        "total_tokens": PROMPT_TOKENS + OUTPUT_TOKENS,
    }
    return paced(
        *(chunk(step) if isinstance(step, str) else step for step in steps),
        chunk(finish="stop"),
        {**chunk(), "choices": [], "usage": usage},
    )


def broken(*steps: str | float | asyncio.Event) -> Answer:
    """An answer whose connection breaks after the last piece."""
    return paced(*(chunk(step) if isinstance(step, str) else step for step in steps), broken=True)


def config(alpha: Loopback, beta: Loopback, more: str = "") -> str:
    """Two vendors, alpha asked first; $1 and $2 (alpha), $2 and $6 (beta) per million tokens."""
    return f"""
[providers]
default = "alpha"
fallback_order = ["alpha", "beta"]
[providers.alpha]
kind = "openai"
base_url = "{alpha.url}/v1"
model = "swift"
api_key_env = "ALPHA_KEY"
[providers.beta]
kind = "openai"
base_url = "{beta.url}/v1"
model = "deep"
[models.custom."alpha/swift"]
input_price = 1.0
output_price = 2.0
context_window = 100_000
[models.custom."beta/deep"]
input_price = 2.0
output_price = 6.0
context_window = 100_000
[retry]
max_retries = 0
{more}
"""


def said(server: Loopback, request: int = -1) -> list[tuple[str, str]]:
    """(role, text) of a request's messages, without the system prompt."""
    return [
        (message["role"], message["content"])
        for message in server.received[request].body["messages"]
        if message["role"] not in {"system", "developer"}
    ]
