"""The one door to the generated package: which generated function an operation is, and every field of its request.

Each field is set or explicitly not sent, so no default of the document ever goes out. Generated code is loaded for the
first operation and not before, because it loads httpx.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from tazapay_lightning.invoices.request import InvoiceRequest
from tazapay_lightning.transport.exchange import Door, Parsed
from tazapay_lightning.transport.settings import MetadataFormat
from tazapay_lightning.values.json_fields import json_text

if TYPE_CHECKING:
    from tazapay_lightning_api.client import Client

__all__ = ["Operation", "creating", "getting", "updating"]


class Operation(NamedTuple):
    """One operation with its arguments, ready to be carried out any number of times, in either way."""

    blocking: Callable[[Door], Parsed]
    waiting: Callable[[Door], Awaitable[Parsed]]


def creating(request: InvoiceRequest, metadata_format: MetadataFormat, idempotency_key: str) -> Operation:
    """``POST /v3/lightning_invoice_bolt11``."""
    from tazapay_lightning_api.api.default import create_lightning_invoice
    from tazapay_lightning_api.models import CreateLightningInvoiceRequest
    from tazapay_lightning_api.types import UNSET

    body = CreateLightningInvoiceRequest(
        amount=request.amount_sats,
        d_tag_memo=UNSET if request.memo is None else request.memo,
        h_tag_memo=UNSET if request.memo_hash is None else request.memo_hash,
        expiry_interval=UNSET if request.expires_in is None else request.expires_in,
        metadata=UNSET if request.metadata is None else _on_the_wire(request.metadata, metadata_format),
    )
    return Operation(
        lambda door: create_lightning_invoice.sync_detailed(
            client=_client(door), body=body, idempotency_key=idempotency_key
        ),
        lambda door: create_lightning_invoice.asyncio_detailed(
            client=_client(door), body=body, idempotency_key=idempotency_key
        ),
    )


def getting(invoice_id: str) -> Operation:
    """``GET /v3/lightning_invoice_bolt11/{id}``."""
    from tazapay_lightning_api.api.default import get_lightning_invoice

    return Operation(
        lambda door: get_lightning_invoice.sync_detailed(invoice_id, client=_client(door)),
        lambda door: get_lightning_invoice.asyncio_detailed(invoice_id, client=_client(door)),
    )


def updating(invoice_id: str, metadata: Mapping[str, object], metadata_format: MetadataFormat) -> Operation:
    """``PUT /v3/lightning_invoice_bolt11/{id}``."""
    from tazapay_lightning_api.api.default import update_lightning_invoice
    from tazapay_lightning_api.models import UpdateLightningInvoiceRequest

    body = UpdateLightningInvoiceRequest(metadata=_on_the_wire(metadata, metadata_format))
    return Operation(
        lambda door: update_lightning_invoice.sync_detailed(invoice_id, client=_client(door), body=body),
        lambda door: update_lightning_invoice.asyncio_detailed(invoice_id, client=_client(door), body=body),
    )


def _client(door: Door) -> Client:
    return cast("Client", door)  # generated code calls of its client only what a door has


def _on_the_wire(metadata: Mapping[str, object], metadata_format: MetadataFormat) -> Any:
    return json_text(metadata) if metadata_format == "string" else dict(metadata)
