"""The rooms of the wrapper: which may import which, without a circle, and the one door to each library."""

from __future__ import annotations

import ast
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import tazapay_lightning
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
    return names


MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}


def loads(node: ast.AST) -> bool:
    is_call = isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module")
    return is_call or isinstance(node, ast.Import | ast.ImportFrom)


def room_of(module: str) -> str:
    return module.removeprefix("tazapay_lightning").removeprefix(".").partition(".")[0]


def test_every_room_is_in_the_table() -> None:
    assert {room_of(module) for module in MODULES} == set(MAY_IMPORT)


@each_row("module", MODULES)
def test_a_room_imports_only_rooms_below_it(module: str) -> None:
    others = {room_of(name) for name in imports_of(MODULES[module]) if name.split(".")[0] == "tazapay_lightning"}
    assert others <= MAY_IMPORT[room_of(module)] | {room_of(module)}


@each_row("module", [name for name in MODULES if room_of(name) not in {"", "_loading", "cli", "__main__"}])
def test_what_a_function_loads_it_loads_while_no_fork_is_under_way(module: str) -> None:
    """Threads run all but the command line, and in a child of a fork a module that one of them loads stays locked."""
    tree = ast.parse(MODULES[module].read_text())
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    within = {node for each in functions for node in ast.walk(each) if loads(node)}
    blocks = [
        node for node in ast.walk(tree) if isinstance(node, ast.With) and "loading" in ast.unparse(node.items[-1])
    ]
    assert within <= {inner for block in blocks for node in block.body for inner in ast.walk(node)}


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
