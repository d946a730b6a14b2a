"""How a dataclass becomes a TOML table: one field, one key, with its type, default and help.

The schema (schema.py) is written as dataclasses whose fields are made by the functions here;
``tree_of`` turns them into the tables that loading, checking and describing walk through.
A part of a path that the user names ("openai" in providers.openai) is written "*".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import Field, field, fields
from typing import Any

from aircher.config.positions import KeyPath, split_key
from aircher.config.values import Kind, WrongType, looks_secret, shown, toml_key
from aircher.domain.classes import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One key: what it takes, what it means, and who may set it.

    ``default`` None means not set; ``unset`` then says in words what happens.  ``example``
    is a TOML value (as Python) for the example file.  ``project`` tells whether a trusted
    project file may set it: keys that say where prompts, keys or money go may not be set by
    a repository at all.  ``stricter``: a project may only add to a list, or switch the key on.  ``under`` is the name that stands for "*" in the example file.
    """

    path: KeyPath
    kind: Kind
    default: Any
    help: str
    example: Any = None
    unset: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    project: bool = True
    stricter: bool = False
    env: bool = True
    under: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The dotted key, "*" where the user chooses the name."""
        return ".".join(self.path)

    def read(self, value: Any) -> Any:
        """The typed value; raises ``ValueError`` with a sentence that starts with a verb."""
        try:
            typed = self.kind.read(value)
        except WrongType:
            raise ValueError(f"must be {self.kind.expects}, not {shown(value)}") from None
        self._check_range(typed)
        for word in typed if isinstance(typed, tuple) else (typed,):
            if self.choices and word not in self.choices:
                raise ValueError(f"must be one of {', '.join(self.choices)}, not {shown(word)}")
        return typed

    def _check_range(self, typed: Any) -> None:
        if self.minimum is not None and typed < self.minimum:
            raise ValueError(f"must be at least {self._bound(self.minimum)}")
        if self.maximum is not None and typed > self.maximum:
            raise ValueError(f"must be at most {self._bound(self.maximum)}")

    def _bound(self, bound: float) -> str:
        value = self.kind.to_toml(bound)
        return value if isinstance(value, str) else f"{bound:g}"

    def env_name(self, path: KeyPath) -> str:
        """The environment variable for this key at ``path``; "" where there is none."""
        if not self.env:
            return ""
        words = "_".join(path).replace("-", "_").upper()
        return f"AIRCHER_{words}"


@dataclass(frozen=True, slots=True)
class Table:
    """One TOML table: its fixed keys, and what any other name in it stands for.

    ``make`` is the dataclass built from it (None for a plain mapping); ``rest`` the field of
    that class which takes the other names.
    """

    names: Mapping[str, Row | Table]
    other: Row | Table | None = None
    make: type[Any] | None = None
    rest: str = ""

    @property
    def help(self) -> str:
        """What the table is for."""
        return " ".join(((self.make and self.make.__doc__) or "").split())


def setting(kind: Kind, default: Any, text: str, **facts: Any) -> Any:
    """A field that is one key; ``facts`` are the rest of ``Row``."""
    return field(
        default=default, metadata={"row": {"kind": kind, "default": default, "help": text} | facts}
    )


def table(make: type[Any]) -> Any:
    """A field that is a sub-table with fixed keys."""
    return field(default_factory=make, metadata={"table": make})


def each(kind: Kind, text: str, **facts: Any) -> Any:
    """A field that is a sub-table in which the user chooses the keys: name -> value."""
    row = {"kind": kind, "default": None, "help": text} | facts
    return field(default_factory=dict, metadata={"each": row})


def named(make: type[Any]) -> Any:
    """A field that is a sub-table of tables which the user names: name -> ``make``."""
    return field(default_factory=dict, metadata={"named": make})


def others(make: type[Any]) -> Any:
    """A field that takes all tables of this table which are not fixed keys."""
    return field(default_factory=dict, metadata={"others": make})


def tree_of(make: type[Any], path: KeyPath = ()) -> Table:
    """The table for a dataclass made of the fields above."""
    names: dict[str, Row | Table] = {}
    other: Row | Table | None = None
    rest = ""
    for item in fields(make):
        here = (*path, item.name)
        match _meaning(item):
            case ("row", facts):
                names[item.name] = Row(path=here, **facts)
            case ("table", sub):
                names[item.name] = tree_of(sub, here)
            case ("each", facts):
                names[item.name] = Table({}, Row(path=(*here, "*"), **facts))
            case ("named", sub):
                names[item.name] = Table({}, tree_of(sub, (*here, "*")))
            case ("others", sub):
                other, rest = tree_of(sub, (*path, "*")), item.name
    return Table(names, other, make, rest)


def _meaning(item: Field[Any]) -> tuple[str, Any]:
    return next(iter(item.metadata.items()), ("", None))


def rows_of(tree: Table) -> Iterator[Row]:
    """All keys, in the order of the schema."""
    for node in (*tree.names.values(), *((tree.other,) if tree.other else ())):
        if isinstance(node, Row):
            yield node
        else:
            yield from rows_of(node)


def build(tree: Table, values: Mapping[str, Any]) -> Any:
    """The dataclass (or mapping) from nested typed values; defaults where there are none."""
    made: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for name, value in values.items():
        node = tree.names.get(name) or tree.other
        target = made if name in tree.names else rest
        target[name] = build(node, value) if isinstance(node, Table) else value
    if tree.make is None:
        return rest
    if tree.rest:
        made[tree.rest] = rest
    return tree.make(**made)


def find(tree: Table, path: KeyPath) -> Row | Table | None:
    """What stands at a path of plain names; None for an unknown one."""
    node: Row | Table | None = tree
    for name in path:
        if not isinstance(node, Table):
            return None
        node = node.names.get(name) or node.other
    return node


def parse_key(text: str) -> KeyPath:
    """A dotted key as somebody types it; quotes are understood but not needed."""
    try:
        return split_key(text)
    except ValueError:
        return tuple(text.split("."))


def resolve(tree: Table, parts: KeyPath) -> tuple[KeyPath, Row] | None:
    """The key that dotted ``parts`` mean; names with dots need no quotes where it is plain.

    "keys.provider.next" is ("keys", "provider.next"), since only one name can follow.
    """
    if not parts:
        return None
    head, tail = parts[0], parts[1:]
    node = tree.names.get(head)
    if isinstance(node, Row):
        return ((head,), node) if not tail else None
    if node is not None:
        found = resolve(node, tail)
        return ((head, *found[0]), found[1]) if found else None
    if isinstance(tree.other, Row):
        return (".".join(parts),), tree.other
    if tree.other is not None:
        for cut in range(1, len(parts)):
            found = resolve(tree.other, parts[cut:])
            if found:
                return (".".join(parts[:cut]), *found[0]), found[1]
    return None


def value_at(config: Any, tree: Table, path: KeyPath) -> Any:
    """The typed value at a path of a built configuration; None where nothing is set."""
    here = config
    for name in path:
        if isinstance(here, Mapping):
            here = here.get(name)
        elif name in tree.names:
            here = getattr(here, name)
        else:
            here = getattr(here, tree.rest).get(name) if tree.rest else None
        node = tree.names.get(name) or tree.other
        if here is None or not isinstance(node, Table):
            return here
        tree = node
    return here


def name_of(path: KeyPath) -> str:
    """A path as a dotted key for a message or list: quoted where needed, no key shown."""
    return toml_key(tuple("(hidden)" if looks_secret(part) else part for part in path))
