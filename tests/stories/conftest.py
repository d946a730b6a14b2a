"""The stage of every story: two servers, a configuration, and a terminal with the program in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.stories.vendor import answer, config
from tests.support.loopback import Answer, Loopback, serving
from tests.support.program import write_config
from tests.support.terminal import Terminal, terminal, tmux_found

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All that is told in this folder is a story, and needs a terminal."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("story")
            if not tmux_found():
                item.add_marker(pytest.mark.skip("stories need tmux: apt install tmux"))


@dataclass
class Vendors:
    """The two servers; what they answer is set before the program asks."""

    alpha: Loopback
    beta: Loopback
    home: Path

    def configure(self, more: str = "") -> None:
        """Writes the configuration, with more TOML behind it."""
        write_config(self.home, config(self.alpha, self.beta, more))

    def answers(self, *alpha: Answer, beta: Answer | None = None) -> None:
        """What alpha answers, in order, and beta always."""
        self.alpha.answers[:] = alpha
        if beta is not None:
            self.beta.answers[:] = [beta]


@pytest.fixture
async def vendors(home: Path) -> AsyncIterator[Vendors]:
    """Alpha and beta, configured."""
    async with serving(answer("I am alpha.")) as alpha, serving(answer("I am beta.")) as beta:
        made = Vendors(alpha, beta, home)
        made.configure()
        yield made


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The folder in which the program is started."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def pane(vendors: Vendors, project: Path) -> Iterator[Terminal]:
    """A terminal of 120 x 36; nothing runs in it yet.  The servers outlive it."""
    with terminal(project, env={"ALPHA_KEY": "sk-alpha-0123456789abcdef"}) as made:
        yield made


@pytest.fixture
def small(vendors: Vendors, project: Path) -> Iterator[Terminal]:
    """A terminal of 80 x 24."""
    with terminal(project, 80, 24, env={"ALPHA_KEY": "sk-alpha-0123456789abcdef"}) as made:
        yield made
