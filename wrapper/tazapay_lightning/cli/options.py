"""The options that several commands share, in the groups in which `--help` shows them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

SERVICE, OUTPUT, WAITING = "Service", "Output", "Waiting"


def _image(path: Path | None) -> Path | None:
    """Refuse a file that no image can be written to, before anything is sent."""
    if path is None:
        return None
    if path.suffix.lower() not in {".svg", ".png"}:
        raise typer.BadParameter("the file must end in .svg or .png")
    if path.is_dir() or not os.access(path.parent, os.W_OK | os.X_OK):
        raise typer.BadParameter(f"no file can be written there: {path}")
    return path


InvoiceId = Annotated[str, typer.Argument(metavar="ID", help="The id of an invoice, such as l11_abc123xyz.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.", rich_help_panel=OUTPUT)]
Qr = Annotated[bool, typer.Option(help="Show a QR code of the payment request.", rich_help_panel=OUTPUT)]
QrFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", callback=_image, help="Write the QR code to this .svg or .png file.", rich_help_panel=OUTPUT
    ),
]
Timeout = Annotated[
    float | None,
    typer.Option(help="Seconds to wait at most; left out, until the invoice expires.", rich_help_panel=WAITING),
]
PollInterval = Annotated[
    float | None, typer.Option(help="Seconds between the first two looks; 1 if left out.", rich_help_panel=WAITING)
]
BaseUrl = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Another address; or TAZAPAY_BASE_URL.", rich_help_panel=SERVICE),
]
Environment = Annotated[
    str | None,
    typer.Option(
        help='"sandbox" or "production"; or TAZAPAY_ENVIRONMENT; or sandbox.',
        autocompletion=lambda: ["sandbox", "production"],
        rich_help_panel=SERVICE,
    ),
]
