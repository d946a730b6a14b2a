"""A written commit message, and what there is to say of it."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from aircher.domain.commits import Written
from aircher.domain.inert import inert
from aircher.domain.tasks import task_name
from aircher.tui.words import count, money

_SOURCES = {"rules": "rules, no model", "git": "git", "kept": "kept", "user": "you"}


def message_content(written: Written | None, at: int) -> Content:
    """The message number ``at``; of several, all subjects above it."""
    if written is None:
        return Content("")
    message = written.messages[at]
    subject, _, rest = str(message).rstrip("\n").partition("\n")
    lines = [Content.styled(inert(subject), "bold $primary"), Content(inert(_flowing(rest)))]
    if len(written.messages) > 1:
        listed = [
            Content.styled(
                f"{'▸' if number == at else ' '} {number + 1}  {inert(one.subject)}",
                "" if number == at else "$muted",
            )
            for number, one in enumerate(written.messages)
        ]
        lines = [*listed, Content(""), *lines]
    return Content("\n").join(lines)


def _flowing(body: str) -> str:
    """Paragraphs without the line ends of the commit, which are made for other widths."""
    lines: list[str] = []
    for line in body.split("\n"):
        joins = line[:1].isalnum() and lines and len(lines[-1]) >= 40 and ": " not in line[:20]
        if joins:
            lines[-1] += f" {line}"
        else:
            lines.append(line)
    return "\n".join(lines)


def facts_content(
    written: Written | None, notes: Sequence[str], error: str, asked: str, doing: str
) -> Content:
    """Notes, what went wrong, what is asked, what is under way; else who wrote it at what cost."""
    lines = [Content.styled(inert(note), "$warning") for note in dict.fromkeys(notes)]
    if error:
        lines.append(Content.styled(inert(error), "$error"))
    if asked:
        lines.append(Content.styled(f"{inert(asked)} y / n", "bold $warning"))
    if doing:
        lines.append(Content.styled(inert(doing), "$accent"))
    elif written is not None:
        lines.append(Content.styled(inert(_who(written)), "$muted"))
    return Content("\n").join(lines)


def _who(written: Written) -> str:
    who = str(written.ref) if written.ref else _SOURCES.get(written.source, written.source)
    if written.source == "user" and written.ref:
        who += ", edited by you"
    parts = [task_name(written.task), who]
    if written.ref:
        parts += [
            money(written.cost.nano_usd, written.cost.tag),
            f"{count(written.tokens.input)} in",
        ]
    return " · ".join(parts)
