"""The one call that reads a diff."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace

from aircher.domain.changes import FileChange
from aircher.workspace.diff.parse import parse

Ask = Callable[..., bytes]
"""``ask_git`` in a repository's top level: words (and ``stdin``) in, output out."""

HARDENED = (
    *("-c", "core.quotePath=false"),
    *("-c", "diff.suppressBlankEmpty=false"),
    # Bigger files count as binary: their lines would fill memory, and nobody reads them.
    *("-c", "core.bigFileThreshold=64m"),
)
"""Settings that even plumbing listens to."""

OPTIONS = (
    "-z",
    "--raw",
    "--numstat",
    "--patch",
    "--full-index",
    "-M",
    "-U3",
    "--inter-hunk-context=0",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--no-relative",
    "--indent-heuristic",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--line-prefix=",
    "--output-indicator-new=+",
    "--output-indicator-old=-",
    "--output-indicator-context= ",
    "--ws-error-highlight=none",
    "--submodule=short",
    "--ignore-submodules=none",
    f"-O{os.devnull}",
)
"""Every option that a setting or a variable could otherwise decide (git-diff(1), git-config(1))."""

ATTRIBUTES = ("diff", "filter", "linguist-generated", "gitlab-generated", "linguist-vendored")


def read_index(ask: Ask, base: str) -> tuple[FileChange, ...]:
    """What is staged, against a commit or tree."""
    return _with_attributes(
        ask, parse(ask(*HARDENED, "diff-index", "--cached", *OPTIONS, base, "--"))
    )


def read_range(ask: Ask, old: str, new: str) -> tuple[FileChange, ...]:
    """What changed between two trees."""
    words = (*HARDENED, "diff-tree", "-r", *OPTIONS, old, new, "--")
    return _with_attributes(ask, parse(ask(*words)))


def _with_attributes(ask: Ask, files: Sequence[FileChange]) -> tuple[FileChange, ...]:
    """The files with what .gitattributes says of them."""
    if not files:
        return ()
    names = b"".join(os.fsencode(file.path) + b"\0" for file in files)
    answer = ask("check-attr", "-z", "--stdin", *ATTRIBUTES, stdin=names).split(b"\0")
    found: dict[bytes, dict[str, str]] = {}
    for path, name, value in zip(answer[0::3], answer[1::3], answer[2::3], strict=False):
        if value != b"unspecified":
            found.setdefault(path, {})[name.decode()] = value.decode("utf-8", "replace")
    return tuple(replace(file, attributes=found.get(os.fsencode(file.path), {})) for file in files)
