"""How a command ends: each documented error as one message on stderr and one exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from shlex import quote
from typing import NoReturn

import typer

from tazapay_lightning import APIError, ConfigurationError, InvalidArgumentError, TazapayError

__all__ = ["OUTCOME_UNKNOWN", "REFUSED", "USAGE", "abandon_stdout", "problems_explained", "say", "stop"]

REFUSED, USAGE, OUTCOME_UNKNOWN = 1, 2, 3


@contextmanager
def problems_explained() -> Iterator[None]:
    """Turn each documented error into one message and an exit code."""
    try:
        yield
    except InvalidArgumentError as error:
        stop(str(error), USAGE)
    except ConfigurationError as error:
        stop(str(error), REFUSED)
    except APIError as error:
        if not error.outcome_unknown:
            stop(str(error), REFUSED)
        # without the advice that is meant for programs: `stop` gives the one for the command line
        stop(str(error.args[0]), OUTCOME_UNKNOWN, error.idempotency_key)
    except TazapayError as error:
        stop(str(error), REFUSED)


def stop(message: str, code: int, idempotency_key: str | None = None) -> NoReturn:
    """End the command with a message, and with the key to resume with if an invoice may exist."""
    say(f"error: {message}")
    if idempotency_key is not None:
        say(f"an invoice may exist: to resume, repeat the command with --idempotency-key {quote(idempotency_key)}")
    raise typer.Exit(code)


def say(message: str) -> None:
    """Print a message on stderr."""
    typer.echo(message, err=True)


def abandon_stdout() -> None:
    """Let what is still buffered go nowhere: Python would try it again at its end, and exit with a code of its own."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
