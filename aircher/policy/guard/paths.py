"""Files that are sensitive by their name, whatever is in them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
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


def first_match(paths: Iterable[str], patterns: Sequence[str]) -> str:
    """The first path that one of the patterns (as in .gitignore) is for, or "".

    Paths are relative to the work tree's root, or absolute outside of it.
    """
    from pathspec import GitIgnoreSpec  # 30 ms, so only where there are patterns

    spec = GitIgnoreSpec.from_lines(list(patterns))
    return next((path for path in paths if spec.match_file(_plain(path))), "")


def _plain(path: str) -> str:
    """As pathspec wants it: "/" between names, none before the first."""
    return posixpath.normpath(path.replace("\\", "/")).lstrip("/")
