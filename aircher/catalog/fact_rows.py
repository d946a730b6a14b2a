"""The rows of our own tables, by the keys a model may stand under (see ``lookup.fact_keys``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aircher.catalog.index import Index

Row = Mapping[str, Any]
NOTHING: Row = {}


def known_row(index: Index, keys: Sequence[str]) -> Row:
    """Window, longest answer and features: models.toml first, then more_models.toml; {} if none."""
    for key in keys:
        if key in index["facts"]:
            row: Row = index["facts"][key]
            return row
    for key in keys:
        if key in index["more"]:
            window, longest, features, date = index["more"][key]
            return {
                "context_window": window or None,
                "max_output": longest or None,
                "features": features.split(),
                "source": "models.dev",
                "date": date,
            }
    return NOTHING


def scored_row(index: Index, keys: Sequence[str]) -> Row:
    """Score, source and date of quality.toml; {} if the model has none."""
    table = index["quality"]
    score = next((table["scores"][key] for key in keys if key in table["scores"]), None)
    if score is None:
        return NOTHING
    return {"score": score, "source": table["source"], "date": table["date"]}


def emitted_row(index: Index, keys: Sequence[str]) -> Row:
    """Grams (low and high) and source of carbon.toml; {} if the model has none."""
    table = index["carbon"]
    grams = next((table["grams"][key] for key in keys if key in table["grams"]), None)
    if grams is None:
        return NOTHING
    return {"low": grams[0], "high": grams[1], "source": table["source"]}
