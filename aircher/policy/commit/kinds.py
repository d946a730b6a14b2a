"""What a changed file is: what it counts for, and whether its lines are worth reading.

Lock files, generated, minified, binary and LFS files become one line that says what happened to
them; everything else is read line by line.  The rules are the tables here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import translate
from typing import Literal

from aircher.domain.changes import EXECUTABLE, FILE, SUBMODULE, SYMLINK, FileChange
from aircher.domain.classes import dataclass
from aircher.domain.regexes import regex

Area = Literal["code", "test", "docs", "ci", "build", "config", "data"]

AREAS: tuple[tuple[Area, tuple[str, ...]], ...] = (
    ("ci", (".github/workflows/*", ".gitlab-ci.yml", ".circleci/*", "Jenkinsfile", ".travis.yml",
            "azure-pipelines.yml", "appveyor.yml", ".drone.yml", ".ci/*")),
    ("test", ("test/*", "tests/*", "*/test/*", "*/tests/*", "*/__tests__/*", "*/spec/*", "spec/*",
              "*test_*.py", "*_test.*", "*.test.*", "*.spec.*", "*Test.java", "*Tests.cs",
              "*conftest.py", "*/testdata/*", "testdata/*", "*/fixtures/*")),
    ("build", ("Makefile", "*/Makefile", "*.mk", "Dockerfile*", "*/Dockerfile*", "CMakeLists.txt",
               "*/CMakeLists.txt", "*.cmake", "pyproject.toml", "setup.py", "setup.cfg",
               "package.json", "*/package.json", "Cargo.toml", "*/Cargo.toml", "go.mod", "pom.xml",
               "*.gradle", "*.gradle.kts", "Gemfile", "requirements*.txt", "*.bazel", "BUILD",
               "meson.build", "configure.ac", "docker-compose*.yml")),
    ("docs", ("*.md", "*.rst", "*.adoc", "*.txt", "docs/*", "doc/*", "*/docs/*", "LICENSE*",
              "*README*", "*CHANGELOG*", "*.1", "*.tex")),
    ("config", ("*.toml", "*.yaml", "*.yml", "*.ini", "*.cfg", "*.conf", "*.properties", ".*rc",
                ".*ignore", ".editorconfig", ".gitattributes", "*.json5", ".env*")),
    ("data", ("*.json", "*.csv", "*.tsv", "*.xml", "*.svg", "*.snap", "*.jsonl", "*.po", "*.sql")),
)  # fmt: skip
"""First match counts; what matches nothing is code.  ``*`` also matches slashes."""

WEIGHT: Mapping[Area, float] = {
    "code": 1.0,
    "build": 0.8,
    "config": 0.7,
    "ci": 0.7,
    "test": 0.6,
    "docs": 0.6,
    "data": 0.2,
}
"""How much a line of it says about what a commit is for."""

LOCK_FILES = frozenset(
    """
    package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml bun.lock bun.lockb deno.lock
    Cargo.lock poetry.lock uv.lock pdm.lock Pipfile.lock composer.lock Gemfile.lock gems.locked
    go.sum go.work.sum mix.lock rebar.lock pubspec.lock Podfile.lock Package.resolved flake.lock
    packages.lock.json paket.lock gradle.lockfile .terraform.lock.hcl conan.lock shard.lock
    Cartfile.resolved stack.yaml.lock cabal.project.freeze pixi.lock conda-lock.yml
    """.split()
)

GENERATED = (
    "*.pb.go", "*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py", "*.pb.cc", "*.pb.h", "*.g.dart",
    "*.freezed.dart", "*.designer.cs", "*.Designer.cs", "*_generated.go", "*.generated.*", "*.gen.go",
    "*.gen.ts", "zz_generated.*", "*.snap", "*/__snapshots__/*", "*.min.js", "*.min.css", "*.map",
    "node_modules/*", "*/node_modules/*", "vendor/*", "third_party/*",
)  # fmt: skip

_SAYS_GENERATED = regex(
    r"code generated .{0,80}do not edit|@generated\b|auto-?generated (?:by|file|from|code)"
    r"|this file (?:is|was) (?:automatically )?generated",
    re.IGNORECASE,
)
_LONG_LINE = 2_000
"""A line of that many characters was not written by hand."""

_MEDIA: Mapping[str, str] = {
    **dict.fromkeys("png jpg jpeg gif webp bmp ico tif tiff avif heic".split(), "image"),
    **dict.fromkeys("woff woff2 ttf otf eot".split(), "font"),
    **dict.fromkeys("zip gz tgz bz2 xz zst 7z rar tar jar whl".split(), "archive"),
    **dict.fromkeys("mp3 wav ogg flac m4a".split(), "sound"),
    **dict.fromkeys("mp4 mov avi mkv webm".split(), "video"),
    **dict.fromkeys("pdf doc docx xls xlsx ppt pptx odt".split(), "document"),
    **dict.fromkeys("exe dll so dylib a o class pyc wasm".split(), "compiled file"),
    **dict.fromkeys("db sqlite sqlite3 mdb".split(), "database"),
    **dict.fromkeys("onnx pt pth safetensors gguf h5 npy npz parquet pkl".split(), "data file"),
}


def _any_of(globs: Iterable[str]) -> re.Pattern[str]:
    """One expression for all the globs: thousands of files are looked at."""
    return re.compile("|".join(translate(glob) for glob in globs))


_AREAS = tuple((area, _any_of(globs)) for area, globs in AREAS)
_GENERATED_NAMES = _any_of(GENERATED)


@dataclass(frozen=True, slots=True)
class Kind:
    """``area`` is what it counts for; ``line`` stands for the whole content ("" = read it)."""

    area: Area
    line: str = ""


def kind_of(file: FileChange) -> Kind:
    """What the file is."""
    return Kind(area_of(file.path), _line(file))


def area_of(path: str) -> Area:
    """What a path counts for."""
    return next((area for area, pattern in _AREAS if pattern.match(path)), "code")


def is_lock(path: str) -> bool:
    """True for a file in which a package manager notes exact versions."""
    return path.rpartition("/")[2] in LOCK_FILES


LINE = "aircher-line"
"""An attribute of our own: the line that stands for the content, where that was decided before."""


def _line(file: FileChange) -> str:
    if said := file.attributes.get(LINE, ""):
        return said
    for look in (_submodule, _symlink, _lfs, _lock, _binary, _generated, _minified):
        if said := look(file):
            return said
    return ""


def _modes(file: FileChange) -> tuple[str, str]:
    return file.old_mode, file.new_mode


def _submodule(file: FileChange) -> str:
    if SUBMODULE not in _modes(file):
        return ""
    ids = [
        next((line.split()[-1][:12] for line in file.lines(marker) if "commit" in line), "none")
        for marker in (b"-", b"+")
    ]
    return f"submodule, {ids[0]} -> {ids[1]}"


def _symlink(file: FileChange) -> str:
    if SYMLINK not in _modes(file) or file.status == "type":
        return ""
    old, new = next(file.lines(b"-"), ""), next(file.lines(b"+"), "")
    if old and new:
        return f"symbolic link, {old} -> {new}"
    return f"symbolic link to {new or old}"


def _lfs(file: FileChange) -> str:
    first = next((text for hunk in file.hunks for text in hunk.text.split("\n")[1:]), "")
    pointer = "version https://git-lfs.github.com/spec/" in first
    if not pointer and (file.attributes.get("filter") != "lfs" or file.binary):
        return ""
    sizes = [
        next((line.split()[1] for line in file.lines(m) if line.startswith("size ")), "")
        for m in (b"-", b"+")
    ]
    told = " -> ".join(_bytes(int(size)) for size in sizes if size.isdigit())
    return "Git LFS file" + (f", {told}" if told else "")


def _lock(file: FileChange) -> str:
    if not is_lock(file.path):
        return ""
    changed = list(_versions(file))
    told = "; ".join(changed[:12])
    more = f"; and {len(changed) - 12} more" if len(changed) > 12 else ""
    return f"lock file{counts(file)}" + (f": {told}{more}" if told else "")


def _binary(file: FileChange) -> str:
    if not file.binary:
        return ""
    if file.attributes.get("diff") == "unset":
        return "not to be shown, by its -diff attribute"
    ending = file.path.rpartition(".")[2].lower()
    return f"binary {_MEDIA.get(ending, 'file')}"


def _generated(file: FileChange) -> str:
    said = {file.attributes.get(name) for name in ("linguist-generated", "gitlab-generated")}
    if said & {"unset", "false"}:
        return ""
    named = _GENERATED_NAMES.match(file.path) is not None
    top = file.hunks[0].text[:2_000] if file.hunks and file.hunks[0].new_start <= 1 else ""
    if said & {"set", "true"} or named or _SAYS_GENERATED.search(top):
        return f"generated{counts(file)}"
    vendored = file.attributes.get("linguist-vendored") in {"set", "true"}
    return f"code of others{counts(file)}" if vendored else ""


def _minified(file: FileChange) -> str:
    longest = max((len(line) for hunk in file.hunks for line in hunk.lines), default=0)
    return f"minified, or data in very long lines{counts(file)}" if longest > _LONG_LINE else ""


def counts(file: FileChange) -> str:
    """Lines added and removed, ", +12 -3"; "" where git counts none."""
    return "" if file.added is None else f", +{file.added:,} -{file.removed or 0:,}"


def _bytes(size: int) -> str:
    if size < 1000:
        return f"{size} bytes"
    units = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
    scale, unit = next(pair for pair in units if size >= pair[0])
    return f"{size / scale:.3g} {unit}"


_NAME = regex(
    r"""^\s*(?:name\s*=\s*"(?P<toml>[^"]+)"            # Cargo, poetry, uv, pdm
    |"(?:node_modules/)?(?P<npm>@?[\w./-]+)":\s*\{      # npm
    |"?(?P<yarn>@?[\w./-]+)@[^:]+"?:$                   # yarn
    |/?'?(?P<pnpm>@?[\w./-]+)@(?P<pnpmv>\d[^:('"]*)[^:]*:$)""",
    re.VERBOSE,
)
_VERSION = regex(r"""^\s*"?version"?\s*[=:]?\s*"?v?(\d[\w.+-]*)"?,?\s*$""")
_GO = regex(r"^(\S+) v([\w.+-]+?)(?:/go\.mod)? h1:")


def _versions(file: FileChange) -> Iterator[str]:
    """Packages whose version changed, in words."""
    seen: dict[str, dict[str, str]] = {}
    for hunk in file.hunks:
        name = ""
        for raw in hunk.text.split("\n")[1:]:
            marker, line = raw[:1], raw[1:]
            if go := _GO.match(line):
                seen.setdefault(go[1], {}).setdefault(marker, go[2])
            elif found := _NAME.match(line):
                groups = found.groupdict()
                name = groups["toml"] or groups["npm"] or groups["yarn"] or groups["pnpm"]
                if groups["pnpmv"]:
                    seen.setdefault(name, {}).setdefault(marker, groups["pnpmv"])
            elif name and (version := _VERSION.match(line)):
                seen.setdefault(name.rpartition("node_modules/")[2], {}).setdefault(
                    marker, version[1]
                )
    for name, versions in seen.items():
        old, new = versions.get("-", ""), versions.get("+", "")
        if old and new and old != new:
            yield f"{name} {old} -> {new}"
        elif new and not old:
            yield f"{name} {new} added"
        elif old and not new:
            yield f"{name} {old} removed"


def only_form(file: FileChange) -> str:
    """What alone changed: "line endings", "white space", "mode"; "" where it is more."""
    if not file.hunks:
        modes = {file.old_mode, file.new_mode}
        return "mode" if modes == {FILE, EXECUTABLE} else ""
    old, new = (list(_raw(file, marker)) for marker in (b"-", b"+"))
    if not old or not new:
        return ""
    if [line.rstrip(b"\r") for line in old] == [line.rstrip(b"\r") for line in new]:
        return "line endings" if old != new else ""
    if b"".join(b"".join(old).split()) == b"".join(b"".join(new).split()):
        return "white space"
    return ""


def _raw(file: FileChange, marker: bytes) -> Iterator[bytes]:
    for hunk in file.hunks:
        yield from (line[1:] for line in hunk.lines if line[:1] == marker)
