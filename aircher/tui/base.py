"""What the parts of the app share: the services, the state of the chat, and the widgets."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.driver import Driver
from textual.filter import LineFilter
from textual.screen import Screen
from textual.worker import Worker

from aircher.domain.classes import dataclass
from aircher.domain.models import ModelRef
from aircher.domain.routes import Wish
from aircher.tui import keys
from aircher.tui.wall import Wall
from aircher.tui.widgets.chips import Chips
from aircher.tui.widgets.prompt import Prompt
from aircher.tui.widgets.status import StatusLine

if TYPE_CHECKING:  # annotations only: the first frame needs none of it
    from aircher.bootstrap.services import Services
    from aircher.domain.messages import Part
    from aircher.domain.tasks import Detection, Signals
    from aircher.domain.turns import Preview
    from aircher.tui.widgets.transcript import Transcript

_WALL = Wall()

OpenServices = Callable[[], "Services"]


@dataclass(slots=True)
class Chat:
    """The chat on the screen.  Everything that outlives it is in the session store.

    ``files`` are attached files by the path the user wrote, ``looked`` those that were only read
    for a look at what Enter would do; ``queued`` messages wait for the
    present answer (or for the start); ``said`` are the user's texts, oldest first, ``before``
    those of earlier chats.  ``preview`` is the plan for what is being typed, ``latest`` that of
    the turn sent last, ``detection`` its task, ``signals`` what that was read from.  ``task_once``: the wish's task is for the next
    message alone.
    """

    session_id: str = ""
    title: str = ""
    wish: Wish = field(default_factory=Wish)
    files: dict[str, Part] = field(default_factory=dict)
    looked: dict[str, Part | None] = field(default_factory=dict)
    queued: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    answer: str = ""
    preview: Preview | None = None
    latest: Preview | None = None
    detection: Detection | None = None
    signals: Signals | None = None
    problem: str = ""
    busy: bool = False
    asked: bool = False
    """True while the turn waits for a yes or no."""
    task_once: bool = False


class BaseApp(App[int]):
    """State and widgets; the other modules add what can be done with them."""

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own colour names, for a theme that does not set them."""
        return {"muted": "#8a8f98"}

    def __init__(self, open_services: OpenServices, *, session_id: str = "", wish: Wish) -> None:
        super().__init__()
        self.open_services = open_services
        self.services: Services | None = None
        self.chat = Chat(session_id=session_id, wish=wish)
        self.keymap: Mapping[str, str] = {}
        self._transcript: Transcript | None = None

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's own, and the wall that nothing harmful gets over."""
        return (*super().get_line_filters(), _WALL)

    def get_driver_class(self) -> type[Driver]:
        """Textual's choice, but ours where that is its driver for Unix terminals."""
        chosen = super().get_driver_class()
        if chosen.__name__ == "LinuxDriver":
            from aircher.tui.driver import PatientDriver

            return PatientDriver
        return chosen

    def _fatal_error(self) -> None:
        """A fault of ours ends the app, told by where it happened.

        Textual's own telling prints the values of all variables, among which may be a key; and
        an exception's words may quote the header that held one.
        """
        from aircher.tui.fault import told

        self.bell()
        self.panic(told(self.size.width))

    def call(self, text: str) -> None:
        """Calls the user to the screen as [ui] notify says; ``text`` is inert, one line.

        A desktop notification is the escape sequence OSC 9, which iTerm2, kitty, WezTerm, foot,
        Ghostty and Windows Terminal show and others ignore.
        """
        how = self.services.settings.ui.notify if self.services is not None else "bell"
        if how == "off":
            return
        self.bell()
        if how == "desktop" and self._driver is not None:
            self._driver.write(f"\x1b]9;{' '.join(text.split())}\x07")

    # -- widgets; asked for by name, since another screen may lie above

    @property
    def home(self) -> Screen[object]:
        """The chat's own screen, whatever lies above it."""
        return self.screen_stack[0]

    @property
    def leaving(self) -> bool:
        """True once the screens are gone: a timer or worker that is late must do nothing."""
        return not self.is_running or not self.screen_stack

    def work(
        self,
        what: Callable[[], Coroutine[Any, Any, None]],
        group: str,
        *,
        exclusive: bool = True,
        exit_on_error: bool = True,
    ) -> Worker[None]:
        """Runs a coroutine function beside the app; an exclusive one ends its group's older."""
        worker: Worker[None] = self.run_worker(
            what, group=group, exclusive=exclusive, exit_on_error=exit_on_error
        )
        return worker

    @property
    def prompt(self) -> Prompt:
        """Where the user types."""
        return self.home.query_one(Prompt)

    @property
    def transcript(self) -> Transcript:
        """The conversation; made when first needed, which is after the first frame."""
        if self._transcript is None:
            from aircher.tui.widgets.transcript import Transcript

            self._transcript = Transcript(id="transcript")
            self.home.query_one("#conversation").mount(self._transcript)
        return self._transcript

    @property
    def status(self) -> StatusLine:
        """The line under the prompt."""
        return self.home.query_one(StatusLine)

    # -- small things that all parts say

    def set_status(self, **changes: object) -> None:
        """Changes some of what the status line shows."""
        if self.leaving:
            return
        self.status.view = replace(self.status.view, **changes)  # type: ignore[arg-type]  # by name

    def show_chips(self) -> None:
        """Draws attachments and queue as they are now."""
        if self.leaving:
            return
        for chips in self.home.query(Chips):  # none before the first frame
            chips.show(list(self.chat.files), self.chat.queued)

    def tell(self, sentence: str) -> None:
        """One sentence in the conversation."""
        if self.leaving:
            return
        self.leave_welcome()
        self.transcript.notice(sentence)

    def leave_welcome(self) -> None:
        """The first thing said replaces the welcome."""
        self.home.set_class(True, "-talking")

    def key(self, action_id: str) -> str:
        """The key of an action as shown to the user."""
        return keys.key_for(action_id, self.keymap)

    # -- what the routing rules say without a request

    def standing_models(self) -> list[ModelRef]:
        """The models that can be cycled through: each usable provider's own, then tasks' own."""
        if self.services is None:
            return []
        from aircher.policy.route.fitness import is_local

        rules = self.services.settings.rules
        refs = [ModelRef(name, rules.models[name]) for name in rules.order if name in rules.models]
        named = [ref for one in rules.tasks.values() for ref in (one.preferred, *one.fallbacks)]
        usable = [ref for ref in (*named, *rules.more) if ref.provider in rules.order]
        standing = list(dict.fromkeys([*refs, *usable]))
        return [r for r in standing if is_local(r, rules)] if self.chat.wish.local else standing

    @property
    def stays_here(self) -> bool:
        """True where nothing of this chat may leave the machine, by whoever's word."""
        always = self.services is not None and self.services.settings.privacy.local
        by_file = self.chat.preview is not None and self.chat.preview.local
        return always or by_file or self.chat.wish.local

    def standing_model(self) -> ModelRef | None:
        """The model that answers if nothing else is said."""
        if self.services is None:
            return None
        wish, rules = self.chat.wish, self.services.settings.rules
        if wish.provider and wish.model:
            return ModelRef(wish.provider, wish.model)
        if wish.model:
            from aircher.policy.route import resolve

            return resolve(wish.model, rules, self.services.catalog.facts)
        if wish.provider in rules.models:
            return ModelRef(wish.provider, rules.models[wish.provider])
        rule = rules.tasks.get(wish.task or "default") or rules.tasks.get("default")
        refs = self.standing_models()
        if rule is not None and rule.preferred in refs:
            refs.insert(0, rule.preferred)
        blocked = self.services.health.blocked()
        return next((ref for ref in refs if ref not in blocked), refs[0] if refs else None)

    # -- filled in by the parts

    def refresh_panels(self) -> None:
        """Costs and providers as they are now."""
        raise NotImplementedError

    def show_welcome(self) -> None:
        """Who answers, and the keys to know."""
        raise NotImplementedError

    def show_health(self) -> None:
        """Providers as they are now."""
        raise NotImplementedError

    def reset_provider(self, wanted: str) -> None:
        """Forgets the failures of a provider or model."""
        raise NotImplementedError

    def action_providers(self) -> None:
        """The provider screen."""
        raise NotImplementedError

    def choose_by_name(self, name: str) -> None:
        """Makes a provider or a model the choice."""
        raise NotImplementedError

    def plan_ahead(self, *, at_once: bool = False) -> None:
        """Works out what Enter would do."""
        raise NotImplementedError

    def show_hints(self) -> None:
        """The keys that matter now."""
        raise NotImplementedError

    def run_command(self, name: str, argument: str) -> None:
        """Runs a slash command."""
        raise NotImplementedError

    def submit(self, text: str) -> None:
        """Sends a message to the model, or queues it."""
        raise NotImplementedError

    def compact(self) -> None:
        """Summarises the chat so far."""
        raise NotImplementedError

    def stop_reply(self) -> bool:
        """Stops the answer; False if there was none."""
        raise NotImplementedError

    def open_session(self, session_id: str) -> None:
        """Shows an earlier chat."""
        raise NotImplementedError

    def new_session(self) -> None:
        """An empty chat."""
        raise NotImplementedError
