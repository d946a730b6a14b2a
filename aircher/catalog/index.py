"""The compact index: all price and fact data as one JSON document, built once, read fast.

Importing genai-prices and its data takes 0.2 to 0.4 s; reading this file takes milliseconds.
It is kept in the user's cache folder and made anew whenever the package, our table of facts
or the format changes.  A missing, damaged or unwritable cache only costs that time again.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FORMAT = 3
FACTS = Path(__file__).with_name("models.toml")
MORE = Path(__file__).with_name("more_models.toml")
QUALITY = Path(__file__).with_name("quality.toml")
CARBON = Path(__file__).with_name("carbon.toml")

Index = Mapping[str, Any]
"""``{"key", "version", "units", "providers", "facts", "more", "quality", "carbon"}``: see ``build``."""


def load(cache_folder: Path | None, update: Path | None = None) -> Index:
    """The index from the cache, or built and put there (``None``: no cache is used).

    ``update`` is the file of a list that the user fetched (see updates.py), there or not.
    """
    key = _key(update)
    if cache_folder is None:
        return build(key, update)
    path = cache_folder / "models.json"
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(path.read_bytes())
        if isinstance(found, dict) and found.get("key") == key:
            return found
    index = build(key, update)
    with contextlib.suppress(OSError):
        _write(path, index)
    return index


def _key(update: Path | None) -> str:
    """Changes with the installed price data, the table of facts, and the format."""
    spec = importlib.util.find_spec("genai_prices")
    origin = spec.origin if spec else None
    assert origin is not None, "genai-prices is a dependency"
    files = [Path(origin).with_name("data.py"), FACTS, MORE, QUALITY, CARBON]
    if update is not None and update.is_file():
        files.append(update)
    stats = [path.stat() for path in files]
    return "-".join([str(FORMAT), *(f"{stat.st_size}.{stat.st_mtime_ns}" for stat in stats)])


def _write(path: Path, index: Index) -> None:
    """Writes the whole file or nothing, for the user's eyes only.  Raises ``OSError``."""
    import tempfile

    missing = [one for one in path.parents if not one.exists()]
    for folder in reversed(missing):  # "parents=True" would make these as the umask says
        folder.mkdir(mode=0o700, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".models-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(index, file, separators=(",", ":"))
        os.replace(name, path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def build(key: str = "", update: Path | None = None) -> dict[str, Any]:
    """Everything from genai-prices and our own facts, in plain JSON values.

    The prices are those of ``update`` where that is a sound list for the installed package.

    ``units``: unit -> [price key, per, dimensions].  ``providers``: id -> {"fallback": [ids],
    "models": [[id, clause, context window or None, [[condition, {price key: price}], ...]]]},
    in the data's order, because the first row that matches counts.  ``facts``, ``more``, ``quality``
    and ``carbon``: the tables of the files of those names.  Imports genai-prices.
    """
    import tomllib
    from importlib.metadata import version

    from genai_prices.data import providers
    from genai_prices.data_units import unit_data

    from aircher.catalog import compact, updates

    installed = version("genai-prices")
    fetched = updates.read(update, installed) if update is not None else None
    if fetched is not None and not fetched.problem:
        stated, name = fetched.providers, f"{installed}+{fetched.fetched[:10]}"
    else:
        stated, name = compact.lists(providers), installed
    return {
        "key": key,
        "version": name,
        "units": {
            unit: [raw.get("price_key", unit), raw["per"], raw["dimensions"]]
            for unit, raw in unit_data.items()
        },
        "providers": stated,
        "facts": tomllib.loads(FACTS.read_text("utf-8")),
        "more": tomllib.loads(MORE.read_text("utf-8")),
        "quality": tomllib.loads(QUALITY.read_text("utf-8")),
        "carbon": tomllib.loads(CARBON.read_text("utf-8")),
    }
