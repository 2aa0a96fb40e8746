"""The payment request of an invoice: a valid one for regtest, which every BOLT11 decoder accepts."""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Callable
from datetime import datetime

from attrs import field, frozen

from tazapay_lightning_emulator.invoices.bolt11_encoding import TIMESTAMP_BITS, encode
from tazapay_lightning_emulator.invoices.invoice import InvoiceFields, whole_seconds

_logger = logging.getLogger("tazapay_lightning_emulator")


@frozen
class PaymentRequests:
    """Makes payment requests, all signed with one key.

    Attributes:
        sign: as for `encode`.
    """

    sign: Callable[[bytes], bytes] = field(repr=False)

    def of(self, invoice: InvoiceFields, now: datetime) -> str | None:
        """The payment request of an invoice that is created now; None before 1970 and after the year 3058.

        It cannot be paid: the preimage of its payment hash is not kept.
        """
        timestamp = int(whole_seconds(now).timestamp())
        if not 0 <= timestamp < 2**TIMESTAMP_BITS:
            return None
        return encode(
            amount_sats=invoice.amount,
            timestamp=timestamp,
            expiry=invoice.expiry_interval,
            payment_hash=hashlib.sha256(secrets.token_bytes(32)).digest(),
            payment_secret=secrets.token_bytes(32),
            description=invoice.d_tag_memo or "",
            description_hash=None if invoice.h_tag_memo is None else bytes.fromhex(invoice.h_tag_memo),
            sign=self.sign,
        )


def new_payment_requests() -> PaymentRequests | None:
    """A maker of payment requests with a new key; None, with a warning, where `cryptography` cannot be imported."""
    try:
        from tazapay_lightning_emulator.invoices.signing import Key
    except ImportError as error:
        _logger.warning(
            "invoices come without payment_request, because the package cryptography cannot be imported (%s):"
            ' pip install "tazapay-lightning[emulator]", if it is available for this Python',
            error,
        )
        return None
    return PaymentRequests(Key().sign)
