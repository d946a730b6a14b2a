"""docs/security.md says that `make security` runs each test that it names, and names tests there are."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.security

ROOT = Path(__file__).resolve().parents[2]
NAMED = sorted(
    set(re.findall(r"`(tests/[\w/]+\.py)`", (ROOT / "docs" / "security.md").read_text("utf-8")))
)


def test_the_document_names_tests() -> None:
    assert len(NAMED) > 20


@pytest.mark.parametrize("path", NAMED)
def test_what_is_named_is_run(path: str) -> None:
    assert "pytest.mark.security" in (ROOT / path).read_text("utf-8")
