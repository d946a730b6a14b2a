"""A request made plain enough for the built-in model."""

from __future__ import annotations

import pytest

from aircher.domain.chat import ChatRequest, ToolSpec
from aircher.domain.errors import InvalidRequest
from aircher.domain.messages import (
    Document,
    Message,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    assistant,
    user,
)
from aircher.providers.local.prompt import MAX_OUTPUT, SYSTEM, plain


def test_tool_traffic_is_told_in_words() -> None:
    asked = ChatRequest(
        "m",
        (
            user("Weather?"),
            Message("assistant", (Thinking("hm"), ToolCall("1", "weather", '{"in": "Rome"}'))),
            Message("tool", (ToolResult("1", "sunny"),)),
            Message("assistant", (Thinking("only thought"),)),
        ),
        tools=(ToolSpec("weather", "", {}),),
        tool_choice="auto",
        thinking="high",
    )
    got = plain(asked, tiny=True)
    assert (got.tools, got.tool_choice, got.thinking) == ((), None, None)
    assert [(m.role, m.text) for m in got.messages] == [
        ("user", "Weather?"),
        ("assistant", '(called weather with {"in": "Rome"})'),
        ("user", "Result of the call:\nsunny"),
    ]


def test_text_files_are_inlined_and_pdfs_refused() -> None:
    note = Document("note.txt", "text/plain", "héllo".encode())
    (message,) = plain(ChatRequest("m", (user("Read it", note),)), tiny=True).messages
    assert message.parts == (Text("note.txt:\nhéllo\n\nRead it"),)
    with pytest.raises(InvalidRequest):
        plain(
            ChatRequest("m", (user("Read", Document("a.pdf", "application/pdf", b"%PDF")),)),
            tiny=False,
        )


@pytest.mark.parametrize(
    ("system", "max_output", "tiny", "expected"),
    [
        ("", None, True, (SYSTEM, MAX_OUTPUT)),
        ("Be brief.", 20, True, ("Be brief.", 20)),
        ("", 4096, True, (SYSTEM, MAX_OUTPUT)),
        ("", 4096, False, ("", 4096)),
        ("", None, False, ("", None)),
    ],
)
def test_defaults_are_for_the_tiny_model_alone(
    system: str, max_output: int | None, tiny: bool, expected: tuple[str, int | None]
) -> None:
    asked = ChatRequest("m", (user("x"), assistant("y")), system=system, max_output=max_output)
    got = plain(asked, tiny=tiny)
    assert (got.system, got.max_output) == expected
