"""What happens in the app, as Textual messages: from the bridge and from the widgets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from textual.message import Message

from aircher.domain.classes import dataclass

if TYPE_CHECKING:  # annotations only: the first frame needs none of it
    from aircher.domain.errors import AircherError
    from aircher.domain.events import TurnResult
    from aircher.domain.models import ModelRef
    from aircher.domain.questions import Question
    from aircher.domain.routes import Plan
    from aircher.domain.tasks import Detection, Signals
    from aircher.domain.usage import Cost, Tokens


class TurnMessage(Message):
    """Something of the turn under way; ``turn`` tells it from an earlier, stopped one."""

    turn = 0


class TaskNamed(TurnMessage):
    """The kind of task was worked out, from these signals."""

    def __init__(self, detection: Detection, signals: Signals | None = None) -> None:
        super().__init__()
        self.detection = detection
        self.signals = signals


class ModelsChosen(TurnMessage):
    """The models to try, in order."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan


class MoneyHeld(TurnMessage):
    """The worst case that the next attempt may cost (nano-dollars; None if unknown)."""

    def __init__(self, nano_usd: int | None) -> None:
        super().__init__()
        self.nano_usd = nano_usd


class ReplyBegan(TurnMessage):
    """A model was asked."""

    def __init__(self, ref: ModelRef, attempt: int, session_id: str) -> None:
        super().__init__()
        self.ref = ref
        self.attempt = attempt
        self.session_id = session_id


class TextArrived(TurnMessage):
    """A stretch of the answer, of visible reasoning, or of a tool call's arguments."""

    def __init__(self, text: str, kind: Literal["text", "thinking"]) -> None:
        super().__init__()
        self.text = text
        self.kind = kind


class Waiting(TurnMessage):
    """The same model is tried again after a wait."""

    def __init__(self, ref: ModelRef, wait_s: float, error: AircherError) -> None:
        super().__init__()
        self.ref = ref
        self.wait_s = wait_s
        self.error = error


class QueuedUp(TurnMessage):
    """The call waits for its turn: ``position`` in the queue, about ``wait_s`` more."""

    def __init__(self, ref: ModelRef, position: int, wait_s: float, reason: str) -> None:
        super().__init__()
        self.ref = ref
        self.position = position
        self.wait_s = wait_s
        self.reason = reason


class SwitchedModel(TurnMessage):
    """Another model takes over; ``sentence`` says why, naming both.

    With ``continues`` what it writes goes on from what stands.
    """

    def __init__(self, sentence: str, to: ModelRef, *, continues: bool = False) -> None:
        super().__init__()
        self.sentence = sentence
        self.to = to
        self.continues = continues


class Told(TurnMessage):
    """One sentence that the user should know."""

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = sentence


class LimitTold(TurnMessage):
    """How much of a limit is spent; told once in a day or month."""

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = sentence


class QuestionAsked(TurnMessage):
    """The turn waits for a yes or no."""

    def __init__(self, question: Question) -> None:
        super().__init__()
        self.question = question


class UsageArrived(TurnMessage):
    """Tokens and cost of one attempt."""

    def __init__(self, ref: ModelRef, tokens: Tokens, cost: Cost) -> None:
        super().__init__()
        self.ref = ref
        self.tokens = tokens
        self.cost = cost


class TurnDone(TurnMessage):
    """The answer is whole."""

    def __init__(self, result: TurnResult) -> None:
        super().__init__()
        self.result = result


class TurnBroken(TurnMessage):
    """There is no whole answer; ``result`` holds what came (None if nothing is known)."""

    def __init__(self, error: AircherError, result: TurnResult | None) -> None:
        super().__init__()
        self.error = error
        self.result = result


class TurnStopped(TurnMessage):
    """The user stopped it; what came is kept."""


class WorkDone(TurnMessage):
    """What was to be done without an answer is done."""


class Submitted(Message):
    """The user sent what stands in the prompt."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


@dataclass(frozen=True, slots=True)
class MoreKey:
    """A key that a sheet offers besides closing: it closes the sheet and runs an app's action."""

    key: str
    shown: str
    word: str
    action: str


class CompletionWanted(Message):
    """The word before the cursor may be completed: a command after "/", a file after "@"."""

    def __init__(self, kind: Literal["command", "file"], query: str) -> None:
        super().__init__()
        self.kind = kind
        self.query = query


class FileChosen(Message):
    """A file was taken from the list after "@"."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path
