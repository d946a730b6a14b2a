"""What this machine says of models: the window of those that run in a process of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from aircher.bootstrap.cataloguing import open_catalog
from aircher.bootstrap.configuring import load_config
from aircher.domain.models import ModelRef
from tests.support.program import write_config


@pytest.mark.parametrize(
    ("text", "model", "window"),
    [
        ("", "smollm2-135m", 8192),
        ("[local]\ncontext = 2048\n", "smollm2-135m", 2048),
        ("[local]\ncontext = 65536\n", "smollm2-135m", 8192),  # it was made for no more
        ('[local]\nmodel = "~/q.gguf"\ncontext = 32768\n', "~/q.gguf", 32768),
        (
            '[models.custom."local/smollm2-135m"]\ncontext_window = 1000\n',
            "smollm2-135m",
            1000,
        ),
    ],
)
def test_the_window_of_a_model_in_a_process_of_ours_is_known(
    home: Path, text: str, model: str, window: int
) -> None:
    write_config(home, text)
    facts = open_catalog(load_config()).facts(ModelRef("local", model))
    assert facts.context_window == window
    assert facts.free
