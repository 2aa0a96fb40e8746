"""HTML. Every value goes through `escape`, the memo and the customer's name above all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from html import escape

from examples.checkout.catalogue import Product
from examples.checkout.orders import Attempt, Order, State, memo, state_of
from tazapay_lightning import InvalidBolt11Error, Invoice, InvoiceExpiredError, format_btc

__all__ = ["MAX_NAME_LENGTH", "order_form", "order_page", "problem_page", "version"]

SHOP = "Corner Coffee"
MAX_NAME_LENGTH = 60
"""In characters, so that the memo stays far below the 639 bytes of BOLT #11."""


def version(order: Order, attempt: Attempt | None) -> str:
    """Return what tells an open page that it is out of date."""
    return f"{state_of(order, attempt)}-{attempt.number if attempt else 0}"


def order_form(catalogue: Mapping[str, Product], token: str) -> str:
    """Return the page on which something is ordered."""
    choices = "\n".join(
        f"""<label class="choice"><input type="radio" name="product" value="{escape(key)}" required{
            " checked" if number == 0 else ""
        }>
<span><strong>{escape(product.name)}</strong><br>{escape(product.description)}</span>
<span class="price">{_amounts(product.price_sats)}</span></label>"""
        for number, (key, product) in enumerate(catalogue.items())
    )
    return _page(
        "Order",
        f"""<main id="main">
<h1>What would you like?</h1>
<form method="post" action="/orders">
<input type="hidden" name="token" value="{escape(token)}">
<fieldset><legend class="unseen">Products</legend>
{choices}
</fieldset>
<label for="name">Name on the order <span class="quiet">(optional)</span></label>
<input id="name" name="name" maxlength="{MAX_NAME_LENGTH}" autocomplete="given-name">
<button type="submit">Order and pay with Lightning</button>
</form>
</main>""",
    )


def order_page(order: Order, attempt: Attempt | None, now: datetime, *, with_emulator: bool) -> str:
    """Return the page of an order, whatever its state.

    Args:
        order: to be shown.
        attempt: its latest one.
        now: our clock, for the time that is left.
        with_emulator: whether to offer what only an emulator can do.
    """
    state = state_of(order, attempt)
    if state is State.WAITING and attempt is not None and attempt.invoice is not None:
        says, content = "Waiting for your payment.", _waiting(order, attempt, attempt.invoice, now)
        content += _emulator(order) if with_emulator else ""
    elif state is State.EXPIRED and attempt is not None:
        says, content = "The invoice expired.", _expired(order, attempt)
    else:
        says, content = {
            State.PAID: ("Paid. Thank you!", _paid(order)),
            State.HELD: ("Your payment needs a look by our staff.", _held(order)),
        }.get(state, ("Your invoice is being prepared.", _asked(order)))
    body = f"""<main id="main" data-version="{version(order, attempt)}" data-says="{says}"
 data-final="{"yes" if state is State.PAID else "no"}">
{content}
</main>"""
    return _page(says, body, refresh=state in {State.ASKED, State.WAITING})


def problem_page(title: str, advice: str) -> str:
    """Return the page for what went wrong."""
    return _page(
        title,
        f"""<main id="main"><h1>{escape(title)}</h1><p>{escape(advice)}</p>
<p><a href="/">To the order page</a></p></main>""",
    )


def _waiting(order: Order, attempt: Attempt, invoice: Invoice, now: datetime) -> str:
    return f"""<h1 tabindex="-1">Pay {_amounts(order.amount_sats)}</h1>
<p>{escape(invoice.memo or memo(order))}</p>
<div class="payable">
{_time_left(attempt, now)}
{_payment_request(invoice)}
</div>
<p class="too-late">The time for this invoice is over. Looking whether it was paid …</p>
<p class="quiet">This page changes by itself as soon as the payment arrives.</p>
<noscript><p class="quiet">Without JavaScript it looks every five seconds.</p></noscript>"""


def _payment_request(invoice: Invoice) -> str:
    try:
        code = invoice.qr_svg()
    except InvoiceExpiredError:  # by our clock; the service has not said so yet
        return "<p>The time for this invoice is over. Looking whether it was paid …</p>"
    except InvalidBolt11Error:
        return (
            f"<p>The payment service sent nothing to scan for invoice {escape(invoice.id)}. Please ask our staff.</p>"
        )
    return f"""<div class="code" role="img" aria-label="QR code of the payment request">{code}</div>
<p><a class="button" href="{escape(invoice.lightning_uri or "")}">Open in your wallet</a></p>
<label for="request">Payment request</label>
<textarea id="request" readonly rows="3" spellcheck="false">{escape(invoice.bolt11 or "")}</textarea>
<button type="button" id="copy" class="second" hidden>Copy</button>"""


def _time_left(attempt: Attempt, now: datetime) -> str:
    left = attempt.seconds_left(now)
    return (
        f'<p class="countdown">Time left: <span id="left" role="timer" data-seconds="{left}">'
        f"{left // 60}:{left % 60:02}</span></p>"
    )


def _emulator(order: Order) -> str:
    return f"""
<section class="emulator" aria-labelledby="emulator"><h2 id="emulator">Emulator</h2>
<p>No real wallet can pay this invoice: it is for a test network that does not exist.</p>
<form method="post" action="/orders/{order.id}/emulator/pay">
<button type="submit" class="second">Pay (emulator)</button></form>
<form method="post" action="/orders/{order.id}/emulator/expire">
<button type="submit" class="second">Let it expire (emulator)</button></form></section>"""


def _expired(order: Order, attempt: Attempt) -> str:
    return f"""<h1 tabindex="-1">The invoice expired</h1>
<p>Please do not pay it any more. Your order of {escape(order.title)} is still there:
a new invoice is over the same amount, {_amounts(order.amount_sats)}.</p>
<form method="post" action="/orders/{order.id}/invoices"><input type="hidden" name="after" value="{attempt.number}">
<button type="submit">New invoice</button></form>
<p class="quiet">Did you pay in the last moment? That is noticed even now, and there is no second invoice then.</p>"""


def _paid(order: Order) -> str:
    return f"""<h1 tabindex="-1" class="good"><span aria-hidden="true">✓</span> Paid. Thank you!</h1>
<p>{escape(memo(order))}</p>
<p>{_amounts(order.amount_sats)}</p>
<p>Pick-up code: <strong class="pickup">{order.id[-6:].upper()}</strong></p>
<p><a class="button" href="/">Order something else</a></p>"""


def _held(order: Order) -> str:
    return f"""<h1 tabindex="-1">Your payment needs a look by our staff</h1>
<p>It arrived, but not as we expected. Please name this order: <strong>{order.id[:8]}</strong>. Do not pay again.</p>"""


def _asked(order: Order) -> str:
    return f"""<h1 tabindex="-1">Your invoice is being prepared</h1>
<p>{escape(memo(order))}</p>
<p>{_amounts(order.amount_sats)}</p>
<p class="quiet">Nothing was charged. This page keeps trying, and never orders twice.</p>
<noscript><p class="quiet">It looks again every five seconds.</p></noscript>"""


def _amounts(sats: int) -> str:
    return f'<span class="amount">{format_btc(sats)} BTC</span> <span class="amount quiet">{sats:,} sat</span>'


def _page(title: str, body: str, *, refresh: bool = False) -> str:
    without_script = '<noscript><meta http-equiv="refresh" content="5"></noscript>' if refresh else ""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)} · {SHOP}</title>
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/checkout.css">
<script src="/static/checkout.js" defer></script>
{without_script}
</head>
<body>
<header><a href="/">{SHOP}</a></header>
{body}
<p id="announcer" class="unseen" role="status" aria-live="polite"></p>
</body>
</html>
"""
