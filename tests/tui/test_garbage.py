"""When garbage is collected while the app runs, and what is loaded behind the first frame."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from aircher.domain.errors import AuthenticationFailed
from aircher.tui import garbage
from aircher.tui.warm import warm_up
from tests.support import engine as fake
from tests.tui.app_fixture import chat


@pytest.fixture
def begun() -> Iterator[None]:
    garbage.begin()
    yield
    garbage.end()


class Ring:
    """An object that only a collection frees."""

    def __init__(self) -> None:
        self.self = self


def full_collections() -> int:
    return gc.get_stats()[2]["collections"]


def make_garbage() -> list[list[object]]:
    return [[object(), []] for _ in range(300_000)]


@pytest.mark.usefixtures("begun")
def test_no_full_collection_starts_by_itself():
    before = full_collections()
    kept = make_garbage()
    assert full_collections() == before
    assert len(kept) == 300_000


@pytest.mark.usefixtures("begun")
def test_at_rest_everything_is_collected_that_is_not_spared():
    old = Ring()
    garbage.spare()
    new = Ring()
    old_lives, new_lives = weakref.ref(old), weakref.ref(new)
    del old, new
    garbage.at_rest()
    assert new_lives() is None
    assert old_lives() is not None
    garbage.end()
    gc.collect()
    assert old_lives() is None


async def test_the_app_collects_at_rest_and_leaves_python_as_it_was():
    usual = gc.get_threshold()
    async with chat():
        assert gc.get_threshold() == garbage.THRESHOLDS
    assert gc.get_threshold() == usual
    assert gc.get_freeze_count() == 0


class Noting:
    """A catalogue that notes that it was asked for a price."""

    def __init__(self) -> None:
        self.priced: list[Any] = []

    def warm(self, *refs: Any) -> None:
        """Told apart from prices: tests/tui/test_chat.py looks at it."""

    def count_text(self, ref: Any, text: str) -> int:
        return 2

    def cost(self, ref: Any, tokens: Any, at: Any) -> Any:
        self.priced.append((ref, tokens.output))


async def test_sdk_and_prices_are_loaded_before_they_are_needed():
    services = fake.services()
    catalog = Noting()
    object.__setattr__(services, "catalog", catalog)
    await warm_up(services, fake.MINI)
    assert services.providers.asked == ["openai"]
    assert catalog.priced == [(fake.MINI, 2)]
    gc.unfreeze()


async def test_a_provider_that_cannot_be_loaded_is_told():
    services = fake.services()

    async def get(name: str) -> None:
        raise AuthenticationFailed(f"no key for {name}")

    services.providers.get = get
    with pytest.raises(AuthenticationFailed):
        await warm_up(services, fake.MINI)
    assert gc.get_freeze_count() > 0
    gc.unfreeze()
