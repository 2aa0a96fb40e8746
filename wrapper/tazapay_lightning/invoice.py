"""A Lightning invoice as the service describes it."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, TypeVar

import attrs
from attrs import field, frozen

from tazapay_lightning.amounts import MAX_SATS, format_btc, sats_to_btc
from tazapay_lightning.errors import UnexpectedResponseError
from tazapay_lightning.json_fields import decode_json_field

__all__ = ["Difference", "Invoice"]

_Value = TypeVar("_Value")
_logger = logging.getLogger("tazapay_lightning")

# RFC 3339 with 0 to 9 fractional digits, or `YYYY-MM-DD hh:mm:ss`: the forms that Tazapay's documentation shows
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)?", re.ASCII | re.IGNORECASE)
_DIGITS = re.compile(r"[0-9]{1,20}", re.ASCII)


@frozen
class Difference:
    """One field in which the service's invoice is not what was asked for."""

    field: str
    asked: object
    received: object


def _read_only(mapping: Mapping[str, object]) -> Mapping[str, object]:
    return MappingProxyType(dict(mapping))


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
        differences: what of the request the service changed; empty when the invoice is what was asked for.
        idempotency_key: the key under which this invoice was created; None for one that was fetched.
        raw: everything that the service said about the invoice, fields unknown to this version included, read-only.

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
    metadata: Mapping[str, object] = field(factory=dict, converter=_read_only, repr=False, hash=False)
    created_at: datetime | None = None
    updated_at: datetime | None = field(default=None, repr=False)
    differences: tuple[Difference, ...] = field(default=(), repr=False)
    idempotency_key: str | None = field(default=None, repr=False)
    raw: Mapping[str, object] = field(factory=dict, converter=_read_only, repr=False, hash=False)

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
        """True if the service says so, or if it is unpaid and its time has passed on this machine's clock."""
        passed = self.expires_at is not None and datetime.now(UTC) >= self.expires_at
        return self.status == "expired" or (passed and not self.is_paid)

    @property
    def expires_at(self) -> datetime | None:
        """When the invoice expires, aware; None if the service did not say when it was made or how long it lasts."""
        if self.created_at is None or self.expiry_interval is None:
            return None
        try:
            return self.created_at + timedelta(seconds=self.expiry_interval)
        except OverflowError:  # later than the year 9999
            return None

    @classmethod
    def from_payload(cls, payload: Mapping[str, object], *, idempotency_key: str | None = None) -> Invoice:
        """Read the service's object.

        Args:
            payload: the decoded ``data`` of a reply.
            idempotency_key: the key that the invoice was created with.

        Raises:
            UnexpectedResponseError: if the id or the amount is missing or cannot be read. The amount must be a whole
                number of satoshi; digits as text and integral floats are read too.
        """
        return cls(
            id=_essential_id(payload.get("id")),
            amount_sats=_essential_amount(payload.get("amount")),
            memo=_optional(payload, "d_tag_memo", _text),
            memo_hash=_optional(payload, "h_tag_memo" if payload.get("h_tag_memo") is not None else "h_tag", _text),
            status=_optional(payload, "status", _text),
            payment_status=_optional(payload, "payment_status", _text),
            expiry_interval=_optional(payload, "expiry_interval", _seconds),
            collect_id=_optional(payload, "collect", _text),
            metadata=_optional(payload, "metadata", decode_json_field) or {},
            created_at=_optional(payload, "created_at", _moment),
            updated_at=_optional(payload, "updated_at", _moment),
            idempotency_key=idempotency_key,
            raw=payload,
        )

    def to_dict(self) -> dict[str, object]:
        """Return everything as a dict that ``json.dumps`` takes: BTC as text, moments in ISO 8601.

        Example:
            >>> Invoice.from_payload({"id": "l11_1", "amount": 5}).to_dict()["amount_btc"]
            '0.00000005'
        """
        expires_at = self.expires_at
        return {
            "id": self.id,
            "amount_sats": self.amount_sats,
            "amount_btc": format_btc(self.amount_sats),
            "memo": self.memo,
            "memo_hash": self.memo_hash,
            "status": self.status,
            "payment_status": self.payment_status,
            "is_paid": self.is_paid,
            "is_expired": self.is_expired,
            "expiry_interval": self.expiry_interval,
            "expires_at": expires_at.isoformat() if expires_at else None,
            "collect_id": self.collect_id,
            "metadata": dict(self.metadata),
            "created_at": self.created_at.isoformat() if self.created_at else None,
            "updated_at": self.updated_at.isoformat() if self.updated_at else None,
            "differences": [attrs.asdict(difference) for difference in self.differences],
            "idempotency_key": self.idempotency_key,
            "raw": dict(self.raw),
        }

    def __reduce__(self) -> tuple[Callable[..., Invoice], tuple[dict[str, Any]]]:
        # a mappingproxy cannot be pickled or deep-copied; the constructor makes new ones
        values = {each.name: getattr(self, each.name) for each in attrs.fields(type(self))}
        return _from_values, (values | {"metadata": dict(self.metadata), "raw": dict(self.raw)},)


def _from_values(values: dict[str, Any]) -> Invoice:
    return Invoice(**values)


def _essential_id(value: object) -> str:
    if isinstance(value, str) and value:
        return value
    raise UnexpectedResponseError(f"the invoice in the reply has no id: `id` is {_shape(value)}")


def _essential_amount(value: object) -> int:
    amount = _whole_number(value)
    if amount is None or not 0 <= amount <= MAX_SATS:
        raise UnexpectedResponseError(f"the invoice in the reply has no amount in satoshi: `amount` is {_shape(value)}")
    return amount


def _whole_number(value: object) -> int | None:
    """Read an integer that came as a number, as digits, or as a float without a fraction."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return int(value) if _DIGITS.fullmatch(value) else None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) else None


def _optional(payload: Mapping[str, object], name: str, read: Callable[[object], _Value]) -> _Value | None:
    """Read a field that may be absent, null or of a form that this version does not know."""
    value = payload.get(name)
    if value is None:
        return None
    try:
        return read(value)
    except (ValueError, UnexpectedResponseError):
        _logger.warning(
            "the service sent `%s` in a form that cannot be read (%s); see Invoice.raw", name, _shape(value)
        )
        return None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise UnexpectedResponseError("not a text")
    return value


def _seconds(value: object) -> int:
    seconds = _whole_number(value)
    if seconds is None or seconds < 0:
        raise UnexpectedResponseError("not a number of seconds")
    return seconds


def _moment(value: object) -> datetime:
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise UnexpectedResponseError("not a moment")  # an integer could be seconds or milliseconds: nobody says
    moment = datetime.fromisoformat(value.upper())
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _shape(value: object) -> str:
    """Name the kind of a value without repeating it: it may hold what does not belong into a log."""
    return "missing" if value is None else f"of type {type(value).__name__}, not readable"
