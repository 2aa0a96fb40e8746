"""The public line: its names, its two twins, what it loads, and the one door behind it."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import tazapay_lightning
from tazapay_lightning import AsyncLightningClient, LightningClient

PACKAGE = Path(tazapay_lightning.__file__).parent


def test_every_public_name_can_be_imported_and_is_listed() -> None:
    for name in tazapay_lightning.__all__:
        assert getattr(tazapay_lightning, name) is not None
    assert set(tazapay_lightning.__all__) <= set(dir(tazapay_lightning))


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
    names = set(public_methods(AsyncLightningClient)) - {"__init__", "with_options"}
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


def test_type_hints_can_be_read_without_loading_a_library() -> None:
    program = (
        "import sys, typing, tazapay_lightning as t\n"
        "for client in (t.LightningClient, t.AsyncLightningClient):\n"
        "    for name in ('__init__', 'create_invoice', 'get_invoice', 'call', 'with_options'):\n"
        "        typing.get_type_hints(getattr(client, name))\n"
        "print('httpx' in sys.modules, 'aiohttp' in sys.modules)"
    )
    assert in_a_new_python(program) == "False False"
