"""Style names to colours, through the widget's component classes and the theme's variables."""

from __future__ import annotations

from collections.abc import Callable

from rich.style import Style
from textual.color import Color
from textual.css.styles import RenderStyles

NAMES = (
    "user",
    "user-bar",
    "title",
    "footer",
    "seam",
    "notice",
    "error",
    "thinking",
    "thinking-label",
    "thinking-bar",
    "heading",
    "heading-1",
    "heading-2",
    "heading-3",
    "heading-4",
    "heading-5",
    "heading-6",
    "strong",
    "em",
    "strike",
    "link",
    "inline-code",
    "bullet",
    "quote",
    "quote-bar",
    "rule",
    "code",
    "code-label",
    "target",
    "syntax-comment",
    "syntax-keyword",
    "syntax-number",
    "syntax-type",
    "syntax-builtin",
    "syntax-function",
    "syntax-decorator",
    "syntax-string",
    "syntax-inserted",
    "syntax-deleted",
)
CLASSES = {f"transcript--{name}" for name in NAMES}

CSS = """
Transcript {
    background: $background;
    color: $foreground;
    overflow-x: hidden;
    overflow-y: scroll;
    scrollbar-size-vertical: 1;

    & > .transcript--user-bar { color: $accent; }
    & > .transcript--user { color: $foreground; }
    & > .transcript--title { color: $text-primary; text-style: bold; }
    & > .transcript--footer { color: $foreground 55%; }
    & > .transcript--seam { color: $text-warning; }
    & > .transcript--notice { color: $foreground 60%; }
    & > .transcript--error { color: $text-error; }
    & > .transcript--thinking { color: $foreground 60%; }
    & > .transcript--thinking-label { color: $foreground 60%; text-style: italic; }
    & > .transcript--thinking-bar { color: $foreground 25%; }
    & > .transcript--heading { color: $text-primary; text-style: bold; }
    & > .transcript--heading-1 { text-style: bold underline; }
    & > .transcript--heading-2 { text-style: bold; }
    & > .transcript--heading-3 { text-style: bold; color: $text-secondary; }
    & > .transcript--heading-4 { text-style: bold; color: $foreground; }
    & > .transcript--heading-5 { text-style: bold italic; color: $foreground; }
    & > .transcript--heading-6 { text-style: italic; color: $foreground; }
    & > .transcript--strong { text-style: bold; }
    & > .transcript--em { text-style: italic; }
    & > .transcript--strike { text-style: strike; color: $foreground 60%; }
    & > .transcript--link { color: $text-secondary; text-style: underline; }
    & > .transcript--inline-code { color: $text-accent; background: $foreground 8%; }
    & > .transcript--bullet { color: $text-accent; }
    & > .transcript--quote { color: $foreground 75%; text-style: italic; }
    & > .transcript--quote-bar { color: $secondary; }
    & > .transcript--rule { color: $foreground 30%; }
    & > .transcript--code { color: $foreground; background: $foreground 6%; }
    & > .transcript--code-label { color: $foreground 55%; background: $foreground 6%; text-style: italic; }
    & > .transcript--target { text-style: reverse; }
    & > .transcript--syntax-comment { color: $foreground 55%; text-style: italic; }
    & > .transcript--syntax-keyword { color: $text-accent; text-style: bold; }
    & > .transcript--syntax-number { color: $text-warning; }
    & > .transcript--syntax-type { color: $text-warning; }
    & > .transcript--syntax-builtin { color: $text-secondary; }
    & > .transcript--syntax-function { color: $text-primary; }
    & > .transcript--syntax-decorator { color: $text-secondary; }
    & > .transcript--syntax-string { color: $text-success; }
    & > .transcript--syntax-inserted { color: $text-success; }
    & > .transcript--syntax-deleted { color: $text-error; }
}
"""


class Palette:
    """Rich styles for the style names of a span, remembered until the theme changes.

    ``base`` is the widget's own style; ``layer`` gives what one name adds to it.
    """

    def __init__(self, base: Style, layer: Callable[[str], Style]) -> None:
        self.base = base
        self._layer = layer
        self._cache: dict[str, Style] = {"": base}

    def __getitem__(self, names: str) -> Style:
        style = self._cache.get(names)
        if style is None:
            style = self.base
            for name in names.split():
                style += self._layer(name)
            self._cache[names] = style
        return style


def component_layer(styles: RenderStyles, behind: Color) -> Style:
    """What a component class sets, its translucent colours blended with what is behind."""
    background = None
    if styles.has_rule("background") and styles.background.a > 0:
        behind = behind + styles.background
        background = behind.rich_color
    color = None
    if styles.has_rule("color"):
        own = styles.color
        mixed = behind.get_contrast_text(own.a) if styles.auto_color else own
        color = (behind + mixed).rich_color
    return Style(color=color, bgcolor=background) + styles.text_style
