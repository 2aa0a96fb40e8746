"""HTML, from templates that escape every value by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from examples.checkout.catalogue import Product
from examples.checkout.fiat import FiatPrice
from examples.checkout.forms import MAX_NAME_LENGTH, OrderForm
from examples.checkout.orders import Attempt, Order, State, memo, state_of
from tazapay_lightning import InvalidBolt11Error, Invoice, InvoiceExpiredError, format_btc

__all__ = ["order_form", "order_page", "problem_page", "version"]

SHOP = "Corner Coffee"

_TITLES = {
    State.ASKED: "Your invoice is being prepared.",
    State.WAITING: "Waiting for your payment.",
    State.PAID: "Paid. Thank you!",
    State.HELD: "Your payment needs a look by our staff.",
    State.EXPIRED: "The invoice expired.",
}
_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters["btc"] = format_btc
_templates.filters["minute"] = lambda moment: f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def version(order: Order, attempt: Attempt | None) -> str:
    """Return what tells an open page that it is out of date."""
    state = state_of(order, attempt)
    known = f"{state}-{attempt.number if attempt else 0}"
    lacks_code = state is State.WAITING and attempt and attempt.invoice and attempt.invoice.bolt11 is None
    return f"{known}-no-code" if lacks_code else known  # the service may tell it later


def order_form(catalogue: Mapping[str, Product], form: OrderForm) -> str:
    """Return the page on which something is ordered, with what is in the form already."""
    title = "Please look at your order again" if form.problems else "Order"
    return _page("form", title, catalogue=catalogue, form=form, max_name_length=MAX_NAME_LENGTH)


def order_page(
    order: Order, attempt: Attempt | None, now: datetime, *, with_emulator: bool, fiat: FiatPrice | None = None
) -> str:
    """Return the page of an order, whatever its state.

    Args:
        order: to be shown.
        attempt: the one that paid, else its latest one.
        now: our clock, for the time that is left.
        with_emulator: whether to offer what only an emulator can do.
        fiat: the amount in another currency, to compare with.
    """
    state = state_of(order, attempt)
    invoice = attempt.invoice if attempt else None
    return _page(
        "order",
        _TITLES[state],
        state=state,
        version=version(order, attempt),
        final=state is State.PAID,
        refresh=state in {State.ASKED, State.WAITING},
        order=order,
        memo=memo(order),
        attempt=attempt,
        invoice=invoice,
        left=attempt.seconds_left(now) if attempt else 0,
        code=_code(invoice) if invoice and state is State.WAITING else None,
        with_emulator=with_emulator,
        fiat=fiat,
    )


def problem_page(
    title: str, advice: str, *, order: Order | None = None, final: bool = False, looks_again: bool = False
) -> str:
    """Return the page for what went wrong.

    Args:
        title: what.
        advice: what to do about it.
        order: to which the page leads back; None leads to the order form.
        final: whether a page that is open on this address may stop looking.
        looks_again: whether the page looks by itself for what should be at its address, which is an order's.
    """
    followed = final or looks_again
    return _page("problem", title, refresh=looks_again, advice=advice, order=order, followed=followed, final=final)


def _page(template: str, title: str, *, refresh: bool = False, **values: object) -> str:
    return _templates.get_template(f"{template}.html").render(shop=SHOP, title=title, refresh=refresh, **values)


def _code(invoice: Invoice) -> Markup | None:
    try:
        return Markup(invoice.qr_svg())  # noqa: S704 - HTML already, drawn from a payment request that was read
    except (InvoiceExpiredError, InvalidBolt11Error):
        return None
