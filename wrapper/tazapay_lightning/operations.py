"""The one door to the generated package: which request each operation makes.

Generated code says method, path, headers and body; it carries nothing and reads no reply. Each field of a request is
set or explicitly not sent, so no default of the document ever goes out. Generated code is loaded for the first
operation and not before.
"""

from __future__ import annotations

import inspect
import uuid
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from attrs import evolve

from tazapay_lightning._loading import load, loading
from tazapay_lightning.errors import InvalidArgumentError
from tazapay_lightning.invoices.request import (
    InvoiceRequest,
    check_idempotency_key,
    check_invoice_id,
    check_path_step,
)
from tazapay_lightning.transport.exchange import Request
from tazapay_lightning.transport.settings import Settings, header_value
from tazapay_lightning.values.json_fields import json_object, json_text
from tazapay_lightning.values.refusals import refused
from tazapay_lightning.values.safe_text import shown

if TYPE_CHECKING:
    from tazapay_lightning_api.models import CreateLightningInvoiceRequest, UpdateLightningInvoiceRequest
    from tazapay_lightning_api.types import Unset


def creating(settings: Settings, request: InvoiceRequest, idempotency_key: object) -> Request:
    """``POST /v3/lightning_invoice_bolt11``, with a fresh key where none is given."""
    module, body_of, unset = _creation()
    body = body_of(
        amount=request.amount_sats,
        d_tag_memo=unset if request.memo is None else request.memo,
        h_tag_memo=unset if request.memo_hash is None else request.memo_hash,
        expiry_interval=unset if request.expires_in is None else request.expires_in,
        metadata=unset if request.metadata is None else _on_the_wire(request.metadata, settings),
    )
    key = check_idempotency_key(idempotency_key)
    return _request(settings, module, {"body": body, "idempotency_key": key}, key)


@cache  # the import statements, each time, would be a tenth of what making the request costs
def _creation() -> tuple[ModuleType, type[CreateLightningInvoiceRequest], Unset]:
    with loading:
        from tazapay_lightning_api.api.default import create_lightning_invoice
        from tazapay_lightning_api.models import CreateLightningInvoiceRequest
        from tazapay_lightning_api.types import UNSET
    return create_lightning_invoice, CreateLightningInvoiceRequest, UNSET


def getting(settings: Settings, invoice_id: str) -> Request:
    """``GET /v3/lightning_invoice_bolt11/{id}``."""
    arguments = {"id": check_invoice_id(invoice_id)}
    module = load("tazapay_lightning_api.api.default.get_lightning_invoice")
    return _request(settings, module, arguments)


def updating(settings: Settings, invoice_id: str, metadata: Mapping[str, object]) -> Request:
    """``PUT /v3/lightning_invoice_bolt11/{id}``."""
    checked, attached = check_invoice_id(invoice_id), json_object(metadata, argument="metadata")
    module, body_of = _update()
    body = body_of(metadata=_on_the_wire(attached, settings))
    return _request(settings, module, {"id": checked, "body": body})


@cache
def _update() -> tuple[ModuleType, type[UpdateLightningInvoiceRequest]]:
    with loading:
        from tazapay_lightning_api.api.default import update_lightning_invoice
        from tazapay_lightning_api.models import UpdateLightningInvoiceRequest
    return update_lightning_invoice, UpdateLightningInvoiceRequest


def any_operation(
    settings: Settings, module: object, arguments: Mapping[str, object], idempotency_key: object
) -> Request:
    """Prepare any operation of the generated package, with the arguments of its generated function.

    Args:
        settings: of the call.
        module: the operation's module, such as ``tazapay_lightning_api.api.default.get_lightning_invoice``.
        arguments: by the names of the generated function.
        idempotency_key: for a POST, a fresh one where none is given; another method has one only if its document says.

    Raises:
        InvalidArgumentError: naming the argument that is unknown, missing, or cannot be sent.
    """
    if not isinstance(module, ModuleType) or not hasattr(module, "_get_kwargs"):
        accepted = "a module of the generated package: `from tazapay_lightning_api.api.default import post_checkout`"
        raise refused("operation", accepted, shown(module))
    name = module.__name__.rpartition(".")[2]
    parameters = dict(inspect.signature(_request_of(module)).parameters)
    has_key = parameters.pop("idempotency_key", None) is not None
    for argument in arguments.keys() - parameters:
        takes = ", ".join(parameters) or "no arguments"
        raise InvalidArgumentError(f"{name} has no argument {argument!r}; it takes {takes}", argument=argument)
    for argument, parameter in parameters.items():
        if argument not in arguments and parameter.default is parameter.empty:
            raise InvalidArgumentError(f"{name} needs the argument {argument}", argument=argument)
        if argument in arguments and parameter.kind is parameter.POSITIONAL_OR_KEYWORD:  # it goes into the path
            value = arguments[argument]
            check_path_step(str(value) if type(value) in {int, uuid.UUID} else value, argument=argument)
    key = check_idempotency_key(idempotency_key)
    asked = {**arguments, "idempotency_key": key} if has_key else arguments
    request = _request(settings, module, asked, key, submitted=arguments.values())
    if request.method == "POST" or has_key:
        return request
    if idempotency_key is not None:
        raise InvalidArgumentError(f"{name} takes no idempotency_key: it creates nothing", argument="idempotency_key")
    return evolve(request, idempotency_key=None)


def _request(
    settings: Settings,
    module: ModuleType,
    arguments: Mapping[str, object],
    key: str | None = None,
    submitted: Iterable[object] = (),
) -> Request:
    try:
        asked = _request_of(module)(**arguments)
        content = _content(asked)
        query = urlencode(_plain(asked["params"]), doseq=True) if asked.get("params") else ""
        sent = asked.get("headers", {}).items()  # among them the key, which was checked already
        headers = {name.title(): key if key and value is key else header_value(value) for name, value in sent}
    # no model, or a value that JSON has no type for
    except (AttributeError, RecursionError, TypeError, ValueError) as error:
        problem = f"no request can be made of the arguments: {error}. Bodies are models of the generated package"
        raise InvalidArgumentError(problem, argument="body") from error
    method = asked["method"].upper()
    if method == "POST" and key is not None:
        headers["Idempotency-Key"] = key
    return Request(
        settings=settings,
        method=method,
        path=asked["url"] + (f"?{query}" if query else ""),
        headers=headers,
        content=content,
        idempotency_key=key,
        submitted=(asked.get("json"), *submitted),
        parse=partial(_parse, module.__name__),
    )


def _request_of(module: ModuleType) -> Callable[..., dict[str, Any]]:
    """Return the function of a generated module that says what its request is: `sync` and `asyncio` send that."""
    return module._get_kwargs  # type: ignore[no-any-return]  # noqa: SLF001 - there is no public one


def _content(asked: Mapping[str, Any]) -> bytes | None:
    """Return a body as it travels: JSON, compact and in UTF-8; None where there is no body."""
    if other := asked.keys() & {"content", "data", "files"}:
        raise ValueError(f"a body of JSON is what can be sent, and this one goes as {', '.join(sorted(other))}")
    if "json" not in asked:
        return None
    return json_text(asked["json"]).encode()


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Write truth values as JSON does, which is how forms and queries are written."""
    return {name: str(value).lower() if isinstance(value, bool) else value for name, value in values.items()}


def _parse(module: str, status: int, envelope: object) -> Any:
    """Have generated code make its model of an envelope; every 2xx is read as the one that the document describes."""
    parse = import_module(module)._parse_response  # noqa: SLF001 - there is no public one
    client = SimpleNamespace(raise_on_unexpected_status=False)
    for described in (status, *range(200, 300)):
        response = SimpleNamespace(status_code=described, json=lambda: envelope)
        parsed = parse(client=client, response=response)
        if parsed is not None:
            return parsed
    return None


def _on_the_wire(metadata: Mapping[str, object], settings: Settings) -> Any:
    return json_text(metadata) if settings.metadata_format == "string" else dict(metadata)
