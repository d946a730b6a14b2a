"""What the user corrects of detection: found, checked, kept."""

from __future__ import annotations

from collections.abc import Sequence

from aircher.domain.errors import UsageError
from aircher.domain.sessions import StoredMessage
from aircher.domain.tasks import TASKS, Correction
from aircher.engine.ports import EnginePorts


class Learning:
    """Takes corrections in; detection reads them with the next request."""

    def __init__(self, ports: EnginePorts) -> None:
        self._ports = ports

    @property
    def tasks(self) -> tuple[str, ...]:
        """Every task there is: the built-in ones and the user's own."""
        ports = self._ports
        rules = ports.settings.rules
        return tuple(dict.fromkeys((*TASKS, *ports.detector.tasks, *rules.own_tasks, *rules.tasks)))

    def correct(self, session_id: str, task: str, message_id: int = 0) -> Correction:
        """The latest request of a conversation, or the one named, was this task.

        What follows it in the conversation keeps the corrected task.  Raises ``UsageError`` for
        an unknown task, or where there is no such request.
        """
        self._check(task)
        exchange = _exchange(self._ports.sessions.messages(session_id), message_id)
        if not exchange:
            raise UsageError("There is no request to correct.", hint="Ask something first.")
        asked = exchange[0]
        made = self.learn(asked.message.text, wrong=asked.task, task=task)
        for message in exchange:
            self._ports.sessions.set_task(message.id, task)
        return made

    def learn(self, text: str, *, wrong: str, task: str) -> Correction:
        """A request of this text is this task, not ``wrong``.  Raises ``UsageError``."""
        self._check(task)
        if not text.strip():
            raise UsageError("There is no text to learn from.", hint="Name the request's text.")
        return self._ports.corrections.add(text, wrong=wrong, task=task)

    def _check(self, task: str) -> None:
        if task not in self.tasks:
            raise UsageError(
                f"There is no task {task!r}.", hint=f"Tasks are: {', '.join(self.tasks)}."
            )


def _exchange(stored: Sequence[StoredMessage], message_id: int) -> Sequence[StoredMessage]:
    """The user's message of that id (0: the last) with its replies; empty if there is none."""
    said = [one for one in stored if not one.summary_of]
    asked = [at for at, one in enumerate(said) if one.message.role == "user"]
    wanted = [at for at in asked if message_id in {0, said[at].id}]
    if not wanted:
        return ()
    end = next((at for at in asked if at > wanted[-1]), len(said))
    return said[wanted[-1] : end]
