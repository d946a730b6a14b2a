"""What each Markdown construct looks like, and that chunks never change it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aircher.tui.widgets.transcript.budget import LEAST_LINES, Budget
from aircher.tui.widgets.transcript.cells import cell_len, wrap
from aircher.tui.widgets.transcript.document import LONGEST_TAIL, Document
from aircher.tui.widgets.transcript.layout import Line, column_widths, lay_out


def whole(text: str, width: int = 60, *, verbatim: bool = False) -> list[Line]:
    document = Document(verbatim=verbatim)
    document.feed(text)
    document.finish()
    return lay_out(document.blocks, width)


def shown(text: str, width: int = 60, *, verbatim: bool = False) -> str:
    return "\n".join(line.plain.rstrip() for line in whole(text, width, verbatim=verbatim))


CONSTRUCTS = {
    "paragraphs": ("one\ntwo\n\nthree", "one two\n\nthree"),
    "hard break": ("one  \ntwo", "one\ntwo"),
    "headings": ("# One\ntext\n## Two\nSub\n===", "One\n\ntext\n\nTwo\n\nSub"),
    "inline": ("a **b** *c* `d` ~~e~~ &amp; \\*f\\*", "a b c d e & *f*"),
    "link": (
        "see [here](https://a.invalid) or <https://b.invalid>",
        "see here or https://b.invalid",
    ),
    "link defined below": ("see [it][r]\n\n[r]: https://a.invalid", "see it"),
    "image": ("![a cat](cat.png)", "[image: a cat]"),
    "bullets": ("- a\n- b\n  - c\n    - d\n* e", "• a\n• b\n  ◦ c\n    ▪ d\n• e"),
    "loose bullets": ("- a\n\n- b", "• a\n\n• b"),
    "numbers": ("3. a\n1. b\n1. c", "3. a\n4. b\n5. c"),
    "numbers begin again": ("1. a\n\ntext\n\n1. b", "1. a\n\ntext\n\n1. b"),
    "bullets under numbers": ("1. a\n   - b\n2. c", "1. a\n   ◦ b\n2. c"),
    "tasks": ("- [ ] a\n- [x] b", "☐ a\n☑ b"),
    "empty item": ("-\n\nafter", "•\n\nafter"),
    "lazy line in an item": ("- a\nb", "• a b"),
    "second paragraph in an item": ("- a\n\n  b\n\nc", "• a\n\n  b\n\nc"),
    "number does not cut a sentence": ("in\n1984. It", "in 1984. It"),
    "quote": ("> a\n> b\n>\n> - c", "▏ a b\n▏\n▏ • c"),
    "rule": ("a\n\n---\n\nb", "a\n\n" + "─" * 60 + "\n\nb"),
    "fence": ("```py\nx = 1\n\n  y\n```\nafter", "  py\n  x = 1\n\n    y\n\nafter"),
    "fence of tildes": ("~~~\n```\n~~~", "  text\n  ```"),
    "fence left open": ("```\nx", "  text\n  x"),
    "fence in an item": ("- a\n  ```sh\n  ls\n  ```\n- b", "• a\n\n    sh\n    ls\n\n• b"),
    "tab in code": ("```\n\tx\n```", "  text\n      x"),
    "indented code": ("    x = 1\n    y", "  x = 1\n  y"),
    "html stays text": ("<b>hi</b>\n\n<div>\nx\n</div>", "<b>hi</b>\n\n<div>\nx\n</div>"),
    "no console markup": ("[red]a[/red] [bold]", "[red]a[/red] [bold]"),
}


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_construct(name: str) -> None:
    source, expected = CONSTRUCTS[name]
    assert shown(source) == expected


TABLE = "| Name | Price |\n|:--|--:|\n| a \\| b | $1 |\n| `c` | $10.00 |\n| short |\n"


def test_table_has_thin_rules_and_alignment() -> None:
    assert shown(TABLE) == (
        " Name  │  Price\n───────┼────────\n a | b │     $1\n c     │ $10.00\n short │"
    )


def test_table_wraps_its_widest_column_when_narrow() -> None:
    source = "| id | text |\n|---|---|\n| 1 | " + "word " * 12 + "|\n"
    lines = whole(source, 30)
    assert all(cell_len(line.plain) <= 30 for line in lines)
    assert lines[2].plain.startswith(" 1  │ word")
    assert lines[3].plain.startswith("    │ word")


@given(st.lists(st.integers(0, 60), min_size=1, max_size=6), st.integers(40, 120))
def test_columns_fit_and_narrow_ones_stay_whole(natural: list[int], width: int) -> None:
    widths = column_widths(natural, width)
    assert sum(widths) + 3 * (len(widths) - 1) + 2 <= width
    narrow = min(range(len(natural)), key=lambda i: natural[i])
    room = width - 3 * (len(widths) - 1) - 2
    assert widths[narrow] == min(max(1, natural[narrow]), room // len(widths))


def test_a_row_that_comes_late_moves_none_before_it() -> None:
    rows = "".join(f"| {n} | x |\n" for n in range(30))
    head = "| a | b |\n|---|---|\n"
    before = [line.plain for line in whole(head + rows)]
    after = [line.plain for line in whole(head + rows + "| a far wider cell than any | y |\n")]
    assert after[: len(before)] == before


def test_verbatim_keeps_lines_and_knows_only_fences() -> None:
    source = "# not *a* heading\n  indented\n\n- x\n```py\n1\n```"
    assert shown(source, verbatim=True) == "# not *a* heading\n  indented\n\n- x\n\n  py\n  1"


def test_prose_is_set_no_wider_than_one_reads() -> None:
    assert max(len(line.plain) for line in whole("word " * 100, 200)) <= 100


def test_link_keeps_its_address() -> None:
    [line] = whole("[a](https://x.invalid/y)")
    assert line.spans[0].target == ("https://x.invalid/y", "a")


def test_entities_cannot_bring_control_characters_back() -> None:
    text = shown("a&#x1b;[31m&#x202e;b&#155;c `&#x1b;`")
    assert not any(
        c < " " or "\x7f" <= c <= "\x9f" or c == "\u202e" for c in text.replace("\n", "")
    )


# Wide characters


def test_wide_characters_are_measured_and_never_cut() -> None:
    for line in whole("漢字かな交じり文を端末の幅に合わせて折り返す 👩‍👩‍👧‍👦 e\u0301 done" * 3, 21):
        assert cell_len(line.plain) <= 21
        assert not line.plain.endswith("\u200d")
        assert not line.plain.startswith(("\u200d", "\u0301"))


@given(st.text(st.sampled_from("ab  漢字👍é\u0301-"), max_size=80), st.integers(2, 30))
def test_wrapping_loses_nothing_but_blanks(text: str, width: int) -> None:
    ranges = wrap(text, width)
    at = 0
    for start, end in ranges:
        assert not text[at:start].strip(" ")
        assert cell_len(text[start:end].rstrip(" ")) <= width
        at = end
    assert not text[at:].strip(" ")


# Streaming

SAMPLE = (
    "\n\n".join(source for source, _ in CONSTRUCTS.values())
    + "\n\n"
    + TABLE
    + "\n```python\n"
    + "".join(f'def f{n}(x):\n    """Doc\n    more."""\n    return x + {n}\n\n' for n in range(30))
    + "```\n\n"
    + "- item **b**\n  - sub\n" * 30
    + "\n| a | b |\n|---|---|\n"
    + "".join(f"| {n} | **{n}** |\n" for n in range(40))
    + "\n```js\n/* a comment\n"
    + " * that goes on\n" * 25
    + " */\nlet x = `a${1}`;\n```\n\nThe [end][r].\n\n[r]: https://r.invalid\n"
)


def looks(lines: list[Line]) -> list[tuple[tuple[tuple[str, str], ...], str]]:
    return [(tuple((s.text, s.style) for s in line.spans), line.fill) for line in lines]


def streamed(text: str, sizes: list[int], width: int) -> list[Line]:
    document = Document()
    at = 0
    for size in sizes:
        document.feed(text[at : at + size])
        at += size
        document.tail()
    document.feed(text[at:])
    document.finish()
    return lay_out(document.blocks, width)


# A text that defines links is cut anew at its end, which would hide what streaming did.
WITHOUT_DEFINITIONS = "\n".join(x for x in SAMPLE.split("\n") if not x.startswith("[r]:"))


@pytest.mark.parametrize("text", [SAMPLE, WITHOUT_DEFINITIONS], ids=["links", "no links"])
@pytest.mark.parametrize("seed", range(4))
def test_any_chunks_end_in_the_same_lines(seed: int, text: str) -> None:
    rng = random.Random(seed)
    sizes = [rng.randint(1, 60) for _ in range(len(text) // 30)]
    assert looks(streamed(text, sizes, 50)) == looks(whole(text, 50))


@settings(max_examples=60, deadline=None)
@given(
    st.text(st.sampled_from("ab *_`~#>-+1.)|:[]\\\n\n\n\t<&"), max_size=120),
    st.lists(st.integers(1, 9), max_size=30),
)
def test_no_text_breaks_it_however_it_is_cut(text: str, sizes: list[int]) -> None:
    assert looks(streamed(text, sizes, 30)) == looks(whole(text, 30))


def test_the_tail_shows_what_the_end_will_show() -> None:
    document = Document()
    document.feed("para\n\n- a\n- **b")
    lines = lay_out([*document.blocks, *document.tail()], 40)
    assert [line.plain for line in lines] == ["para", "", "• a", "• **b"]
    document.feed("** c\n\n```py\nx =")
    tail = lay_out(document.tail(), 40)
    assert [line.plain.strip() for line in tail] == ["x ="]
    assert [line.plain for line in lay_out(document.blocks, 40)][3] == "• b c"


@pytest.mark.parametrize("unit", ["a line of prose.\n\n", "- an item\n", "    x\n\n", "> q\n\n"])
def test_only_the_end_stays_open(unit: str) -> None:
    document = Document()
    document.feed(unit * 300)
    assert len(document.tail()) <= 2


@pytest.mark.parametrize(
    ("head", "unit", "most"),
    [("```py\n", "x = 1\n", 40), ("| a |\n|---|\n", "| b |\n", 0), ("1. a\n   ```\n", "   x\n", 0)],
)
def test_long_fences_and_tables_settle_as_they_grow(head: str, unit: str, most: int) -> None:
    document = Document()
    document.feed(head + unit * 500)
    assert len(document.tail()) <= most


def test_an_endless_line_is_shown_without_its_markup() -> None:
    lines = whole("[" * 50_000 + "\n\n**b**")
    assert "".join(line.plain for line in lines[:-2]) == "[" * 50_000
    assert lines[-1].plain == "b"


def test_a_straggler_after_the_end_is_kept() -> None:
    document = Document()
    document.feed("one *t")
    document.finish()
    document.feed("wo*")
    document.finish()
    assert [line.plain for line in lay_out(document.blocks, 40)] == ["one two"]
    assert document.text == "one *two*"


# Long texts, read in slices


@pytest.mark.parametrize("text", [SAMPLE, WITHOUT_DEFINITIONS], ids=["links", "no links"])
def test_reading_in_slices_ends_in_the_same_lines(text: str) -> None:
    document = Document()
    document.feed(text, Budget(0))
    assert document.is_behind
    assert document.text == text
    document.finish(Budget(0))
    turns = 0
    while document.is_behind:
        document.work(Budget(0))
        turns += 1
    assert turns >= text.count("\n") // LEAST_LINES - 2
    assert looks(lay_out(document.blocks, 50)) == looks(whole(text, 50))


def test_a_straggler_after_a_long_text_is_kept() -> None:
    document = Document()
    document.feed(SAMPLE, Budget(0))
    document.finish(Budget(0))
    document.feed("\n\nmore", Budget(0))
    document.finish()
    assert looks(lay_out(document.blocks, 50)) == looks(whole(SAMPLE + "\n\nmore", 50))


def test_text_can_be_followed_before_it_is_read() -> None:
    document = Document()
    document.feed("- item\n" * 1000, Budget(0))
    assert [line.plain for line in lay_out(document.tail(), 40)] == ["• item"]


def test_an_unfinished_endless_line_shows_its_end() -> None:
    document = Document()
    document.feed("a " * 100_000 + "end")
    lines = lay_out(document.tail(), 40)
    assert len(lines) <= LONGEST_TAIL // 30
    assert lines[-1].plain.endswith("end")
