"""The parts that all commands share: their common options, messages on stderr, and how they end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from shlex import quote
from typing import Annotated, NoReturn

import typer

from tazapay_lightning import APIError, InvalidArgumentError, TazapayError

REFUSED, USAGE, UNKNOWN = 1, 2, 3

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
BaseUrl = Annotated[str | None, typer.Option(help="Another address; or TAZAPAY_BASE_URL.")]
Environment = Annotated[str | None, typer.Option(help='"sandbox" or "production"; or TAZAPAY_ENVIRONMENT; or sandbox.')]


@contextmanager
def problems_explained() -> Iterator[None]:
    """Turn each documented error into one message and an exit code."""
    try:
        yield
    except TazapayError as error:
        if isinstance(error, APIError) and error.outcome_unknown:
            # without the advice for programs: `stop` gives the one for the command line
            stop(str(error.args[0]), UNKNOWN, error.idempotency_key)
        stop(str(error), USAGE if isinstance(error, InvalidArgumentError) else REFUSED)


def stop(message: str, code: int = REFUSED, idempotency_key: str | None = None) -> NoReturn:
    """End the command with a message, and with the key to resume with if an invoice may exist."""
    say(f"error: {message}")
    if idempotency_key is not None:
        say(f"an invoice may exist: to resume, repeat the command with --idempotency-key {quote(idempotency_key)}")
    raise typer.Exit(code)


def say(message: str) -> None:
    """Print a message on stderr."""
    typer.echo(message, err=True)
