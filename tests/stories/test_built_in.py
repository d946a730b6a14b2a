"""No key, no network, no configuration: the built-in model answers."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from aircher.providers.local.model import SMOLLM2, has_runtime, models_folder
from tests.support.terminal import terminal

# Read before a test's HOME is set, as in tests/providers/local/conftest.py.
_REAL = Path(os.environ.get("AIRCHER_TEST_MODEL") or models_folder() / SMOLLM2.file)


@pytest.mark.local_model
async def test_with_nothing_set_up_i_chat_with_the_built_in_model(
    home: Path, tmp_path: Path
) -> None:
    if not _REAL.is_file():
        pytest.skip("the built-in model is not on this machine: run `aircher local pull`")
    if not has_runtime():
        pytest.skip("xllamacpp is not installed: pip install 'aircher[local]'")
    folder = models_folder()
    assert folder.is_relative_to(home)
    folder.mkdir(parents=True)
    (folder / SMOLLM2.file).symlink_to(_REAL)
    with terminal(tmp_path) as pane:
        pane.start()
        welcome = await pane.wait_for(re.compile(r"Answers now  local/\S+"))
        assert "tiny, on this machine" in welcome
        pane.type("Say hello.")
        await pane.wait_for(re.compile(r"→ local/\S+  (costs )?free"))
        pane.key("Enter")
        answered = await pane.wait_for(re.compile(r"\d in, \d+ out · free"), timeout=60)
        assert re.search(r"local/\S+\s*│?.*\n +\S+", answered)
        pane.key("C-d")
        assert await pane.wait_ended() == 0
