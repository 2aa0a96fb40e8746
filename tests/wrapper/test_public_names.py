"""The public line: its names, its two twins, what it loads, and the one door behind it."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import tazapay_lightning
from tazapay_lightning import AsyncLightningClient, LightningClient

PACKAGE = Path(tazapay_lightning.__file__).parent
CLIENT = {
    "operations",
    "transport.retries",
    "transport.settings",
    "invoices.echo",
    "errors",
    "transport.exchange",
    "invoices.invoice",
    "values.json_fields",
    "invoices.waiting",
    "transport.replies",
    "invoices.request",
}
LIBRARY = {
    "transport.settings",
    "transport.backends.connections",
    "errors",
    "transport.exchange",
    "transport.backends.http_settings",
}
API = {
    "operations",
    "transport.retries",
    "transport.settings",
    "errors",
    "transport.exchange",
    "transport.backends.http_settings",
}
# name of a module -> what it may import of this package (the design's table)
MAY_IMPORT = {
    "errors": set(),
    "values.safe_text": set(),
    "_version": set(),
    "values.amounts": {"errors", "values.safe_text"},
    "values.durations": {"errors", "values.safe_text"},
    "values.memos": {"errors"},
    "values.json_fields": {"errors", "values.safe_text"},
    "transport.redaction": {"values.safe_text"},
    "transport.settings": {"errors", "values.safe_text"},
    "transport.retries": {"errors", "values.durations", "values.safe_text"},
    "transport.backends.content_encoding": {"errors"},
    "transport.backends.deadlines": set(),
    "transport.backends.http_settings": {
        "transport.settings",
        "errors",
        "transport.exchange",
        "values.safe_text",
        "transport.redaction",
    },
    "invoices.request": {
        "errors",
        "values.amounts",
        "values.durations",
        "values.memos",
        "values.json_fields",
        "values.safe_text",
    },
    "transport.replies": {"errors", "values.json_fields", "transport.redaction"},
    "bolt11.bech32": {"errors", "values.safe_text"},
    "bolt11.fields": {"bolt11.bech32"},
    "bolt11.decode": {"values.amounts", "bolt11.bech32", "bolt11.fields", "values.safe_text"},
    "invoices.payment_request": {"errors", "bolt11.decode", "values.json_fields"},
    "transport.backends.connections": {"errors"},
    "transport.backends.async_connections": {"transport.backends.connections"},
    "invoices.qr": {"errors", "values.safe_text"},
    "invoices.fields": {"errors", "values.amounts"},
    "invoices.invoice": {
        "",
        "errors",
        "values.amounts",
        "invoices.fields",
        "values.json_fields",
        "values.safe_text",
        "values.moments",
        "invoices.payment_request",
        "values.read_only",
        "invoices.qr",
    },
    "invoices.echo": {
        "errors",
        "values.amounts",
        "transport.settings",
        "invoices.invoice",
        "values.memos",
        "values.safe_text",
        "invoices.payment_request",
        "invoices.request",
    },
    "invoices.waiting": {
        "values.durations",
        "transport.retries",
        "errors",
        "invoices.invoice",
        "values.safe_text",
        "values.moments",
        "invoices.payment_request",
        "invoices.request",
    },
    "values.read_only": set(),
    "webhooks.body": {"errors", "values.json_fields", "values.safe_text"},
    "webhooks.event": {
        "errors",
        "values.json_fields",
        "values.safe_text",
        "values.moments",
        "values.read_only",
        "webhooks.body",
    },
    "webhooks.signature": {"errors"},
    "webhooks.verify": {
        "errors",
        "values.durations",
        "values.safe_text",
        "webhooks.body",
        "webhooks.event",
        "webhooks.signature",
    },
    "values.moments": set(),
    "transport.exchange": {
        "",
        "errors",
        "_version",
        "transport.retries",
        "transport.settings",
        "values.json_fields",
        "transport.redaction",
        "transport.replies",
        "transport.backends.content_encoding",
    },
    "operations": {"transport.settings", "transport.exchange", "values.json_fields", "invoices.request"},
    "transport.backends.leftovers": set(),
    "transport.backends.httpx": LIBRARY
    | {"transport.backends.async_connections", "transport.backends.deadlines", "transport.backends.leftovers"},
    "transport.backends.aiohttp": LIBRARY,
    "transport.calls": API | {"transport.backends.httpx"},
    "transport.async_calls": API
    | {"transport.backends.aiohttp", "transport.backends.httpx", "values.safe_text", "transport.pacing"},
    "client": CLIENT | {"transport.calls"},
    "async_client": CLIENT | {"transport.async_calls"},
    "cli.outcomes": {""},  # the command line rests on the public names,
    "cli.display": {"", "cli.outcomes", "values.safe_text"},  # and on how to show them
    "cli.app": {"", "cli.bulk", "cli.display", "cli.outcomes", "values.safe_text"},
    "transport.pacing": {"errors"},
    "bulk.orders": {"errors", "invoices.invoice", "values.safe_text"},
    "bulk.workers": {"async_client", "bulk.orders", "errors", "transport.pacing"},
    "bulk.create": {
        "async_client",
        "bulk.orders",
        "bulk.workers",
        "transport.backends.connections",
        "errors",
        "values.safe_text",
    },
    # and what the command makes of files; its parts are loaded when it runs
    "bulk.files.lines": {"errors"},
    "bulk.files.rows": {"bulk.files.lines", "errors", "values.json_fields", "values.safe_text", "invoices.request"},
    "bulk.files.index": {"bulk.files.rows"},
    "bulk.files.json_lines": {"errors", "values.safe_text"},
    "bulk.files.record": {
        "bulk.files.json_lines",
        "bulk.files.index",
        "bulk.orders",
        "transport.settings",
        "errors",
        "values.safe_text",
    },
    "bulk.files.session": {"async_client", "bulk.create", "bulk.files.index", "bulk.files.record", "errors"},
    "cli.progress": set(),
    "cli.bulk": {
        "",
        "bulk.files.index",
        "bulk.orders",
        "cli.progress",
        "bulk.files.record",
        "bulk.files.rows",
        "bulk.files.session",
        "cli.outcomes",
        "transport.settings",
        "values.safe_text",
    },
    "__main__": {"cli.app"},
    # what sub-packages export, and those that only say what they are
    "bolt11": {"bolt11.decode"},
    "webhooks": {"webhooks.event", "webhooks.verify"},
    "bulk": {"bulk.create", "bulk.orders"},
    **{room: set() for room in ("bulk.files", "cli", "invoices", "transport", "transport.backends", "values")},
}


def imports_of(module: str) -> list[str]:
    """Return the modules that a module imports when it runs, not those that only type checkers read."""
    path = PACKAGE / module.replace(".", "/")
    tree = ast.parse((path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module} imports relatively"
            parent = node.module or ""
            parts = [f"{parent}.{alias.name}" for alias in node.names]
            modules = [part for part in parts if part.removeprefix("tazapay_lightning.") in MODULES]
            names += modules if len(modules) == len(parts) else [parent, *modules]
    return names


MODULES = sorted(
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
    if path != PACKAGE / "__init__.py"
)


def test_every_module_is_in_the_table() -> None:
    assert set(MODULES) == set(MAY_IMPORT)


@pytest.mark.parametrize("module", MODULES)
def test_no_arrow_points_left(module: str) -> None:
    ours = {
        name.removeprefix("tazapay_lightning").removeprefix(".")
        for name in imports_of(module)
        if name.split(".")[0] == "tazapay_lightning"
    }
    assert ours <= MAY_IMPORT[module]


@pytest.mark.parametrize(
    ("package", "door"),
    [
        ("httpx", "transport.backends.httpx"),
        ("httpcore", None),
        ("aiohttp", "transport.backends.aiohttp"),
        ("tazapay_lightning_api", "operations"),
    ],
)
def test_there_is_one_door_to_http_and_to_generated_code(package: str, door: str | None) -> None:
    doors = [module for module in MODULES if package in {name.split(".")[0] for name in imports_of(module)}]
    assert doors == ([door] if door else [])


def test_every_public_name_can_be_imported_and_is_listed() -> None:
    for name in tazapay_lightning.__all__:
        assert getattr(tazapay_lightning, name) is not None
    assert set(tazapay_lightning.__all__) <= set(dir(tazapay_lightning))
    assert list(tazapay_lightning.__all__) == sorted(
        tazapay_lightning.__all__, key=lambda n: (not n.isupper(), n.startswith("_") or n[0].islower(), n)
    )


def test_what_type_checkers_see_is_what_is_loaded() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {
        alias.name: (node.module or "").removeprefix("tazapay_lightning.")
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == tazapay_lightning._HOME


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'create_invoice'"):
        tazapay_lightning.create_invoice  # noqa: B018 - the access is what is tested


def in_a_new_python(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize(
    "used",
    [
        "pass",
        "tazapay_lightning.btc_to_sats('0.1'); tazapay_lightning.format_btc(1); tazapay_lightning.sats_to_btc(1)",
        "tazapay_lightning.hash_memo('m'); tazapay_lightning.verify_memo('m', 'h')",
        "tazapay_lightning.encode_json_field({}); tazapay_lightning.decode_json_field('{}')",
        "tazapay_lightning.Invoice; tazapay_lightning.TazapayError",
    ],
)
def test_pure_names_load_no_http_library(used: str) -> None:
    loaded = in_a_new_python(f"import sys, tazapay_lightning; {used}; print(*sys.modules)").split()
    assert not {
        *("httpx", "httpcore", "aiohttp", "anyio", "ssl", "tazapay_lightning_api"),
        *("typer", "rich", "segno", "dateutil"),
    } & set(loaded)


def public_methods(client: type) -> dict[str, inspect.Signature]:
    return {
        name: inspect.signature(method)
        for name, method in inspect.getmembers(client, inspect.isfunction)
        if not name.startswith("_") or name == "__init__"
    }


def test_both_clients_have_the_same_methods_with_the_same_arguments() -> None:
    sync, asynchronous = public_methods(LightningClient), public_methods(AsyncLightningClient)
    assert set(sync) - {"close"} == set(asynchronous) - {"aclose"}
    for name in set(sync) - {"close", "__init__"}:
        assert sync[name] == asynchronous[name]
    for name, parameter in sync["__init__"].parameters.items():
        twin = asynchronous["__init__"].parameters[name]
        assert (twin.kind, twin.default) == (parameter.kind, parameter.default)
        assert twin.annotation == parameter.annotation or name == "http_client"


def test_asynchronous_methods_are_coroutines() -> None:
    names = set(public_methods(AsyncLightningClient)) - {"__init__"}
    assert all(inspect.iscoroutinefunction(getattr(AsyncLightningClient, name)) for name in names)


def test_arguments_of_operations_are_keywords_only() -> None:
    parameters = list(inspect.signature(LightningClient.create_invoice).parameters.values())[1:]
    assert {parameter.kind for parameter in parameters} == {inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize(
    ("method", "subject"),
    [("get_invoice", "invoice_id"), ("update_invoice", "invoice_id"), ("wait_for_payment", "invoice")],
)
def test_only_what_an_operation_is_about_may_be_given_by_position(method: str, subject: str) -> None:
    first, *others = list(inspect.signature(getattr(LightningClient, method)).parameters.values())[1:]
    assert (first.name, first.kind) == (subject, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    assert {parameter.kind for parameter in others} == {inspect.Parameter.KEYWORD_ONLY}


def test_every_public_name_has_a_docstring() -> None:
    public = [getattr(tazapay_lightning, name) for name in tazapay_lightning.__all__]
    assert all(inspect.getdoc(thing) for thing in public if inspect.isclass(thing) or inspect.isfunction(thing))
