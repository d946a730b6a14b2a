"""What happens behind the first frame: the services are opened, the settings take effect."""

from __future__ import annotations

from rich.text import Text

from aircher.domain.errors import AircherError
from aircher.domain.inert import inert
from aircher.tui import garbage, keys, theme
from aircher.tui.history import earlier_texts
from aircher.tui.looking import Looking
from aircher.tui.panels import Panels
from aircher.tui.sending import Sending
from aircher.tui.widgets.chips import Chips
from aircher.tui.widgets.costs import CostPanel
from aircher.tui.widgets.providers import ProviderPanel
from aircher.tui.widgets.sidebar import Sidebar
from aircher.tui.words import sentence


class Starting(Sending, Panels, Looking):
    """Begins with ``_open``, once the first frame is drawn."""

    def _open(self) -> None:
        """Opens the database and reads the configuration (about 20 ms), on this thread."""
        try:
            self.services = self.open_services()
        except AircherError as error:
            text = f"aircher: {error.message}\n  {error.hint}".rstrip()
            self.exit(error.exit_code, message=Text(inert(text)))
            return
        garbage.begin()
        self._mount_rest()
        self.watch(self.transcript, "new_below", self._below_changed)
        self._apply_settings()
        if self.chat.session_id:
            self.open_session(self.chat.session_id)
        self.show_welcome()
        self.refresh_panels()
        self.plan_ahead(at_once=True)
        self.begin_looking()
        self.set_interval(garbage.REST_EVERY_S, self._rest)
        self.work(self._warm_up, "warm-up")
        self._send_queued()
        self.chat.before = earlier_texts(self.services.sessions, self.chat.session_id)
        self.prompt.set_history([*self.chat.before, *self.chat.said])

    def _mount_rest(self) -> None:
        """What the first frame went without: a third of the time that all widgets take."""
        if self.home.query(Sidebar):
            return
        sidebar = Sidebar(id="sidebar")
        self.home.query_one("#body").mount(sidebar)
        sidebar.mount(CostPanel(id="costs"), ProviderPanel(id="providers"))
        self.home.mount(self.prompt.completion, Chips(id="chips"), before=self.prompt)
        self.show_chips()

    def _below_changed(self, below: int) -> None:
        self.set_status(below=below)

    def _apply_settings(self) -> None:
        """Keys, themes and sidebar as configured; what cannot be used is told, once each."""
        if self.services is None:
            return
        ui = self.services.settings.ui
        self.keymap, problems = keys.check(ui.keys)
        self.set_keymap(dict(self.keymap))
        self.prompt.keys = keys.prompt_keys(self.keymap)
        themes, theme_problems = theme.load(ui.themes_dir)
        for one in themes:
            self.register_theme(one)
        for name in {*self.available_themes} - {one.name for one in themes} - {self.theme}:
            self.unregister_theme(name)
        if ui.theme in self.available_themes:
            self.theme = ui.theme
        else:
            problems.append(f'There is no theme "{ui.theme}"; /theme lists them.')
        if not ui.sidebar:
            self.screen.set_class(True, "-without-sidebar")
        problems += [*theme_problems, *self.services.notices]
        for problem in problems:
            self.notify(problem, severity="warning", timeout=10, markup=False)

    async def _warm_up(self) -> None:
        """Loads what the first answer needs, beside the app; see ``warm``."""
        ref = self.standing_model()
        if self.services is None:
            return
        from aircher.tui.warm import warm_up

        try:
            await warm_up(self.services, ref, self.standing_models())
        except AircherError as error:
            name = ref.provider if ref else ""
            self.set_status(problem=f"{name}: {sentence(error.message)} {error.hint}".strip())

    def _rest(self) -> None:
        """Nobody waits for anything: time to look for garbage."""
        if not self.chat.busy:
            garbage.at_rest()
