"""The index of a run, kept beside its results: what a resumed run does not have to read and check again.

It is a shortcut, and counts only while the orders, the settings, the version of this package and all that it has taken
in of results and journal are what they were, byte for byte; else all is read anew. Who deletes it loses time only.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from contextlib import ExitStack, closing, suppress
from functools import partial
from pathlib import Path

from attrs import define, field

from tazapay_lightning._version import __version__
from tazapay_lightning.bulk.files.index import OrderIndex
from tazapay_lightning.bulk.files.lines import appending
from tazapay_lightning.bulk.files.position import Position
from tazapay_lightning.bulk.files.record import BulkRecord, take_in_result
from tazapay_lightning.errors import TazapayError
from tazapay_lightning.transport.settings import Settings

LEAST_ORDERS = 10_000
"""A run of fewer has no index beside it: they are read in less than a second."""

_FAILURES = (OSError, sqlite3.Error, TazapayError, TypeError, ValueError)


@define(eq=False, kw_only=True)
class KeptIndex:
    """The file ``RESULTS.index``. Whatever fails with it is no failure of the run.

    Attributes:
        orders: the file of orders.
        results: the file of results.
        namespace: of the idempotency keys.
        settings: address and account of the service.
        position: how far the index that was loaded has come.
    """

    orders: Path
    results: Path
    namespace: str
    settings: Settings
    position: Position = field(init=False)
    _basis: str = field(init=False)
    _files: ExitStack = field(factory=ExitStack, init=False)

    def load(self) -> OrderIndex:
        """Return the index as it was kept; an empty one, at the start of both files, if that does not count."""
        self._basis = self._basis_now()
        self.position = Position.at_start(self.results)
        with suppress(*_FAILURES), closing(OrderIndex(self._path)) as kept:
            basis, *told = json.loads(kept.position())
            if basis == self._basis and self.position.move(*told):
                return kept.copy_to(OrderIndex())
        self.position = Position.at_start(self.results)
        return OrderIndex()

    def begin(self, index: OrderIndex, record: BulkRecord) -> None:
        """Keep an index that is at the position, and go on with it during the run, if it has enough orders."""
        with suppress(*_FAILURES):
            if index.counts()[0] >= LEAST_ORDERS and self._basis_now() == self._basis:
                self._path.unlink(missing_ok=True)
                appending(self._path).close()  # for its owner alone
                kept = self._files.enter_context(closing(OrderIndex(self._path)))
                record.replay(index, self.position)  # the settings, where the run has only begun
                index.keep(json.dumps([self._basis, *self.position.told()]))
                index.copy_to(kept)
                record.checkpoint = partial(self._go_on, kept, record)

    def close(self) -> None:
        """Leave the file as it was kept last."""
        self._files.close()

    def _go_on(self, kept: OrderIndex, record: BulkRecord) -> None:
        try:
            for line, text in record.written:
                is_result = "state" in line
                (self.position.results if is_result else self.position.journal).passed(text.encode())
                if is_result:
                    take_in_result(kept, line)
                else:
                    kept.sent(line)
                self.position.last = max(self.position.last, line["sending"])
            kept.keep(json.dumps([self._basis, *self.position.told()]))
        except _FAILURES:
            record.checkpoint = lambda: None

    @property
    def _path(self) -> Path:
        return Path(os.path.realpath(self.results) + ".index")

    def _basis_now(self) -> str:
        """Return what an index depends on besides results and journal, in a text that does not show it."""
        with suppress(OSError), self.orders.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            run = self.orders.suffix, self.namespace, self.settings.base_url, self.settings.credentials.mark(digest)
            return json.dumps([__version__, digest, *run])
        return ""
