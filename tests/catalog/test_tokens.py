"""Token counts: OpenAI's exactly, others as estimates that learn."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import tiktoken.model
from hypothesis import given
from hypothesis import strategies as st

from aircher.catalog.catalog import ModelCatalog
from aircher.catalog.tables import ENCODINGS, encoding_of
from aircher.domain.messages import Document, Image, Message, Text, ToolCall, assistant, user
from aircher.domain.models import ModelRef

NANO = ModelRef("openai", "gpt-4o-mini")
CLAUDE = ModelRef("claude", "claude-sonnet-4-5")
GEMINI = ModelRef("gemini", "gemini-2.5-flash")
SOURCE = Path(__file__).read_text()


@pytest.fixture(scope="module")
def catalog() -> ModelCatalog:
    found = ModelCatalog()
    found.warm(NANO, ModelRef("openai", "gpt-3.5-turbo"))
    return found


def test_the_table_of_encodings_agrees_with_tiktoken() -> None:
    names = [*tiktoken.model.MODEL_TO_ENCODING, *tiktoken.model.MODEL_PREFIX_TO_ENCODING]
    known = {"cl100k_base", "o200k_base", "o200k_harmony"}
    starts = tuple(start for start, _ in ENCODINGS)
    checked = 0
    for name in names:
        theirs = tiktoken.model.MODEL_TO_ENCODING.get(name) or (
            tiktoken.model.MODEL_PREFIX_TO_ENCODING.get(name)
        )
        if theirs in known and name.startswith(starts):
            assert encoding_of(name) == theirs.replace("harmony", "base"), name
            checked += 1
    assert checked > 20


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        # Counted by OpenAI's own tables (tiktoken, o200k_base).
        ("hello world", 2),
        ("tiktoken is great!", 6),
        ("<|endoftext|>", 7),
        ("", 0),
        ("お誕生日おめでとう", 8),
    ],
)
def test_openai_texts_are_counted_by_their_table(
    catalog: ModelCatalog, text: str, tokens: int
) -> None:
    assert catalog.count_tokens(NANO, [user(text)]) == (tokens + 4 + 3, True)


def test_a_system_prompt_is_a_message(catalog: ModelCatalog) -> None:
    assert catalog.count_tokens(NANO, [user("hello world")], "hello world") == (2 * 6 + 3, True)


def plain(case: dict[str, Any]) -> bool:
    """Text messages alone: what a client can count."""
    body = case["request"]["body_json"]
    if case["provider"] != "openai" or case["api"] != "chat_completions":
        return False
    if not isinstance(body, dict) or not case["expect"]["input_total"]:
        return False
    extras = {"tools", "functions", "response_format", "web_search_options", "prediction"}
    texts = all(isinstance(message.get("content"), str) for message in body["messages"])
    return not extras & set(body) and texts and "search" not in body["model"]


@pytest.mark.wire
def test_recorded_prompts_count_what_openai_billed(
    wire_folder: Path, catalog: ModelCatalog
) -> None:
    cases = [json.loads(path.read_text()) for path in sorted((wire_folder / "dev").glob("*.json"))]
    same = 0
    for case in filter(plain, cases):
        body = case["request"]["body_json"]
        messages = [Message("user", (Text(message["content"]),)) for message in body["messages"]]
        count, exact = catalog.count_tokens(ModelRef("openai", body["model"]), messages)
        # One recording was made with a redacted system prompt.
        same += exact and count == case["expect"]["input_total"]
    assert same >= 8


TEXTS = {
    "prose": "A person who has never seen it can switch the provider and see the price. " * 20,
    "code": SOURCE,
    "json": json.dumps({"items": [{"id": i, "name": f"row {i}"} for i in range(50)]}),
    "german": "Das ist ein Satz, mit dem die Anzahl der Token geschätzt werden soll. " * 20,
    "russian": "Это предложение на русском языке, чтобы оценить количество токенов. " * 20,
    "japanese": "これは日本語の文章です。トークン数を見積もるために使います。" * 20,
    "chinese": "这是一个用来估算令牌数量的中文句子。" * 20,
}


@pytest.mark.parametrize("name", TEXTS)
def test_estimates_are_close_to_a_real_table(catalog: ModelCatalog, name: str) -> None:
    real, exact = catalog.count_tokens(NANO, [user(TEXTS[name])])
    guess = catalog.count_text(CLAUDE, TEXTS[name])
    assert exact
    assert 0.7 * real < guess < 1.3 * real


def test_other_vendors_and_tables_not_loaded_are_estimates(catalog: ModelCatalog) -> None:
    assert catalog.count_tokens(CLAUDE, [user("hello")])[1] is False
    assert ModelCatalog().count_tokens(NANO, [user("hello")])[1] is False
    assert catalog.count_tokens(ModelRef("openai", "gpt-7-unheard-of"), [user("x")])[1] is False


def test_attachments_are_estimated(catalog: ModelCatalog) -> None:
    bare, _ = catalog.count_tokens(NANO, [user("look")])
    with_image, exact = catalog.count_tokens(NANO, [user("look", Image("image/png", b"x"))])
    assert with_image > bare + 100
    assert not exact
    one = Document("a.pdf", "application/pdf", b"%PDF-1.4 /Type /Pages /Type /Page ")
    three = Document("a.pdf", "application/pdf", b"/Type /Page " * 3)
    counts = [catalog.count_tokens(GEMINI, [user("", part)])[0] for part in (one, three)]
    assert counts[1] - counts[0] == 2 * 258
    notes = Document("a.txt", "text/plain", b"hello world " * 100)
    call = Message("assistant", (ToolCall("1", "read", '{"path": "a"}'),))
    assert catalog.count_tokens(NANO, [user("", notes), call])[0] > 200


def test_estimates_learn_smoothly_and_within_bounds() -> None:
    catalog = ModelCatalog()
    text = "some words to count " * 50
    before = catalog.count_text(CLAUDE, text)
    for _ in range(20):
        guess = catalog.count_text(CLAUDE, text)
        assert before <= guess <= round(before * 1.25) + 1
        catalog.calibrate(CLAUDE, guess, round(before * 1.25))
    assert catalog.count_text(CLAUDE, text) == pytest.approx(before * 1.25, rel=0.02)
    assert catalog.count_text(GEMINI, text) == before
    for _ in range(50):
        catalog.calibrate(CLAUDE, 1, 1_000_000)
    assert catalog.count_text(CLAUDE, text) <= before * 2 + 1
    catalog.calibrate(CLAUDE, 0, 0)
    assert catalog.count_text(CLAUDE, text) > 0


def test_models_with_a_finer_tokenizer_start_higher() -> None:
    catalog = ModelCatalog()
    old, new = ModelRef("claude", "claude-opus-4-5"), ModelRef("claude", "claude-opus-5-5")
    assert catalog.count_text(new, SOURCE) == pytest.approx(
        catalog.count_text(old, SOURCE) * 1.3, 1
    )


@given(st.text())
def test_any_text_can_be_counted(text: str) -> None:
    catalog = ModelCatalog()
    assert 0 <= catalog.count_text(CLAUDE, text) <= 3 * len(text) + 1


@pytest.mark.parametrize("ref", [NANO, CLAUDE], ids=str)
def test_a_huge_text_is_sampled(catalog: ModelCatalog, ref: ModelRef) -> None:
    small, large = SOURCE * 10, SOURCE * 400  # about 60 kB and 2.5 MB
    expected = catalog.count_tokens(ref, [user(small)])[0] * 40
    start = time.perf_counter()
    count, exact = catalog.count_tokens(ref, [user(large)])
    took = time.perf_counter() - start
    assert count == pytest.approx(expected, rel=0.1)
    assert not exact
    assert took < 0.25, "aimed at 10 ms; the bound allows for a busy machine"


def test_a_long_conversation_adds_up(catalog: ModelCatalog) -> None:
    one = catalog.count_tokens(NANO, [user("hi")])[0] - 3
    many = [user("hi"), assistant("hi")] * 100
    assert catalog.count_tokens(NANO, many)[0] == 200 * one + 3


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    script = (
        "import sys; from aircher.catalog.catalog import ModelCatalog as C;"
        "from aircher.domain.models import ModelRef as R;"
        "C().count_text(R('openai', 'gpt-4o'), 'hello');"
        "print([m for m in ('genai_prices', 'pydantic', 'tiktoken', 'bpe_openai') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
