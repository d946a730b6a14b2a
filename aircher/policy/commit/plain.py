"""A message made by rules alone: what changed, named, and why only where the change says so.

For when no model that can write is at hand, or none may be asked.  The same changes always give
the same message.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from aircher.domain.changes import EXECUTABLE, SUBMODULE, Changes, FileChange
from aircher.domain.regexes import regex
from aircher.policy.commit.kinds import Area, area_of, is_lock, kind_of, only_form
from aircher.policy.commit.reasons import reasons
from aircher.policy.commit.reply import Draft
from aircher.policy.commit.spoken import biggest, common_folder, listed, new_files, short, stem
from aircher.policy.commit.style import TYPES

_DEFINED = regex(
    r"^(?: {0,4}|\t)(?:export\s+|default\s+|public\s+|private\s+|protected\s+|internal\s+|static\s+|async\s+"
    r"|pub(?:\([a-z]+\))?\s+|abstract\s+|final\s+|open\s+|override\s+|suspend\s+|unsafe\s+)*"
    r"(?:def|class|func|fn|function|fun|interface|struct|enum|trait|type|module|mod|protocol)\s+"
    r"(?:\([^)]*\)\s*)?(?P<name>[A-Za-z_$][\w$]*)"
)
_HEADING = regex(r"^#{1,6}\s+(?P<name>\S.*?)\s*#*$")
_KEY = regex(r"""^\s*["']?(?P<name>[A-Za-z_][\w.-]*)["']?\s*[:=]\s*\S""")
_IN_SECTION = regex(
    r"(?:def|class|func|fn|function|fun|interface|struct|enum|trait|impl)\s+(?:\([^)]*\)\s*)?(?P<name>[A-Za-z_$][\w$]*)"
)

AREA_TYPES: dict[Area, str] = {
    "docs": "docs",
    "test": "test",
    "ci": "ci",
    "build": "build",
    "config": "chore",
    "data": "chore",
}
"""The conventional type where all files are of one area; code says nothing by itself."""


def by_rules(changes: Changes, *, hint: str = "", branch: str = "") -> Draft:
    """The draft for these changes; the user's hint, where there is one, is its subject."""
    type_, scope = type_of(changes, branch), scope_of(changes)
    if hint.strip():
        first, _, rest = hint.strip().partition("\n")
        return Draft(first, rest.strip(), type_, scope)
    return Draft(subject_of(changes), "\n\n".join(reasons(changes, branch)), type_, scope)


def several(changes: Changes, wanted: int, *, hint: str = "", branch: str = "") -> list[Draft]:
    """At most ``wanted`` different drafts, the most telling first."""
    type_, scope = type_of(changes, branch), scope_of(changes)
    subjects = [
        hint.strip().partition("\n")[0],
        subject_of(changes),
        _by_files(changes.files),
        _broadly(changes),
    ]
    kept = list(dict.fromkeys(subject for subject in subjects if subject))
    return [Draft(subject, "", type_, scope) for subject in kept[:wanted]]


def subject_of(changes: Changes) -> str:
    """What happened, in one line."""
    files = changes.files
    if len(files) == 1:
        return _one_file(files[0])
    if all(is_lock(file.path) for file in files):
        return "Update lock files"
    # What goes along with the change is not the change: lock files, then tests and documents.
    main = [file for file in files if not is_lock(file.path)]
    code = [file for file in main if area_of(file.path) not in {"test", "docs", "data"}] or main
    if len(code) == 1:
        return _one_file(code[0])
    return _defined(code) or _by_files(code)


def type_of(changes: Changes, branch: str = "") -> str:
    """The conventional type: of the branch's name, else what the files show; "" where they do not."""
    # "fix/...", "feat-...", "user/fix-...": the type is the first or second word.
    first = re.split(r"[/_-]", branch)
    named = next((_BRANCH_TYPES[word] for word in first[:2] if word in _BRANCH_TYPES), "")
    if named and len(first) > 1:
        return named
    if changes.files and all(is_lock(file.path) for file in changes.files):
        return "build"
    areas = {area_of(file.path) for file in changes.files}
    if len(areas) == 1:
        return AREA_TYPES.get(areas.pop(), _type_of_code(changes.files))
    if "code" not in areas:
        most = Counter(area_of(file.path) for file in changes.files).most_common(1)[0][0]
        return AREA_TYPES[most]
    return _type_of_code([file for file in changes.files if area_of(file.path) == "code"])


_BRANCH_TYPES = {
    **{name: name for name in TYPES},
    "feature": "feat", "bugfix": "fix", "bug": "fix", "hotfix": "fix", "doc": "docs",
    "tests": "test", "perf": "perf", "chores": "chore",
}  # fmt: skip


def _type_of_code(files: Sequence[FileChange]) -> str:
    if any(file.status == "added" for file in files) or list(_names(files, b"+")):
        return "feat"
    if all(file.status in {"deleted", "renamed"} or only_form(file) for file in files):
        return "refactor"
    return "chore"


def scope_of(changes: Changes) -> str:
    """The part of the code all files are in: their common folder's name, or the one file's stem."""
    main = [file for file in changes.files if area_of(file.path) == "code"] or list(changes.files)
    folders = [file.name.split("/")[:-1] for file in main]
    shared: list[str] = []
    for parts in zip(*folders, strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    telling = [part for part in shared if part not in _PLAIN_FOLDERS]
    if telling:
        return telling[-1]
    return stem(main[0].name) if len(main) == 1 and "/" in main[0].name else ""


_PLAIN_FOLDERS = frozenset(
    "src lib app pkg packages source sources main java kotlin internal cmd python".split()
)


def _one_file(file: FileChange) -> str:
    name = short(file.name)
    match file.status:
        case "added":
            return f"Add {name}"
        case "deleted":
            return f"Remove {name}"
        case "copied":
            return f"Copy {short(file.old_name)} to {name}"
        case "renamed":
            return _renamed(file)
        case "type":
            return f"Change the type of {name}"
        case _:
            return _modified(file, name)


def _renamed(file: FileChange) -> str:
    old_folder, _, old = file.old_name.rpartition("/")
    new_folder, _, new = file.name.rpartition("/")
    if old == new:
        return f"Move {new} to {new_folder or 'the top level'}"
    if old_folder == new_folder:
        return f"Rename {old} to {new}"
    return f"Move {file.old_name} to {file.name}"


def _modified(file: FileChange, name: str) -> str:
    form = only_form(file)
    if form == "mode":
        return f"Make {name} {'' if file.new_mode == EXECUTABLE else 'not '}executable"
    if form == "line endings":
        return f"Change the line endings of {name}"
    if form == "white space":
        return f"Reformat {name}"
    if SUBMODULE in {file.old_mode, file.new_mode}:
        return f"Update the submodule {name}"
    line = kind_of(file).line
    if is_lock(file.path):
        return _dependencies(line, name)
    if line:
        return f"Update {name}"
    return _defined([file]) or _touched(file) or f"Update {name}"


def _dependencies(line: str, name: str) -> str:
    found = re.findall(r"(?:: |; )(\S+) (\S+) -> (\S+)", line)
    if len(found) == 1:
        return "Bump {} from {} to {}".format(*found[0])
    return f"Update dependencies in {name}" if found else f"Update {name}"


def _defined(files: Sequence[FileChange]) -> str:
    """Names that came or went: "Add f and g to x.py"; what is private is not spoken of."""
    added, removed = list(_names(files, b"+")), list(_names(files, b"-"))
    new = [name for name in added if name not in removed]
    gone = [name for name in removed if name not in added]
    place = short(files[0].name) if len(files) == 1 else common_folder(files).rpartition("/")[2]
    if tests := [name for name in new if name.lower().startswith("test")]:
        if len(tests) == len(new):
            many = f"{len(tests)} tests" if len(tests) > 1 else "a test"
            return f"Add {many}" + (f" to {place}" if place else "")
        new = [name for name in new if name not in tests]
    new, gone = (
        [name for name in names if not name.startswith("_") and not name.startswith("test_")]
        for names in (new, gone)
    )
    if len(new) > _SAYABLE and (fresh := [file for file in files if file.status == "added"]):
        return new_files(fresh)
    if len(new) == len(gone) == 1:
        return f"Replace {gone[0]} by {new[0]}" + (f" in {place}" if place else "")
    if new:
        return f"Add {listed(new)}" + (f" to {place}" if place else "")
    if gone:
        return f"Remove {listed(gone)}" + (f" from {place}" if place else "")
    return ""


_SAYABLE = 3
"""More new names than these are told by the files that they came with."""


def _names(files: Sequence[FileChange], marker: bytes) -> Iterator[str]:
    """What added or removed lines define, methods only where it is nothing else; headings."""
    inner: dict[str, None] = {}
    outer: dict[str, None] = {}
    for file in files:
        if kind_of(file).line or only_form(file):
            continue
        pattern = _HEADING if file.path.endswith(".md") else _DEFINED
        for line in file.lines(marker):
            found = pattern.match(line)
            if found:
                (inner if line[:1].isspace() else outer)[found["name"]] = None
    yield from outer or inner


def _touched(file: FileChange) -> str:
    """What the changed lines stand in: "Change f in x.py", "Set key in x.toml"."""
    name = short(file.name)
    inside = [found["name"] for hunk in file.hunks if (found := _IN_SECTION.search(hunk.section))]
    if inside and 2 * len(inside) >= len(file.hunks):
        return f"Change {listed(list(dict.fromkeys(inside)))} in {name}"
    if area_of(file.path) in {"config", "build", "ci"}:
        keys = [found["name"] for line in file.lines(b"+") if (found := _KEY.match(line))]
        if keys and len(keys) <= 3:
            return f"Set {listed(list(dict.fromkeys(keys)))} in {name}"
    return ""


_VERBS = {"added": "Add", "deleted": "Remove", "renamed": "Rename", "copied": "Copy"}


_MANY = 20
"""Files of which naming two says nothing any more."""


def _by_files(files: Sequence[FileChange]) -> str:
    """Files by name, the most changed first; by number and folder where there are many."""
    statuses = {file.status for file in files}
    verb = _VERBS.get(statuses.pop(), "Update") if len(statuses) == 1 else "Update"
    if len(files) <= 3:
        return f"{verb} {listed([short(file.name) for file in files])}"
    if verb == "Update" and len(files) <= _MANY:
        return f"{verb} {listed(biggest(files))}"
    scope = common_folder(files)
    return f"{verb} {len(files):,} files" + (f" in {scope}" if scope else "")


def _broadly(changes: Changes) -> str:
    scope = scope_of(changes)
    if scope:
        return f"Update {scope}"
    return f"Change {len(changes.files):,} files" if len(changes.files) > 1 else ""
