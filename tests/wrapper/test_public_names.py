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
    "_operations",
    "attempts",
    "configuration",
    "echo",
    "errors",
    "exchange",
    "invoice",
    "json_fields",
    "payment_wait",
    "replies",
    "request",
}
LIBRARY = {"configuration", "connections", "errors", "exchange", "http_settings"}
API = {"_operations", "attempts", "configuration", "errors", "exchange", "http_settings"}
# name of a module -> what it may import of this package (the design's table)
MAY_IMPORT = {
    "errors": set(),
    "messages": set(),
    "_version": set(),
    "amounts": {"errors", "messages"},
    "memos": {"errors"},
    "json_fields": {"errors", "messages"},
    "redaction": {"messages"},
    "configuration": {"errors", "messages"},
    "attempts": {"errors", "messages"},
    "content_encoding": {"errors"},
    "deadlines": set(),
    "http_settings": {"configuration", "errors", "exchange", "messages", "redaction"},
    "request": {"errors", "amounts", "memos", "json_fields", "messages"},
    "replies": {"errors", "json_fields", "redaction"},
    "bech32": {"errors", "messages"},
    "bolt11_fields": {"bech32"},
    "bolt11": {"amounts", "bech32", "bolt11_fields", "messages"},
    "payment_request": {"errors", "bolt11", "json_fields"},
    "connections": {"errors"},
    "async_connections": {"connections"},
    "qr": {"errors", "messages"},
    "invoice_fields": {"errors", "amounts"},
    "invoice": {
        "",
        "errors",
        "amounts",
        "invoice_fields",
        "json_fields",
        "messages",
        "moments",
        "payment_request",
        "read_only",
    },  # from "": qr
    "echo": {"errors", "amounts", "configuration", "invoice", "memos", "messages", "payment_request", "request"},
    "payment_wait": {"attempts", "errors", "invoice", "messages", "moments", "payment_request", "request"},
    "read_only": set(),
    "webhook_bodies": {"errors", "json_fields", "messages"},
    "webhook_events": {"errors", "messages", "moments", "read_only", "webhook_bodies"},
    "webhook_signatures": {"errors"},
    "webhooks": {"errors", "messages", "webhook_bodies", "webhook_events", "webhook_signatures"},
    "moments": set(),
    "exchange": {"", "errors", "_version", "attempts", "configuration", "json_fields", "redaction", "replies"},
    "_operations": {"configuration", "exchange", "json_fields", "request"},
    "leftovers": set(),
    "_httpx": LIBRARY | {"async_connections", "deadlines", "leftovers"},
    "_aiohttp": LIBRARY,
    "_api": API | {"_httpx"},
    "_async_api": API | {"_aiohttp", "_httpx", "messages", "pacing"},
    "client": CLIENT | {"_api"},
    "async_client": CLIENT | {"_async_api"},
    "cli_outcomes": {""},  # the command line rests on the public names,
    "cli_display": {"", "cli_outcomes", "messages"},  # and on how to show them
    "cli": {"", "cli_bulk", "cli_display", "cli_outcomes", "messages"},
    "pacing": {"errors"},
    "bulk_orders": {"errors", "invoice", "messages"},
    "bulk_run": {"async_client", "bulk_orders", "errors", "pacing"},
    "bulk": {"async_client", "bulk_orders", "bulk_run", "connections", "errors", "messages"},
    # and what the command makes of files; its parts are loaded when it runs
    "bulk_lines": {"errors"},
    "bulk_rows": {"bulk_lines", "errors", "json_fields", "messages", "request"},
    "bulk_index": {"bulk_rows"},
    "bulk_files": {"errors", "messages"},
    "bulk_record": {"bulk_files", "bulk_index", "bulk_orders", "configuration", "errors", "messages"},
    "bulk_session": {"async_client", "bulk", "bulk_index", "bulk_record", "errors"},
    "bulk_progress": set(),
    "cli_bulk": {
        "",
        "bulk_index",
        "bulk_orders",
        "bulk_progress",
        "bulk_record",
        "bulk_rows",
        "bulk_session",
        "cli_outcomes",
        "configuration",
        "messages",
    },
    "__main__": {"cli"},
}


def imports_of(module: str) -> list[str]:
    """Return the modules that a module imports when it runs, not those that only type checkers read."""
    tree = ast.parse((PACKAGE / f"{module}.py").read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module} imports relatively"
            names.append(node.module or "")
    return names


MODULES = sorted(path.stem for path in PACKAGE.glob("*.py") if path.stem != "__init__")


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
    [("httpx", "_httpx"), ("httpcore", None), ("aiohttp", "_aiohttp"), ("tazapay_lightning_api", "_operations")],
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
