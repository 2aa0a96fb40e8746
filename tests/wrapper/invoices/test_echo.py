"""The invoice that comes back is compared with what was asked for."""

from __future__ import annotations

import itertools
import json
import pickle
from typing import Any

import httpx
import pytest

from tazapay_lightning import Difference, Invoice, InvoiceMismatchError, LightningClient, hash_memo
from tazapay_lightning.invoices import echo
from tests.support.service import API_KEY, API_SECRET, Answering, Create, Handler, envelope, invoice_object

ASKED: dict[str, Any] = {"amount_sats": 123456, "memo": "Order", "expires_in": 3600}


def answering(**fields: Any) -> Answering:
    return Answering(200, envelope(invoice_object(**{"d_tag_memo": "Order", **fields})))


def test_an_invoice_as_asked_for_has_no_differences(
    create_everywhere: Create, caplog: pytest.LogCaptureFixture
) -> None:
    assert create_everywhere(answering(), **ASKED).differences == ()
    assert not [record for record in caplog.records if record.name == "tazapay_lightning"]


@pytest.mark.parametrize(
    ("asked", "received"),
    [
        ({"order_id": 7890}, {"order_id": "7890"}),
        ({"paid": True, "lines": [1.0, {"a": None}]}, '{"paid": "true", "lines": ["1.0", {"a": null}]}'),
        ({}, {}),
        ({}, None),
        ({"a": "b"}, '"{\\"a\\": \\"b\\"}"'),
        (None, {"of": "the account"}),
    ],
)
def test_metadata_that_reads_the_same_is_no_difference(asked: Any, received: Any, create: Create) -> None:
    assert create(answering(metadata=received), **ASKED, metadata=asked).differences == ()


@pytest.mark.parametrize("amount", [1, 123455, 12345600, 0])
def test_another_amount_is_an_error_that_carries_the_invoice(amount: int, create: Create) -> None:
    with pytest.raises(InvoiceMismatchError, match="asked for 123456 satoshi.*do not show it to a payer") as caught:
        create(answering(amount=amount), **ASKED)
    assert caught.value.differences == (Difference("amount_sats", 123456, amount),)
    assert caught.value.invoice is not None
    assert (caught.value.invoice.amount_sats, caught.value.invoice.differences) == (amount, caught.value.differences)


def test_without_check_echo_another_amount_is_only_listed(create: Create) -> None:
    invoice = create(answering(amount=1), client={"check_echo": False}, **ASKED)
    assert invoice.differences == (Difference("amount_sats", 123456, 1),)


@pytest.mark.parametrize(
    ("arguments", "fields", "difference"),
    [
        ({"memo": "Order 7890"}, {"d_tag_memo": "Order 78..."}, Difference("memo", "Order 7890", "Order 78...")),
        ({"memo": "Größe"}, {"d_tag_memo": "Gr??e"}, Difference("memo", "Größe", "Gr??e")),
        ({"memo": "Order"}, {"d_tag_memo": None}, Difference("memo", "Order", None)),
        ({"memo": "Order", "metadata": {"a": "b"}}, {"metadata": None}, Difference("metadata", {"a": "b"}, {})),
        ({"memo": "Order", "metadata": {"a": "b"}}, {"metadata": "{"}, Difference("metadata", {"a": "b"}, {})),
        (
            {"memo": "Order", "metadata": {"a": "bc"}},
            {"metadata": {"a": "b"}},
            Difference("metadata", {"a": "bc"}, {"a": "b"}),
        ),
        (
            {"memo": "Order", "metadata": {"a": 1}},
            {"metadata": {"a": 1, "b": 2}},
            Difference("metadata", {"a": 1}, {"a": 1, "b": 2}),
        ),
        ({}, {"d_tag_memo": "Nobody asked"}, Difference("memo", None, "Nobody asked")),
        ({"memo_hash": "ab" * 32}, {"h_tag_memo": "cd" * 32}, Difference("memo_hash", "ab" * 32, "cd" * 32)),
        ({"memo_hash": "ab" * 32}, {}, Difference("memo_hash", "ab" * 32, None)),
        ({}, {"d_tag_memo": None, "h_tag_memo": "cd" * 32}, Difference("memo_hash", None, "cd" * 32)),
        ({"memo": "Order", "expires_in": 60}, {}, Difference("expiry_interval", 60, 3600)),
        ({"memo": "Order", "expires_in": 60}, {"expiry_interval": None}, Difference("expiry_interval", 60, None)),
    ],
)
def test_other_differences_are_listed_and_logged_without_their_values(
    arguments: dict[str, Any],
    fields: dict[str, Any],
    difference: Difference,
    create: Create,
    caplog: pytest.LogCaptureFixture,
) -> None:
    invoice = create(answering(**fields), amount_sats=123456, **arguments)
    assert invoice.differences == (difference,)
    *_, warning = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert f"{difference.field} differ; see Invoice.differences" in warning
    assert not any(str(value) in warning for value in (difference.asked, difference.received) if value is not None)


@pytest.mark.parametrize(
    ("arguments", "fields"),
    [
        ({"memo_hash": "AB" * 32}, {"h_tag_memo": "ab" * 32}),
        ({"memo": "Order", "memo_as_hash": True}, {"d_tag_memo": None, "h_tag_memo": hash_memo("Order")}),
        ({"memo": "Order", "memo_as_hash": True}, {"d_tag_memo": None, "h_tag": hash_memo("Order")}),
        ({}, {"d_tag_memo": ""}),
        ({}, {"d_tag_memo": None, "h_tag_memo": ""}),
        ({}, {"d_tag_memo": None, "expiry_interval": 7}),
    ],
)
def test_what_means_the_same_is_no_difference(
    arguments: dict[str, Any], fields: dict[str, Any], create: Create
) -> None:
    assert create(answering(**fields), amount_sats=123456, **arguments).differences == ()


def test_a_mismatch_is_told_in_these_words(create_everywhere: Create) -> None:
    with pytest.raises(InvoiceMismatchError) as caught:
        create_everywhere(answering(amount=7), **ASKED, idempotency_key="order-7890")
    assert caught.value.args[0] == (
        "asked for 123456 satoshi with the idempotency key 'order-7890', but invoice l11_abc123xyz is over 7 satoshi; "
        "do not show it to a payer. An idempotency key that was used before for another order is answered with the "
        "invoice of that time"
    )
    assert caught.value.invoice is not None
    assert caught.value.invoice.idempotency_key == "order-7890"


OTHERS: list[tuple[dict[str, Any], dict[str, Any], Difference, str]] = [
    (
        {"memo": "Order 7890"},
        {"d_tag_memo": "Order 7891"},
        Difference("memo", "Order 7890", "Order 7891"),
        "has a memo",
    ),
    ({"memo": "Order 789"}, {"d_tag_memo": "Order 7890"}, Difference("memo", "Order 789", "Order 7890"), "has a memo"),
    (
        {"metadata": {"order_id": 7890, "a": "b"}},
        {"metadata": {"order_id": 7891}},
        Difference("metadata", {"order_id": 7890, "a": "b"}, {"order_id": 7891}),
        "has another value in its metadata",
    ),
    (
        {"metadata": {"order": {"id": "7890"}}},
        {"metadata": '{"order": {"id": "7891"}}'},
        Difference("metadata", {"order": {"id": "7890"}}, {"order": {"id": "7891"}}),
        "has another value in its metadata",
    ),
]


@pytest.mark.parametrize(("arguments", "fields", "difference", "words"), OTHERS)
def test_what_proves_another_order_is_an_error_whose_message_tells_no_text(
    arguments: dict[str, Any], fields: dict[str, Any], difference: Difference, words: str, create: Create
) -> None:
    with pytest.raises(InvoiceMismatchError, match=f"invoice l11_abc123xyz {words}") as caught:
        create(answering(**fields), **{"amount_sats": 123456, "memo": "Order", **arguments})
    assert caught.value.differences == (difference,)
    assert "789" not in str(caught.value).replace(
        str(caught.value.invoice and caught.value.invoice.idempotency_key), ""
    )


@pytest.mark.parametrize(("arguments", "fields", "difference", "words"), OTHERS)
def test_without_check_echo_what_proves_another_order_is_listed(
    arguments: dict[str, Any], fields: dict[str, Any], difference: Difference, words: str, create: Create
) -> None:
    asked = {"amount_sats": 123456, "memo": "Order", **arguments}
    assert create(answering(**fields), client={"check_echo": False}, **asked).differences == (difference,)


def test_an_invoice_with_other_metadata_can_be_hashed_pickled_and_written_as_json(create: Create) -> None:
    invoice = create(answering(metadata=None), **ASKED, metadata={"a": ["b"]})
    assert hash(invoice) == hash(pickle.loads(pickle.dumps(invoice)))  # noqa: S301 - our own bytes
    assert json.loads(json.dumps(invoice.to_dict()))["differences"] == [
        {"field": "metadata", "asked": {"a": ["b"]}, "received": {}}
    ]


# An invoice that was given before


def client_of(handler: Handler, **options: Any) -> LightningClient:
    http_client = httpx.Client(transport=httpx.MockTransport(handler))
    return LightningClient(API_KEY, API_SECRET, http_client=http_client, **options)


def given(client: LightningClient, key: str) -> Invoice:
    return client.create_invoice(amount_sats=123456, idempotency_key=key)


def test_an_invoice_under_a_second_key_is_refused_by_the_name_of_both() -> None:
    client = client_of(Answering())
    given(client, "order-1")
    with pytest.raises(InvoiceMismatchError) as caught:
        given(client, "order-2")
    assert caught.value.differences == (Difference("id", "order-2", "order-1"),)
    words = "idempotency key 'order-2', but invoice l11_abc123xyz was given for the idempotency key 'order-1'; do not"
    assert words in str(caught.value)


def test_an_invoice_of_another_amount_under_a_second_key_is_refused_for_both() -> None:
    client = client_of(Answering())
    given(client, "order-1")
    with pytest.raises(InvoiceMismatchError) as caught:
        client.create_invoice(amount_sats=7, idempotency_key="order-2")
    assert [each.field for each in caught.value.differences] == ["amount_sats", "id"]


def test_without_check_echo_an_invoice_under_a_second_key_is_listed() -> None:
    client = client_of(Answering(), check_echo=False)
    assert given(client, "order-1").differences == ()
    assert given(client, "order-2").differences == (Difference("id", "order-2", "order-1"),)


def test_an_invoice_under_its_own_key_is_given_as_often_as_it_is_asked_for() -> None:
    client = client_of(Answering())
    assert len({given(client, "order-1") for _ in range(3)}) == 1


def test_an_invoice_that_was_there_before_is_no_answer_to_a_key_made_for_this_call() -> None:
    client = client_of(Answering())
    client.get_invoice("l11_abc123xyz")
    with pytest.raises(InvoiceMismatchError, match="but invoice l11_abc123xyz was there before; do not") as caught:
        client.create_invoice(amount_sats=123456)
    assert [each.field for each in caught.value.differences] == ["id"]


def test_it_may_be_the_answer_to_a_key_of_an_earlier_run() -> None:
    client = client_of(Answering())
    client.get_invoice("l11_abc123xyz")
    assert given(client, "order-1").differences == ()
    with pytest.raises(InvoiceMismatchError):
        given(client, "order-2")


def test_clients_on_the_same_connections_know_of_each_others_invoices() -> None:
    client = client_of(Answering())
    given(client.with_options(max_retries=0), "order-1")
    with pytest.raises(InvoiceMismatchError):
        given(client.with_options(headers={"X-A": "1"}), "order-2")


def test_an_invoice_that_was_refused_is_still_its_own_orders() -> None:
    client = client_of(Answering())
    with pytest.raises(InvoiceMismatchError):
        client.create_invoice(amount_sats=7, idempotency_key="order-1")
    assert given(client, "order-2").differences == ()


def test_the_invoices_that_a_client_remembers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(echo, "_MAX_KNOWN_INVOICES", 3)
    ids = itertools.count()

    def answer(request: httpx.Request) -> httpx.Response:
        number = next(ids) if request.method == "POST" else request.url.path.rpartition("_")[2]
        return httpx.Response(200, content=envelope(invoice_object(id=f"l11_{number}")))

    client = client_of(answer)
    for number in range(10):
        given(client, f"order-{number}")
    assert list(client._known) == ["l11_7", "l11_8", "l11_9"]
    for name in ("l11_a", "l11_9", "l11_b"):
        client.get_invoice(name)
    assert list(client._known) == ["l11_9", "l11_a", "l11_b"]


@pytest.mark.parametrize(("length", "shown"), [(80, "i" * 80), (81, "i" * 80 + "...")])
def test_other_differences_are_logged_in_these_words(
    length: int, shown: str, create: Create, caplog: pytest.LogCaptureFixture
) -> None:
    create(answering(id="i" * length, d_tag_memo="Ord", expiry_interval=7), **ASKED)
    assert [record.getMessage() for record in caplog.records if record.name == "tazapay_lightning"] == [
        f"invoice {shown} is not quite what was asked for: memo, expiry_interval differ; see Invoice.differences"
    ]
