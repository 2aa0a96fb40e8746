"""The page as HTML, and the QR codes in it. Its texts come from strangers: the templates escape every value."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from shlex import quote
from typing import Any

import segno
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tazapay_lightning_emulator.api.operations import INVOICES_PATH
from tazapay_lightning_emulator.dashboard import wording
from tazapay_lightning_emulator.dashboard.fault_words import GROUPS
from tazapay_lightning_emulator.dashboard.parts import Parts
from tazapay_lightning_emulator.invoices.invoice import Invoice
from tazapay_lightning_emulator.invoices.store import StoredInvoice
from tazapay_lightning_emulator.shell import export_lines

MAX_INVOICES, MAX_REQUESTS, MAX_WEBHOOKS = 50, 200, 50
"""How many of each are shown, the newest first; an emulator may hold 100,000."""

_MAX_METADATA_CHARACTERS = 2_000

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    auto_reload=False,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters |= {name: getattr(wording, name) for name in ("visible", "satoshi", "bitcoin", "span", "moment")}


def rendered(template: str, values: Mapping[str, Any]) -> str:
    """A template with these values."""
    return _templates.get_template(template).render(values)


def page(parts: Parts, origin: str, problem: str = "") -> str:
    """The page as it is now.

    Args:
        parts: of the emulator.
        origin: the address at which the emulator was visited, without a path.
        problem: what was wrong with the form that was sent.
    """
    now = parts.book.clock.now()
    stored, all_invoices = parts.book.store.newest(MAX_INVOICES)
    requests, all_requests = parts.plan.newest(MAX_REQUESTS)
    deliveries = parts.webhooks.deliveries()
    values = {
        "now": now,
        "ahead": parts.book.clock.ahead,
        "problem": problem,
        "origin": origin,
        "settings": export_lines(
            origin, parts.credentials.api_key, parts.credentials.api_secret, parts.webhooks.secret
        ),
        "example": _example(parts, origin),
        "invoices": [_shown(each, now) for each in stored],
        "all_invoices": all_invoices,
        "requests": requests,
        "all_requests": all_requests,
        "webhooks": deliveries[: -MAX_WEBHOOKS - 1 : -1],
        "all_webhooks": len(deliveries),
        "webhook_url": parts.webhooks.url,
        "plan": parts.plan.to_dict(),
        "fault_groups": GROUPS,
    }
    return rendered("page.html", values)


def qr_code(payment_request: str) -> bytes:
    """The QR code of a payment request, as wallets scan it, in SVG."""
    written = io.BytesIO()
    # upper case needs half the space of lower case, and bech32 means the same in both
    code = segno.make_qr(f"LIGHTNING:{payment_request.upper()}", error="L")
    code.save(written, kind="svg", omitsize=True, light="#fff", svgclass=None, lineclass=None)
    return written.getvalue()


def _example(parts: Parts, origin: str) -> str:
    credentials = quote(f"{parts.credentials.api_key}:{parts.credentials.api_secret}")
    return (
        f"curl -u {credentials} -H 'Content-Type: application/json' \\\n"
        f"""  -d '{{"amount": 5000, "d_tag_memo": "Tea"}}' \\\n  {quote(origin + INVOICES_PATH)}"""
    )


def _shown(stored: StoredInvoice, now: datetime) -> dict[str, Any]:
    invoice = stored.invoice
    metadata = json.dumps(invoice.metadata, ensure_ascii=False) if invoice.metadata else ""
    return {
        "invoice": invoice,
        "state": _state(invoice, now),
        "left": invoice.expires_at - now,
        "metadata": wording.visible(metadata, _MAX_METADATA_CHARACTERS),
        "key": stored.idempotency_key,
        "replays": stored.replays,
    }


def _state(invoice: Invoice, now: datetime) -> str:
    expired = invoice.has_expired(now)
    if invoice.paid_at is None:
        return "expired" if expired else "waiting"
    return "paid late" if expired else "paid"
