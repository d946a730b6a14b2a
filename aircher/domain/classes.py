"""``dataclass``, made for a quick start: the standard library's, compiling nothing at import.

The standard decorator writes and compiles up to seven functions for each class, 0.2 to 0.35 ms;
an ``ask`` passes two hundred classes, most of which it never makes an object of.  Here the
standard library keeps the fields and the slots, ``__init__`` is compiled when a class is first
called, and the other methods are closures over the fields' names.  What a class does is the same
(tests/domain/test_classes.py holds the two side by side), and type checkers see the original.
See docs/decisions/0008-classes-for-a-quick-start.md.
"""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Callable
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414  # to be imported from here
else:

    def dataclass(cls=None, /, *, frozen=False, slots=False, eq=True, order=False):
        """As in the standard library, with the four of its options that are used here."""

        def made(cls):
            # Where there is no docstring the standard one writes the signature: 1.5 ms at first.
            cls.__doc__ = cls.__doc__ or cls.__name__
            plain = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots)(cls)
            return _completed(plain, frozen=frozen, eq=eq, order=order)

        return made if cls is None else made(cls)


_ORDER = {
    "__lt__": operator.lt,
    "__le__": operator.le,
    "__gt__": operator.gt,
    "__ge__": operator.ge,
}


def _completed(cls: type, *, frozen: bool, eq: bool, order: bool) -> type:
    """The class with the methods that it does not define itself."""
    own = vars(cls)
    methods: dict[str, Any] = {"__init__": _deferred_init(cls, frozen=frozen), "__repr__": _repr}
    if eq:
        key = _key(cls)
        methods["__eq__"] = _comparing(operator.eq, key)
        if order:
            methods |= {name: _comparing(compare, key) for name, compare in _ORDER.items()}
        if own.get("__hash__") is None:
            # As the standard library has it: what may change has no hash.
            methods["__hash__"] = _hashing(key) if frozen else None
    if frozen:
        methods |= {"__setattr__": _no_set, "__delattr__": _no_delete}
        methods |= {"__getstate__": _state, "__setstate__": _restore}
    for name, method in methods.items():
        if name not in own or name == "__hash__":
            setattr(cls, name, method)
    return cls


def _deferred_init(cls: type, *, frozen: bool) -> Callable[..., None]:
    def __init__(self: Any, *given: Any, **named: Any) -> None:  # noqa: N807
        compiled = _compiled_init(cls, frozen=frozen)
        setattr(cls, "__init__", compiled)  # noqa: B010  # to a type checker it is no attribute
        compiled(self, *given, **named)

    return __init__


def _compiled_init(cls: type, *, frozen: bool) -> Callable[..., None]:
    scope: dict[str, Any] = {"_set": object.__setattr__, "_MADE": object()}
    parameters, body = ["self"], []
    for item in dataclasses.fields(cls):
        name, value, default = item.name, item.name, ""
        if item.default_factory is not dataclasses.MISSING:
            scope[f"_make_{name}"] = item.default_factory
            default = "=_MADE"
            value = (
                f"_make_{name}() if {name} is _MADE else {name}" if item.init else f"_make_{name}()"
            )
        elif item.default is not dataclasses.MISSING:
            scope[f"_default_{name}"] = item.default
            default = f"=_default_{name}"
            value = name if item.init else f"_default_{name}"
        elif not item.init:
            continue
        if item.init:
            parameters.append(name + default)
        body.append(f"_set(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    lines = "".join(f"\n  {line}" for line in body or ["pass"])
    exec(f"def __init__({', '.join(parameters)}):{lines}", scope)  # noqa: S102  # of names in our own source
    made: Callable[..., None] = scope["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


def _key(cls: type) -> Callable[[Any], Any]:
    """A function giving the values by which an object is compared."""
    names = [item.name for item in dataclasses.fields(cls) if item.compare]
    if len(names) > 1:
        return operator.attrgetter(*names)  # a tuple, quicker than a comprehension
    return lambda one: tuple(getattr(one, name) for name in names)


def _comparing(compare: Callable[[Any, Any], bool], key: Callable[[Any], Any]) -> Any:
    def method(self: object, other: object) -> bool:
        return (
            compare(key(self), key(other)) if other.__class__ is self.__class__ else NotImplemented
        )

    return method


def _hashing(key: Callable[[Any], Any]) -> Callable[[object], int]:
    def __hash__(self: object) -> int:  # noqa: N807
        return hash(key(self))

    return __hash__


@recursive_repr()
def _repr(self: Any) -> str:
    shown = (
        f"{item.name}={getattr(self, item.name)!r}"
        for item in dataclasses.fields(self)
        if item.repr
    )
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


def _no_set(_self: object, name: str, _value: object) -> NoReturn:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _no_delete(_self: object, name: str) -> NoReturn:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, item.name) for item in dataclasses.fields(self)]


def _restore(self: Any, state: list[Any]) -> None:
    for item, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, item.name, value)
