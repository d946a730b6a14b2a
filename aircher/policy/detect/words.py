"""Features as reasons that people can read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from aircher.domain.tasks import Evidence

_PLACES = {"^": "it begins with", "$": "it ends with"}


def in_words(
    reasons: Iterable[tuple[str, float]], task: str, found: Sequence[tuple[str, Evidence]]
) -> Iterator[Evidence]:
    """The model's strongest features as evidence; ``weight`` is in log-odds."""
    excerpts = dict(found)
    told: set[str] = set()
    for name, weight in reasons:
        source, detail = _told(name[0], name[1:], excerpts, found)
        if detail and detail not in told:
            told.add(detail)
            yield Evidence(source, detail, round(weight, 2), task)


def _told(
    block: str, name: str, excerpts: dict[str, Evidence], found: Sequence[tuple[str, Evidence]]
) -> tuple[str, str]:
    match block:
        case "!" if name in excerpts:
            return "pattern", excerpts[name].detail
        case "!":
            task = name.partition(" ")[2].partition(" ")[0]
            first = next((one for _, one in found if one.task == task), None)
            return ("pattern", first.detail) if first else ("text", "no pattern was found")
        case "*":
            return "text", name
        case "+":
            place, rest = _PLACES.get(name[0], ""), name.lstrip("^$")
            words = " … ".join(rest.split())
            return "text", f"{place} a word for {words}" if place else f"words for {words}"
        case _:
            place, rest = _PLACES.get(name[0], ""), name.lstrip("^$")
            return "text", f"{place} '{rest}'" if place else f"'{rest}'"
