"""Breakers and slots as several processes see them at once."""

from __future__ import annotations

import subprocess
import time
from datetime import timedelta

from aircher.domain.errors import AuthenticationFailed, Overloaded
from aircher.domain.health import Breaker, Sample
from aircher.domain.limits import Rate
from aircher.domain.models import ModelRef
from aircher.policy.breaker import BreakerRules, admitted, after_failure
from aircher.policy.rates import slot
from aircher.storage.database import Database
from tests.storage.conftest import SetClock, Start

REF = ModelRef("openai", "some-model")

ADMIT = """
from aircher.policy.breaker import admitted
got = []
def decide(before):
    after, answer = admitted(before[0], time.time(), db.health.me + "#1", last=False, patience_s=0)
    got.append(answer.allowed)
    return [after]
sys.stdin.readline()
db.health.change([ref], decide)
print(got[-1], flush=True)
sys.stdin.readline()
"""


def opened(now: float) -> Breaker:
    breaker = Breaker()
    for _ in range(5):
        breaker = after_failure(breaker, Overloaded(""), now, BreakerRules())
    return breaker


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_of_four_processes_one_probes_and_a_dead_ones_probe_is_free(
    db: Database, start: Start
) -> None:
    db.health.change([REF], lambda _: [opened(time.time() - 61)])
    processes = [start(ADMIT) for _ in range(4)]
    for process in processes:
        go(process)
    answers = [said(process) for process in processes]
    assert sorted(answers) == ["False", "False", "False", "True"]
    assert db.health.breakers()[REF].prober
    prober = processes[answers.index("True")]
    prober.kill()
    prober.wait()
    assert db.health.breakers()[REF].prober == ""
    _, answer = admitted(db.health.breakers()[REF], time.time(), "x", last=False, patience_s=0)
    assert answer.allowed


def test_a_breaker_comes_back_as_it_was_written(db: Database) -> None:
    now = 1_700_000_000.25
    held = after_failure(opened(now), AuthenticationFailed(""), now + 1, BreakerRules(), "mark")
    db.health.change([REF], lambda _: [held])
    assert db.health.breakers() == {REF: held}
    db.health.change([REF], lambda before: before)
    db.health.change([REF], lambda _: [Breaker()])
    assert db.health.breakers() == {}


def test_notes_of_long_ago_are_deleted(db: Database, clock: SetClock) -> None:
    db.health.note(Sample(clock.time, REF, None, "overloaded", "full \ud800"))
    clock.forward(days=8)
    db.health.note(Sample(clock.time, REF, 0.5, probe=True))
    [left] = db.health.samples(clock.time - timedelta(days=30))
    assert (left.probe, left.latency_s, left.ref) == (True, 0.5, REF)


SLOTS = """
from aircher.domain.limits import Rate
from aircher.policy.rates import slot
sys.stdin.readline()
for _ in range(10):
    now = time.time()
    taken = db.rates.take("openai", now, 10, lambda t, n: slot(t, now, Rate(4, None), n))
    print(taken.at, taken.position, flush=True)
print("done", flush=True)
sys.stdin.readline()
"""


def test_three_processes_keep_one_limit_together(db: Database, start: Start) -> None:
    processes = [start(SLOTS) for _ in range(3)]
    for process in processes:
        go(process)
    times = []
    for process in processes:
        while (line := said(process)) != "done":
            times.append(float(line.split()[0]))
    times.sort()
    assert len(times) == 30
    for first, fifth in zip(times, times[4:], strict=False):
        assert fifth - first >= 60 - 0.002
    # Those that wait go when their process goes.
    for process in processes:
        process.kill()
        process.wait()
    now = time.time()
    again = db.rates.take("openai", now, 1, lambda t, n: slot(t, now, Rate(4, None), n))
    assert again.position <= 1
    assert again.at - now <= 60


def test_slots_of_a_clock_that_was_ahead_do_not_count(db: Database) -> None:
    later, now = 1_700_100_000.0, 1_700_000_000.0
    rate = Rate(requests=1)
    db.rates.take("openai", later, 1, lambda t, n: slot(t, later, rate, n))
    assert db.rates.take("openai", now, 1, lambda t, n: slot(t, now, rate, n)).position == 0


def test_those_that_wait_move_up_when_a_call_took_less_than_held(db: Database) -> None:
    now, rate = 1_700_000_000.0, Rate(tokens=100)

    def decide(taken, tokens):
        return slot(taken, now, rate, tokens)

    first = db.rates.take("openai", now, 90, decide)
    second = db.rates.take("openai", now, 50, decide)
    third = db.rates.take("openai", now, 50, decide)
    assert [one.position for one in (first, second, third)] == [0, 1, 2]
    assert second.at == now + 60
    db.rates.settle(first, 10, now, decide)
    assert db.rates.when(second).at == now
    assert db.rates.when(third).at == now + 60
    db.rates.settle(second, None, now, decide)
    assert db.rates.when(third).at == now
