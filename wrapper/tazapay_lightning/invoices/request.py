"""The arguments of one invoice, validated before anything is sent."""

from __future__ import annotations

import inspect
import re
import uuid
from collections.abc import Mapping

from attrs import define, field

from tazapay_lightning.errors import InvalidArgumentError
from tazapay_lightning.values.amounts import check_btc, check_sats
from tazapay_lightning.values.durations import whole_seconds
from tazapay_lightning.values.json_fields import json_object
from tazapay_lightning.values.memos import check_memo, check_memo_hash, hash_memo, verify_memo
from tazapay_lightning.values.refusals import check_str, refused
from tazapay_lightning.values.safe_text import shown

# neither what separates or climbs, nor blanks and control characters, nor half a surrogate, which cannot be encoded
# ids have some 20 characters; what is longer than 255 was meant for something else
_ONE_STEP = r"[^/\\\s\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{1,255}"
_VISIBLE_ASCII = re.compile(r"[!-~]{1,255}", re.ASCII)


@define(kw_only=True, eq=False)  # a frozen one takes twice as long to make, for each call
class InvoiceRequest:
    """What is asked of the service: exactly the fields that the caller gave, and nothing that a document defaults.

    Attributes:
        amount_sats: satoshi, 1 to `MAX_SATS`.
        memo: goes out as ``d_tag_memo``; None when there is none, or when only its hash is sent.
        memo_hash: goes out as ``h_tag_memo``.
        expires_in: seconds; None leaves it to the service (3600, says Tazapay's documentation).
        metadata: plain JSON object; None when there is none.
    """

    amount_sats: int
    memo: str | None = field(default=None, repr=False)
    memo_hash: str | None = None
    expires_in: int | None = None
    metadata: Mapping[str, object] | None = field(default=None, repr=False)

    @classmethod
    def build(
        cls,
        *,
        amount_sats: object = None,
        amount_btc: object = None,
        memo: object = None,
        memo_as_hash: object = False,
        memo_hash: object = None,
        expires_in: object = None,
        metadata: object = None,
    ) -> InvoiceRequest:
        """Validate the arguments of ``create_invoice``.

        Returns:
            The request, with the memo already replaced by its hash where only the hash is to be sent.

        Raises:
            InvalidArgumentError: naming the argument and what would be accepted.

        Example:
            >>> InvoiceRequest.build(amount_btc="0.00123456", expires_in=600)
            InvoiceRequest(amount_sats=123456, memo_hash=None, expires_in=600)
        """
        sent_memo, sent_hash = _memo_or_hash(memo, memo_as_hash, memo_hash)
        return cls(
            amount_sats=_amount(amount_sats, amount_btc),
            memo=sent_memo,
            memo_hash=sent_hash,
            expires_in=None if expires_in is None else whole_seconds(expires_in, argument="expires_in"),
            metadata=None if metadata is None else json_object(metadata, argument="metadata"),
        )


def check_idempotency_key(key: object) -> str:
    """Return a key that can travel in a header as it is: the one given, a fresh UUID for None; refuse any other.

    At most 255 characters by Tazapay's documentation; visible ASCII, because a header cannot carry more without being
    changed on the way. Of a subclass of str the text that it holds counts.

    Example:
        >>> check_idempotency_key("order-7890")
        'order-7890'
    """
    if key is None or isinstance(key, uuid.UUID):
        return str(key or uuid.uuid4())
    accepted = "1 to 255 visible ASCII characters, without blanks, or a uuid.UUID"
    text = str.__str__(check_str(key, argument="idempotency_key", accepted=accepted))
    if not _VISIBLE_ASCII.fullmatch(text):
        raise refused("idempotency_key", accepted, shown(text))
    return text


def check_invoice_id(invoice_id: object) -> str:
    """Return an id of an invoice, and refuse what cannot be one.

    Example:
        >>> check_invoice_id("l11_abc123xyz")
        'l11_abc123xyz'
    """
    accepted = "the id of an invoice, such as l11_abc123xyz (Invoice.id)"
    return check_path_step(invoice_id, argument="invoice_id", accepted=accepted)


def check_path_step(value: object, *, argument: str, accepted: str = "one step of a path") -> str:
    """Return a text that is one step of a path, and refuse what a server on the way could read as more than that.

    Any other character is escaped as it is put into the path (RFC 3986, section 2.1).
    """
    text = check_str(value, argument=argument, accepted=accepted)
    if text in {".", ".."} or not re.fullmatch(_ONE_STEP, text):
        never = "without slash, backslash, dot segment, blank or control character, of at most 255 characters"
        raise refused(argument, f"{accepted}, {never}", shown(text))
    return text


def check_callback(callback: object, *, argument: str, may_be_async: bool) -> None:
    """Refuse what cannot be called, and a coroutine function where it would not be awaited."""
    if inspect.iscoroutinefunction(callback) and not may_be_async:
        raise refused(argument, "a plain function here", "a coroutine function, which AsyncLightningClient takes")
    if callback is not None and not callable(callback):
        raise refused(argument, "a function of one argument, or None", type(callback).__name__)


def _amount(amount_sats: object, amount_btc: object) -> int:
    if amount_sats is None and amount_btc is None:
        problem = 'an amount is needed: amount_sats=123456 (an int) or amount_btc="0.00123456" (a str or a Decimal)'
        raise InvalidArgumentError(problem, argument="amount_sats")
    if amount_sats is not None and amount_btc is not None:
        raise InvalidArgumentError("give amount_sats or amount_btc, not both", argument="amount_btc")
    if isinstance(amount_btc, int) and not isinstance(amount_btc, bool):  # nearly always satoshi were meant
        raise refused("amount_btc", 'a str or a Decimal, such as "0.00123456"', f"the int {shown(amount_btc)}")
    if amount_sats is not None:
        return check_sats(amount_sats, argument="amount_sats")
    return check_btc(amount_btc, argument="amount_btc")


def _memo_or_hash(memo: object, memo_as_hash: object, memo_hash: object) -> tuple[str | None, str | None]:
    """Decide which of the two goes out: the service uses only the hash when it gets both."""
    if not isinstance(memo_as_hash, bool):
        raise refused("memo_as_hash", "True or False", type(memo_as_hash).__name__)
    if memo_as_hash and memo is None:
        problem = "memo_as_hash=True needs the memo to hash; to send a hash that you have, pass memo_hash alone"
        raise InvalidArgumentError(problem, argument="memo_as_hash")
    if memo_hash is not None:
        checked_hash = check_memo_hash(memo_hash)
        if memo is not None and not verify_memo(memo, checked_hash):  # type: ignore[arg-type]  # verify_memo refuses what is not a str
            problem = "memo_hash is not the SHA-256 of the memo's UTF-8 bytes; pass one of the two, or both that agree"
            raise InvalidArgumentError(problem, argument="memo_hash")
        return None, checked_hash
    if memo_as_hash:
        return None, hash_memo(memo)  # type: ignore[arg-type]  # hash_memo too
    return None if memo is None else check_memo(memo), None
