"""Themes from TOML files: the shipped ones, then the user's own."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

from textual.theme import Theme

from aircher.domain.regexes import regex

DEFAULT = "aircher-dark"
COLORS = (
    "primary",
    "secondary",
    "accent",
    "foreground",
    "muted",
    "background",
    "surface",
    "panel",
    "success",
    "warning",
    "error",
)
_HEX = regex(r"#[0-9a-fA-F]{6}")


def shipped_folder() -> Path:
    """Inside the package in a wheel; beside it in a checkout (an editable install)."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "themes"
    return inside if inside.is_dir() else package.parent / "themes"


def read(path: Path) -> Theme:
    """One theme file.

    Raises ``ValueError`` with a sentence naming the file for anything that is wrong in it.
    """
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"The theme file {path.name} cannot be read: {error}.") from error
    colors = data.get("colors")
    colors = colors if isinstance(colors, dict) else {}
    for key in COLORS:
        value = colors.get(key)
        if not isinstance(value, str) or not _HEX.fullmatch(value):
            raise ValueError(
                f'The theme file {path.name} needs {key} = "#rrggbb" in [colors], not {value!r}.'
            )
    chosen = {key: str(colors[key]) for key in COLORS}
    return Theme(
        name=str(data.get("name") or path.stem),
        dark=bool(data.get("dark", True)),
        variables={
            "muted": chosen["muted"],
            "block-cursor-background": chosen["primary"],
            "block-cursor-foreground": chosen["background"],
            "input-selection-background": chosen["primary"] + " 35%",
            "border": chosen["panel"],
            "border-blurred": chosen["panel"],
            "scrollbar": chosen["panel"],
            "scrollbar-hover": chosen["secondary"],
            "scrollbar-active": chosen["primary"],
            "scrollbar-background": chosen["background"],
            "scrollbar-background-hover": chosen["background"],
            "scrollbar-background-active": chosen["background"],
            "scrollbar-corner-color": chosen["background"],
        },
        luminosity_spread=0.15,
        text_alpha=1.0,
        primary=chosen["primary"],
        secondary=chosen["secondary"],
        accent=chosen["accent"],
        foreground=chosen["foreground"],
        background=chosen["background"],
        surface=chosen["surface"],
        panel=chosen["panel"],
        success=chosen["success"],
        warning=chosen["warning"],
        error=chosen["error"],
    )


def default() -> Theme | None:
    """The default theme alone, for the first frame; None where its file cannot be read."""
    try:
        return read(shipped_folder() / f"{DEFAULT}.toml")
    except ValueError:  # told later, when all are loaded
        return None


def _files(extra: str) -> Iterator[Path]:
    yield from sorted(shipped_folder().glob("*.toml"))
    if extra:
        yield from sorted(Path(extra).expanduser().glob("*.toml"))


def load(extra: str = "") -> tuple[list[Theme], list[str]]:
    """All themes (a later one of the same name replaces an earlier), and what was wrong."""
    themes: dict[str, Theme] = {}
    problems: list[str] = []
    for path in _files(extra):
        try:
            theme = read(path)
        except ValueError as error:
            problems.append(str(error))
        else:
            themes[theme.name] = theme
    return list(themes.values()), problems
