"""The command ``bulk``: its options; `bulk_run` does what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tazapay_lightning.cli.options import AsJson, BaseUrl, Environment, output, pace, service
from tazapay_lightning.cli.outcomes import problems_explained

_OUT = "Append the results to this file; the same one resumes the run. With - to stdout too; see docs/bulk.md."
_BACKEND = service(help='The HTTP library: "httpx", or "aiohttp".', autocompletion=lambda: ["httpx", "aiohttp"])


@problems_explained()
def bulk(
    orders: Annotated[Path, typer.Argument(metavar="ORDERS", help="The orders: a file .csv or .jsonl.")],
    out: Annotated[Path, output(metavar="FILE", help=_OUT)],
    concurrency: Annotated[int, pace(min=1, max=100, help="How many orders are in flight.")] = 16,
    rate: Annotated[float | None, pace(help="Requests per second at most.")] = None,
    namespace: Annotated[str, typer.Option(help="What the order ids are unique within: keys depend on it.")] = "orders",
    environment: Environment = None,
    base_url: BaseUrl = None,
    backend: Annotated[str, _BACKEND] = "httpx",
    as_json: AsJson = False,
) -> None:
    """Create an invoice for each order of a file, never two for one; run it again to resume.

    Examples:
        $ tazapay-lightning bulk orders.csv --out results.jsonl --rate 10

        $ tazapay-lightning bulk orders.csv --out - > results.jsonl
    """
    from tazapay_lightning.cli.bulk_run import run  # with the asynchronous client, which no other command needs

    options = {"environment": environment, "base_url": base_url, "backend": backend}
    run(orders, out, options, concurrency=concurrency, rate=rate, namespace=namespace, as_json=as_json)
