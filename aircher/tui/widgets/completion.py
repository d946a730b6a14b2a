"""The list above the prompt while a /command or an @file is being typed."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from aircher.domain.classes import dataclass
from aircher.domain.inert import inert


@dataclass(frozen=True, slots=True)
class Candidate:
    """One thing to complete to: what is inserted, and a word about it."""

    insert: str
    detail: str = ""


class Completion(OptionList, can_focus=False):
    """Never takes the focus: the prompt moves its cursor."""

    _candidates: tuple[Candidate, ...] = ()

    def offer(self, candidates: Sequence[Candidate]) -> None:
        """Shows these, or hides when there are none."""
        if not self.is_attached or (tuple(candidates) == self._candidates and self.open):
            return
        self._candidates = tuple(candidates)
        self.clear_options()
        width = max((len(c.insert) for c in candidates), default=0)
        self.add_options(
            Option(
                Content.assemble(
                    (inert(candidate.insert).ljust(width + 2), "bold"), (candidate.detail, "$muted")
                )
            )
            for candidate in candidates
        )
        self.set_class(bool(candidates), "-open")
        if candidates:
            self.highlighted = 0

    @property
    def open(self) -> bool:
        """True while something is offered."""
        return self.has_class("-open")

    def chosen(self) -> Candidate | None:
        """The highlighted candidate."""
        if not self.open or self.highlighted is None:
            return None
        return self._candidates[self.highlighted]
