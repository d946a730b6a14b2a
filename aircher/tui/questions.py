"""The turn's questions on the screen: one bar at a time, answered by a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.widget import Widget

from aircher.tui import messages as msg
from aircher.tui.sending import Sending
from aircher.tui.widgets.question import Answered, QuestionBar, TypedAhead

if TYPE_CHECKING:  # annotations only: the first frame needs none of it
    from aircher.domain.questions import Question


class Questions(Sending):
    """Shows what the turn asks and hands the answer to the engine."""

    _questions: tuple[Question, ...] = ()
    """Those that are open; the first is on the screen."""
    _before_question: Widget | None = None
    """What had the focus, and gets it back."""

    @on(msg.QuestionAsked)
    def _asked_user(self, message: msg.QuestionAsked) -> None:
        if self._stale(message):
            return
        self._questions = (*self._questions, message.question)
        self.chat.asked = True
        if len(self._questions) == 1:
            self._before_question = self.home.focused
            self._show_question()

    def _show_question(self) -> None:
        question, *others = self._questions
        keys = (self.key("question.yes"), self.key("question.no"), self.key("reply.stop"))
        bar = QuestionBar(question, keys, len(others))
        self.home.mount(bar, before=self.prompt)
        self.home.set_focus(bar)
        self.set_status(activity="waiting for your answer")
        self.show_hints()

    @on(Answered)
    def _answered(self, message: Answered) -> None:
        self._answer(message.question, yes=message.yes)

    def refuse_question(self) -> bool:
        """Says no to the question on the screen; False if there is none."""
        if not self._questions:
            return False
        self._answer(self._questions[0], yes=False)
        return True

    def _answer(self, question: Question, *, yes: bool) -> None:
        if self.services is None or question not in self._questions[:1]:
            return
        self.services.engine.answer(question.id, yes=yes)
        self.tell(f"{question.text} {question.yes if yes else question.no}.")
        self.set_status(activity="going on" if yes else "stopping")
        self._next_question(self._questions[1:])

    def drop_questions(self) -> None:
        """The turn is over: nothing is left to be answered."""
        if self._questions:
            self._next_question(())

    def _next_question(self, rest: tuple[Question, ...]) -> None:
        self._questions = rest
        self.chat.asked = bool(rest)
        self.home.query(QuestionBar).remove()
        self.show_hints()
        if rest:
            self.call_after_refresh(self._show_question)
            return
        back = self._before_question
        self.home.set_focus(back if back is not None and back.is_attached else self.prompt)

    @on(TypedAhead)
    def _typed_ahead(self, message: TypedAhead) -> None:
        self.prompt.insert(message.character)
