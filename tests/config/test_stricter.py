"""A project may make privacy and the guard stricter, never looser."""

from __future__ import annotations

import pytest

from aircher.config.layers import file_layer
from aircher.config.load import Config, combine

pytestmark = pytest.mark.security


def both(user: str, project: str) -> Config:
    return combine([file_layer("user", user), file_layer("project", project, project=True)])


def test_lists_of_a_project_are_added_to_the_users() -> None:
    config = both(
        '[privacy]\nlocal_only = ["a/**"]\n[guard]\npaths = ["*.x"]\n',
        '[privacy]\nlocal_only = ["b/**", "a/**"]\n[guard]\npaths = ["*.y"]\n',
    )
    assert config.problems == ()
    assert config.privacy.local_only == ("a/**", "b/**")
    assert config.guard.paths == ("*.x", "*.y")


def test_a_project_may_switch_on_and_not_off() -> None:
    on = both("", "[guard]\nstrict = true\n[privacy]\nlocal = true\n")
    assert (on.guard.strict, on.privacy.local, on.problems) == (True, True, ())
    off = both(
        "[guard]\nstrict = true\n[privacy]\nlocal = true\n",
        "[guard]\nstrict = false\n[privacy]\nlocal = false\n",
    )
    assert (off.guard.strict, off.privacy.local) == (True, True)
    assert ["switched off" in one.message for one in off.problems] == [True, True]


@pytest.mark.parametrize(
    "project",
    ['action = "allow"', 'allow = ["0123456789ab"]', 'rules = { jwt = "allow" }'],
)
def test_a_project_lets_nothing_through(project: str) -> None:
    config = both("", f"[guard]\n{project}\n")
    assert (config.guard.action, config.guard.allow, dict(config.guard.rules)) == ("redact", (), {})
    assert len(config.problems) == 1
