"""The sheets that can be read: help, costs, configuration, context, the reasons of a choice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC
from typing import TYPE_CHECKING

from aircher.domain.errors import AircherError
from aircher.policy.windows import month_start
from aircher.tui import keys
from aircher.tui.choices import Choices
from aircher.tui.messages import MoreKey
from aircher.tui.words import sentence

if TYPE_CHECKING:  # annotations only: the first frame needs none of it
    from aircher.tui.screens.sheet import Section


class Showing(Choices):
    """Gathers the values; ``sheets`` says them."""

    def binding_key(self, action_id: str) -> str:
        """The first key of an action, as Textual names it."""
        return self.keymap.get(action_id, keys.BY_ID[action_id].key).split(",")[0]

    def act(self, action_id: str) -> str:
        """The name of the action behind a key."""
        return keys.BY_ID[action_id].action.removeprefix("app.")

    # -- sheets; what they are made of is imported when one is opened

    def _sheet(self, title: str, sections: Sequence[Section], more: Sequence[MoreKey] = ()) -> None:
        from aircher.tui.screens.sheet import SheetScreen

        self.push_screen(SheetScreen(title, sections, more))

    def action_help(self) -> None:
        """Keys and commands."""
        from aircher.tui import sheets

        self._sheet("Help", sheets.help_sections(self.keymap))

    def action_costs(self) -> None:
        """Spending of this month in three tables."""
        if self.services is None:
            return
        from aircher.tui import sheets

        now = self.services.clock.now()
        rows = self.services.usage.rows(month_start(now))
        sections = sheets.limit_sections(
            self.services.engine.budget(), self.services.settings.alert_threshold
        )
        sections += sheets.cost_sections(
            rows,
            now.tzinfo or UTC,
            by_provider=self.services.settings.spending.by_provider,
        )
        self._sheet("Costs", sections)

    def action_explain(self) -> None:
        """Why this task and this model: for what is being typed, else for the last message."""
        preview = self.chat.preview or self.chat.latest
        if self.services is None:
            return
        if self.chat.problem and self.prompt.text.strip():  # no choice, so nothing to explain
            self.notify(self.chat.problem)
            return
        from aircher.tui import sheets

        if preview is not None:
            sections = sheets.choice_sections(preview, self.services.settings.rules)
        else:
            sections = sheets.kept_sections(self.stored_messages())
        if not sections:
            self.notify("Type a message first: then its task and model can be explained.")
            return
        title = "Why · if you press Enter" if self.chat.preview else "Why · your last message"
        correct = ("task.choose", "model.choose", "choice.automatic")
        words = ("task", "model", "automatic")
        self._sheet(
            title,
            sections,
            [
                MoreKey(self.binding_key(action_id), self.key(action_id), word, self.act(action_id))
                for action_id, word in zip(correct, words, strict=True)
            ],
        )

    def show_doctor(self) -> None:
        """What works on this machine and what does not."""
        self.notify("Looking at what works here…", timeout=2)
        self.work(self._doctor, "doctor")

    async def _doctor(self) -> None:
        from aircher.bootstrap.checkup import checkup
        from aircher.tui import sheets

        checks = await asyncio.to_thread(lambda: tuple(checkup(online=False)))
        if not self.leaving:
            self._sheet("Doctor", sheets.check_sections(checks))

    def show_config(self) -> None:
        """What is configured, and where."""
        if self.services is not None:
            from aircher.tui import sheets

            sections = sheets.config_sections(self.services.settings, self.theme)
            self._sheet("Configuration", sections)

    def show_context(self) -> None:
        """How full the window is."""
        self.work(self._read_context, "context")

    async def _read_context(self) -> None:
        if self.services is None:
            return
        from aircher.domain.turns import TurnRequest
        from aircher.tui import sheets

        request = TurnRequest("", self.chat.session_id, wish=self.chat.wish)
        try:
            preview = await self.services.engine.preview(request)
        except AircherError as error:
            self.tell(f"{sentence(error.message)} {error.hint}".strip())
            return
        first = preview.plan.first
        sections = sheets.context_sections(
            str(first.ref),
            self.services.catalog.facts(first.ref),
            first.estimate,
            len(self.stored_messages()),
            self.services.settings.compact_at,
        )
        self._sheet("Context", sections)
