"""The quick ``dataclass`` beside the standard library's: whatever is tried, both do the same."""

from __future__ import annotations

import copy
import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import field
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aircher
from aircher.domain.classes import dataclass

Maker = Callable[..., Any]
OPTIONS = [
    {"frozen": frozen, "slots": slots, "eq": eq, "order": order}
    for frozen in (True, False)
    for slots in (True, False)
    for eq in (True, False)
    for order in (True, False)
    if eq or not order
]


def shape(maker: Maker, **options: bool) -> Any:
    @maker(**options)
    class Point:
        """A shape with every kind of field that is used."""

        kind: ClassVar[str] = "point"
        x: int
        y: int = 0
        seen: list[int] = field(default_factory=list, compare=False)
        key: str = field(default="", repr=False)
        total: int = field(init=False, default=7)

        def far(self) -> int:
            return self.x + self.y

    return Point


def outcome(act: Callable[[], Any]) -> Any:
    """What an action gives, or the class of its error."""
    try:
        value = act()
    except Exception as error:
        return type(error)
    return value if isinstance(value, str | int | tuple | bool | type(None)) else repr(value)


ACTS: dict[str, Callable[[Any, int, int], Any]] = {
    "repr": lambda cls, a, b: repr(cls(a, b)),
    "named": lambda cls, a, b: repr(cls(y=b, x=a)),
    "too many": lambda cls, a, b: cls(a, b, [], "", 7, 8),
    "too few": lambda cls, a, b: cls(),
    "unknown": lambda cls, a, b: cls(a, z=b),
    "twice": lambda cls, a, b: cls(a, x=b),
    "not given": lambda cls, a, b: cls(a, total=b),
    "equal": lambda cls, a, b: cls(a, b) == cls(b, a, [1]),
    "itself": lambda cls, a, b: cls(a, b, [1]) == cls(a, b, [2]),
    "another class": lambda cls, a, b: cls(a) == (a, 0),
    "less": lambda cls, a, b: cls(a, b) < cls(b, a),
    "at most": lambda cls, a, b: cls(a, b) <= cls(b, a),
    "more": lambda cls, a, b: cls(a, b) > cls(b, a),
    "at least": lambda cls, a, b: cls(a, b) >= cls(b, a),
    "less than another": lambda cls, a, b: cls(a) < (a,),
    "equal hashes": lambda cls, a, b: hash(cls(a, b)) == hash(cls(a, b, [1])),
    "set": lambda cls, a, b: setattr(cls(a), "x", b),
    "delete": lambda cls, a, b: delattr(cls(a), "x"),
    "replace": lambda cls, a, b: repr(dataclasses.replace(cls(a, b, [3]), x=b)),
    "replace unknown": lambda cls, a, b: dataclasses.replace(cls(a), z=1),
    "as a dict": lambda cls, a, b: repr(dataclasses.asdict(cls(a, b))),
    "as a tuple": lambda cls, a, b: repr(dataclasses.astuple(cls(a, b))),
    "fields": lambda cls, a, b: tuple(f.name for f in dataclasses.fields(cls)),
    "lists of their own": lambda cls, a, b: cls(a).seen is cls(a).seen,
    "positions": lambda cls, a, b: cls.__match_args__,
    "a dictionary": lambda cls, a, b: hasattr(cls(a), "__dict__"),
    "method": lambda cls, a, b: cls(a, b).far(),
    "class variable": lambda cls, a, b: (cls.kind, cls(a).kind),
    "copy": lambda cls, a, b: copy.copy(cls(a, b, [1])) == cls(a, b),
    "deep copy": lambda cls, a, b: copy.deepcopy(cls(a, b, [1])) == cls(a, b),
}


@pytest.mark.parametrize(
    "options", OPTIONS, ids=lambda one: " ".join(k for k in one if one[k]) or "none"
)
@settings(max_examples=10)
@given(a=st.integers(), b=st.integers())
def test_it_does_what_the_standard_one_does(options: dict[str, bool], a: int, b: int) -> None:
    ours, standard = shape(dataclass, **options), shape(dataclasses.dataclass, **options)
    said = {name: outcome(lambda act=act: act(ours, a, b)) for name, act in ACTS.items()}
    assert said == {
        name: outcome(lambda act=act: act(standard, a, b)) for name, act in ACTS.items()
    }


@pytest.mark.parametrize("maker", [dataclass, dataclasses.dataclass])
def test_what_a_class_defines_itself_stays(maker: Maker) -> None:
    @maker(frozen=True, slots=True)
    class Own:
        a: int
        b: int = field(init=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "b", self.a + 1)

        def __hash__(self) -> int:
            return 5

        def __repr__(self) -> str:
            return "own"

        def __eq__(self, other: object) -> bool:
            return True

    one = Own(1)
    assert (one.b, hash(one), repr(one), one == 3) == (2, 5, "own", True)


@pytest.mark.parametrize("maker", [dataclass, dataclasses.dataclass])
def test_a_class_made_from_another(maker: Maker) -> None:
    @maker(frozen=True, slots=True)
    class Base:
        a: int = 1

    @maker(frozen=True, slots=True)
    class More(Base):
        b: int = 2

    class Plain(Base):
        pass

    assert "More(a=3, b=4)" in repr(More(3, 4))
    assert (Base(3), Plain(3).a, Base() == Plain()) == (Base(a=3), 3, False)


def test_nothing_is_compiled_before_the_first_call(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    monkeypatch.setattr(
        dataclasses, "_create_fn", lambda *given, **_: made.append(given), raising=False
    )

    @dataclass(frozen=True, slots=True)
    class Value:
        a: int = 1

    assert made == []
    waiting = Value.__init__
    assert Value(2).a == 2
    assert Value.__init__ is not waiting
    assert list(inspect.signature(Value).parameters) == ["a"]


def test_every_class_of_the_program_is_made_this_way() -> None:
    for module in pkgutil.walk_packages(aircher.__path__, "aircher."):
        if module.name == "aircher.__main__":
            continue
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and value.__module__.startswith("aircher"):
                own = vars(value)
                if "__dataclass_fields__" in own:
                    assert not value.__dataclass_params__.init, (
                        f"{value}: see aircher.domain.classes"
                    )
