"""The options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
BaseUrl = Annotated[str | None, typer.Option(help="Another address; or TAZAPAY_BASE_URL.")]
Environment = Annotated[str | None, typer.Option(help='"sandbox" or "production"; or TAZAPAY_ENVIRONMENT; or sandbox.')]
