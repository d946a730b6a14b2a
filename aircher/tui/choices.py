"""Choosing model, provider, task and theme: by key, by list, by command."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from aircher.domain.errors import AircherError
from aircher.domain.models import ModelRef
from aircher.domain.routes import Wish
from aircher.domain.tasks import Evidence, task_name
from aircher.tui.base import BaseApp
from aircher.tui.words import count, sentence

if TYPE_CHECKING:  # annotations only: the first frame needs none of it
    from aircher.domain.models import ModelFacts
    from aircher.domain.sessions import StoredMessage
    from aircher.domain.turns import Preview
    from aircher.tui.screens.pick import Row
    from aircher.tui.widgets.transcript import Transcript

AUTOMATIC = "auto"
"""What the user writes, and what lists give back, for 'no choice of mine'."""

_MOST_ROWS = 200

_LEAST_SHARE = 0.005
"""A task's share below this is not told: it would be "0%"."""


def _was_detected(preview: Preview) -> bool:
    """True unless the user had named the task."""
    return all(item.source != "user" for item in preview.detection.evidence)


def facts_line(facts: ModelFacts) -> str:
    """Price and window of a model in a few words."""
    if facts.free:
        cost = "free"
    elif facts.input_price is None or facts.output_price is None:
        cost = "price unknown"
    else:
        cost = f"${facts.input_price:f} in · ${facts.output_price:f} out per M"
    window = f"{count(facts.context_window)} window" if facts.context_window else ""
    return " · ".join(part for part in (cost, window) if part)


class Choices(BaseApp):
    """All of them end in a ``Wish``, which the status line shows."""

    def wish(self, **changes: str | bool) -> None:
        """Changes the wish and shows what follows from it."""
        self.chat.wish = replace(self.chat.wish, **changes)  # type: ignore[arg-type]  # by name
        self.plan_ahead(at_once=True)

    def use(self, ref: ModelRef) -> None:
        """Makes this model the choice for all that follows."""
        self.wish(provider=ref.provider, model=ref.model)

    def action_automatic(self) -> None:
        """Gives the choice of model and task back."""
        self.chat.wish = Wish(fallback=self.chat.wish.fallback, local=self.chat.wish.local)
        self.plan_ahead(at_once=True)

    def action_next_model(self, step: int) -> None:
        """The next (or previous) model; after the last comes the automatic choice again."""
        places: list[ModelRef | None] = [None, *self.standing_models()]
        if len(places) == 1:
            return
        wish = self.chat.wish
        now = ModelRef(wish.provider, wish.model) if wish.model else None
        index = places.index(now) if now in places else 0
        target = places[(index + step) % len(places)]
        if now is None and self.chat.preview and target == self.chat.preview.plan.first.ref:
            target = places[(index + 2 * step) % len(places)]  # the same again would be no change
        elif now is None and target == self.standing_model():
            target = places[(index + 2 * step) % len(places)]
        if target is None:
            self.wish(provider="", model="")
        else:
            self.use(target)

    def choose_by_name(self, name: str) -> None:
        """/model NAME: "auto", a provider, a model, or provider/model."""
        if self.services is None:
            return
        rules = self.services.settings.rules
        if name == AUTOMATIC:
            self.wish(provider="", model="")
        elif name in rules.order:
            self.wish(provider=name, model=rules.models.get(name, ""))
        else:
            from aircher.policy.route import resolve

            try:
                self.use(resolve(name, rules, self.services.catalog.facts))
            except AircherError as error:
                self.tell(f"{sentence(error.message)} {error.hint}".strip())

    def action_choose_model(self) -> None:
        """The list of models, those of the configuration first."""
        self.work(self._list_models, "models")

    async def _list_models(self) -> None:
        """Reads the catalogue in a thread (a second where it is cold), then opens the list."""
        if self.services is None:
            return
        from aircher.policy.route.fitness import is_local
        from aircher.tui.screens.pick import PickScreen, Row

        catalog, order = self.services.catalog, self.services.settings.rules.order
        refs = self.standing_models()
        seen = set(refs)
        known = await asyncio.to_thread(catalog.known)
        refs += [f.ref for f in known if f.ref.provider in order and f.ref not in seen]
        title = "Model for the next messages"
        if self.stays_here:  # another one could not be asked
            refs = [ref for ref in refs if is_local(ref, self.services.settings.rules)]
            title += ", on this machine"
        if self.leaving or len(self.screen_stack) > 1:
            return

        def source(query: str) -> list[Row]:
            words = query.lower().split()
            rows = [Row(AUTOMATIC, "automatic", "by task")] if not query else []
            for ref in refs:
                if all(word in str(ref).lower() for word in words):
                    rows.append(Row(str(ref), str(ref), facts_line(catalog.facts(ref))))
                if len(rows) == _MOST_ROWS:
                    break
            return rows

        def done(value: str | None) -> None:
            if value == AUTOMATIC:
                self.wish(provider="", model="")
            elif value:
                provider, _, model = value.partition("/")
                self.use(ModelRef(provider, model))

        self.push_screen(PickScreen(title, source), done)

    def action_choose_task(self) -> None:
        """The list of tasks, each with the model it leads to."""
        if self.services is None:
            return
        from aircher.domain.tasks import TASKS
        from aircher.tui.screens.pick import PickScreen, Row

        names = list(dict.fromkeys((*TASKS, *self.services.engine.learning.tasks)))
        models = {name: self._model_for(name) for name in names}
        widest = max(map(len, models.values()))
        seen = self.chat.preview if self.prompt.text.strip() else self.chat.latest
        shares = seen.detection.scores if seen and _was_detected(seen) else {}

        def source(query: str) -> list[Row]:
            rows = [Row(AUTOMATIC, "automatic", "read from your message")]
            for name in names:
                share = f"{shares[name]:.0%}" if shares.get(name, 0) >= _LEAST_SHARE else ""
                right = f"{share:>4}  → {models[name]:<{widest}}"
                rows.append(Row(name, task_name(name), right))
            return [row for row in rows if query.lower() in row.name]

        self.push_screen(PickScreen("What kind of task is it?", source), self._task_chosen)

    def _model_for(self, task: str) -> str:
        """The model that a message like the present one would get as this task."""
        if self.services is None:
            return ""
        from aircher.domain.tasks import Signals

        signals = Signals(self.prompt.whole_text)
        _, plan = self.services.engine.weigh(signals, replace(self.chat.wish, task=task))
        return "no model" if isinstance(plan, AircherError) else str(plan.first.ref)

    def _task_chosen(self, value: str | None) -> None:
        if value:
            self.choose_task_by_name(value)

    def _correct(self, task: str) -> bool:
        """Learns from the user's word where it differs from what was detected.

        What is being typed is learnt from at once and sent as that task; with nothing typed it is
        the last message that is corrected, and True says that this is all there is to do.
        """
        services, chat = self.services, self.chat
        if services is None:
            return False
        text = self.prompt.whole_text.strip()
        typed = bool(text) and not text.startswith("/")
        chat.task_once = typed  # what is being typed is corrected, not all that follows
        seen = chat.preview if typed else chat.latest
        wrong = seen.detection.task if seen else "" if typed else self._stored_task()
        guessed = not chat.wish.task and (seen is None or _was_detected(seen))
        if not wrong or not guessed or wrong == task:
            return False
        try:
            if typed:
                services.engine.learning.learn(text, wrong=wrong, task=task)
                self.notify(f"Noted: messages like this one are {task_name(task)}.", timeout=4)
                return False
            services.engine.learning.correct(chat.session_id, task)
        except AircherError as error:
            self.tell(f"{sentence(error.message)} {error.hint}".strip())
            return False
        if seen is not None:
            mine = Evidence("user", "you chose this task", 1.0, task)
            detection = replace(seen.detection, task=task, evidence=(mine,), confidence=1.0)
            chat.latest = replace(seen, detection=detection)
        self.tell(
            f"Your last message was {task_name(task)}, then. Similar ones will be taken for it, "
            "and this chat goes on so; `aircher task forget` undoes it."
        )
        return True

    def _stored_task(self) -> str:
        """The task of an earlier chat's last request, "" where there is none."""
        asked = [one for one in self.stored_messages() if one.message.role == "user" and one.task]
        return asked[-1].task if asked else ""

    def stored_messages(self) -> Sequence[StoredMessage]:
        """The messages of this chat that are on disk."""
        if self.services is None or not self.chat.session_id:
            return ()
        return self.services.sessions.messages(self.chat.session_id)

    def choose_task_by_name(self, name: str) -> None:
        """/task NAME: "auto" or a task, spaces or underscores."""
        if self.services is None:
            return
        from aircher.domain.tasks import TASKS

        task = name.strip().lower().replace(" ", "_")
        known = {*TASKS, *self.services.engine.learning.tasks}
        if task == AUTOMATIC:
            self.wish(task="")
        elif task == "general" or task in known:
            task = "default" if task == "general" else task
            if not self._correct(task):
                self.wish(task=task)
        else:
            self.tell(f'There is no task "{name}". {self.key("task.choose")} lists them.')

    def on_transcript_link_clicked(self, event: Transcript.LinkClicked) -> None:
        """Asks before anything is opened, showing where it leads."""
        from aircher.tui.links import openable, other_host
        from aircher.tui.screens.pick import PickScreen, Row

        url = openable(event.url)
        if not url:
            self.notify("This link is no web or mail address; it is not opened.", markup=False)
            return
        claimed = other_host(event.label, url)
        warning = f"  The text says {claimed}: it leads elsewhere." if claimed else ""
        rows = [
            Row("open", "Open in the browser", "", f"{url}{warning}"),
            Row("copy", "Copy the address", "", url),
        ]

        def done(value: str | None) -> None:
            if value == "open":
                self.open_url(url)
            elif value == "copy":
                self.copy_to_clipboard(url)

        self.push_screen(PickScreen("Link", lambda _: rows), done)

    def on_transcript_copied(self, event: Transcript.Copied) -> None:
        """Says that the clipboard was written to."""
        self.notify(f"Copied the {event.what}.", timeout=2, markup=False)

    def choose_theme_from_list(self) -> None:
        """All themes, each shown by its name."""
        from aircher.tui.screens.pick import PickScreen, Row

        names = sorted(self.available_themes)

        def source(query: str) -> list[Row]:
            return [Row(name, name) for name in names if query.lower() in name]

        def done(value: str | None) -> None:
            if value:
                self.theme = value

        self.push_screen(PickScreen("Theme", source), done)
