"""The files of a bulk run: its results, and beside them a journal of what was sent.

Both are files of one JSON object per line, appended to and never rewritten, made for their owner alone. The system has
taken each line, with one write, before the run goes on: whenever the program is killed, the journal names every order
of which an invoice may exist. (After a power cut the last lines of both may be missing; then the keys, which follow
from the orders, make the next run ask for the same invoices, within 24 hours.)

- ``RESULTS.journal`` begins with the settings of the run, and has a line for each sending, written before it. While no
  invoice exists or may, a run with other settings adds them as a further line, which counts from there on.
- ``RESULTS`` has a line for each result. Of several about one order the last one counts.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Container, Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

from attrs import frozen

from tazapay_lightning.bulk.files.index import OrderIndex
from tazapay_lightning.bulk.files.lines import append, appending, lock, mend, require
from tazapay_lightning.bulk.files.position import Position
from tazapay_lightning.bulk.files.rows import Row
from tazapay_lightning.bulk.orders import Result, State
from tazapay_lightning.errors import ConfigurationError, TazapayError
from tazapay_lightning.transport.settings import Settings
from tazapay_lightning.values.safe_text import shown

KEPT_EVERY = 5000  # results: each time the disk is waited for
_FORMAT = "tazapay-lightning bulk journal 1"
_MAY_EXIST = ("unknown", "mismatch")


@frozen(kw_only=True)
class Sending:
    """One sending of an order: its number in the journal, its key, and since when an invoice may exist (ISO 8601)."""

    number: int
    order: Row
    key: str
    since: str


class BulkRecord:
    """The two files of a run, locked.

    Args:
        results: the file of results.
        namespace: of the idempotency keys.
        settings: address and account of the service: the journal keeps a mark of the API key, and not the key.

    Attributes:
        mended: the files whose last line was half written, and was cut off.
        checkpoint: called once in about 5,000 results.
        written: each line since then, as an object and as text; of an invoice what an index needs.

    Raises:
        ConfigurationError: another run has the files, they belong to another namespace, address or account, or no run
            wrote them.
        OSError: they cannot be opened or written.
    """

    def __init__(self, results: Path, *, namespace: str, settings: Settings) -> None:
        self._path = Path(os.path.realpath(results))  # the file itself, by whichever link it is named
        self._journal_path, beside = (path.with_name(path.name + ".journal") for path in (self._path, results))
        self._settings = {"format": _FORMAT, "namespace": namespace, "base_url": settings.base_url}
        self._credentials = settings.credentials
        self._last = 0
        self.checkpoint: Callable[[], object] = lambda: None
        self.written: list[tuple[dict[str, Any], str]] = []
        if results.exists() and not results.is_file():
            raise ConfigurationError(f"{results} is no file that results can be appended to: name another one")
        if (_has_content(results) or _has_content(beside)) and not _has_content(self._journal_path):
            without = f"{results} is there without {self._journal_path}, which tells what was sent"
            raise ConfigurationError(f"{without}: put it back, or name another file")
        with ExitStack() as files:
            self._journal = files.enter_context(appending(self._journal_path))
            self._results = files.enter_context(appending(self._path))
            if not (lock(self._journal) and lock(self._results)):  # each: hard links have a journal for each name
                raise ConfigurationError(f"another run writes to {results}: let it end, or name another file")
            self.mended = [path for path in (self._journal_path, self._path) if mend(path)]
            self.close = files.pop_all().close

    def replay(self, index: OrderIndex, position: Position) -> None:
        """Put the results and sendings so far into an index, from its position on, which moves to the end of both.

        Raises:
            ConfigurationError: the files belong to another namespace, address or account, and an invoice exists or may;
                or a line is not what a run writes.
        """
        may_exist, refused = False, set()
        is_first, self._last = position.is_at_start, max(self._last, position.last)
        for place, line in position.results.objects():
            require(line, place, "order_id", "state", "sending", "invoice")
            # without its time an order of long ago would be asked for again
            if line["state"] in _MAY_EXIST or line.get("unknown_since"):
                require(line, place, "unknown_since")
            take_in_result(index, line)
            self._last = max(self._last, line["sending"])
            may_exist = may_exist or line["state"] != "refused"
            if not may_exist:
                refused.add(line["sending"])
        begun: dict[str, object] = {}
        for place, line in position.journal.objects():
            if "format" in line or (is_first and not begun):
                begun = line
                continue
            require(line, place, "order_id", "fingerprint", "sending", "amount_sats", "at")
            index.sent(line)
            self._last = max(self._last, line["sending"])
            may_exist = may_exist or line["sending"] not in refused
        if begun or is_first:
            self._agree(begun, may_exist=may_exist or not is_first)
        position.last = self._last

    def sending(self, order: Row, *, key: str, now: datetime) -> Sending:
        """Write down that an order is about to be sent.

        Raises:
            OSError: it could not be written: do not send it.
        """
        at = now.isoformat()
        sending = Sending(number=self._last + 1, order=order, key=key, since=order.since or at)
        line = {
            "sending": sending.number,
            "order_id": order.order_id,
            "idempotency_key": key,
            "at": at,
            "amount_sats": order.amount_sats,
            "fingerprint": order.fingerprint,
        }
        self.written.append((line, append(self._journal, line)))
        self._last = sending.number
        return sending

    def result(self, sending: Sending, state: State, result: Result) -> str:
        """Write down the result of a sending, and the state of its order; return the line.

        Raises:
            OSError: it could not be written; the next run takes the outcome for unknown.
        """
        line: dict[str, Any] = {
            "order_id": sending.order.order_id,
            "state": state,
            "sending": sending.number,
            "idempotency_key": sending.key,
            "unknown_since": sending.since if state in _MAY_EXIST else None,
            "invoice": None if result.invoice is None else result.invoice.to_dict(),
            "error": None if result.error is None else _error(result.error),
        }
        text = append(self._results, line)
        if invoice := line["invoice"]:
            line["invoice"] = {name: invoice[name] for name in ("id", "differences")}
        self.written.append((line, text))
        if sending.number % KEPT_EVERY == 0:
            self.checkpoint()
            self.written.clear()
        return text

    def settling(self, order: Row, state: State) -> str:
        """Return the line that a person adds to the results to settle the state of an order."""
        return json.dumps({"order_id": order.order_id, "state": state, "sending": self._last})

    def sync(self) -> None:
        """Have the system put everything on the disk itself."""
        for file in (self._results, self._journal):
            os.fsync(file.fileno())

    def _agree(self, begun: Mapping[str, object], *, may_exist: bool) -> None:
        """Write the settings of the run into the journal, or refuse other ones once an invoice may exist."""
        salt = str(begun.get("salt") or secrets.token_hex(8))
        header = {**self._settings, "salt": salt, "account": self._credentials.mark(salt)}
        others = [name for name, setting in header.items() if begun.get(name) != setting]
        if not begun or (others and not may_exist and "format" not in others):
            append(self._journal, header)
        elif others:
            name, advice = others[0], ": go on with that, or name another file"
            was = f"the {name} {shown(begun.get(name))}, not {shown(header[name])}"
            if name not in self._settings:
                was, account = "another API key", f'"account": "{header["account"]}"'
                advice += f". For a new key of the same account write {account} into the last line of "
                advice += f'{self._journal_path.name} that has a "format"'
            raise ConfigurationError(f"{self._path} was begun with {was}{advice}")


def take_in_result(index: OrderIndex, line: dict[str, Any]) -> None:
    """Put a line of the results into an index."""
    invoice = line.get("invoice") or {}
    fields = [each.get("field") for each in invoice.get("differences", [])]
    if index.noted(line["order_id"], invoice.get("id"), remark(invoice.get("id"), fields)):
        line["state"] = "mismatch"  # as of a version that did not look
    index.ended({"unknown_since": None, **line})


def _has_content(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def remark(invoice_id: object, differing: Container[object]) -> str | None:
    """Return what is to be said of an invoice by the names of its fields that differ; None if it is the order's."""
    others = [name for name in ("memo", "memo_hash", "metadata") if name in differing]
    return f"has invoice {invoice_id}, with another {' and '.join(others)} than was asked for" if others else None


def _error(error: TazapayError) -> dict[str, object]:
    status = getattr(error, "status_code", None)
    return {"type": type(error).__name__, "message": str(*error.args[:1]), "status_code": status}
