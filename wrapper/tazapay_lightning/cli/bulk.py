"""The command ``bulk``: its options; `bulk_run` does what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tazapay_lightning.cli.options import SERVICE, AsJson, BaseUrl, Environment
from tazapay_lightning.cli.outcomes import problems_explained

_PACE = "Pace"


@problems_explained()
def bulk(
    orders: Annotated[Path, typer.Argument(metavar="ORDERS", help="The orders: a file .csv or .jsonl.")],
    out: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="Append the results to this file; the same one resumes the run. "
            "With - they go to stdout too, and are kept in ORDERS.results.jsonl.",
        ),
    ],
    concurrency: Annotated[
        int, typer.Option(min=1, max=100, help="How many orders are in flight.", rich_help_panel=_PACE)
    ] = 16,
    rate: Annotated[float | None, typer.Option(help="Requests per second at most.", rich_help_panel=_PACE)] = None,
    namespace: Annotated[str, typer.Option(help="What the order ids are unique within: keys depend on it.")] = "orders",
    environment: Environment = None,
    base_url: BaseUrl = None,
    backend: Annotated[
        str,
        typer.Option(
            help='The HTTP library: "httpx", or "aiohttp" if installed.',
            autocompletion=lambda: ["httpx", "aiohttp"],
            rich_help_panel=SERVICE,
        ),
    ] = "httpx",
    as_json: AsJson = False,
) -> None:
    """Create an invoice for each order of a file, never two for one; run it again to resume."""
    from tazapay_lightning.cli.bulk_run import run  # with the asynchronous client, which no other command needs

    options = {"environment": environment, "base_url": base_url, "backend": backend}
    run(
        orders,
        out,
        concurrency=concurrency,
        rate=rate,
        namespace=namespace,
        client_options=options,
        as_json=as_json,
    )
