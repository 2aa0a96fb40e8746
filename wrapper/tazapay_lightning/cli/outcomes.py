"""The parts that all commands share: their common options, what they print, and how they end."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from shlex import quote
from typing import Annotated, NoReturn

import typer

from tazapay_lightning import APIError, InvalidArgumentError, InvoiceMismatchError, TazapayError

REFUSED, USAGE, UNKNOWN = 1, 2, 3

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
BaseUrl = Annotated[str | None, typer.Option(help="Another address; or TAZAPAY_BASE_URL.")]
Environment = Annotated[str | None, typer.Option(help='"sandbox" or "production"; or TAZAPAY_ENVIRONMENT; or sandbox.')]

_ENDING = {signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)}  # which Windows does not have
# not where a message says what a field of a file of `bulk` is
_ARGUMENTS = r"(?<!with the )(?:amount|api|base|expires|idempotency|invoice|memo|poll)_[a-z_]+(?! is (?!missing))"
_TYPED = {"api_key": "TAZAPAY_API_KEY", "api_secret": "TAZAPAY_API_SECRET"}
_TYPED |= {"invoice_id": "ID", "orders": "ORDERS", "text": "TEXT"}
_PYTHON = r"(pass api_key and \w+,|allow_http=True) or | \(an? [\w ]+\)| as a [\w, ]+(?= such|,)|, or a [\w. ]+(?=[,;])"


@contextmanager
def problems_explained(key: str | None = None) -> Iterator[list[str]]:
    """Turn each documented error into one message and an exit code.

    Args:
        key: the idempotency key of an invoice that is created in the block. Whatever ends that, signals too, the key is
            told if an invoice may exist, and the invoice's name once it exists and is in the list that is yielded.
    """
    exists: list[str] = []
    is_ending = False

    def end(number: int, _: object) -> None:
        nonlocal is_ending
        if not is_ending:  # a second signal does not interrupt what the first has led to
            is_ending = True
            raise KeyboardInterrupt("; ".join(["interrupted", *(f"{name} exists" for name in exists)]), 128 + number)

    with ExitStack() as handlers:
        try:
            # those that are ignored stay ignored, as SIGHUP is under nohup
            for number in [each for each in _ENDING if key is not None and signal.getsignal(each) != signal.SIG_IGN]:
                handlers.callback(signal.signal, number, signal.signal(number, end))
            yield exists
        except (Exception, KeyboardInterrupt) as problem:
            is_ending = True
            if isinstance(problem, KeyboardInterrupt):
                message, code = problem.args or ("interrupted", 128 + signal.SIGINT)
            elif not exists and not isinstance(problem, TazapayError):
                raise
            else:
                message, code = _as_typed(problem), USAGE if isinstance(problem, InvalidArgumentError) else REFUSED
            told = getattr(problem, "outcome_unknown", False) or "may exist" in str(getattr(problem, "__notes__", ""))
            if key is not None and (told or exists or isinstance(problem, InvoiceMismatchError)):
                stop(message, UNKNOWN, key)
            stop(message, code)


def _as_typed(problem: Exception) -> str:
    """Return a message with options and variables in place of the arguments of Python, and nothing else of Python."""
    names, python = rf"^(?:{getattr(problem, 'argument', 'backend|environment')})(?= )|{_ARGUMENTS}", _PYTHON
    if isinstance(problem, APIError):
        names, python = "base_url", ", or raise max_retries"  # the service's own words stay as they are
    return re.sub(rf"(?<!['\"\w])({names})(?:=True)?(?!\w)", _typed, re.sub(python, "", str(*problem.args[:1])))


def _typed(argument: re.Match[str]) -> str:
    return _TYPED.get(argument[1], "--" + argument[1].replace("_", "-"))


def stop(message: str, code: int = REFUSED, idempotency_key: str | None = None) -> NoReturn:
    """End the command with a message, and with the key to resume with if an invoice may exist."""
    say(f"error: {message}")
    if idempotency_key is not None:
        say(f"an invoice may exist: to resume, repeat the command with --idempotency-key {quote(idempotency_key)}")
    raise typer.Exit(code)


def say(message: str) -> None:
    """Print a message on stderr, if it can be."""
    with suppress(TazapayError):
        put(f"{message}\n", "a message", err=True)


def put(text: str, what: str, *, err: bool = False) -> None:
    """Print a result on stdout.

    Raises:
        TazapayError: stdout is closed or full, or the reader of the pipe is gone.
    """
    stream = sys.stderr if err else sys.stdout
    try:
        stream.flush()  # it is None where it is closed, as by `>&-`
        typer.echo(text, nl=False, err=err)
    except (AttributeError, OSError) as error:
        with suppress(AttributeError, OSError):  # or what it holds would be written, and fail, at the end of Python too
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        raise TazapayError(f"{what} cannot be printed: {getattr(error, 'strerror', 'stdout is closed')}") from error
