"""Files that are sensitive by their name, whatever is in them."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from aircher.policy.guard.rules import Rules


def is_sensitive(path: str, rules: Rules, more: Sequence[str] = ()) -> bool:
    """True for ".env", "deploy/id_rsa", "infra/prod.tfstate"; False for ".env.example".

    Patterns are as in .gitignore: one without "/" is for the name in any folder, one with "/"
    for the end of the path; letters' case does not matter.
    """
    low = path.replace("\\", "/").lower()
    if any(matches(low, pattern) for pattern in rules.harmless):
        return False
    return any(matches(low, pattern) for pattern in (*rules.sensitive, *more))


def matches(path: str, pattern: str) -> bool:
    """True if the pattern is for this path (with "/", in lower case)."""
    wanted = pattern.lower().rstrip("/")
    if "/" in wanted:
        return fnmatchcase(f"/{path}", f"*/{wanted.lstrip('/')}")
    return fnmatchcase(path.rpartition("/")[2], wanted)
