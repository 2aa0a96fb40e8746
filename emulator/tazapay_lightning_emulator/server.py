"""Run the emulator as a real HTTP server: in the background of a test, or in the foreground of a terminal."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from attrs import field, frozen

from tazapay_lightning_emulator.app import app_over, listed
from tazapay_lightning_emulator.credentials import DEFAULT_API_KEY, DEFAULT_API_SECRET, Credentials
from tazapay_lightning_emulator.errors import EmulatorError
from tazapay_lightning_emulator.store import Store
from tazapay_lightning_emulator.uvicorn_thread import served


@frozen
class Emulator:
    """A running emulator: where it is and what opens it.

    Attributes:
        base_url: such as "http://127.0.0.1:41235", without a trailing slash.
        api_key: the key it accepts.
        api_secret: the secret that belongs to it.
    """

    base_url: str
    api_key: str = field(repr=False)
    api_secret: str = field(repr=False)
    _store: Store = field(repr=False)

    def invoices(self) -> list[dict[str, Any]]:
        """Every stored invoice in order of creation, read past HTTP; `GET /_emulator/invoices` shows the same.

        Returns:
            For each invoice the object as it was replied, plus `idempotency_key` (None if the request had none) and
            `replays`: how often the stored reply was sent again.

        Raises:
            EmulatorError: the emulator has stopped.
        """
        return [listed(each) for each in self._store.invoices()]


@contextmanager
def running_emulator(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    database: str | os.PathLike[str] = ":memory:",
    data_as_string: bool = False,
    api_key: str = DEFAULT_API_KEY,
    api_secret: str = DEFAULT_API_SECRET,
) -> Iterator[Emulator]:
    """A real server in a background thread, ready when the block begins and gone without a trace when it ends.

    Args:
        host: a loopback address: everybody knows the default credentials, so nobody else may reach the emulator.
        port: 0 takes any free one.
        database: ":memory:", or the path of a file, which is made if missing and outlives the emulator.
        data_as_string: reply with `data` as JSON text instead of an object.
        api_key: the one key that is accepted.
        api_secret: the secret that belongs to it.

    Raises:
        ValueError: the host is not a loopback address, the port is not a port, or the credentials are none that HTTP
            Basic could carry.
        EmulatorError: the port is taken, or the database cannot be used.

    Example:
        >>> import httpx
        >>> with running_emulator() as emulator:
        ...     reply = httpx.post(
        ...         f"{emulator.base_url}/v3/lightning_invoice_bolt11",
        ...         auth=(emulator.api_key, emulator.api_secret),
        ...         json={"amount": 123456},
        ...     )
        ...     [stored] = emulator.invoices()
        >>> reply.status_code, stored["amount"]
        (200, 123456)
    """
    credentials = Credentials(api_key, api_secret)
    with _listening(host, port) as listener, _opened(database) as store:
        app = app_over(store, credentials, data_as_string=data_as_string)
        with served(app, listener):
            yield Emulator(_base_url(listener), api_key, api_secret, store)


def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 8787,
    database: str | os.PathLike[str] = ":memory:",
    data_as_string: bool = False,
    api_key: str = DEFAULT_API_KEY,
    api_secret: str = DEFAULT_API_SECRET,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Run the emulator until Ctrl-C, then return.

    Args:
        host: as for `running_emulator`.
        port: as for `running_emulator`.
        database: as for `running_emulator`.
        data_as_string: as for `running_emulator`.
        api_key: as for `running_emulator`.
        api_secret: as for `running_emulator`.
        on_ready: called once with the base URL, when requests are answered.

    Raises:
        ValueError: as for `running_emulator`.
        EmulatorError: as for `running_emulator`.

    Example:
        >>> def interrupt(base_url: str) -> None:
        ...     print("ready at", base_url.rpartition(":")[0])
        ...     raise KeyboardInterrupt
        >>> serve(port=0, on_ready=interrupt)
        ready at http://127.0.0.1
    """
    try:
        with running_emulator(
            host=host,
            port=port,
            database=database,
            data_as_string=data_as_string,
            api_key=api_key,
            api_secret=api_secret,
        ) as emulator:
            if on_ready is not None:
                on_ready(emulator.base_url)
            pause = threading.Event()
            while True:
                pause.wait(timeout=0.5)  # Windows notices Ctrl-C only between two waits
    except KeyboardInterrupt:
        return


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """A listening socket; bound here and handed over, so that no other process can take the port in between."""
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        address = None
    if address is None or not address.is_loopback:
        raise ValueError(f"host must be a loopback address, such as '127.0.0.1' or '::1'; not {host!r}")
    if not 0 <= port <= 65535:
        raise ValueError(f"port must be 0 (any free one) to 65535; not {port!r}")
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    try:
        listener = socket.create_server((str(address), port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise EmulatorError(f"port {port} of {host} is taken: stop what uses it, or choose another port") from error
        raise EmulatorError(f"cannot listen on port {port} of {host}: {error.strerror}") from error
    with listener:
        yield listener


def _base_url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def _opened(database: str | os.PathLike[str]) -> Iterator[Store]:
    store = Store(database)
    try:
        yield store
    finally:
        store.close()
