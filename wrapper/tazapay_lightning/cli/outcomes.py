"""How every command ends: the one rule for exit codes, errors as text and as documents, streams that take nothing.

======  ===============================================================================================================
 code   the command ended because
======  ===============================================================================================================
 0      it is done
 1      something was refused or failed, or the result could not be printed, and nothing was created
 2      of its usage: an argument, option or variable was refused, and nothing was sent
 3      an invoice exists or may exist that was not shown as asked: its id or key is on stderr
 128+n  signal n asked for it, with nothing in doubt: 130 is Ctrl-C
======  ===============================================================================================================
"""

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

from tazapay_lightning import ConfigurationError, InvalidArgumentError, Invoice, InvoiceMismatchError, TazapayError
from tazapay_lightning.cli.terminal import coloured, settle_encodings, wrapped
from tazapay_lightning.values.safe_text import printable

REFUSED, USAGE, UNKNOWN = 1, 2, 3

_ENDING = {signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)}  # which Windows does not have
_NAMES = {"api_key": "TAZAPAY_API_KEY", "api_secret": "TAZAPAY_API_SECRET", "url": "--webhook-url"}
_NAMES |= {"invoice_id": "ID", "orders": "ORDERS", "text": "TEXT"}
AS_JSON: ContextVar[bool] = ContextVar("AS_JSON", default=False)
"""Whether an error is a document on stdout too: it is asked for, and stdout has no other yet."""


def exit_code(problem: BaseException | None = None, *, in_doubt: bool = False, stopped_by: int | None = None) -> int:
    """Return the exit code of a command that is not done: what is in doubt counts more than why it ended."""
    if in_doubt:
        return UNKNOWN
    if stopped_by is not None:
        return 128 + stopped_by
    return USAGE if isinstance(problem, InvalidArgumentError) else REFUSED


class Commands(TyperGroup):
    """All commands: what Typer itself prints, help and wrong options, ends as the rest does."""

    def main(self, args: Sequence[str] | None = None, *options: Any, **named: Any) -> Any:
        """Run the command of these arguments, or of the process's own."""
        settle_encodings()
        AS_JSON.set("--json" in (sys.argv[1:] if args is None else args))
        try:
            sys.exit(super().main(args, *options, **{**named, "standalone_mode": False}))
        except OSError as error:
            discard(sys.stdout)
            complain(f"cannot be printed: {error.strerror}")
            sys.exit(REFUSED)
        except Exception as error:
            if not hasattr(error, "format_message"):  # by which Typer tells its own refusals
                raise
            if message := error.format_message():  # none where the help was printed instead
                with suppress(typer.Exit):
                    context = error.ctx  # type: ignore[attr-defined]  # which each of them has
                    stop(message, USAGE, advice=f"see: {context.command_path} --help")
            sys.exit(USAGE)


@contextmanager
def problems_explained(key: str | None = None, *, heeds_signals: bool = False) -> Iterator[list[Invoice]]:
    """Turn each documented error into one message and an exit code.

    Args:
        key: the idempotency key of an invoice that is created in the block. Whatever ends that, signals too, the key is
            told if an invoice may exist, and the invoice's name once it exists and is in the list that is yielded.
        heeds_signals: end on SIGTERM and SIGHUP as on Ctrl-C, also where nothing is created.
    """
    exists: list[Invoice] = []
    is_ending = False

    def end(number: int, _: object) -> None:
        nonlocal is_ending
        if not is_ending:  # a second signal does not interrupt what the first has led to
            is_ending = True
            raise KeyboardInterrupt("; ".join(["interrupted", *(f"{named(it)} exists" for it in exists)]), number)

    with ExitStack() as handlers:
        try:
            # those that are ignored stay ignored, as SIGHUP is under nohup
            heeded = _ENDING if heeds_signals or key is not None else ()
            for number in [each for each in heeded if signal.getsignal(each) != signal.SIG_IGN]:
                handlers.callback(signal.signal, number, signal.signal(number, end))
            yield exists
        except (Exception, KeyboardInterrupt) as problem:
            is_ending = True
            stopped_by = None
            if isinstance(problem, KeyboardInterrupt):
                message, stopped_by = problem.args or ("interrupted", signal.SIGINT)
            elif not exists and not isinstance(problem, TazapayError):
                raise
            else:
                message = _worded(problem)
            told = getattr(problem, "outcome_unknown", False) or "may exist" in str(getattr(problem, "__notes__", ""))
            in_doubt = key is not None and bool(told or exists or isinstance(problem, InvoiceMismatchError))
            code = exit_code(problem, in_doubt=in_doubt, stopped_by=stopped_by)
            invoice = getattr(problem, "invoice", None) or next(iter(exists), None)
            stop(message, code, key if in_doubt else None, problem=problem, invoice=invoice)


def named(invoice: Invoice) -> str:
    """Return what messages call an invoice."""
    return f"invoice {printable(invoice.id, most=80)}"


def option(argument: str) -> str:
    """Return what an argument of Python is called on the command line."""
    return _NAMES.get(argument, "--" + argument.replace("_", "-"))


def _worded(problem: BaseException) -> str:
    from tazapay_lightning.bulk.wording import worded  # loaded for errors alone: with it comes all of bulk

    return worded(problem, option)


@contextmanager
def refusing() -> Iterator[None]:
    """Turn what is wrong with a setting into the refusal of its option, if it has one."""
    try:
        yield
    except (ConfigurationError, ValueError) as error:
        from tazapay_lightning.bulk.wording import reworded  # as above

        message = reworded(str(error), option)
        raise (InvalidArgumentError if message.startswith("--") else ConfigurationError)(message) from None


def stop(
    message: str,
    code: int = REFUSED,
    key: str | None = None,
    *,
    problem: BaseException | None = None,
    invoice: Invoice | None = None,
    advice: str = "",
) -> NoReturn:
    """End the command with an error, as text and as the document that it was to print.

    Args:
        message: what is wrong.
        code: the exit code.
        key: the idempotency key to resume with, if an invoice may exist.
        problem: the exception.
        invoice: the invoice that the error is about.
        advice: what to do.
    """
    if key is not None:
        advice = f"an invoice may exist: to resume, repeat the command with --idempotency-key {quote(key)}"
    complain(message)
    if advice:
        say(advice)
    if AS_JSON.get():
        status = getattr(problem, "status_code", None)
        error = {"type": problem and type(problem).__name__, "message": message, "status_code": status}
        shown = {"error": error, "exit_code": code, "idempotency_key": key, "invoice": invoice and invoice.to_dict()}
        with suppress(TazapayError):
            put_json(shown, "the error")
    raise typer.Exit(code)


def complain(message: str) -> None:
    """Print an error on stderr."""
    _print(wrapped(f"error: {message}").replace("error:", coloured("error:", "red"), 1))


def say(message: str, *, whole: bool = False) -> None:
    """Print a message on stderr: on a terminal in lines that end between words, unless parts of it are to be copied."""
    _print(message if whole else wrapped(message))


def _print(message: str) -> None:
    with suppress(TazapayError):  # whoever is to read it is gone
        put(f"{message}\n", "a message", err=True)


def put(text: str, what: str, *, err: bool = False) -> None:
    """Print a result on stdout.

    Raises:
        TazapayError: stdout is closed or full, or the reader of the pipe is gone.
    """
    stream = sys.stderr if err else sys.stdout
    try:
        stream.flush()  # it is None where it is closed, as by `>&-`
        typer.echo(text, file=stream, nl=False)  # or it would take UTF-8 where ASCII was asked for
    except (AttributeError, OSError) as error:
        discard(stream)
        raise TazapayError(f"{what} cannot be printed: {getattr(error, 'strerror', 'stdout is closed')}") from error


def put_json(document: object, what: str) -> None:
    """Print a result on stdout as a JSON document: ASCII only, so that it survives every terminal and pipe."""
    AS_JSON.set(False)  # whatever comes of it, stdout takes no second one
    put(f"{json.dumps(document, indent=2, default=datetime.isoformat)}\n", what)


def discard(stream: TextIO) -> None:
    """Discard what a stream holds: or it would be written, and fail, at the end of Python too."""
    with suppress(AttributeError, OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
