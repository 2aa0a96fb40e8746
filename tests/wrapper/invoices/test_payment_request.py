"""Where the payment request is found in what the service says, and what it must agree with."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tazapay_lightning import InvalidBolt11Error, Invoice, InvoiceMismatchError, decode_bolt11, hash_memo
from tazapay_lightning.invoices.payment_request import find_payment_request
from tests.support.bolt11_encoder import D, P, S, field, of_bytes, of_number, payment_request
from tests.support.service import Answering, Create, envelope, invoice_object
from tests.support.tables import each_row

REQUEST = payment_request(P, S, D, prefix="lnbcrt1234560n")  # 123456 satoshi
OTHER = payment_request(P, S, D, prefix="lnbcrt1n")
MEMO = "Order #7890"


@pytest.mark.parametrize(
    "payload",
    [
        {"payment_request": REQUEST}, {"bolt11": REQUEST}, {"any_name_of_tomorrow": REQUEST},
        {"deep": {"deeper": [{"a": 1}, [REQUEST]]}}, {"a": REQUEST, "b": REQUEST}, {"a": REQUEST, "b": REQUEST.upper()},
        {"uri": f"lightning:{REQUEST}"}, {"uri": f"LIGHTNING:{REQUEST.upper()}"}, {"padded": f" {REQUEST}\n"},
        {"a": REQUEST, "metadata": {"note": OTHER}}, {"b": [{"c": "d"}, REQUEST, {"e": {"f": None}}]},
        {"b": [REQUEST, {"e": "f"}]},
    ],
)  # fmt: skip
def test_the_request_is_found_wherever_it_stands(payload: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    assert find_payment_request(payload) == REQUEST
    assert not caplog.records


@pytest.mark.parametrize(
    "payload",
    [{}, {"a": None, "b": 7, "c": ["x", {}]}, {"a": "a text that merely mentions lnbc"}, {REQUEST: "a key"}],
)
def test_where_there_is_none_there_is_no_warning(payload: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    assert find_payment_request(payload) is None
    assert not caplog.records


@each_row("name", ["metadata", "d_tag_memo", "d_tag", "h_tag_memo", "h_tag"])
def test_what_the_caller_wrote_is_not_searched(name: str) -> None:
    assert find_payment_request({name: REQUEST}) is None
    assert find_payment_request({name: {"inside": REQUEST}}) is None
    assert find_payment_request({"invoice": {name: REQUEST}}) is None


def test_two_different_requests_are_none_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    assert find_payment_request({"a": REQUEST, "b": OTHER}) is None
    assert [record.getMessage() for record in caplog.records] == [
        "the service sent 2 different payment requests; see Invoice.raw"
    ]


def caught_by_reading(text: str) -> str:
    with pytest.raises(InvalidBolt11Error) as caught:
        decode_bolt11(text)
    return str(caught.value).removeprefix("text is not a BOLT11 payment request: ")


def test_one_that_cannot_be_read_is_none_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    damaged = REQUEST[:-1] + ("q" if REQUEST[-1] != "q" else "p")
    assert find_payment_request({"a": damaged}) is None
    (record,) = caplog.records
    assert record.getMessage() == (
        "what looks like a payment request cannot be read; see Invoice.raw: text is not a BOLT11 payment request: "
        + str(caught_by_reading(damaged))
    )
    assert record.levelname == "WARNING"


def test_beside_one_that_cannot_be_read_another_one_is_not_believed(caplog: pytest.LogCaptureFixture) -> None:
    damaged = REQUEST[:-1] + ("q" if REQUEST[-1] != "q" else "p")
    assert find_payment_request({"payment_request": damaged, "note": OTHER}) is None
    assert find_payment_request({"note": OTHER, "payment_request": damaged}) is None
    assert len(caplog.records) == 2


@pytest.mark.parametrize(
    "payload",
    [
        {"metadata": {"note": OTHER}, "description": OTHER},
        {"metadata": json.dumps({"note": OTHER}), "description": f"lightning:{OTHER.upper()}"},
        {"metadata": json.dumps(json.dumps({"notes": [OTHER]})), "customer": {"name": OTHER}},
        {"d_tag_memo": OTHER, "memo": OTHER},
    ],
    ids=["object", "text", "twice", "memo"],
)
def test_what_the_caller_wrote_is_not_the_services_request_wherever_it_is_repeated(
    payload: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    assert find_payment_request(payload) is None
    assert [record.getMessage() for record in caplog.records] == [
        "the only payment request in the reply is also in the memo or the metadata; see Invoice.raw"
    ]
    assert find_payment_request({**payload, "payment_request": REQUEST}) == REQUEST


@pytest.mark.parametrize(
    "written", [[OTHER], [None, {"note": OTHER}], [{"a": [{"b": OTHER}]}]], ids=["memo", "metadata", "deep"]
)
def test_what_the_caller_wrote_counts_although_the_reply_does_not_say_so(written: list[object]) -> None:
    assert find_payment_request({"description": OTHER}, written=written) is None
    assert find_payment_request({"description": OTHER, "payment_request": REQUEST}, written=written) == REQUEST


NOISE = [
    "lightning: fast and cheap", "lightning:", "lightning:order", "lightning:fast1", "lnbc", "lntb", "lnbcash",
    "lnbc is how they begin", "lightning: lnbc1", "lnbc1 and more", "LNBC", "lnbc\n1",
]  # fmt: skip


@pytest.mark.parametrize("noise", NOISE)
def test_a_text_that_only_begins_like_a_request_does_not_hide_it(noise: str, caplog: pytest.LogCaptureFixture) -> None:
    for payload in ({"note": noise}, {"notes": [noise, {"d_tag_memo": noise}]}, {"d_tag_memo": noise, "memo": noise}):
        assert find_payment_request({**payload, "payment_request": REQUEST}, written=[noise]) == REQUEST
    assert not caplog.records


@each_row("own", [REQUEST[:-1] + "b", "lnbc1", OTHER, f"{OTHER} thanks", f"pay {OTHER}.", {OTHER: 1}], ids=repr)
@each_row("length", [None, 20])
def test_what_the_caller_wrote_neither_hides_nor_fakes_a_request_wherever_the_service_repeats_it(
    own: Any, length: int | None
) -> None:
    text = next(iter(own)) if isinstance(own, dict) else own
    for repeated in (text, text[text.index("ln") :].split()[0].rstrip(".")[:length]):
        elsewhere = {"description": repeated, "customer": {"note": repeated.upper()}}
        for payload, written in (({"metadata": {"a": own}}, []), ({}, [own])):
            assert find_payment_request({**payload, **elsewhere}, written=written) is None
            assert (
                find_payment_request({**payload, **elsewhere, "payment_request": REQUEST}, written=written) == REQUEST
            )


def test_json_in_a_memo_is_the_callers_whatever_its_form() -> None:
    assert find_payment_request({"d_tag_memo": f'["{OTHER}"]', "description": OTHER}) is None


def test_json_that_the_service_says_is_not_taken_for_the_callers() -> None:
    assert find_payment_request({"description": f'["{REQUEST}"]', "payment_request": REQUEST}) == REQUEST


def test_metadata_that_looks_like_json_and_is_none_is_passed_over() -> None:
    assert find_payment_request({"metadata": "{not json", "payment_request": REQUEST}) == REQUEST


def test_a_damaged_request_in_the_metadata_does_no_harm(caplog: pytest.LogCaptureFixture) -> None:
    assert find_payment_request({"metadata": {"note": REQUEST[:-1]}, "payment_request": REQUEST}) == REQUEST
    assert not caplog.records


def test_many_lookalikes_are_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    assert find_payment_request({"notes": ["lnbc1"] * 1000}) is None
    assert len(caplog.records) == 1


def test_a_payload_that_is_deeply_nested_is_searched_without_recursion() -> None:
    payload: dict[str, Any] = {"bolt11": REQUEST}
    for _ in range(100_000):
        payload = {"deeper": payload}
    assert find_payment_request(payload) == REQUEST
    while payload:  # taken apart step by step, or its destructor would recurse
        payload = payload.pop("deeper", {})


def test_an_invoice_has_the_request_and_its_uri() -> None:
    invoice = Invoice.from_payload({"id": "l11_1", "amount": 123456, "payment_request": REQUEST.upper()})
    assert (invoice.bolt11, invoice.lightning_uri) == (REQUEST, f"lightning:{REQUEST}")
    assert invoice.to_dict()["lightning_uri"] == f"lightning:{REQUEST}"


def test_an_invoice_without_a_request_has_no_uri() -> None:
    invoice = Invoice.from_payload({"id": "l11_1", "amount": 123456})
    assert (invoice.bolt11, invoice.lightning_uri) == (None, None)


# Compared with what was asked for


def reply_with(request: str, **fields: Any) -> Answering:
    return Answering(body=envelope(invoice_object(payment_request=request, **fields)))


def description(text: str) -> list[int]:
    return field("d", of_bytes(text.encode()))


@each_row("arguments", [{"metadata": {"note": OTHER}}, {"memo": OTHER}], ids=["metadata", "memo"])
def test_a_request_that_the_caller_sent_along_is_not_the_invoices(arguments: dict[str, Any], create: Create) -> None:
    answer = Answering(body=envelope(invoice_object(amount=10, description=OTHER)))
    invoice = create(answer, amount_sats=10, client={"check_echo": False}, **arguments)
    assert invoice.bolt11 is None


def described(text: str) -> str:
    return payment_request(P, S, description(text), prefix="lnbcrt1234560n")


def hashed(memo_hash: str) -> str:
    return payment_request(P, S, field("h", of_bytes(bytes.fromhex(memo_hash))), prefix="lnbcrt1234560n")


@each_row(
    ("request_", "arguments", "fields"),
    [
        (described(MEMO), {"memo": MEMO}, {"d_tag_memo": MEMO}),
        (hashed(hash_memo(MEMO)), {"memo": MEMO}, {"d_tag_memo": MEMO}),
        (hashed(hash_memo(MEMO)), {"memo": MEMO, "memo_as_hash": True}, {"h_tag_memo": hash_memo(MEMO)}),
        (hashed("ab" * 32), {"memo_hash": "AB" * 32}, {"h_tag_memo": "ab" * 32}),
        (described(MEMO), {"memo_hash": hash_memo(MEMO)}, {"h_tag_memo": hash_memo(MEMO)}),
        (described(""), {"memo": ""}, {}),
        (described(""), {"memo_hash": hash_memo("")}, {"h_tag_memo": hash_memo("")}),
        (described("whatever the service writes"), {}, {}),
        (hashed("ab" * 32), {}, {}),
    ],
    ids=[
        "memo",
        "hash of the memo",
        "memo as hash",
        "hash",
        "memo of the hash",
        "empty memo",
        "hash of nothing",
        "no memo",
        "no hash",
    ],
)
def test_a_request_for_what_was_asked_is_accepted(
    request_: str, arguments: dict[str, Any], fields: dict[str, Any], create: Create
) -> None:
    invoice = create(reply_with(request_, **fields), amount_sats=123456, **arguments)
    assert (invoice.bolt11, invoice.differences) == (request_, ())


@each_row(
    ("prefix", "words"),
    [
        ("lnbcrt1234570n", "over 123457000 millisatoshi"),
        ("lnbcrt12345600n", "over 1234560000 millisatoshi"),
        ("lnbcrt1234560010p", "over 123456001 millisatoshi"),
        ("lnbcrt", "over any number of millisatoshi"),
    ],
)
def test_a_request_over_another_amount_is_an_error(prefix: str, words: str, create: Create) -> None:
    request = payment_request(P, S, D, prefix=prefix)
    with pytest.raises(InvoiceMismatchError) as caught:
        create(reply_with(request), amount_sats=123456, idempotency_key="order-1")
    assert str(caught.value).startswith(
        f"asked for 123456 satoshi with the idempotency key 'order-1', but invoice l11_abc123xyz has a payment request "
        f"{words}; do not show it to a payer"
    )
    assert caught.value.invoice is not None
    assert caught.value.invoice.bolt11 == request
    assert [difference.field for difference in caught.value.differences] == ["bolt11_amount_msat"]


@each_row(
    ("request_", "arguments", "fields"),
    [
        (described("Order #7891"), {"memo": MEMO}, {"d_tag_memo": MEMO}),
        (described(""), {"memo": MEMO}, {"d_tag_memo": MEMO}),
        (hashed(hash_memo("Order #7891")), {"memo": MEMO}, {"d_tag_memo": MEMO}),
        (hashed("cd" * 32), {"memo_hash": "ab" * 32}, {"h_tag_memo": "ab" * 32}),
        (described(MEMO), {"memo_hash": "ab" * 32}, {"h_tag_memo": "ab" * 32}),
        (described("ab" * 20 + "..."), {"memo_hash": "ab" * 32}, {"h_tag_memo": "ab" * 32}),
    ],
    ids=["another memo", "no memo", "hash of another memo", "another hash", "memo of another hash", "part of the hash"],
)
def test_a_request_for_another_purpose_is_an_error(
    request_: str, arguments: dict[str, Any], fields: dict[str, Any], create: Create
) -> None:
    with pytest.raises(
        InvoiceMismatchError, match="invoice l11_abc123xyz has a payment request for another purpose than the memo"
    ) as caught:
        create(reply_with(request_, **fields), amount_sats=123456, **arguments)
    assert "Order" not in str(caught.value)
    assert [difference.field for difference in caught.value.differences] == ["bolt11_description"]


@each_row("request_", [described("Order"), hashed(hash_memo("Order"))], ids=["described", "hashed"])
def test_a_request_for_the_memo_as_the_service_has_cut_it_is_listed(request_: str, create: Create) -> None:
    invoice = create(reply_with(request_, d_tag_memo="Order"), amount_sats=123456, memo=MEMO)
    assert [(each.field, each.received) for each in invoice.differences] == [
        ("memo", "Order"),
        ("bolt11_description", "Order"),
    ]


def test_a_request_without_the_blanks_of_a_blank_memo_is_listed(create: Create) -> None:
    invoice = create(reply_with(described(""), d_tag_memo="   "), amount_sats=123456, memo="   ")
    assert [each.field for each in invoice.differences] == ["bolt11_description"]


def test_the_difference_in_purpose_names_both_sides(create_everywhere: Create) -> None:
    invoice = create_everywhere(
        reply_with(described("Order #7891"), d_tag_memo=MEMO),
        amount_sats=123456,
        memo=MEMO,
        client={"check_echo": False},
    )
    (difference,) = invoice.differences
    assert (difference.asked, difference.received) == (MEMO, "Order #7891")


def test_the_difference_from_a_hash_names_the_hash(create: Create) -> None:
    invoice = create(
        reply_with(hashed("cd" * 32), h_tag_memo="ab" * 32),
        amount_sats=123456,
        memo_hash="ab" * 32,
        client={"check_echo": False},
    )
    (difference,) = invoice.differences
    assert (difference.asked, difference.received) == ("ab" * 32, "cd" * 32)


def test_another_expiry_in_the_request_is_listed(create: Create, caplog: pytest.LogCaptureFixture) -> None:
    request = payment_request(P, S, D, field("x", of_number(60)), prefix="lnbcrt1234560n")
    invoice = create(reply_with(request), amount_sats=123456, expires_in=3600)
    (difference,) = invoice.differences
    assert (difference.field, difference.asked, difference.received) == ("bolt11_expiry", 3600, 60)
    assert "bolt11_expiry differ" in caplog.text


def test_an_expiry_left_to_the_service_is_not_compared(create: Create) -> None:
    request = payment_request(P, S, D, field("x", of_number(60)), prefix="lnbcrt1234560n")
    assert create(reply_with(request), amount_sats=123456).differences == ()
