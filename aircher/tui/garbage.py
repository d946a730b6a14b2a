"""When Python looks for garbage while the app runs: at rest, not while keys are pressed.

A full collection walks every object there is, 60 to 120 ms once an SDK is loaded, and Python
starts one in the middle of whatever it does, several times in a long answer.  See
docs/decisions/0003-garbage-at-rest.md.
"""

from __future__ import annotations

import gc
import time

THRESHOLDS = (1_500, 8, 1_000_000)
"""Young objects are looked at as usual, some 12,000 at a time at most, which takes a few
milliseconds; the third number keeps Python from full collections of its own."""

REST_EVERY_S = 60.0
"""How often a full collection is due, if nobody waits for anything then."""

SLOW_S = 0.03
"""Seconds of processor time; what survives a slower collection is spared all later ones."""

_USUAL = gc.get_threshold()


def begin() -> None:
    """From now on, full collections happen by ``at_rest`` alone."""
    gc.set_threshold(*THRESHOLDS)


def spare() -> None:
    """Spares all objects that exist now (modules, SDKs, styles) every later collection.

    Takes no time.  What is garbage at this moment is never freed, so this is for the end of the
    start-up, when nearly all there is stays for good.
    """
    gc.freeze()


def at_rest() -> None:
    """A full collection of what is not spared."""
    began = time.thread_time()
    gc.collect()
    if time.thread_time() - began > SLOW_S:
        gc.freeze()


def end() -> None:
    """Python's own ways again."""
    gc.set_threshold(*_USUAL)
    gc.unfreeze()
