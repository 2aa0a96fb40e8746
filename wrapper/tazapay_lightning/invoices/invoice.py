"""A Lightning invoice as the service describes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs
from attrs import field, frozen

from tazapay_lightning.errors import InvalidBolt11Error, InvoiceExpiredError, UnexpectedResponseError
from tazapay_lightning.invoices import qr
from tazapay_lightning.invoices.payment_request import find_payment_request, read_payment_request
from tazapay_lightning.values.amounts import MAX_SATS, sats_to_btc
from tazapay_lightning.values.durations import MAX_TIMEDELTA_SECONDS
from tazapay_lightning.values.json_fields import decode_json_field, essential, optional, text, whole_number
from tazapay_lightning.values.moments import read_moment, service_time
from tazapay_lightning.values.read_only import Reduced, read_only, reduced
from tazapay_lightning.values.safe_text import printable

if TYPE_CHECKING:  # for types only: this room must not import the transport
    from tazapay_lightning.transport.replies import Reply

_DERIVED = ("amount_btc", "is_paid", "is_expired", "seconds_left", "expires_at", "lightning_uri")
_amount, _seconds = partial(whole_number, most=MAX_SATS), partial(whole_number, most=MAX_TIMEDELTA_SECONDS)


@frozen
class Difference:
    """One field in which the service's invoice is not what was asked for.

    Attributes:
        field: ``amount_sats``, ``memo``, ``memo_hash``, ``expiry_interval`` or ``metadata``; of the payment request
            ``bolt11_amount_msat``, ``bolt11_description``, ``bolt11_expiry`` or ``bolt11_network``; ``id`` if this
            client was given the invoice before, for another idempotency key.
        asked: what was asked for, None for nothing; of ``id``, the idempotency key that was sent.
        received: what came, None for nothing; of ``id``, the other key.
    """

    field: str
    asked: object = attrs.field(hash=False)
    received: object = attrs.field(hash=False)


@frozen(kw_only=True)
class Invoice:
    """A Lightning invoice at the moment of a reply. Frozen: a later state is another object.

    Only ``id`` and ``amount_sats`` are certain. Whatever else the service left out, or sent in a form that cannot be
    read, is None here (``metadata``: empty), is logged as a warning, and stays in ``raw`` as it came.

    Attributes:
        id: Tazapay's id, such as ``l11_abc123xyz``.
        amount_sats: the amount in satoshi.
        memo: the description (``d_tag_memo``).
        memo_hash: the SHA-256 of the description in hex (``h_tag_memo``, or ``h_tag`` where the service says so).
        status: ``"active"`` or ``"expired"`` today; any other text of tomorrow is passed on.
        payment_status: ``"paid"`` or ``"unpaid"`` today; any other text of tomorrow is passed on.
        expiry_interval: seconds from creation to expiry.
        collect_id: the id of the payment (``col_...``); it may show while the invoice is unpaid.
        metadata: the key-value pairs attached to the invoice, read-only.
        created_at: aware datetime.
        updated_at: aware datetime.
        bolt11: the payment request that a payer scans, in lower case: the one text in the service's reply that reads as
            BOLT11, wherever it stands, because no documented field carries it. None if there is none, or more than one.
        differences: what of the request the service changed; empty when the invoice is what was asked for.
        idempotency_key: the key under which this invoice was created; None for one that was fetched.
        raw: everything that the service said about the invoice, fields unknown to this version included, read-only.
        reply: the reply that the invoice came with; None for one made by hand.

    Example:
        >>> invoice = Invoice.from_payload({"id": "l11_1", "amount": 123456, "payment_status": "unpaid"})
        >>> invoice.amount_btc, invoice.is_paid
        (Decimal('0.00123456'), False)
    """

    id: str
    amount_sats: int
    memo: str | None = field(default=None, repr=False)
    memo_hash: str | None = field(default=None, repr=False)
    status: str | None = None
    payment_status: str | None = None
    expiry_interval: int | None = None
    collect_id: str | None = None
    metadata: Mapping[str, object] = field(factory=dict, converter=read_only, repr=False, hash=False)
    created_at: datetime | None = None
    updated_at: datetime | None = field(default=None, repr=False)
    bolt11: str | None = field(default=None, repr=False)
    differences: tuple[Difference, ...] = field(default=(), repr=False)
    idempotency_key: str | None = field(default=None, repr=False)
    raw: Mapping[str, object] = field(factory=dict, converter=read_only, repr=False, hash=False)
    reply: Reply | None = field(default=None, repr=False, eq=False)
    _service_ahead: timedelta = field(default=timedelta(), repr=False, eq=False)  # of this machine's clock

    @property
    def amount_btc(self) -> Decimal:
        """The amount in BTC, exact, with 8 decimals."""
        return sats_to_btc(self.amount_sats)

    @property
    def is_paid(self) -> bool:
        """True if the service says that the invoice is paid."""
        return self.payment_status == "paid"

    @property
    def is_expired(self) -> bool:
        """True if the service says so, or if it is unpaid and its time has passed by the service's clock.

        That clock is read off the reply that this invoice came with (its ``Date``) and goes on from there; where the
        reply did not say, this machine's clock counts.
        """
        return self.status == "expired" or (self.seconds_left == 0 and not self.is_paid)

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the invoice expires, by the clock of `is_expired`; 0 from then on, None if it is unknown."""
        expires_at = self.expires_at
        return None if expires_at is None else max(0.0, (expires_at - self._service_now()).total_seconds())

    @property
    def expires_at(self) -> datetime | None:
        """When the invoice expires, aware: `expiry_interval` after `created_at`.

        Where the service leaves one of the two out, it is when the payment request expires; None without one.
        """
        if self.created_at is None or self.expiry_interval is None:
            return None if self.bolt11 is None else read_payment_request(self.bolt11).expires_at
        try:
            return self.created_at + timedelta(seconds=self.expiry_interval)
        except OverflowError:  # later than the year 9999
            return None

    @property
    def lightning_uri(self) -> str | None:
        """``lightning:`` and the payment request: as a link, it opens a wallet. None without a payment request."""
        return None if self.bolt11 is None else f"lightning:{self.bolt11}"

    def qr_svg(self) -> str:
        """Return a QR code of the payment request as an ``<svg>`` element, which takes the size of its container.

        Raises:
            InvoiceExpiredError: the invoice expired, so that it must not be paid.
            InvalidBolt11Error: the service sent no payment request, or one too long for a QR code (4,286 characters).
            ConfigurationError: segno is not installed, which the extra ``[qr]`` brings.

        Example:
            >>> invoice = Invoice.from_payload({"id": "l11_1", "amount": 5, "status": "expired"})
            >>> invoice.qr_svg()
            Traceback (most recent call last):
            ...
            tazapay_lightning.errors.InvoiceExpiredError: invoice l11_1 expired: make a new one to be paid
        """
        return qr.svg(self._payable())

    def qr_png(self, *, scale: int = 8) -> bytes:
        """Return a QR code of the payment request as a PNG image.

        Args:
            scale: pixels for each side of a module, 1 to 100; a code has 60 to 100 modules on each side.

        Raises:
            InvalidArgumentError: the scale is out of range.
            InvoiceExpiredError: like the others, as for `qr_svg`.
        """
        return qr.png(self._payable(), scale=scale)

    def qr_terminal(self) -> str:
        """Return a QR code of the payment request for a terminal, colours included; errors as for `qr_svg`."""
        return qr.terminal(self._payable())

    def _payable(self) -> str:
        name = printable(self.id, most=80)
        request = None if self.bolt11 is None else read_payment_request(self.bolt11)
        if self.is_expired or (request is not None and request.expires_at <= self._service_now()):
            raise InvoiceExpiredError(f"invoice {name} expired: make a new one to be paid", invoice=self)
        if request is None:
            raise InvalidBolt11Error(f"invoice {name} has no payment request; see Invoice.raw", argument="bolt11")
        return request.raw

    def _service_now(self) -> datetime:
        return datetime.now(UTC) + self._service_ahead

    @classmethod
    def from_reply(cls, reply: Reply, *, written: Iterable[object] = ()) -> Invoice:
        """Read the invoice that a reply holds: see `from_payload`."""
        if not isinstance(reply.data, (dict, Mapping)):
            raise UnexpectedResponseError(f"the reply ({reply.status_code}) holds no invoice: no object in its `data`")
        return cls.from_payload(reply.data, reply=reply, written=written)

    @classmethod
    def from_payload(
        cls, payload: Mapping[str, object], *, reply: Reply | None = None, written: Iterable[object] = ()
    ) -> Invoice:
        """Read the service's object.

        Args:
            payload: the decoded ``data`` of a reply.
            reply: the reply that it came with, which tells the service's time and the idempotency key.
            written: what the caller wrote into the invoice: no payment request of the service's.

        Raises:
            UnexpectedResponseError: if the id or the amount is missing or cannot be read. The amount must be a whole
                number of satoshi; digits as text and integral floats are read too.
        """
        created_at = optional(payload, "created_at", read_moment)
        date = None if reply is None else service_time(reply.headers, created_at)
        return cls(
            id=essential(payload, "id", text),
            amount_sats=essential(payload, "amount", _amount),
            memo=optional(payload, "d_tag_memo", text),
            memo_hash=optional(payload, "h_tag_memo" if payload.get("h_tag_memo") is not None else "h_tag", text),
            status=optional(payload, "status", text),
            payment_status=optional(payload, "payment_status", text),
            expiry_interval=optional(payload, "expiry_interval", _seconds),
            collect_id=optional(payload, "collect", text),
            metadata=optional(payload, "metadata", decode_json_field) or {},
            created_at=created_at,
            updated_at=optional(payload, "updated_at", read_moment),
            bolt11=find_payment_request(payload, written=written),
            idempotency_key=None if reply is None else reply.idempotency_key,
            raw=payload,
            reply=reply,
            service_ahead=timedelta() if date is None else date - datetime.now(UTC),
        )

    def to_dict(self) -> dict[str, object]:
        """Return everything as a dict that ``json.dumps`` takes: BTC as text, moments in ISO 8601.

        Example:
            >>> Invoice.from_payload({"id": "l11_1", "amount": 5}).to_dict()["amount_btc"]
            '0.00000005'
        """
        shown = {name: getattr(self, name) for name in _IN_DICT}
        return shown | {name: made_ready(shown[name]) for name, made_ready in _JSON_READY.items()}

    def __reduce__(self) -> Reduced:
        return reduced(self)


_OWN = (each.name for each in attrs.fields(Invoice) if each.name not in {"reply", "_service_ahead"})
# A name that comes twice keeps its first place, so that `raw`, the longest, is last.
_IN_DICT = tuple(dict.fromkeys(("id", "amount_sats", *_DERIVED, *_OWN)))
_JSON_READY: Mapping[str, Callable[[Any], object]] = {
    "amount_btc": "{:f}".format,
    "differences": lambda differences: [attrs.asdict(each) for each in differences],
    **dict.fromkeys(("expires_at", "created_at", "updated_at"), lambda moment: moment and moment.isoformat()),
    **dict.fromkeys(("metadata", "raw"), dict),
}
