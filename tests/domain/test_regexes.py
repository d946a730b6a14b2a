from __future__ import annotations

import ast
import gc
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import aircher
from aircher.domain.regexes import regex


def test_it_is_the_compiled_expression_from_the_first_use_on() -> None:
    word = regex(r"(?P<first>[a-z])[a-z]*", re.IGNORECASE)
    assert "search" not in vars(word)
    found = word.search("12 Abc def")
    assert found is not None
    assert found["first"] == "A"
    assert vars(word)["search"].__self__ is vars(word)["sub"].__self__  # compiled once
    assert word.findall("Abc def") == ["A", "d"]
    assert word.sub("-", "Abc def") == "- -"
    assert (word.groups, word.groupindex["first"], word.flags & re.IGNORECASE) == (1, 1, 2)


def test_a_wrong_expression_is_an_error_at_its_use() -> None:
    wrong = regex("(")
    with pytest.raises(re.error):
        wrong.match("")
    with pytest.raises(AttributeError):
        regex("a").no_such_method  # type: ignore[attr-defined]  # noqa: B018


def test_every_expression_of_the_program_can_be_compiled() -> None:
    for module in pkgutil.walk_packages(aircher.__path__, "aircher."):
        if module.name != "aircher.__main__":
            importlib.import_module(module.name)
    found = [one for one in gc.get_objects() if type(one) is regex]
    assert len(found) > 100
    for one in found:
        assert one.pattern


def run_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of a module that are run when it is imported: no body of a function."""
    for part in ast.iter_child_nodes(node):
        if not isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield part
            yield from run_at_import(part)


def test_no_module_compiles_an_expression_while_it_is_imported() -> None:
    found = [
        f"{path.name}:{node.lineno}: see aircher.domain.regexes"
        for path in sorted(Path(aircher.__file__).parent.rglob("*.py"))
        for node in run_at_import(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile"
    ]
    assert found == []
