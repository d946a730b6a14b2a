from __future__ import annotations

import sqlite3
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from aircher.domain.budget import Cap, Claim, Reservation
from aircher.domain.errors import OverBudget
from aircher.domain.models import ModelRef
from aircher.domain.usage import Cost, Spend, Tokens, UsageRow
from aircher.storage.database import Database
from aircher.storage.processes import myself
from aircher.storage.times import to_ms
from tests.storage.conftest import START, SetClock, Start

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
OPENAI = ModelRef("openai", "some-model")
CLAUDE = ModelRef("claude", "other-model")


def claim(nano: int, ref: ModelRef = OPENAI, task: str = "default") -> Claim:
    return Claim(ref, task, nano, START)


def row(
    nano: int | None, ref: ModelRef = OPENAI, task: str = "default", at: datetime = START
) -> UsageRow:
    return UsageRow(at, ref, task, Tokens(10, output=5), Cost(nano, "exact" if nano else "unknown"))


def cap(limit: int, since: datetime = LONG_AGO, provider: str = "", task: str = "") -> Cap:
    return Cap("costs.daily_limit", limit, since, provider, task)


def test_a_call_is_reserved_settled_and_counted(db: Database) -> None:
    held = db.ledger.reserve(claim(100), [cap(100)])
    (state,) = db.ledger.state([cap(100)])
    assert (state.spent_nano, state.held_nano, state.left_nano) == (0, 100, 0)
    db.ledger.settle(held, row(30))
    (state,) = db.ledger.state([cap(100)])
    assert (state.spent_nano, state.held_nano, state.left_nano) == (30, 0, 70)
    db.ledger.release(db.ledger.reserve(claim(70), [cap(100)]))
    assert db.ledger.state([cap(100)])[0].left_nano == 70


def test_a_refusal_names_the_limit_and_the_sums(db: Database) -> None:
    dollar = 1_000_000_000
    db.ledger.settle(None, row(9 * dollar))
    db.ledger.reserve(claim(dollar // 2), [])
    with pytest.raises(OverBudget) as refused:
        db.ledger.reserve(claim(dollar), [cap(11 * dollar), cap(10 * dollar)])
    assert refused.value.message == (
        "costs.daily_limit would be passed: $9.00 spent, $0.5000 held for other calls,"
        " this request may cost up to $1.00, the limit is $10.00."
    )
    assert "costs.daily_limit" in refused.value.hint
    assert db.ledger.state([cap(10 * dollar)])[0].held_nano == dollar // 2


def test_exactly_the_limit_still_fits(db: Database) -> None:
    db.ledger.reserve(claim(60), [cap(100)])
    db.ledger.reserve(claim(40), [cap(100)])
    with pytest.raises(OverBudget):
        db.ledger.reserve(claim(1), [cap(100)])


def test_what_is_free_always_fits(db: Database) -> None:
    db.ledger.settle(None, row(500))
    db.ledger.reserve(claim(0), [cap(100)])


def test_a_cap_counts_only_its_window_provider_and_task(db: Database) -> None:
    yesterday = START - timedelta(days=1)
    db.ledger.settle(None, row(10, at=yesterday))
    db.ledger.settle(None, row(20))
    db.ledger.settle(None, row(40, CLAUDE, "summaries"))
    caps = [cap(1), cap(1, START), cap(1, provider="openai"), cap(1, START, task="summaries")]
    assert [state.spent_nano for state in db.ledger.state(caps)] == [70, 60, 30, 40]
    db.ledger.reserve(claim(5, OPENAI), [cap(0, provider="claude"), cap(0, task="summaries")])
    held = [state.held_nano for state in db.ledger.state([cap(1), cap(1, provider="claude")])]
    assert held == [5, 0]


def test_unknown_costs_are_counted_apart(db: Database) -> None:
    db.ledger.settle(None, row(None))
    db.ledger.settle(None, UsageRow(START, OPENAI, "x", Tokens(), Cost(7, "estimated")))
    assert db.ledger.spend(LONG_AGO) == Spend(7, 2, 10, 5, unknown=1, estimated=1)
    assert db.ledger.spend(LONG_AGO, task="x") == Spend(7, 1, 0, 0, unknown=0, estimated=1)
    assert db.ledger.spend(START + timedelta(seconds=1)) == Spend()


def test_rows_come_back_whole_and_in_order(db: Database) -> None:
    later = UsageRow(
        START,
        CLAUDE,
        "debugging",
        Tokens(1, 2, 3, 4, 5, 6, 7, 8),
        Cost(9, "estimated", "price"),
        session_id="s",
        message_id=12,
        duration_s=1.5,
        first_token_s=0.25,
        outcome="stopped",
        attempt=3,
    )
    earlier = row(None, at=START - timedelta(hours=1))
    db.ledger.settle(None, later)
    db.ledger.settle(None, earlier)
    assert db.ledger.rows(LONG_AGO) == [earlier, later]
    assert db.ledger.rows(LONG_AGO, START) == [earlier]
    assert db.ledger.rows(START) == [later]
    assert db.ledger.spend(LONG_AGO, session_id="s").calls == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE usage SET cost_nano = 0",
        "DELETE FROM usage",
        "INSERT OR REPLACE INTO usage SELECT * FROM usage",
    ],
)
def test_the_ledger_is_append_only(db: Database, file: Path, statement: str) -> None:
    db.ledger.settle(None, row(5))
    other = sqlite3.connect(file)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        other.execute(statement)
    other.close()
    assert db.ledger.spend(LONG_AGO).nano_usd == 5


def test_names_that_utf8_cannot_carry_are_mended(db: Database) -> None:
    odd = ModelRef("op\ud800nai", "m\udcff")
    held = db.ledger.reserve(claim(5, odd, "task\ud800"), [])
    db.ledger.settle(held, row(5, odd, "task\ud800"))
    session = db.sessions.create(project="/odd/\udcff", title="t\ud800")
    reply = db.sessions.begin(session.id, odd, task="task\ud800", evidence="e\ud800")
    db.sessions.end(reply, [], "failed", ref=odd, error="\ud800", finish_reason="\ud800")
    mended = ModelRef("op\ufffdnai", "m\ufffd")
    assert db.ledger.rows(LONG_AGO)[0].ref == mended
    assert db.sessions.messages(session.id)[0].ref == mended
    assert [info.id for info in db.sessions.list(project="/odd/\udcff")] == [session.id]


def test_sums_see_what_another_process_spent(db: Database, start: Start) -> None:
    db.ledger.settle(None, row(5))
    assert db.ledger.spend(LONG_AGO).nano_usd == 5
    code = "db.ledger.settle(None, UsageRow(now, ref, 't', Tokens(), Cost(7, 'exact')))"
    assert start(code).wait() == 0
    assert db.ledger.spend(LONG_AGO).nano_usd == 12
    assert db.ledger.spend(LONG_AGO, task="t").nano_usd == 7


def test_kill_9_between_reserve_and_settle_frees_the_money_and_shows_it(
    db: Database, start: Start
) -> None:
    process = start(
        "db.ledger.reserve(Claim(ref, 'commit', 80, now, prompt=7, prompt_nano=10, max_output=448), []);"
        "print(flush=True); sys.stdin.read()"
    )
    assert process.stdout is not None
    process.stdout.readline()
    assert db.ledger.state([cap(100)])[0].held_nano == 80
    with pytest.raises(OverBudget):
        db.ledger.reserve(claim(40), [cap(100)])
    process.kill()
    process.wait()
    assert db.ledger.state([cap(100)])[0].held_nano == 0
    # Refused for another limit: the freed reservation must still be counted only once.
    with pytest.raises(OverBudget):
        db.ledger.reserve(claim(40), [cap(39)])
    db.ledger.settle(db.ledger.reserve(claim(40), [cap(100)]), row(40))
    aborted, mine = db.ledger.rows(LONG_AGO)[::-1]
    assert (aborted.outcome, aborted.task, aborted.cost) == (
        "aborted",
        "commit",
        # The prompt's price and 128 of 448 tokens: nothing had been written yet.
        Cost(10 + 70 * 128 // 448, "estimated"),
    )
    assert mine.cost.nano_usd == 40
    assert db.ledger.spend(LONG_AGO) == Spend(40 + 30, 2, 10 + 7, 5, estimated=1)


def test_kill_9_in_mid_answer_is_billed_for_what_is_on_disk(db: Database, start: Start) -> None:
    process = start(
        "from aircher.domain.messages import Text\n"
        "session = db.sessions.create().id\n"
        "held = Claim(ref, 't', 1010, now, session, prompt=7, prompt_nano=10, max_output=1000)\n"
        "db.ledger.reserve(held, [])\n"
        "db.sessions.write(db.sessions.begin(session, ref), (Text('x' * 30),))\n"
        "print(flush=True); sys.stdin.read()"
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.kill()
    process.wait()
    assert start("").wait() == 0
    (aborted,) = db.ledger.rows(LONG_AGO)
    # Ten of a thousand tokens that could cost 1,000 besides the prompt's 10, and what may have
    # come since the last writing.
    assert aborted.cost == Cost(10 + 10 + 128, "estimated")
    assert (aborted.tokens.input, aborted.tokens.output) == (7, 10)
    (message,) = db.sessions.messages(aborted.session_id)
    assert (message.cost, message.tokens, message.ref) == (
        aborted.cost,
        aborted.tokens,
        aborted.ref,
    )
    assert (message.id, message.state) == (aborted.message_id, "stopped")


def test_the_next_start_shows_what_was_aborted(db: Database, start: Start) -> None:
    code = "db.ledger.reserve(Claim(ref, 't', 80, now), []); import os; os.kill(os.getpid(), 9)"
    assert start(code).wait() == -9
    assert db.ledger.rows(LONG_AGO) == []
    assert start("").wait() == 0
    assert [row.outcome for row in db.ledger.rows(LONG_AGO)] == ["aborted"]


def elsewhere(file: Path) -> None:
    """The reservations were made in a container whose processes cannot be seen from here."""
    other = sqlite3.connect(file)
    other.execute("UPDATE reservations SET holder = '12@34@pid:[9]'")
    other.commit()
    other.close()


def test_what_an_unknown_holder_holds_is_freed_after_an_hour_at_its_worst(
    db: Database, file: Path, clock: SetClock
) -> None:
    held = db.ledger.reserve(replace(claim(80), prompt_nano=5, max_output=9), [])
    elsewhere(file)
    clock.forward(minutes=59)
    assert db.ledger.state([cap(100)])[0].held_nano == 80
    clock.forward(minutes=2)
    with pytest.raises(OverBudget):
        db.ledger.reserve(claim(21), [cap(100)])
    assert db.ledger.spend(LONG_AGO).nano_usd == 80
    db.ledger.settle(held, row(30))  # it lived after all
    assert db.ledger.spend(LONG_AGO).nano_usd == 30
    assert [found.outcome for found in db.ledger.rows(LONG_AGO)] == [
        "aborted",
        "complete",
        "taken back",
    ]
    db.ledger.reserve(claim(70), [cap(100)])


def test_what_lived_and_used_nothing_is_taken_back_too(
    db: Database, file: Path, clock: SetClock
) -> None:
    held = db.ledger.reserve(claim(80), [])
    elsewhere(file)
    clock.forward(hours=2)
    assert db.ledger.free_abandoned() == 1
    db.ledger.release(held)
    assert db.ledger.spend(LONG_AGO) == Spend(0, 2, 0, 0, estimated=2)


def test_a_living_holder_keeps_its_money_when_the_clock_leaps(
    db: Database, start: Start, clock: SetClock
) -> None:
    process = start(
        "db.ledger.reserve(Claim(ref, 't', 80, now), []); print(flush=True); sys.stdin.read()"
    )
    assert process.stdout is not None
    process.stdout.readline()
    db.ledger.reserve(claim(15), [])
    clock.forward(days=400)
    assert db.ledger.free_abandoned() == 0
    with pytest.raises(OverBudget):
        db.ledger.reserve(claim(6), [cap(100)])
    clock.forward(days=-800)
    assert db.ledger.state([cap(100)])[0].held_nano == 95


def test_a_pid_that_was_given_to_another_process_holds_nothing(
    db: Database, file: Path, start: Start
) -> None:
    process = start("print(flush=True); sys.stdin.read()")
    assert process.stdout is not None
    process.stdout.readline()
    db.ledger.reserve(replace(claim(80), prompt_nano=5, max_output=9), [])
    other = sqlite3.connect(file)
    (name,) = other.execute("SELECT holder FROM reservations").fetchone()
    namespace = name.rpartition("@")[2]
    other.execute("UPDATE reservations SET holder = ?", (f"{process.pid}@1@{namespace}",))
    other.commit()
    other.close()
    db.ledger.reserve(claim(20), [cap(100)])
    assert db.ledger.spend(LONG_AGO).nano_usd == 80


def test_the_number_of_a_freed_reservation_is_never_given_again(
    db: Database, file: Path, clock: SetClock
) -> None:
    old = db.ledger.reserve(claim(80), [])
    elsewhere(file)
    clock.forward(hours=2)
    db.ledger.free_abandoned()
    new = db.ledger.reserve(claim(15), [])
    assert new.id != old.id
    db.ledger.settle(old, row(70))
    assert db.ledger.state([cap(100)])[0].held_nano == 15


def test_a_soft_limit_refuses_nothing(db: Database) -> None:
    soft = replace(cap(100), soft=True)
    db.ledger.reserve(claim(500), [soft])
    assert db.ledger.state([soft])[0].held_nano == 500


def test_an_alert_is_told_once_a_window_whoever_asks(
    db: Database, file: Path, clock: SetClock
) -> None:
    today, tomorrow = cap(100, START), cap(100, START + timedelta(days=1))
    assert db.ledger.first_alert(today, 0.8)
    assert not db.ledger.first_alert(today, 0.8)
    other = Database.open(file, clock)
    assert not other.ledger.first_alert(today, 0.8)
    assert other.ledger.first_alert(today, 1.0)
    assert other.ledger.first_alert(tomorrow, 0.8)
    clock.forward(days=-1)
    assert not other.ledger.first_alert(tomorrow, 0.8)
    assert other.ledger.first_alert(cap(200, START), 0.8)  # the limit was raised
    other.close()


def test_recent_costs_are_those_of_calls_that_cost_something(db: Database) -> None:
    for nano in (5, 0, None, 9):
        db.ledger.settle(None, row(nano))
    assert db.ledger.recent_costs() == [9, 5]
    assert db.ledger.recent_costs(1) == [9]


def test_a_crash_of_which_nothing_is_known_counts_its_worst_case(
    db: Database, start: Start
) -> None:
    code = "db.ledger.reserve(Claim(ref, 't', 80, now), []); import os; os.kill(os.getpid(), 9)"
    start(code).wait()
    start("").wait()
    assert db.ledger.spend(LONG_AGO) == Spend(80, 1, 0, 0, estimated=1)


def test_a_hard_cap_holds_over_four_processes(db: Database, start: Start) -> None:
    code = """
import random
caps = [Cap("costs.daily_limit", 10_000, datetime(2000, 1, 1, tzinfo=UTC))]
draw = random.Random(sys.argv[2])
for _ in range(60):
    worst = draw.randrange(1, 200)
    try:
        held = db.ledger.reserve(Claim(ref, "t", worst, now), caps)
    except OverBudget:
        continue
    if draw.random() < 0.2:
        db.ledger.release(held)
    else:
        used = Cost(draw.randrange(worst + 1), "exact")
        db.ledger.settle(held, UsageRow(now, ref, "t", Tokens(), used))
"""
    processes = [start(code, str(number)) for number in range(4)]
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    rows = db.ledger.rows(LONG_AGO)
    spent = sum(found.cost.nano_usd or 0 for found in rows)
    assert len(rows) > 50
    assert 9_000 < spent <= 10_000
    (state,) = db.ledger.state([cap(10_000)])
    assert (state.spent_nano, state.held_nano) == (spent, 0)


def test_of_four_who_want_the_last_cent_at_once_one_gets_it(db: Database, start: Start) -> None:
    rounds = 150
    code = """
began = float(sys.argv[2])
won = 0
for number in range(int(sys.argv[3])):
    task = str(number)
    caps = [Cap("costs.daily_limit", 1, datetime(2000, 1, 1, tzinfo=UTC), task=task)]
    while time.time() < began + number * 0.004:
        pass
    try:
        db.ledger.reserve(Claim(ref, task, 1, now), caps)
        won += 1
    except OverBudget:
        pass
print(won, flush=True)
sys.stdin.read()  # what a process that ended held would be free again
"""
    processes = [start(code, str(time.time() + 0.6), str(rounds)) for _ in range(4)]
    won = [int(process.stdout.readline()) for process in processes if process.stdout]
    assert sum(won) == rounds
    assert db.ledger.state([cap(1)])[0].held_nano == rounds


class LedgerAgainstAModel(RuleBasedStateMachine):
    """Any sequence of calls leaves the sums that a list of numbers gives."""

    held = Bundle("held")
    refs = st.sampled_from([OPENAI, CLAUDE])
    tasks = st.sampled_from(["a", "b"])
    limit = 1_000

    def __init__(self) -> None:
        super().__init__()
        self.clock = SetClock()
        self.db = Database.temporary(self.clock)
        self.spent: list[UsageRow] = []
        self.calls = 0
        self.unreserved = 0
        self.holding: dict[int, Claim] = {}
        self.caps = [
            cap(self.limit),
            cap(self.limit // 2, provider="openai"),
            cap(self.limit // 4, START + timedelta(minutes=5), task="a"),
        ]

    def sums(self, limit: Cap) -> tuple[int, int]:
        def counts(ref: ModelRef, task: str) -> bool:
            return limit.provider in {"", ref.provider} and limit.task in {"", task}

        spent = sum(
            found.cost.nano_usd or 0
            for found in self.spent
            if found.at >= limit.since and counts(found.ref, found.task)
        )
        held = sum(c.nano_usd for c in self.holding.values() if counts(c.ref, c.task))
        return spent, held

    @rule(target=held, nano=st.integers(0, 400), ref=refs, task=tasks)
    def reserve(self, nano: int, ref: ModelRef, task: str) -> Reservation | None:
        wanted = claim(nano, ref, task)
        fits = nano == 0 or all(
            sum(self.sums(limit)) + nano <= limit.limit_nano
            for limit in self.caps
            if limit.provider in {"", ref.provider} and limit.task in {"", task}
        )
        try:
            reservation = self.db.ledger.reserve(wanted, self.caps)
        except OverBudget:
            assert not fits
            return None
        assert fits
        self.holding[reservation.id] = wanted
        return reservation

    @rule(reservation=consumes(held), share=st.floats(0, 1), minutes=st.integers(-9, 9))
    def settle(self, reservation: Reservation | None, share: float, minutes: int) -> None:
        if reservation is None:
            return
        wanted = self.holding.pop(reservation.id)
        at = self.clock.now() + timedelta(minutes=minutes)
        used = row(int(wanted.nano_usd * share), wanted.ref, wanted.task, at)
        self.db.ledger.settle(reservation, used)
        self.spent.append(used)
        self.calls += 1

    @rule(reservation=consumes(held))
    def release(self, reservation: Reservation | None) -> None:
        if reservation is not None:
            del self.holding[reservation.id]
            self.db.ledger.release(reservation)

    def given_to(self, reservation: Reservation, holder: str) -> None:
        with self.db._connection.writing() as raw:
            changed = raw.execute(
                "UPDATE reservations SET holder = ?, created = ? WHERE id = ?",
                (holder, to_ms(self.clock.now()), reservation.id),
            )
            assert changed.rowcount == 1

    @rule(reservation=consumes(held))
    def crash(self, reservation: Reservation | None) -> None:
        """Its process was killed, and another one has the pid now: the worst case counts."""
        if reservation is None:
            return
        me, _, namespace = myself().split("@")
        self.given_to(reservation, f"{me}@1@{namespace}")
        assert self.db.ledger.free_abandoned() == 1
        wanted = self.holding.pop(reservation.id)
        self.spent.append(row(wanted.nano_usd, wanted.ref, wanted.task, wanted.at))
        self.calls += 1

    @rule(reservation=consumes(held), settles=st.booleans(), share=st.floats(0, 1))
    def come_back(self, reservation: Reservation | None, settles: bool, share: float) -> None:
        """It was taken for dead because nobody could know, and ends after all."""
        if reservation is None:
            return
        self.given_to(reservation, "1@2@pid:[elsewhere]")
        self.clock.forward(minutes=61)
        assert self.db.ledger.free_abandoned() == 1
        wanted = self.holding.pop(reservation.id)
        if settles:
            used = row(int(wanted.nano_usd * share), wanted.ref, wanted.task, wanted.at)
            self.db.ledger.settle(reservation, used)
            self.spent.append(used)
        else:
            self.db.ledger.release(reservation)
        self.calls += 2 + settles

    @rule(days=st.integers(-40, 40))
    def the_clock_leaps(self, days: int) -> None:
        self.clock.forward(days=days)
        assert self.db.ledger.free_abandoned() == 0

    @rule(nano=st.none() | st.integers(1, 100), ref=refs, task=tasks)
    def pay_unreserved(self, nano: int | None, ref: ModelRef, task: str) -> None:
        self.db.ledger.settle(None, row(nano, ref, task))
        self.spent.append(row(nano, ref, task))
        self.calls += 1
        self.unreserved += nano or 0

    @invariant()
    def sums_agree(self) -> None:
        states = self.db.ledger.state(self.caps)
        assert [(s.spent_nano, s.held_nano) for s in states] == [self.sums(c) for c in self.caps]
        assert self.db.ledger.spend(LONG_AGO).calls == self.calls
        assert sum(self.sums(self.caps[0])) <= self.limit + self.unreserved

    def teardown(self) -> None:
        self.db.close()


TestLedgerAgainstAModel = LedgerAgainstAModel.TestCase
TestLedgerAgainstAModel.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
