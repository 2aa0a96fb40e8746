"""What a bulk run leaves on disk: the results, and beside them a journal of what was sent.

Both are files of one JSON object per line, appended to and never rewritten, each line with one write that the system
has taken before the run goes on: whenever the program is killed, the journal names every order of which an invoice may
exist. (After a power cut the last lines of both may be missing; then the keys, which follow from the orders, make the
next run ask for the same invoices, within 24 hours.)

- ``RESULTS.journal`` begins with what the run is about, and has a line for each sending, written before it.
- ``RESULTS`` has a line for each result. Of several about one order the last one counts.
"""

from __future__ import annotations

import json
import os
import secrets
from datetime import datetime
from pathlib import Path
from typing import Self

from attrs import frozen

from tazapay_lightning.bulk.files.index import OrderIndex, Waiting
from tazapay_lightning.bulk.files.json_lines import append, lock, mend, moment, number, objects, size, text
from tazapay_lightning.bulk.orders import Result, State
from tazapay_lightning.errors import APIStatusError, ConfigurationError, TazapayError
from tazapay_lightning.transport.settings import Credentials
from tazapay_lightning.values.safe_text import shown

__all__ = ["BulkRecord", "Sending"]

_FORMAT = "tazapay-lightning bulk journal 1"
_STATES = ("created", "refused", "unknown", "mismatch")
_MAY_EXIST = ("unknown", "mismatch")


@frozen(kw_only=True)
class Sending:
    """One sending of an order: its number in the journal, and since when an invoice for it may exist."""

    number: int
    order: Waiting
    key: str
    at: str

    @property
    def since(self) -> str:
        """When this order was first sent of what may exist (ISO 8601)."""
        return self.order.since or self.at

    def state_after(self, result: Result) -> State:
        """Tell in which state the order is after this sending's result.

        A refusal proves nothing about an earlier sending whose outcome is unknown: then it stays unknown.
        """
        return "unknown" if result.state == "refused" and self.order.since is not None else result.state


class BulkRecord:
    """The two files of a run, locked.

    Args:
        results: where the results go.
        namespace: of the idempotency keys.
        base_url: whom the invoices are made with.
        credentials: in whose account: the journal keeps a mark of the key, and not the key.

    Attributes:
        mended: the files whose last line was half written, and was cut off.

    Raises:
        ConfigurationError: another run has the files, they belong to another namespace, address or account, or no run
            wrote them.
        OSError: they cannot be opened or written.
    """

    def __init__(self, results: Path, *, namespace: str, base_url: str, credentials: Credentials) -> None:
        self._path = results
        self._journal_path = results.with_name(results.name + ".journal")
        self._last = 0
        self.mended: list[Path] = []
        if results.exists() and not results.is_file():
            raise ConfigurationError(f"{results} is no file that results can be appended to: name another one")
        if size(results) and not size(self._journal_path):
            raise ConfigurationError(
                f"{results} is there without {self._journal_path.name}, which tells what was sent: name another file "
                "for the results, or put the journal back"
            )
        self._journal = self._journal_path.open("ab", buffering=0)
        try:
            if not lock(self._journal):
                raise ConfigurationError(  # noqa: TRY301 - the file is closed for this one too
                    f"another run writes to {results}: let it end, or name another file"
                )
            self._mend(self._journal_path)
            header = {"format": _FORMAT, "namespace": namespace, "base_url": base_url}
            if size(self._journal_path):
                self._check(header, credentials)
            else:
                salt = secrets.token_hex(8)
                append(self._journal, {**header, "salt": salt, "account": credentials.mark(salt)})
            self._results = results.open("ab", buffering=0)
            self._mend(results)
        except BaseException:
            self._journal.close()  # and with it the lock
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for file in (self._results, self._journal):
            file.close()

    def replay(self, index: OrderIndex) -> None:
        """Tell an index what became of its orders so far.

        Raises:
            ConfigurationError: a line is not what a run writes.
        """
        for count, line in objects(self._path):
            try:
                order_id, state = text(line, "order_id"), line.get("state")
                sending = number(line, "sending")
                if state not in _STATES:
                    raise ValueError(f"state {shown(state)}")  # noqa: TRY301 - joins what the other checks raise
                # without it an order of long ago would be asked for again, as if it were of today
                since = moment(line, "unknown_since") if state in _MAY_EXIST else None
            except ValueError as error:
                raise _foreign(self._path, count, error) from None
            index.ended(order_id=order_id, state=str(state), sending=sending, since=since)
            self._last = max(self._last, sending)
        for count, line in objects(self._journal_path):
            if count == 1:
                continue
            try:
                sending, at = number(line, "sending"), moment(line, "at")
                index.sent(
                    order_id=text(line, "order_id"),
                    sending=sending,
                    at=at,
                    fingerprint=text(line, "fingerprint"),
                    amount_sats=number(line, "amount_sats"),
                )
            except ValueError as error:
                raise _foreign(self._journal_path, count, error) from None
            self._last = max(self._last, sending)

    def sending(self, order: Waiting, *, key: str, now: datetime) -> Sending:
        """Write down that an order is about to be sent.

        Raises:
            OSError: it could not be written: do not send it.
        """
        sending = Sending(number=self._last + 1, order=order, key=key, at=now.isoformat())
        append(
            self._journal,
            {
                "sending": sending.number,
                "order_id": order.order_id,
                "idempotency_key": key,
                "at": sending.at,
                "amount_sats": order.amount_sats,
                "fingerprint": order.fingerprint,
            },
        )
        self._last = sending.number
        return sending

    def result(self, sending: Sending, state: State, result: Result) -> None:
        """Write down what became of a sending, and in which state its order is now.

        Raises:
            OSError: it could not be written; the next run takes the outcome for unknown.
        """
        append(
            self._results,
            {
                "order_id": sending.order.order_id,
                "state": state,
                "sending": sending.number,
                "idempotency_key": sending.key,
                "unknown_since": sending.since if state in _MAY_EXIST else None,
                "invoice": None if result.invoice is None else result.invoice.to_dict(),
                "error": None if result.error is None else _error(result.error),
            },
        )

    def settling(self, order: Waiting, state: str) -> str:
        """Return the line that a person adds to the results to say what became of an order."""
        return json.dumps({"order_id": order.order_id, "state": state, "sending": self._last})

    def sync(self) -> None:
        """Have the system put everything on the disk itself."""
        for file in (self._results, self._journal):
            os.fsync(file.fileno())

    def _check(self, header: dict[str, str], credentials: Credentials) -> None:
        _, begun = next(objects(self._journal_path))
        if begun.get("format") != _FORMAT:
            raise ConfigurationError(f"{self._journal_path} is no journal of this command: name another file")
        for name in ("namespace", "base_url"):
            if begun.get(name) != header[name]:
                raise ConfigurationError(
                    f"{self._path} was begun with the {name} {shown(begun.get(name))}, not {shown(header[name])}: "
                    "go on with the same one, or name another file for the results"
                )
        mark = credentials.mark(str(begun.get("salt")))
        if begun.get("account") != mark:
            raise ConfigurationError(
                f"{self._path} was begun with another API key, and another account would make its own invoices: go on "
                "with that key, or name another file for the results. If this is a new key of the same account, write "
                f'"account": "{mark}" into the first line of {self._journal_path.name}'
            )

    def _mend(self, path: Path) -> None:
        if mend(path):
            self.mended.append(path)


def _foreign(path: Path, line: int, error: ValueError) -> ConfigurationError:
    return ConfigurationError(f"line {line} of {path} is not what this command writes: {error}; put it right")


def _error(error: TazapayError) -> dict[str, object]:
    status = error.status_code if isinstance(error, APIStatusError) else None
    return {"type": type(error).__name__, "message": str(error.args[0] if error.args else ""), "status_code": status}
