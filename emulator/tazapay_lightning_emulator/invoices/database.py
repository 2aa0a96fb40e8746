"""The SQLite database of the emulator: its schema, its checks when it is opened, and its transactions."""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

from tazapay_lightning_emulator.errors import EmulatorError

IN_MEMORY = ":memory:"
_APPLICATION_ID = 0x74_7A_6C_31  # "tzl1": distinguishes an emulator's file from other SQLite databases
_SCHEMA_VERSION = 2
_BUSY_TIMEOUT_SECONDS = 10.0  # how long a process waits for another one that writes to the same file

_SCHEMA = (
    """
    CREATE TABLE invoices (
        sequence        INTEGER PRIMARY KEY AUTOINCREMENT,
        id              TEXT    NOT NULL UNIQUE,
        amount          INTEGER NOT NULL CHECK (amount > 0),
        d_tag_memo      TEXT,
        h_tag_memo      TEXT    CHECK (d_tag_memo IS NULL OR h_tag_memo IS NULL),
        collect         TEXT    NOT NULL UNIQUE,
        expiry_interval INTEGER NOT NULL CHECK (expiry_interval > 0),
        metadata        TEXT    NOT NULL,
        created_at      TEXT    NOT NULL,
        updated_at      TEXT    NOT NULL,
        paid_at         TEXT,
        payment_request TEXT,
        idempotency_key TEXT,
        replays         INTEGER NOT NULL DEFAULT 0
    )
    """,
    """
    CREATE TABLE replies (
        caller          TEXT    NOT NULL,
        idempotency_key TEXT    NOT NULL,
        invoice_id      TEXT    NOT NULL REFERENCES invoices (id),
        body            BLOB    NOT NULL,
        stored_at       INTEGER NOT NULL,
        PRIMARY KEY (caller, idempotency_key)
    )
    """,
)


class Database:
    """An emulator's database. Safe to share between threads and between processes.

    `close` closes the connection, and so does dropping the last reference.

    Args:
        name: ":memory:", or the path of a file, which is made if missing and outlives the emulator.

    Raises:
        EmulatorError: the file cannot be opened or written, or is not a database of this version of the emulator.
    """

    def __init__(self, name: str | os.PathLike[str]) -> None:
        self._name = os.fspath(name)
        if not self._name:
            raise EmulatorError(f"the database has no name: give the path of a file, or {IN_MEMORY!r}")
        self._lock = threading.Lock()
        try:
            self._connection = sqlite3.connect(
                self._name, timeout=_BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise EmulatorError(f"cannot open the database {self._name!r}: {error}") from error
        self._connection.row_factory = sqlite3.Row
        self._close_connection = weakref.finalize(self, self._connection.close)
        try:
            with self.transaction() as connection:
                self._prepare(connection)
        except (sqlite3.Error, EmulatorError) as error:
            self.close()
            if isinstance(error, EmulatorError):
                raise
            raise EmulatorError(f"cannot use the database {self._name!r}: {error}") from error

    def close(self) -> None:
        """Close the connection; a file keeps its contents. Calling it again does nothing."""
        with self._lock:
            self._close_connection()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One transaction: it commits at the end of the block, and an exception rolls it back. One runs at a time."""
        with self._lock:
            if not self._close_connection.alive:
                raise EmulatorError("the emulator has stopped, and its database is closed")
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.rollback()
                raise
            self._connection.commit()

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Create the tables in an empty database; refuse the database of another program or version."""
        (application_id,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if (application_id, version, tables) == (0, 0, 0):
            for statement in _SCHEMA:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
        elif application_id != _APPLICATION_ID:
            raise EmulatorError(f"{self._name!r} is a database, but not an emulator's: name another file")
        elif version != _SCHEMA_VERSION:
            raise EmulatorError(
                f"{self._name!r} was made by another version of the emulator (schema {version}, this one reads"
                f" {_SCHEMA_VERSION}): name another file"
            )
