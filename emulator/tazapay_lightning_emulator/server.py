"""Run the emulator as an HTTP server: in the background of a test, or in the foreground of a terminal."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from datetime import datetime

from tazapay_lightning_emulator.activity import Listener
from tazapay_lightning_emulator.api.credentials import DEFAULT_API_KEY, DEFAULT_API_SECRET
from tazapay_lightning_emulator.app import create_app
from tazapay_lightning_emulator.clock import utc_now
from tazapay_lightning_emulator.emulator import Emulator
from tazapay_lightning_emulator.faults.plan import FaultPlan
from tazapay_lightning_emulator.serving.listening import base_url, listening
from tazapay_lightning_emulator.serving.uvicorn_thread import served
from tazapay_lightning_emulator.webhooks.event import DEFAULT_WEBHOOK_SECRET


@contextmanager
def running_emulator(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    database: str | os.PathLike[str] = ":memory:",
    data_as_string: bool = False,
    api_key: str = DEFAULT_API_KEY,
    api_secret: str = DEFAULT_API_SECRET,
    now: Callable[[], datetime] = utc_now,
    faults: FaultPlan | None = None,
    webhook_url: str | None = None,
    webhook_secret: str = DEFAULT_WEBHOOK_SECRET,
    for_other_machines: bool = False,
    on_activity: Listener | None = None,
) -> Iterator[Emulator]:
    """An HTTP server in a background thread: ready when the block begins, stopped when it ends.

    Args:
        host: a loopback address, since the default credentials are public: other machines must not reach the emulator.
            With `for_other_machines`, any address of this machine.
        port: 0 takes any free one.
        database: ":memory:", or the path of a file, which is created if missing and kept.
        data_as_string: reply with `data` as JSON text instead of an object.
        api_key: the only key that is accepted.
        api_secret: the secret of this key.
        now: returns the emulator's time, with a time zone.
        faults: which request gets which fault; None for an empty plan, which the emulator's methods can change.
        webhook_url: the destination of webhooks, of this machine or a container beside it; None sends none.
        webhook_secret: the key of their signatures.
        for_other_machines: let other machines and containers reach it: they can read and pay everything.
        on_activity: called in the emulator's threads with a `RequestRecord` when a request is finished, with a
            `WebhookDelivery` after each attempt, and with None after any other change; it must not raise.

    Raises:
        ValueError: the host is not such an address, the port is not a port, HTTP Basic cannot carry the credentials,
            the webhook secret is empty, or the URL is not one of this machine.
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
    with listening(host, port, for_other_machines=for_other_machines) as listener:
        url = base_url(listener)
        app = create_app(
            api_key=api_key,
            api_secret=api_secret,
            database=database,
            data_as_string=data_as_string,
            now=now,
            faults=faults,
            webhook_url=webhook_url,
            webhook_secret=webhook_secret,
        )
        with (
            nullcontext() if on_activity is None else app.parts.listened_by(on_activity),
            closing(app.book.store),
            closing(app.book.webhooks),
            served(app, listener) as listener_control,
        ):
            yield Emulator(
                base_url=url,
                api_key=api_key,
                api_secret=api_secret,
                webhook_secret=webhook_secret,
                book=app.book,
                plan=app.faults,
                listener_control=listener_control,
            )


def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 8787,
    database: str | os.PathLike[str] = ":memory:",
    data_as_string: bool = False,
    api_key: str = DEFAULT_API_KEY,
    api_secret: str = DEFAULT_API_SECRET,
    on_ready: Callable[[str], None] | None = None,
    now: Callable[[], datetime] = utc_now,
    faults: FaultPlan | None = None,
    webhook_url: str | None = None,
    webhook_secret: str = DEFAULT_WEBHOOK_SECRET,
    for_other_machines: bool = False,
    on_activity: Listener | None = None,
) -> None:
    """Run the emulator until Ctrl-C, then return.

    Args:
        host: as for `running_emulator`.
        port: as for `running_emulator`.
        database: as for `running_emulator`.
        data_as_string: as for `running_emulator`.
        api_key: as for `running_emulator`.
        api_secret: as for `running_emulator`.
        on_ready: called once with the base URL, when the server accepts requests.
        now: as for `running_emulator`.
        faults: as for `running_emulator`.
        webhook_url: as for `running_emulator`.
        webhook_secret: as for `running_emulator`.
        for_other_machines: as for `running_emulator`.
        on_activity: as for `running_emulator`.

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
            now=now,
            faults=faults,
            webhook_url=webhook_url,
            webhook_secret=webhook_secret,
            for_other_machines=for_other_machines,
            on_activity=on_activity,
        ) as emulator:
            if on_ready is not None:
                on_ready(emulator.base_url)
            pause = threading.Event()
            while True:
                pause.wait(timeout=0.5)  # on Windows, Ctrl-C is handled only between two waits
    except KeyboardInterrupt:
        return
