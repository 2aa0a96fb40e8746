"""The files of a bulk run: its results, and beside them a journal of what was sent.

Both are files of one JSON object per line, appended to and never rewritten. The system has taken each line, with one
write, before the run goes on: whenever the program is killed, the journal names every order of which an invoice may
exist. (After a power cut the last lines of both may be missing; then the keys, which follow from the orders, make the
next run ask for the same invoices, within 24 hours.)

- ``RESULTS.journal`` begins with the settings of the run, and has a line for each sending, written before it.
- ``RESULTS`` has a line for each result. Of several about one order the last one counts.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime
from itertools import islice
from pathlib import Path

from attrs import frozen

from tazapay_lightning.bulk.files.index import OrderIndex
from tazapay_lightning.bulk.files.json_lines import append, is_moment, is_number, is_text, lock, mend, objects, require
from tazapay_lightning.bulk.files.rows import Row
from tazapay_lightning.bulk.orders import Result, State
from tazapay_lightning.errors import APIStatusError, ConfigurationError, TazapayError
from tazapay_lightning.transport.settings import Credentials, Settings
from tazapay_lightning.values.safe_text import shown

_FORMAT = "tazapay-lightning bulk journal 1"
_STATES = ("created", "refused", "unknown", "mismatch")
_MAY_EXIST = ("unknown", "mismatch")


@frozen(kw_only=True)
class Sending:
    """One sending of an order: its number in the journal, its key and its time (ISO 8601)."""

    number: int
    order: Row
    key: str
    at: str

    def state_after(self, result: Result) -> State:
        """Return the state of the order after this sending's result.

        A refusal proves nothing about an earlier sending whose outcome is unknown: then it stays unknown.
        """
        return "unknown" if result.state == "refused" and self.order.since is not None else result.state


class BulkRecord:
    """The two files of a run, locked.

    Args:
        results: the file of results.
        namespace: of the idempotency keys.
        settings: address and account of the service: the journal keeps a mark of the API key, and not the key.

    Attributes:
        mended: the files whose last line was half written, and was cut off.

    Raises:
        ConfigurationError: another run has the files, they belong to another namespace, address or account, or no run
            wrote them.
        OSError: they cannot be opened or written.
    """

    def __init__(self, results: Path, *, namespace: str, settings: Settings) -> None:
        self._path = results
        self._journal_path = results.with_name(results.name + ".journal")
        self._last = 0
        self.mended: list[Path] = []
        if results.exists() and not results.is_file():
            raise ConfigurationError(f"{results} is no file that results can be appended to: name another one")
        if _has_content(results) and not _has_content(self._journal_path):
            raise ConfigurationError(
                f"{results} is there without {self._journal_path.name}, which tells what was sent: put it back, or "
                "name another file"
            )
        with ExitStack() as files:
            self._journal = files.enter_context(self._journal_path.open("ab", buffering=0))
            if not lock(self._journal):
                raise ConfigurationError(f"another run writes to {results}: let it end, or name another file")
            self._mend(self._journal_path)
            header = {"format": _FORMAT, "namespace": namespace, "base_url": settings.base_url}
            self._begin(header, settings.credentials)
            self._results = files.enter_context(results.open("ab", buffering=0))
            self._mend(results)
            self.close = files.pop_all().close

    def replay(self, index: OrderIndex) -> None:
        """Put the results and sendings so far into an index.

        Raises:
            ConfigurationError: a line is not what a run writes.
        """
        for place, line in objects(self._path):
            require(line, place, order_id=is_text, state=_STATES.__contains__, sending=is_number)
            may_exist = line["state"] in _MAY_EXIST
            if may_exist:  # without its time an order of long ago would be asked for again, as if it were of today
                require(line, place, unknown_since=is_moment)
            index.ended({**line, "unknown_since": line["unknown_since"] if may_exist else None})
            self._last = max(self._last, line["sending"])
        for place, line in islice(objects(self._journal_path), 1, None):
            require(line, place, order_id=is_text, fingerprint=is_text, sending=is_number, amount_sats=is_number)
            require(line, place, at=is_moment)
            index.sent(line)
            self._last = max(self._last, line["sending"])

    def sending(self, order: Row, *, key: str, now: datetime) -> Sending:
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
        """Write down the result of a sending, and the state of its order.

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
                "unknown_since": (sending.order.since or sending.at) if state in _MAY_EXIST else None,
                "invoice": None if result.invoice is None else result.invoice.to_dict(),
                "error": None if result.error is None else _error(result.error),
            },
        )

    def settling(self, order: Row, state: State) -> str:
        """Return the line that a person adds to the results to settle the state of an order."""
        return json.dumps({"order_id": order.order_id, "state": state, "sending": self._last})

    def sync(self) -> None:
        """Have the system put everything on the disk itself."""
        for file in (self._results, self._journal):
            os.fsync(file.fileno())

    def _begin(self, settings: Mapping[str, str], credentials: Credentials) -> None:
        """Write the first line of the journal, or refuse settings other than those in it."""
        _, begun = next(objects(self._journal_path), ("", None))
        if begun is None:
            salt = secrets.token_hex(8)
            append(self._journal, {**settings, "salt": salt, "account": credentials.mark(salt)})
            return
        for name, setting in settings.items():
            if begun.get(name) != setting:
                raise ConfigurationError(
                    f"{self._path} was begun with the {name} {shown(begun.get(name))}, not {shown(setting)}: go on "
                    "with that, or name another file"
                )
        mark = credentials.mark(str(begun.get("salt")))
        if begun.get("account") != mark:
            raise ConfigurationError(
                f"{self._path} was begun with another API key: go on with that, or name another file. For a new key "
                f'of the same account write "account": "{mark}" into the first line of {self._journal_path.name}'
            )

    def _mend(self, path: Path) -> None:
        if mend(path):
            self.mended.append(path)


def _has_content(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _error(error: TazapayError) -> dict[str, object]:
    status = error.status_code if isinstance(error, APIStatusError) else None
    return {"type": type(error).__name__, "message": str(error.args[0] if error.args else ""), "status_code": status}
