"""JSON on stdout."""

from __future__ import annotations

import json
import sys


def json_text(value: object, *, indent: int | None = None) -> str:
    """The value; with escapes where stdout is not in UTF-8, so that nothing is lost there."""
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    return json.dumps(value, ensure_ascii=encoding != "utf8", indent=indent)


def print_json(value: object, *, indent: int | None = None) -> None:
    """One JSON value and a newline, sent off at once for whoever reads along."""
    print(json_text(value, indent=indent), flush=True)
