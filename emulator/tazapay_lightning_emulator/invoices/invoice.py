"""An invoice and its states: active or expired, unpaid or paid. Pure: no HTTP and no database."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import evolve, frozen

from tazapay_lightning_emulator.clock import to_rfc3339
from tazapay_lightning_emulator.errors import NotPayableError


@frozen
class InvoiceFields:
    """The validated fields of a request: `amount` in satoshi, `expiry_interval` in seconds, at most one memo."""

    amount: int
    d_tag_memo: str | None
    h_tag_memo: str | None
    expiry_interval: int
    metadata: Mapping[str, Any]


@frozen
class Invoice:
    """A stored invoice. `amount` is in satoshi, `expiry_interval` in seconds, the times are in UTC.

    Whether it has expired is not stored: it depends on the present time.
    """

    id: str
    amount: int
    d_tag_memo: str | None
    h_tag_memo: str | None
    collect: str
    expiry_interval: int
    metadata: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime
    payment_request: str | None = None
    paid_at: datetime | None = None

    @property
    def expires_at(self) -> datetime:
        """The first moment at which it has expired, unless it was paid before."""
        return self.created_at + timedelta(seconds=self.expiry_interval)

    def has_expired(self, now: datetime) -> bool:
        """Whether it had expired when it was paid or, while it is unpaid, has expired now."""
        return (now if self.paid_at is None else self.paid_at) >= self.expires_at

    def with_metadata(self, metadata: Mapping[str, Any], now: datetime) -> Invoice:
        """The same invoice with other metadata, which replaces all of its own."""
        return evolve(self, metadata=metadata, updated_at=whole_seconds(now))

    def paid(self, now: datetime, *, even_if_expired: bool) -> Invoice:
        """The same invoice, paid.

        Raises:
            NotPayableError: it is paid already, or has expired without `even_if_expired`.
        """
        if self.paid_at is not None:
            raise NotPayableError(f"invoice {self.id} is paid already, and a Lightning invoice is paid only once")
        if self.has_expired(now) and not even_if_expired:
            raise NotPayableError(
                f"invoice {self.id} expired at {to_rfc3339(self.expires_at)} by the emulator's clock: even_if_expired"
                " has it paid all the same"
            )
        moment = whole_seconds(now)
        return evolve(self, paid_at=moment, updated_at=moment)

    def to_wire(self, now: datetime, *, hash_field: str = "h_tag_memo") -> dict[str, Any]:
        """The invoice object of a reply: the documented fields, without the memo that was not given.

        Args:
            now: decides about `status`.
            hash_field: the name of the hash: "h_tag_memo" in the reply to its creation; "h_tag", which is null without
                a hash, when it is fetched or updated. Tazapay's examples of these operations differ in this.
        """
        memos = {"d_tag_memo": self.d_tag_memo, hash_field: self.h_tag_memo}
        return {
            "id": self.id,
            "object": "lightning_invoice_bolt11",
            "amount": self.amount,
            **{name: memo for name, memo in memos.items() if memo is not None or name == "h_tag"},
            **({} if self.payment_request is None else {"payment_request": self.payment_request}),
            "collect": self.collect,
            "expiry_interval": self.expiry_interval,
            "metadata": dict(self.metadata),
            "status": "expired" if self.has_expired(now) else "active",
            "payment_status": "unpaid" if self.paid_at is None else "paid",
            "created_at": to_rfc3339(self.created_at),
            "updated_at": to_rfc3339(self.updated_at),
        }


def new_invoice(fields: InvoiceFields, now: datetime, payment_request: str | None = None) -> Invoice:
    """A new invoice, active and unpaid, with a random id (`l11_`) and collect id (`col_`)."""
    moment = whole_seconds(now)
    return Invoice(
        id=f"l11_{secrets.token_hex(12)}",
        amount=fields.amount,
        d_tag_memo=fields.d_tag_memo,
        h_tag_memo=fields.h_tag_memo,
        collect=f"col_{secrets.token_hex(12)}",
        expiry_interval=fields.expiry_interval,
        metadata=fields.metadata,
        created_at=moment,
        updated_at=moment,
        payment_request=payment_request,
    )


def whole_seconds(moment: datetime) -> datetime:
    """The moment in UTC without fractions of a second, as in the published example."""
    return moment.astimezone(UTC).replace(microsecond=0)
