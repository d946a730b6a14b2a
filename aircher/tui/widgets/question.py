"""The bar over the prompt where the turn asks for a yes or no."""

from __future__ import annotations

import time
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key
from textual.message import Message
from textual.widgets import Static

from aircher.domain.inert import inert
from aircher.domain.questions import Question

GRACE_S = 0.5
"""A key this soon after the question came was meant for the prompt: nobody can have read it."""

MOST_DETAIL = 6
"""Lines of detail that are shown; the conversation keeps its room."""


class Answered(Message):
    """The user's word."""

    def __init__(self, question: Question, *, yes: bool) -> None:
        super().__init__()
        self.question = question
        self.yes = yes


class TypedAhead(Message):
    """A letter that was meant for the prompt."""

    def __init__(self, character: str) -> None:
        super().__init__()
        self.character = character


class QuestionBar(Vertical, can_focus=True):
    """Shows one question; y and n answer it (Esc, which is the app's key, says no)."""

    DEFAULT_CSS = """
    QuestionBar {
        height: auto; max-height: 12; margin: 0 1; padding: 0 1;
        border: round $warning; border-title-color: $warning; border-title-style: bold;
        background: $surface;
    }
    QuestionBar > Static { height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", show=False, id="question.yes"),
        Binding("n", "answer(False)", "No", show=False, id="question.no"),
    ]

    def __init__(self, question: Question, shown: tuple[str, str, str], waiting: int = 0) -> None:
        """``shown`` are the keys for yes, no and no by the app; ``waiting`` more questions."""
        super().__init__(id="question")
        self.question = question
        self._shown = shown
        self._waiting = waiting
        self._since = time.monotonic()

    def compose(self) -> ComposeResult:
        """The sentence, what there is to know besides, and the keys."""
        question = self.question
        yield Static(Content.styled(inert(question.text), "bold"), id="question-text")
        lines = inert(question.detail).splitlines()
        if len(lines) > MOST_DETAIL:
            lines[MOST_DETAIL - 1 :] = [f"… and {len(lines) - MOST_DETAIL + 1} more lines"]
        if lines:
            yield Static(Content.styled("\n".join(lines), "$muted"), id="question-detail")
        yes, no, stop = self._shown
        words = ((yes, question.yes), (f"{no} or {stop}", question.no))
        yield Static(
            Content("   ").join(
                Content.assemble((key, "bold $accent"), (f" {inert(word)}", "$foreground"))
                for key, word in words
            ),
            id="question-keys",
        )

    def on_mount(self) -> None:
        """Names the frame."""
        self.border_title = "A question"
        if self._waiting:
            self.border_subtitle = f"{self._waiting} more"

    @property
    def settled(self) -> bool:
        """True once the question was there long enough to be read."""
        return time.monotonic() - self._since >= GRACE_S

    def on_key(self, event: Key) -> None:
        """What is typed before the question can have been read goes on to the prompt."""
        if not self.settled and event.is_printable and event.character:
            event.prevent_default()
            event.stop()
            self.post_message(TypedAhead(event.character))

    def action_answer(self, yes: bool) -> None:
        """The user's word."""
        if self.settled:
            self.post_message(Answered(self.question, yes=yes))
