"""Where the user types: several lines, history, completion, and keys from the table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from textual.actions import SkipAction
from textual.content import Content
from textual.events import Key, Paste
from textual.widgets import TextArea

from aircher.domain.regexes import regex
from aircher.tui.keys import prompt_keys
from aircher.tui.messages import CompletionWanted, FileChosen, Submitted
from aircher.tui.widgets.completion import Candidate, Completion

_WORD = regex(r"(?:^|(?<=\s))@([^\s@]*)\Z")
_COMMAND = regex(r"/([a-z]*)\Z")


def word_to_complete(before: str, first_line: bool) -> tuple[str, str] | None:
    """("command" | "file", what was typed of it) at the end of ``before``, else None.

    A command is only one at the very beginning of the prompt; a file is any word after "@".
    """
    if first_line and (command := _COMMAND.fullmatch(before)):
        return "command", command[1]
    if mention := _WORD.search(before):
        return "file", mention[1]
    return None


LONG_LINES, LONG_TEXT = 20, 4_000
"""A paste of more lines or characters is shown as a chip."""

HUGE_TEXT = 100_000
"""More than this is a chip wherever it comes from: wrapping it would hold up the keys."""


def short(text: str) -> bool:
    """True for what the prompt shows as it is."""
    return len(text) <= LONG_TEXT and text.count("\n") < LONG_LINES


class Prompt(TextArea):
    """The text area.  It tells what was sent or is to be completed, and decides nothing else."""

    def __init__(self, completion: Completion, **more: Any) -> None:
        super().__init__(
            "",
            soft_wrap=True,
            tab_behavior="focus",
            show_line_numbers=False,
            highlight_cursor_line=False,
            placeholder="Ask anything.  / for commands, @ for files",
            **more,
        )
        self.completion = completion
        self._history: list[str] = []
        self._place = 0
        self._draft = ""
        self._offered_for: tuple[str, str] | None = None
        self._pasted: dict[str, str] = {}
        self.keys: Mapping[str, str] = prompt_keys({})
        """Key -> action; the app replaces it by what the user configured."""
        self.busy = False
        """Set by the app while an answer runs: Tab then sends."""

    # -- what the app does with it

    def set_history(self, texts: Sequence[str]) -> None:
        """Earlier messages, oldest first, for Up and Down."""
        self._history = list(texts)
        self._place = len(self._history)

    def put(self, text: str) -> None:
        """Replaces the content, cursor at the end."""
        self._pasted.clear()
        self.text = text if len(text) <= HUGE_TEXT else self._chip(text)
        self.move_cursor(self.document.end)

    # -- long pastes: a chip stands for the text

    @property
    def whole_text(self) -> str:
        """The content with every chip replaced by what was pasted."""
        if not self._pasted:
            return self.text
        chips = re.compile("|".join(map(re.escape, self._pasted)))
        return chips.sub(lambda found: self._pasted[found[0]], self.text)

    def _chip(self, text: str) -> str:
        """What stands for a long text; each is told from the others by its number."""
        lines = text.count("\n") + 1
        size = f"{lines} lines" if lines > 1 else f"{len(text):,} characters"
        chip = f"[pasted {size}]"
        if chip in self._pasted:
            chip = f"[pasted {size}, {len(self._pasted) + 1}]"
        self._pasted[chip] = text
        return chip

    async def _on_paste(self, event: Paste) -> None:
        """A long paste becomes a chip, so that the prompt stays readable and quick.

        A short one is left to the text area's own handler, which Textual calls next.
        """
        if short(event.text):
            return
        event.prevent_default()
        event.stop()
        chip = self._chip(event.text.replace("\r\n", "\n").replace("\r", "\n"))
        self.move_cursor(self.replace(chip, *self.selection).end_location)

    def action_delete_left(self) -> None:
        """A chip goes as a whole: half of one would stand for nothing."""
        row, column = self.cursor_location
        before = self.document.get_line(row)[:column]
        chip = next((chip for chip in self._pasted if before.endswith(chip)), "")
        if not chip or self.selected_text:
            super().action_delete_left()
            return
        del self._pasted[chip]
        self.delete((row, column - len(chip)), (row, column))

    # -- keys

    async def _on_key(self, event: Key) -> None:
        """The keys of the table, then the text area's own, in the order of typing.

        Bindings act when the app sees the key: before letters that were typed earlier have
        arrived here, or after those typed later.  A fast "text, Enter" would send half of it,
        and a fast "worf, Backspace, d" would be "wor".
        """
        own = [
            binding.action
            for key in event.aliases
            for binding in self._bindings.key_to_bindings.get(key, ())
        ]
        for action in (*(self.keys[key] for key in event.aliases if key in self.keys), *own):
            if await self.app.run_action(action, self):
                event.stop()
                event.prevent_default()
                return

    def action_send(self) -> None:
        """Takes the offered completion, or sends, or makes a new line after a backslash."""
        candidate = self._offered()
        if candidate is not None and not self._typed_in_full(candidate):
            self._take(candidate)
            return
        self.completion.offer(())
        if self.text.endswith("\\") and self.cursor_location == self.document.end:
            self.action_delete_left()
            self.insert("\n")
            return
        self._submit()

    def _offered(self) -> Candidate | None:
        """The highlighted candidate, unless it was offered for a text that has moved on."""
        return self.completion.chosen() if self._word() == self._offered_for else None

    def _word(self) -> tuple[str, str] | None:
        """The word before the cursor that can be completed."""
        row, column = self.cursor_location
        return word_to_complete(self.document.get_line(row)[:column], row == 0)

    def _submit(self) -> None:
        """Tells the text and empties itself at once: what is typed next is the next message."""
        text = self.whole_text
        if text.strip():
            self.put("")
            self.post_message(Submitted(text))

    def action_newline(self) -> None:
        """A line break instead of sending."""
        self.insert("\n")

    def action_complete(self) -> None:
        """Takes the offered completion; while an answer runs, queues the message."""
        candidate = self._offered()
        if candidate is not None:
            self._take(candidate)
        elif self.busy and self.text.strip():
            self._submit()

    def action_history_back(self) -> None:
        """Up: in the list, in the text, or to the message before."""
        if self.completion.open:
            self.completion.action_cursor_up()
            return
        if not self.cursor_at_first_line or self._place == 0:
            raise SkipAction
        if self._place == len(self._history):
            self._draft = self.whole_text
        self._place -= 1
        self.put(self._history[self._place])

    def action_history_forward(self) -> None:
        """Down: in the list, in the text, or to the message after."""
        if self.completion.open:
            self.completion.action_cursor_down()
            return
        if not self.cursor_at_last_line or self._place == len(self._history):
            raise SkipAction
        self._place += 1
        last = self._place == len(self._history)
        self.put(self._draft if last else self._history[self._place])

    async def action_leave(self) -> None:
        """Ctrl+D: quits when nothing is typed, else deletes to the right."""
        if self.text:
            self.action_delete_right()
        else:
            await self.app.run_action("quit")

    async def action_help_if_empty(self) -> None:
        """A question mark asks for help only where it is no text."""
        if self.text:
            raise SkipAction
        await self.app.run_action("help")

    def close_completion(self) -> bool:
        """Esc: True if there was a list to close."""
        was_open = self.completion.open
        self.completion.offer(())
        return was_open

    # -- completion

    def on_text_area_changed(self) -> None:
        """Looks whether the word before the cursor can be completed."""
        word = self._word()
        if word is None:
            self.completion.offer(())
        elif word[0] == "command":
            self.post_message(CompletionWanted("command", word[1]))
        else:
            self.post_message(CompletionWanted("file", word[1]))

    def offer(self, kind: str, query: str, candidates: Sequence[Candidate]) -> None:
        """Shows candidates, unless the text has moved on since they were asked for."""
        if self._word() == (kind, query):
            self._offered_for = (kind, query)
            self.completion.offer(candidates)

    def _typed_in_full(self, candidate: Candidate) -> bool:
        row, column = self.cursor_location
        return self.document.get_line(row)[:column].endswith(candidate.insert)

    def _take(self, candidate: Candidate) -> None:
        """Replaces the word before the cursor by the candidate."""
        row, column = self.cursor_location
        before = self.document.get_line(row)[:column]
        word = word_to_complete(before, row == 0)
        self.completion.offer(())
        if word is None:
            return
        kind, typed = word
        start = column - len(typed) - 1
        self.replace(candidate.insert + " ", (row, start), (row, column))
        self.move_cursor((row, start + len(candidate.insert) + 1))
        if kind == "file":
            self.post_message(FileChosen(candidate.insert.removeprefix("@")))

    # -- looks

    def show_placeholder(self, text: str) -> None:
        """What stands in the empty prompt."""
        self.placeholder = Content.styled(text, "$muted")
