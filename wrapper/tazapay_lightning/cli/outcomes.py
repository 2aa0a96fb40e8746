"""The parts that all commands share: what they print, and how they end."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from datetime import datetime
from shlex import quote
from typing import Any, NoReturn, TextIO

import typer
from typer.core import TyperGroup

from tazapay_lightning import ConfigurationError, InvalidArgumentError, InvoiceMismatchError, TazapayError
from tazapay_lightning.bulk.wording import reworded, worded

REFUSED, USAGE, UNKNOWN = 1, 2, 3

_ENDING = {signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)}  # which Windows does not have
_NAMES = {"api_key": "TAZAPAY_API_KEY", "api_secret": "TAZAPAY_API_SECRET", "url": "--webhook-url"}
_NAMES |= {"invoice_id": "ID", "orders": "ORDERS", "text": "TEXT"}
AS_JSON: ContextVar[bool] = ContextVar("AS_JSON", default=False)
"""Whether an error is a document on stdout too."""


class Commands(TyperGroup):
    """All commands: what Typer itself prints, help and wrong options, ends as the rest does."""

    def main(self, args: Sequence[str] | None = None, *options: Any, **named: Any) -> Any:
        """Run the command of these arguments, or of the process's own."""
        AS_JSON.set("--json" in (sys.argv[1:] if args is None else args))
        try:
            return super().main(args, *options, **named)
        except OSError as error:
            discard(sys.stdout)
            say(f"error: cannot be printed: {error.strerror}")
            sys.exit(REFUSED)

    def invoke(self, context: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(context)
        except Exception as error:
            if hasattr(error, "format_message"):  # a wrong option, which Typer tells
                put_error(error.format_message(), USAGE)
            raise


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
                message = worded(problem, option)
                code = USAGE if isinstance(problem, InvalidArgumentError) else REFUSED
            told = getattr(problem, "outcome_unknown", False) or "may exist" in str(getattr(problem, "__notes__", ""))
            if exists:
                AS_JSON.set(False)  # stdout has the invoice, or takes nothing
            if key is not None and (told or exists or isinstance(problem, InvoiceMismatchError)):
                stop(message, UNKNOWN, key, problem)
            stop(message, code, problem=problem)


def option(argument: str) -> str:
    """Return what an argument of Python is called on the command line."""
    return _NAMES.get(argument, "--" + argument.replace("_", "-"))


@contextmanager
def refusing() -> Iterator[None]:
    """Turn what is wrong with a setting into the refusal of its option, if it has one."""
    try:
        yield
    except (ConfigurationError, ValueError) as error:
        message = reworded(str(error), option)
        raise (InvalidArgumentError if message.startswith("--") else ConfigurationError)(message) from None


def stop(message: str, code: int = REFUSED, key: str | None = None, problem: BaseException | None = None) -> NoReturn:
    """End the command with a message, and with the key to resume with if an invoice may exist."""
    say(f"error: {message}")
    if key is not None:
        say(f"an invoice may exist: to resume, repeat the command with --idempotency-key {quote(key)}")
    put_error(message, code, key, problem)
    raise typer.Exit(code)


def put_error(message: str, code: int, key: str | None = None, problem: BaseException | None = None) -> None:
    """Print an error on stdout as a document, if the command is to print one."""
    if AS_JSON.get():
        invoice, status = (getattr(problem, name, None) for name in ("invoice", "status_code"))
        error = {"type": problem and type(problem).__name__, "message": message, "status_code": status}
        shown = {"error": error, "exit_code": code, "idempotency_key": key, "invoice": invoice and invoice.to_dict()}
        with suppress(TazapayError):
            put_json(shown, "the error")


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
        discard(stream)
        raise TazapayError(f"{what} cannot be printed: {getattr(error, 'strerror', 'stdout is closed')}") from error


def put_json(document: object, what: str) -> None:
    """Print a result on stdout as a JSON document: ASCII only, so that it survives every terminal and pipe."""
    put(f"{json.dumps(document, indent=2, default=datetime.isoformat)}\n", what)


def discard(stream: TextIO) -> None:
    """Discard what a stream holds: or it would be written, and fail, at the end of Python too."""
    with suppress(AttributeError, OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
