"""The options that several commands share, and the groups in which `--help` shows options and commands."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

INVOICES, MANY, OFFLINE = "Invoices", "Many orders", "Without an account"
"""Groups of commands."""

amount, memo, order, waiting, pace, service, output = (
    partial(typer.Option, rich_help_panel=group)
    for group in ("Amount", "Memo", "Order", "Waiting", "Pace", "Service", "Output")
)
"""Options of a group, each as `typer.Option` makes them."""


def _image(path: Path | None) -> Path | None:
    """Refuse a file that no image can be written to, before anything is sent."""
    if path is not None and path.suffix.lower() not in {".svg", ".png"}:
        raise typer.BadParameter("the file must end in .svg or .png")
    if path is not None and (path.is_dir() or not os.access(path.parent, os.W_OK | os.X_OK)):
        raise typer.BadParameter(f"no file can be written there: {path}")
    return path


InvoiceId = Annotated[str, typer.Argument(metavar="ID", help="The id of an invoice, such as l11_abc123xyz.")]
METADATA = order(metavar="KEY=VALUE", help="May be repeated.")
AsJson = Annotated[bool, output("--json", help="Print one JSON document on stdout.")]
Qr = Annotated[bool, output(help="Show a QR code of the payment request.")]
QrFile = Annotated[Path | None, output(metavar="FILE", callback=_image, help="Write it to this .svg or .png file.")]
Timeout = Annotated[float | None, waiting(help="Seconds to wait at most; left out, until the invoice expires.")]
PollInterval = Annotated[float | None, waiting(help="Seconds between the first two polls; 1 if left out.")]
BaseUrl = Annotated[str | None, service(metavar="URL", help="Another address; or TAZAPAY_BASE_URL.")]
_ENVIRONMENTS = '"sandbox" or "production"; or TAZAPAY_ENVIRONMENT; or sandbox.'
Environment = Annotated[str | None, service(help=_ENVIRONMENTS, autocompletion=lambda: ["sandbox", "production"])]
