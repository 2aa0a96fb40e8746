"""The rooms of the wrapper: which may import which, without a circle, and the one door to each library."""

from __future__ import annotations

import ast
import re
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import tazapay_lightning
from tazapay_lightning.transport.backends import HTTPX
from tests.support.tables import each_row

PACKAGE = Path(tazapay_lightning.__file__).parent

PURE = {"_loading", "errors", "values"}
CALLS = PURE | {"_version", "bolt11", "invoices", "transport", "operations"}
# room, or module at the top -> the others that it may import (CONTRIBUTING.md has the table with their duties)
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "_loading": set(),
    "_version": set(),
    "values": {"_loading", "errors"},
    "bolt11": PURE,
    "webhooks": PURE,
    "invoices": PURE | {"bolt11"},
    "transport": PURE | {"_version"},
    "operations": PURE | {"invoices", "transport"},
    "client": CALLS,
    "async_client": CALLS | {"client"},
    "bulk": CALLS | {"client", "async_client"},
    "": {"_loading", "_version"},  # names are loaded when they are used
    "cli": {"", "bulk", "transport", "values"},
    "__main__": {"cli"},
}


@cache
def imports_of(path: Path) -> set[str]:
    """Return the modules that a module imports when it runs, without those that only type checkers read."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports relatively"
            within = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= (within & set(MODULES)) or {str(node.module)}
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "load":
            names |= {each.value for each in node.args if isinstance(each, ast.Constant)}
    return names


MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}


def names_in(node: ast.Import | ast.ImportFrom) -> set[str]:
    names = {alias.name for alias in node.names}
    return names if isinstance(node, ast.Import) else {f"{node.module}", *(f"{node.module}.{name}" for name in names)}


def room_of(module: str) -> str:
    return module.removeprefix("tazapay_lightning").removeprefix(".").partition(".")[0]


def test_every_room_is_in_the_table() -> None:
    assert {room_of(module) for module in MODULES} == set(MAY_IMPORT)


@each_row("module", MODULES)
def test_a_room_imports_only_rooms_below_it(module: str) -> None:
    others = {room_of(name) for name in imports_of(MODULES[module]) if name.split(".")[0] == "tazapay_lightning"}
    assert others <= MAY_IMPORT[room_of(module)] | {room_of(module)}


@each_row(
    "module",
    [name for name in MODULES if room_of(name) not in {"", "_loading", "cli", "__main__"} and ".files." not in name],
)
def test_what_a_function_loads_it_loads_while_no_fork_is_under_way(module: str) -> None:
    """Threads run all but the command line, and in a child of a fork a module that one of them loads stays locked.

    What was loaded by `load` may be imported afterwards; what is imported within `loading` itself is so once, since a
    lock that every call took could wait for a thread that waits for the fork.
    """
    source = MODULES[module].read_text()
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            imports = [node for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)]
            blocks = [node for node in ast.walk(function) if ast.unparse(node).startswith("with loading:")]
            is_once = [ast.unparse(each) for each in function.decorator_list] == ["cache"]
            guarded = [node for block in blocks for node in ast.walk(block)] if is_once else []
            loaded = {*re.findall(r'\bload\("(.*?)"', source), *(HTTPX if "load(*HTTPX)" in source else ())}
            assert {node for node in imports if not names_in(node) & loaded} <= {*guarded}


def test_no_imports_form_a_circle() -> None:
    arrows = {module: imports_of(path) & set(MODULES) for module, path in MODULES.items()}
    assert list(TopologicalSorter(arrows).static_order())  # or it names the circle


@pytest.mark.parametrize(
    ("package", "door"),
    [
        ("httpx", "transport.backends.httpx"),
        ("httpcore", None),
        ("aiohttp", "transport.backends.aiohttp"),
        ("tazapay_lightning_api", "operations"),
    ],
)
def test_there_is_one_door_to_each_library_and_to_generated_code(package: str, door: str | None) -> None:
    doors = [name for name, path in MODULES.items() if package in {each.split(".")[0] for each in imports_of(path)}]
    assert doors == ([f"tazapay_lightning.{door}"] if door else [])
