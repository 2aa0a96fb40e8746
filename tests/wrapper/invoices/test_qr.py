"""QR codes of an invoice: what is in them, in what form, and when there is none."""

from __future__ import annotations

import struct
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import segno

from tazapay_lightning import ConfigurationError, InvalidArgumentError, InvalidBolt11Error, Invoice, InvoiceExpiredError
from tazapay_lightning.transport.replies import Reply
from tests.support.bolt11_encoder import D, P, S, field, payment_request
from tests.support.tables import each_row

NOW = int(datetime.now(UTC).timestamp())
REQUEST = payment_request(P, S, D, prefix="lnbcrt1234560n", timestamp=NOW)
DRAW: list[Callable[[Invoice], object]] = [Invoice.qr_svg, Invoice.qr_png, Invoice.qr_terminal]
each_form = pytest.mark.parametrize("draw", DRAW, ids=["svg", "png", "terminal"])


def invoice(**fields: Any) -> Invoice:
    return Invoice.from_payload({"id": "l11_1", "amount": 123456, "payment_request": REQUEST, **fields})


def expected_modules() -> list[list[bool]]:
    """Return the code as rows of dark modules, with the quiet zone around it."""
    code = segno.make_qr(f"LIGHTNING:{REQUEST.upper()}", error="L", boost_error=True)  # the best that fits its size
    assert code.mode == "alphanumeric"
    return [[bool(module) for module in row] for row in code.matrix_iter(border=4)]


def test_the_terminal_shows_the_uri_in_upper_case() -> None:
    rows: list[list[bool]] = []
    for line in invoice().qr_terminal().splitlines():
        assert line.startswith("\x1b[38;5;231;48;5;16m"), "white on black, whatever the theme"
        assert line.endswith("\x1b[0m")
        blocks = line.removeprefix("\x1b[38;5;231;48;5;16m").removesuffix("\x1b[0m")
        rows.append([block not in "█▀" for block in blocks])
        rows.append([block not in "█▄" for block in blocks])
    expected = expected_modules()
    assert rows[: len(expected)] == expected


def test_the_svg_is_one_element_that_takes_the_size_of_its_container() -> None:
    root = ET.fromstring(invoice().qr_svg())  # noqa: S314 - our own output
    size = len(expected_modules())
    assert root.tag == "svg"
    assert root.attrib == {"viewBox": f"0 0 {size} {size}"}
    assert root.findtext("title") == "QR code of the Lightning payment request"


def test_the_svg_is_dark_on_white_whatever_is_around_it() -> None:
    drawn = invoice().qr_svg()
    assert 'fill="#fff"' in drawn
    assert 'stroke="#000"' in drawn
    assert "class" not in drawn  # which a page's own style could catch


def test_the_png_has_eight_pixels_for_a_module() -> None:
    image = invoice().qr_png()
    width, height = struct.unpack(">II", image[16:24])
    assert (image[:8], width, height) == (
        b"\x89PNG\r\n\x1a\n",
        8 * len(expected_modules()),
        8 * len(expected_modules()),
    )


@pytest.mark.parametrize("scale", [1, 100])
def test_the_png_can_be_scaled(scale: int) -> None:
    (width,) = struct.unpack(">I", invoice().qr_png(scale=scale)[16:20])
    assert width == scale * len(expected_modules())


@each_row("scale", [0, -1, 101, 1.5, "8", True, None], ids=repr)
def test_a_scale_that_makes_no_sense_is_refused(scale: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="scale must be an int from 1 to 100 pixels; got") as caught:
        invoice().qr_png(scale=scale)
    assert f"got {scale!r}" in str(caught.value)
    assert caught.value.argument == "scale"


@each_form
@pytest.mark.parametrize(
    "fields",
    [{"status": "expired"}, {"created_at": "2025-09-28T08:15:30Z", "expiry_interval": 3600}],
    ids=["says the service", "says the clock"],
)
def test_an_expired_invoice_gives_an_error_instead_of_a_dead_code(
    fields: dict[str, Any], draw: Callable[[Invoice], object]
) -> None:
    expired = invoice(**fields)
    with pytest.raises(InvoiceExpiredError, match="^invoice l11_1 expired: make a new one to be paid$") as caught:
        draw(expired)
    assert caught.value.invoice is expired


@each_form
def test_a_payment_request_that_expired_by_itself_gives_an_error_too(draw: Callable[[Invoice], object]) -> None:
    soon = datetime.now(UTC).isoformat(timespec="seconds")
    dead = payment_request(P, S, D, prefix="lnbcrt1234560n", timestamp=NOW - 3601)
    expired = invoice(payment_request=dead, created_at=soon, expiry_interval=3600)
    with pytest.raises(InvoiceExpiredError, match="^invoice l11_1 expired: make a new one to be paid$") as caught:
        draw(expired)
    assert caught.value.invoice is expired


def test_an_id_of_any_length_is_told_in_80_characters() -> None:
    with pytest.raises(InvoiceExpiredError, match=f"^invoice {'x' * 80}... expired"):
        invoice(id="x" * 81, status="expired").qr_svg()


@each_form
@pytest.mark.parametrize("hours", [-2, 2])
def test_the_clock_that_counts_is_the_services(hours: int, draw: Callable[[Invoice], object]) -> None:
    service_time = datetime.now(UTC) + timedelta(hours=hours)

    def shown_at(moment: datetime) -> Invoice:
        headers = {"date": format_datetime(moment, usegmt=True)}
        return Invoice.from_reply(Reply(status_code=200, headers=headers, data=payload))

    payload = {
        "id": "l11_1",
        "amount": 123456,
        "payment_request": payment_request(P, S, D, timestamp=int(service_time.timestamp())),
        "created_at": service_time.isoformat(timespec="seconds"),
        "expiry_interval": 600,
    }
    assert draw(shown_at(service_time))
    with pytest.raises(InvoiceExpiredError):
        draw(shown_at(service_time + timedelta(seconds=601)))


@each_form
def test_an_invoice_that_still_lasts_has_a_code(draw: Callable[[Invoice], object]) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=5)
    assert draw(invoice(created_at=soon.isoformat(timespec="seconds"), expiry_interval=1))


@each_form
def test_an_invoice_without_a_payment_request_says_so(draw: Callable[[Invoice], object]) -> None:
    with pytest.raises(InvalidBolt11Error, match="^invoice l11_1 has no payment request") as caught:
        draw(invoice(payment_request=None))
    assert caught.value.argument == "bolt11"


@each_form
def test_a_payment_request_that_no_code_holds_says_so(draw: Callable[[Invoice], object]) -> None:
    unknown = field("g", [0] * 1000)
    long = payment_request(P, S, D, *[unknown] * 5, prefix="lnbcrt1234560n", timestamp=NOW)
    with pytest.raises(
        InvalidBolt11Error, match="^a payment request of [0-9]{4} characters is too long: show it"
    ) as caught:
        draw(invoice(payment_request=long))
    assert caught.value.argument == "bolt11"


@each_form
def test_without_segno_the_message_tells_what_to_install(
    draw: Callable[[Invoice], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "segno", None)
    with pytest.raises(
        ConfigurationError, match=r'^QR codes need segno: pip install "tazapay-lightning\[qr\]"$'
    ) as caught:
        draw(invoice())
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)
