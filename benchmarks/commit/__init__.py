"""Commit messages by rules beside three baselines (more: python -m benchmarks.commit --help)."""

from __future__ import annotations


def run(*, quick: bool = False) -> None:
    """The table for the repository this stands in."""
    from benchmarks.commit.__main__ import report

    report(most=10 if quick else 60)
