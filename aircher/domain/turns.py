"""One request of a user, and what would be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from aircher.domain.chat import Effort, ToolSpec
from aircher.domain.classes import dataclass
from aircher.domain.messages import Part
from aircher.domain.questions import QuestionKind
from aircher.domain.routes import Plan, Wish
from aircher.domain.tasks import Detection, Signals


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """What the user asks for.

    ``session_id`` "" starts a new session.  ``attachments`` are parts already read;
    ``files`` their paths, for detection.  ``command`` is the command that was used ("" for
    plain chat).  ``system`` replaces the configured system prompt if not None.  ``answers`` are given
    beforehand to what the turn would ask; a front end with nobody there answers all of them.

    ``sample`` is what detection reads where ``text`` is not the user's own words (None: ``text``).
    ``json_schema`` asks for a reply of that shape.  With ``keep`` False no session is made and
    nothing of the turn is kept but its cost.
    """

    text: str
    session_id: str = ""
    attachments: tuple[Part, ...] = ()
    files: tuple[str, ...] = ()
    wish: Wish = field(default_factory=Wish)
    command: str = ""
    system: str | None = None
    max_output: int | None = None
    thinking: Effort | None = None
    tools: tuple[ToolSpec, ...] = ()
    answers: Mapping[QuestionKind, bool] = field(default_factory=dict)
    sample: str | None = None
    json_schema: Mapping[str, Any] | None = None
    keep: bool = True


@dataclass(frozen=True, slots=True)
class Preview:
    """Detection and plan for a request that is not sent; estimates are on the candidates.

    ``signals`` are what the detection was made from.  ``local``: it may not leave this machine.
    """

    detection: Detection
    plan: Plan
    signals: Signals | None = None
    local: bool = False
