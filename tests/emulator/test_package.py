from __future__ import annotations

import doctest
import importlib
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.routing import Mount, Route

import tazapay_lightning_emulator
from tazapay_lightning_emulator.api import bodies as request_bodies
from tazapay_lightning_emulator.api import fields as invoice_fields
from tazapay_lightning_emulator.api import strict_json
from tazapay_lightning_emulator.control import faults as fault_control
from tazapay_lightning_emulator.control import invoices as invoice_control
from tazapay_lightning_emulator.control import webhooks as webhook_control
from tazapay_lightning_emulator.dashboard import routes as page_endpoints
from tazapay_lightning_emulator.faults import plan as faults
from tests.support.tables import each_row


def run_python(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


def test_every_pytest_run_loads_the_plugin_and_nothing_heavy_with_it() -> None:
    loaded = run_python(
        "import sys, tazapay_lightning_emulator, tazapay_lightning_emulator.pytest_plugin\n"
        "print({'starlette', 'uvicorn', 'httpx', 'sqlite3', 'asyncio', 'attrs'} & set(sys.modules))"
    )
    assert loaded == "set()\n"


def test_an_emulator_that_sends_no_webhooks_loads_no_client() -> None:
    loaded = run_python(
        "import sys, tazapay_lightning_emulator\n"
        "with tazapay_lightning_emulator.running_emulator(): print({'httpx', 'httpcore'} & set(sys.modules))"
    )
    assert loaded == "set()\n"


def test_the_public_names_are_these() -> None:
    assert tazapay_lightning_emulator.__all__ == [
        "DEFAULT_API_KEY",
        "DEFAULT_API_SECRET",
        "DEFAULT_WEBHOOK_SECRET",
        "FAULT_KINDS",
        "Emulator",
        "EmulatorError",
        "Fault",
        "FaultKind",
        "FaultPlan",
        "RequestRecord",
        "WebhookAttempt",
        "WebhookDelivery",
        "create_app",
        "running_emulator",
        "serve",
    ]
    program = (
        "import tazapay_lightning_emulator as emulator\n"
        "assert set(emulator.__all__) <= set(dir(emulator))\n"
        "for name in emulator.__all__:\n"
        "    value = getattr(emulator, name)\n"
        "    assert getattr(emulator, name) is value\n"
        "print(emulator.DEFAULT_API_KEY, emulator.DEFAULT_API_SECRET)\n"
    )
    assert run_python(program) == "emulator-api-key emulator-api-secret\n"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'stop_emulator'"):
        tazapay_lightning_emulator.stop_emulator  # noqa: B018 - the access is what is tested


@pytest.mark.parametrize("name", ["create_app", "running_emulator", "serve"])
def test_a_missing_extra_is_named_with_what_to_install(name: str) -> None:
    program = (
        "import sys\n"
        "sys.modules['starlette'] = sys.modules['uvicorn'] = None\n"
        "import tazapay_lightning_emulator\n"
        f"try: tazapay_lightning_emulator.{name}\n"
        "except ModuleNotFoundError as error: print(error)\n"
    )
    assert 'pip install "tazapay-lightning[emulator]"' in run_python(program)


def test_another_missing_module_is_not_blamed_on_the_extra() -> None:
    program = (
        "import sys\n"
        "sys.modules['sqlite3'] = None\n"
        "import tazapay_lightning_emulator\n"
        "try: tazapay_lightning_emulator.create_app\n"
        "except ModuleNotFoundError as error: print(error)\n"
    )
    assert "pip install" not in run_python(program)


@pytest.mark.parametrize(
    ("name", "module"), [("running_emulator", "server"), ("serve", "server"), ("create_app", "app")]
)
def test_everything_one_can_call_has_an_example(name: str, module: str) -> None:
    tests = doctest.DocTestFinder().find(importlib.import_module(f"tazapay_lightning_emulator.{module}"))
    assert [len(test.examples) > 0 for test in tests if test.name.endswith(f".{name}")] == [True]


@each_row(
    "bound",
    [
        invoice_fields.MAX_AMOUNT,
        invoice_fields.MAX_MEMO_BYTES,
        invoice_fields.MAX_EXPIRY_INTERVAL,
        request_bodies.MAX_BODY_BYTES,
        strict_json.MAX_DEPTH,
        strict_json.MAX_NUMBER_LENGTH,
    ],
)
def test_the_documented_assumptions_name_the_bounds_that_are_enforced(bound: int) -> None:
    assert re.search(rf"(?<![\d,]){bound:,}(?![\d,])", tazapay_lightning_emulator.__doc__ or "")


@pytest.mark.parametrize(
    "method", [tazapay_lightning_emulator.FaultPlan.requests, tazapay_lightning_emulator.Emulator.requests]
)
def test_the_documentation_tells_how_many_requests_are_remembered(method: Callable[..., object]) -> None:
    assert f"{faults.MAX_RECORDS:,}" in (method.__doc__ or "")


def test_every_control_endpoint_is_in_the_documentation() -> None:
    tables = "\n".join(
        module.__doc__ or "" for module in (fault_control, invoice_control, webhook_control, page_endpoints)
    )
    documented = set(re.findall(r"^(GET|POST|DELETE) (/_emulator/\S+)", tables, flags=re.MULTILINE))
    served = {
        (method, control.path + route.path)
        for control in tazapay_lightning_emulator.create_app().routes
        if isinstance(control, Mount)
        for route in control.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}  # comes with every GET
    }
    assert documented == served


def test_no_module_is_longer_than_one_duty() -> None:
    folder = Path(tazapay_lightning_emulator.__file__ or "").parent
    assert {path.name for path in folder.rglob("*.py") if len(path.read_text().splitlines()) > 250} == set()


def test_all_sql_is_in_two_modules() -> None:
    folder = Path(tazapay_lightning_emulator.__file__ or "").parent
    with_sql = [
        path.name for path in folder.rglob("*.py") if re.search(r"\b(sqlite3|SELECT|INSERT|PRAGMA)\b", path.read_text())
    ]
    assert sorted(with_sql) == ["database.py", "store.py"]
