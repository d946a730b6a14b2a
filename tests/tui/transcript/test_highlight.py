"""Colours line by line are the colours of the whole."""

from __future__ import annotations

import pytest
from pygments.lexers import get_lexer_by_name

from aircher.tui.widgets.transcript.highlight import (
    ROOT,
    WINDOW,
    LineHighlighter,
    lexer_for,
    states,
)

CODE = {
    "python": 'class A:\n    """Doc\n\n    more\n    """\n\n    def f(self): return f"{self!r}"\n',
    "javascript": "/** doc\n * more\n */\nconst a = `x${b + 1}y`;\nlet r = /ab+/g;\n",
    "bash": 'cat <<EOF\nhello $USER\nEOF\nif [ -f "$a" ]; then echo "b"; fi\n',
    "rust": '/* a /* nested */ b */\nfn main() { let s = "x\\n"; }\n',
    "html": "<p class='a'>text</p>\n<script>\nlet x = 1;\n</script>\n",
    "sql": "select a, 'b' from c where d = 1 -- e\n",
}


@pytest.mark.parametrize("language", CODE)
def test_same_tokens_as_pygments(language: str) -> None:
    lexer = get_lexer_by_name(language)
    code = CODE[language] * 3
    ours = [(start, token, value) for start, token, value, _ in states(lexer, code, ROOT)]
    assert ours == list(lexer.get_tokens_unprocessed(code))


def colored(language: str, lines: list[str], *, peek: bool) -> list[list[tuple[str, str]]]:
    highlighter = LineHighlighter(lexer_for(language))
    done = []
    for line in lines:
        done.extend(highlighter.feed(line))
        if peek:
            highlighter.clone().flush()
    return [[(s.text, s.style) for s in spans] for spans in [*done, *highlighter.flush()]]


@pytest.mark.parametrize("language", ["python", "javascript", "bash", "rust", "sql"])
def test_windows_show_what_one_pass_shows(language: str) -> None:
    lines = (CODE[language] * (3 * WINDOW // CODE[language].count("\n"))).splitlines()
    by_window = colored(language, lines, peek=False)
    highlighter = LineHighlighter(lexer_for(language), pending=list(lines))
    at_once = [[(s.text, s.style) for s in spans] for spans in highlighter.flush()]
    assert by_window == at_once


def test_every_line_comes_back_once_and_whole() -> None:
    lines = [f"x_{n} = '{n}'" if n % 3 else "" for n in range(3 * WINDOW + 7)]
    for language in ("python", "", "no-such-language"):
        for peek in (False, True):
            result = colored(language, lines, peek=peek)
            assert ["".join(text for text, _ in spans) for spans in result] == lines


def test_a_string_over_many_windows_stays_a_string() -> None:
    lines = ['x = """', *["if True: pass"] * (4 * WINDOW), '"""', "y = 1"]
    result = colored("python", lines, peek=False)
    assert {style for spans in result[1:-2] for _, style in spans} == {"code syntax-string"}
    assert result[-1][0] == ("y", "code")


def test_a_line_of_minified_code_is_not_coloured() -> None:
    assert colored("javascript", ["x" * 5000], peek=False) == [[("x" * 5000, "code")]]
