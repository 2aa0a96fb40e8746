"""Which room of the emulator may import which, and that no two modules import each other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import tazapay_lightning_emulator
from tests.support.tables import each_row

PACKAGE = Path(tazapay_lightning_emulator.__file__ or "").parent
NAME = PACKAGE.name

# a folder, or a module at the top -> what its modules may import besides each other; the lowest come first
MAY_IMPORT: dict[str, set[str]] = {
    "activity": set(),
    "clock": set(),
    "errors": set(),
    "shell": set(),
    "serving": {"errors"},
    "webhooks": {"activity", "clock", "errors"},
    "invoices": {"activity", "clock", "errors", "webhooks"},
    "api": {"clock", "errors", "invoices"},
    "faults": {"activity", "api", "clock", "serving"},
    "control": {"api", "clock", "errors", "faults", "invoices", "serving", "webhooks"},
    "dashboard": {"activity", "api", "control", "errors", "faults", "invoices", "serving", "shell", "webhooks"},
    "emulator": {"faults", "invoices", "webhooks"},
    "app": {"api", "clock", "control", "dashboard", "faults", "invoices", "serving", "webhooks"},
    "server": {"activity", "api", "app", "clock", "emulator", "faults", "serving", "webhooks"},
    "__init__": set(),  # its names load on first use
    "pytest_plugin": {"__init__"},
}


@cache
def imports_of(module: str) -> tuple[str, ...]:
    return tuple(read_imports_of(module))


def read_imports_of(module: str) -> Iterator[str]:
    """The modules of the emulator that a module imports when it runs, not those that only type checkers read."""
    tree = ast.parse((PACKAGE / module.replace(".", "/")).with_suffix(".py").read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module} imports relatively"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            package, _, path = name.partition(".")
            if package == NAME:
                yield next((each for each in (path, path.rpartition(".")[0]) if each in MODULES), "__init__")


def room_of(module: str) -> str:
    return module.partition(".")[0]


MODULES = sorted(".".join(path.relative_to(PACKAGE).with_suffix("").parts) for path in PACKAGE.rglob("*.py"))


def test_every_room_is_in_the_table() -> None:
    assert {room_of(module) for module in MODULES} == set(MAY_IMPORT)


@each_row("module", MODULES)
def test_a_module_imports_its_own_room_and_those_that_the_table_allows(module: str) -> None:
    room = room_of(module)
    assert {room_of(imported) for imported in imports_of(module)} <= {room, *MAY_IMPORT[room]}


@each_row("room", MAY_IMPORT)
def test_the_table_allows_no_room_more_than_it_needs(room: str) -> None:
    needed = {room_of(imported) for module in MODULES if room_of(module) == room for imported in imports_of(module)}
    assert needed - {room} == MAY_IMPORT[room]


def test_the_table_has_no_circle() -> None:
    rooms = list(MAY_IMPORT)
    for at, room in enumerate(rooms):
        assert MAY_IMPORT[room] <= set(rooms[:at])


def test_no_modules_import_each_other_in_a_circle() -> None:
    try:
        TopologicalSorter({module: set(imports_of(module)) for module in MODULES}).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(error.args[1]))
