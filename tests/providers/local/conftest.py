"""The real built-in model for tests that need it.

The tests' HOME is empty, so the model is looked for before it is set: in AIRCHER_TEST_MODEL
(a path to the file) or where ``aircher local pull`` puts it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aircher.providers.local.model import SMOLLM2, has_runtime, models_folder

_REAL = Path(os.environ.get("AIRCHER_TEST_MODEL") or models_folder() / SMOLLM2.file)


@pytest.fixture
def real_model(home: Path) -> Path:
    """The model in the test's own data folder; skips where it was never fetched."""
    if not _REAL.is_file():
        pytest.skip("the built-in model is not on this machine: run `aircher local pull`")
    if not has_runtime():
        pytest.skip("xllamacpp is not installed: pip install 'aircher[local]'")
    folder = models_folder()
    assert folder.is_relative_to(home)
    folder.mkdir(parents=True)
    (folder / SMOLLM2.file).symlink_to(_REAL)
    return folder / SMOLLM2.file
