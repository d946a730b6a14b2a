"""What must be true after any fault on the way to a model."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.conftest import COLD, Row
from tests.faults.dialects import BACKUP_CASE, Dialect, recorded, text_of
from tests.faults.stage import CAP_USD, Kept, Ran, Stage, assert_clear

QUESTION = "what is a branch"
NEXT = "and what is a tag"


@dataclass(frozen=True)
class Expected:
    """How a fault ends.

    "fails": nothing of the answer came, the backup gives it all.  "breaks": a part came, the backup
    goes on.  "fine": the answer is whole.  "stops": it is the request's own fault, so nobody else
    is asked.  ``sentence`` is what the complaint must say without a
    backup; ``asked`` how many calls it may tell of.
    """

    ends: str
    sentence: str = ""


def _backup_cost() -> int:
    expect = recorded(BACKUP_CASE)["expect"]
    return int(expect["input_total"] * 2_000 + expect["output_total"] * 6_000)


def _whole_cost(dialect: Dialect) -> int:
    if dialect.free:
        return 0
    expect = recorded(dialect.case)["expect"]
    if expect.get("cost"):
        return round(expect["cost"] * 10**9)  # the vendor's own word
    return int(expect["input_total"] * 1_000 + expect["output_total"] * 2_000)


def plainly(sentence: str, stage: Stage) -> str:
    """A sentence without what differs between two runs."""
    text = sentence.removeprefix("aircher: ").replace(str(stage.home), "~")
    text = re.sub(r"127\.0\.0\.1[: ]*\d+|\('127\.0\.0\.1', \d+\)", "127.0.0.1", text)
    text = re.sub(r"answer-[\d-]+", "answer-DATE", text)
    return re.sub(r"damaged-\w+", "damaged-DATE", text)


def complaint(ran: Ran, sentence: str) -> str:
    """The one complaint: what happened, what Aircher did, and what the user can do."""
    (said,) = ran.said("aircher: ")
    assert re.search(sentence, said, re.IGNORECASE), said
    assert re.search(r"Aircher asked (once|twice|\d+ times)|models were tried", said), said
    assert re.search(r"  \S.*\.$", ran.err.rstrip()), ran.err
    return said


def assert_money(kept: Kept) -> None:
    """Nothing is held, nothing unknown, and the sum is under the cap."""
    assert kept.held == 0
    assert kept.whole
    assert all(tag in {"exact", "estimated"} for _, _, tag, _ in kept.spent), kept.spent
    assert 0 <= kept.total <= CAP_USD * 10**9


async def with_backup(stage: Stage, dialect: Dialect, expected: Expected) -> None:
    """The user gets an answer, in whole, and is told once who gave it."""
    ran = await stage.ask(QUESTION)
    assert_clear(ran)
    if expected.ends == "stops":
        assert ran.code == 1, ran
        complaint(ran, expected.sentence)
        return
    assert ran.code == 0, ran
    moves = ran.said("fallback: ")
    kept = stage.kept()
    assert kept.questions == (QUESTION,)
    assert_money(kept)
    if expected.ends == "fine":
        assert ran.out == text_of(dialect.case).rstrip("\n") + "\n"
        assert not moves
        return
    backup = text_of(BACKUP_CASE)
    assert len(moves) == 1, ran.err
    assert re.search(expected.sentence, moves[0], re.IGNORECASE), moves
    assert [nano for name, nano, tag, _ in kept.spent if (name, tag) == ("backup", "exact")] == [
        _backup_cost()
    ]
    if expected.ends == "fails":
        assert ran.out == backup + "\n"
        assert kept.answers[-1] == backup
        return
    part = ran.out.removesuffix(backup + "\n")
    assert part != ran.out
    assert part
    assert text_of(dialect.case).startswith(part)
    assert kept.answers == (part, backup)
    tags = [tag for name, _, tag, _ in kept.spent if name != "backup"]
    assert tags == ["exact" if dialect.free else "estimated"]


async def without_backup(stage: Stage, dialect: Dialect, expected: Expected, row: Row) -> None:
    """Where nobody else may answer it is said plainly, and what came is kept."""
    ran = await stage.ask("--no-fallback", QUESTION)
    assert_clear(ran)
    kept = stage.kept()
    assert kept.questions == (QUESTION,)
    assert_money(kept)
    if expected.ends == "fine":
        assert ran.code == 0, ran
        row.said = "(the whole answer)"
        assert kept.spent[0][1] == _whole_cost(dialect) or kept.spent[0][2] == "estimated"
        return
    assert ran.code == 1, ran
    row.said = plainly(complaint(ran, expected.sentence), stage)
    assert "".join(kept.answers) == ran.out.removesuffix("\n")
    if expected.ends == "breaks":
        assert text_of(dialect.case).startswith(kept.answers[0])
        assert kept.answers[0]
        assert kept.total > 0 or dialect.free


async def afterwards(stage: Stage, heal: Callable[[], None]) -> None:
    """Once it is over, the same conversation goes on."""
    before = stage.kept()
    heal()
    ran = await stage.ask("-c", NEXT)
    assert_clear(ran)
    assert ran.code == 0, ran
    assert ran.out.strip()
    after = stage.kept()
    assert after.questions == (*before.questions, NEXT)
    assert after.answers[: len(before.answers)] == before.answers
    assert after.spent[: len(before.spent)] == before.spent
    assert len(after.spent) == len(before.spent) + 1
    assert_money(after)


async def judge(
    stages: Callable[[], Stage],
    dialect: Dialect,
    expected: Expected,
    row: Row,
    configure: Callable[[Stage], None],
) -> None:
    """All of it, in two homes: with a backup, and without."""
    first = stages()
    first.cold = COLD
    configure(first)
    await with_backup(first, dialect, expected)
    second = stages()
    configure(second)
    await without_backup(second, dialect, expected, row)
    row.survived = 1
    await afterwards(second, lambda: second.configure(dialect, second.address(dialect.case)))
    row.kept = 1
