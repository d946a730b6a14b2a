"""A commit desk without a repository: scripted messages, and what was asked of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from aircher.domain.changes import Changes, FileChange, Hunk
from aircher.domain.commits import CommitAsk, CommitEvent, CommitMessage, Setting, Written
from aircher.domain.errors import AircherError
from aircher.domain.events import Event, Failed
from aircher.engine.written import no_result
from tests.support import engine as fake


def hunk(start: int, section: str, *lines: str) -> Hunk:
    """A hunk with these lines, markers included."""
    old = sum(line[:1] in " -" for line in lines)
    new = sum(line[:1] in " +" for line in lines)
    header = f"@@ -{start},{old} +{start},{new} @@ {section}".rstrip().encode()
    return Hunk(header, tuple(line.encode() for line in lines), start, old, start, new)


PARSER = (
    hunk(
        *(12, "def parse(tokens):"),
        *("     while tokens:", "-        yield head(tokens)", "+        token, tokens = tokens[0], tokens[1:]"),
        *("+        yield head(token)", " ", "-    return tokens"),
    ),
    hunk(48, "def head(token):", " ", "-    return token[0]", "+    return token.kind", "     # as before"),
)  # fmt: skip
TESTS = (hunk(1, "", "+def test_it_ends():", "+    assert list(parse([1, 2])) == [1, 2]", "+"),)
CHANGES = Changes(
    (
        FileChange("src/parser.py", "modified", added=3, removed=3, hunks=PARSER),
        FileChange("tests/test_parser.py", "added", added=3, removed=0, hunks=TESTS),
        FileChange("docs/flow.png", "modified", added=None, removed=None),
    ),
    fingerprint="now",
)
BODY = """\
head() left its token in place, so the loop never ended for a list of more
than one.  The token is taken off before it is looked at."""
MESSAGES = (
    CommitMessage("Take each token off before it is parsed", BODY, ("Refs: ABC-12",)),
    CommitMessage("End the parser's loop when tokens run out", "", ("Refs: ABC-12",)),
    CommitMessage("Fix the endless loop in parse", BODY, ("Refs: ABC-12",)),
)


class FakeDesk:
    """Writes ``MESSAGES``; ``refusal`` is raised by the commit, ``before`` are the first events."""

    def __init__(
        self, refusal: AircherError | None = None, before: tuple[Event, ...] = (), fails: int = 0
    ) -> None:
        self.refusal = refusal
        self.before = before
        self.fails = fails
        self.asks: list[CommitAsk] = []
        self.committed: list[CommitMessage] = []
        self.kept: list[CommitMessage] = []
        self.answers: list[bool] = []

    async def look(self) -> tuple[Changes, Setting]:
        return CHANGES, Setting("/repo", "fix/ABC-12-parser-loop")

    async def write(self, ask: CommitAsk) -> AsyncGenerator[CommitEvent, None]:
        self.asks.append(ask)
        for event in self.before:
            yield event
        if self.fails:
            self.fails -= 1
            yield Failed(AircherError("The model's answer holds no message."), no_result())
            return
        made = MESSAGES[len(ask.earlier) % 3 :][: ask.count] if ask.count == 1 else MESSAGES
        yield Written(
            made, "model", ref=fake.MINI, cost=fake.usd("0.00031"),
            tokens=fake.Tokens(input=1_240, output=61),
        )  # fmt: skip

    def answer(self, question_id: int, *, yes: bool) -> None:
        self.answers.append(yes)

    def keep(self, message: CommitMessage, written: Written, changes: Changes) -> None:
        self.kept.append(message)

    async def commit(self, message: CommitMessage, written: Written, changes: Changes) -> str:
        if self.refusal is not None:
            raise self.refusal
        self.committed.append(message)
        return "1f2e3d4c5b6a79880011223344556677889900aa"
