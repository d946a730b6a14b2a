"""``make bench-tasks``: how well requests are told apart, and how fast.

Every figure is of the development set's prompts by models that saw none of their conversations:
repeated stratified five-fold cross-validation.  All other labelled prompts are always in training,
except those of a held-out conversation.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections import Counter
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix, f1_score, precision_recall_fscore_support
from sklearn.multiclass import OneVsRestClassifier

from aircher.bootstrap.detection import load_detector
from aircher.domain.tasks import TASKS, Signals
from aircher.policy.detect.decide import CHEAP, CHEAP_MARGIN, CODE, UNSURE
from benchmarks.tasks.data import items, readers, written
from benchmarks.tasks.learn import INDEX, crossed, linear, shares
from benchmarks.tasks.train import temperature

LABELS = np.arange(len(TASKS))
READER_SURE = (0.0, 0.5, 0.8, 1.0)
"""What a reader's guess, fair certainty and certainty count for as a share."""
HEAD = ("", "macro-F1", "accuracy", "lenient", "sure half", "lenient", "not English", "ECE")


def decided(p: np.ndarray) -> np.ndarray:
    """What ``decide`` makes of shares: cheap tasks with a margin, ``default`` where unsure."""
    best = p.argmax(1)
    work = np.array([at for at in LABELS if TASKS[at] in CODE])
    cheap = np.isin(best, [at for at in LABELS if TASKS[at] in CHEAP])
    rival = work[p[:, work].argmax(1)]
    top, other = p.max(1), p[np.arange(len(p)), rival]
    best = np.where(cheap & (top < CHEAP_MARGIN * other), rival, best)
    return np.where(p.max(1) < UNSURE, INDEX["default"], best)


class Bench:
    """The development set, and how predictions for it are judged."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows
        dev = [row for row in rows if row["set"] == "dev"]
        self.y = np.array([INDEX[row["label"]] for row in dev])
        self.alt = np.array([INDEX.get(row["alt"], -1) for row in dev])
        self.foreign = np.array([row["lang"] != "en" for row in dev])
        self.natural = np.array([row["stratum"] == "natural" for row in dev])
        self.floor = np.array([INDEX[row["floor"]] for row in dev])

    def figures(self, p: np.ndarray, guess: np.ndarray, where: Any = slice(None)) -> list[float]:
        y, alt, guess, p = self.y[where], self.alt[where], guess[where], p[where]
        right, fine = guess == y, (guess == y) | (guess == alt)
        sure = p[np.arange(len(p)), guess]
        half = np.argsort(-sure, kind="stable")[: len(y) // 2]
        foreign = self.foreign[where]
        f1 = f1_score(y, guess, average="macro", labels=np.unique(y), zero_division=0)
        spoken = right[foreign].mean() if foreign.any() else np.nan
        return [
            f1,
            right.mean(),
            fine.mean(),
            right[half].mean(),
            fine[half].mean(),
            spoken,
            ece(sure, right),
        ]


def ece(sure: np.ndarray, right: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error: how far confidence is from accuracy, in ten bins."""
    at = np.minimum((sure * bins).astype(int), bins - 1)
    return float(
        sum(
            abs(sure[at == b].mean() - right[at == b].mean()) * (at == b).mean()
            for b in range(bins)
            if (at == b).any()
        )
    )


def by_readers(bench: Bench) -> tuple[np.ndarray, np.ndarray]:
    """Shares and labels of the readers, who said of each how sure they were."""
    read = readers()
    found = [read[row["id"]] for row in bench.rows if row["set"] == "dev"]
    guess = np.array([INDEX[one["label"]] for one in found])
    p = np.zeros((len(found), len(TASKS)))
    p[np.arange(len(found)), guess] = [READER_SURE[one["sure"]] for one in found]
    return p, guess


def tfidf(rows: list[dict[str, Any]], *, dev_only: bool) -> Any:
    """TF-IDF of words and word pairs with logistic regression: the usual baseline."""
    at: dict[int, int] = {}
    where, column, value = [], [], []
    spread = Counter(key for row in rows for key, _ in row["words"])
    for number, row in enumerate(rows):
        for key, count in row["words"]:
            if spread[key] < 2:
                continue
            where.append(number)
            column.append(at.setdefault(key, len(at)))
            value.append(count)
    x = csr_matrix((value, (where, column)), shape=(len(rows), len(at)))
    y = np.array([INDEX[row["label"]] for row in rows])
    of_dev = np.array([row["set"] == "dev" for row in rows])

    def predict(train: np.ndarray, test: np.ndarray) -> np.ndarray:
        used = train[of_dev[train]] if dev_only else train
        scale = TfidfTransformer(sublinear_tf=True).fit(x[used])
        model = OneVsRestClassifier(
            LogisticRegression(C=10, class_weight="balanced", solver="liblinear")
        )
        model.fit(scale.transform(x[used]), y[used])
        out = np.zeros((len(test), len(TASKS)))
        out[:, model.classes_] = model.predict_proba(scale.transform(x[test]))
        return out

    return predict


def line(name: str, figures: list[float]) -> None:
    print(f"{name:<34}" + "".join(f"{one:>12.3f}" for one in figures), flush=True)


def latency() -> None:
    """Of the shipped detector, on prompts written for training and on a long paste."""
    began = time.process_time()
    detector = load_detector()
    detector.known  # noqa: B018 - read at first use
    took = 1000 * (time.process_time() - began)
    print(f"\nprocessor time: loading {took:.1f} ms; detection in µs:")
    usual = [row["text"] for row in written()]
    traceback = 'File "app/models.py", line 12, in save\n    self.check(value=1)\n'
    prose = "The server that we moved last week does not answer the second request of a client. "
    long = [(traceback * 200)[:7_900] + "\nwhy does this fail?", (prose * 100)[:8_000]]
    for name, texts in (("usual prompts", usual), ("8,000 characters", long * 200)):
        times = []
        for text in texts:
            began = time.process_time()
            detector.detect(Signals(text))
            times.append(1e6 * (time.process_time() - began))
        ranked = sorted(times)
        print(
            f"  {name:<18} p50 {statistics.median(times):6.0f}   p99 {ranked[int(len(times) * 0.99)]:6.0f}"
        )


def main() -> None:
    repeats = 3 if "--thorough" in sys.argv else 1
    rows = items()
    bench = Bench(rows)
    no_idea = np.full((len(bench.y), len(TASKS)), 1e-9)
    print(
        f"{len(bench.y)} prompts of the development set, {repeats} x 5-fold; {len(rows)} labelled in all\n"
    )
    print(f"{HEAD[0]:<34}" + "".join(f"{one:>12}" for one in HEAD[1:]))
    common = np.full(len(bench.y), np.bincount(bench.y).argmax())
    line("always the commonest task", bench.figures(no_idea, common))
    line("first keyword patterns", bench.figures(no_idea, bench.floor))
    line("two readers with the guide", bench.figures(*by_readers(bench)))
    for name, only in (
        ("TF-IDF + regression, dev set", True),
        ("TF-IDF + regression, all labels", False),
    ):
        p = crossed(rows, tfidf(rows, dev_only=only), seed=0)
        line(name, bench.figures(p, p.argmax(1)))
    plain = shares(crossed(rows, linear(rows, "=~+*"), seed=0))
    line("detection without rules", bench.figures(plain, decided(plain)))
    runs = []
    for seed in range(repeats):
        z = crossed(rows, linear(rows), seed)
        halves = np.arange(len(z)) % 2  # the temperature of each half is fitted on the other
        p = np.zeros_like(z)
        for one in (0, 1):
            heat = temperature(z[halves != one], bench.y[halves != one])
            p[halves == one] = shares(heat * z[halves == one])
        runs.append(p)
    line("detection", list(np.mean([bench.figures(p, decided(p)) for p in runs], 0)))
    natural = np.mean([bench.figures(p, decided(p), bench.natural) for p in runs], 0)
    line("  its natural stratum alone", list(natural))
    p = shares(crossed(rows, linear(rows), seed=0, strangers=False))
    line("  other prompts of a talk known", bench.figures(p, decided(p)))
    fewer = [row for row in rows if row["set"] != "read"]
    p = shares(crossed(fewer, linear(fewer), seed=0))
    line("  without the prompts read", bench.figures(p, decided(p)))
    p = runs[0]
    guess = decided(p)
    print("\nper task (first run):      precision   recall       F1    prompts")
    for task, *row in zip(
        TASKS,
        *precision_recall_fscore_support(bench.y, guess, labels=LABELS, zero_division=0),
        strict=True,
    ):
        print(f"  {task:<20}" + "".join(f"{one:>12.2f}" for one in row[:3]) + f"{row[3]:>8}")
    print("\nconfusion (rows: true; columns in the same order):")
    for task, row in zip(TASKS, confusion_matrix(bench.y, guess, labels=LABELS), strict=True):
        print(f"  {task:<20}" + "".join(f"{one:>5}" for one in row))
    work = np.isin(bench.y, [INDEX[task] for task in CODE])
    cheap = np.isin(guess, [INDEX[task] for task in CHEAP])
    print(f"\nwork on code taken for a cheap task: {(work & cheap).sum()} of {work.sum()}")
    latency()


if __name__ == "__main__":
    main()
