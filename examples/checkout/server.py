"""The web server: uvicorn, which ends the streams of open pages before it waits for them to end."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette

__all__ = ["ShopServer", "running_shop"]

_START_SECONDS = 30.0


class ShopServer(uvicorn.Server):
    """Serves the shop on a socket that is bound already, so that its address is known before it starts.

    Args:
        app: the shop.
        on_ready: called when requests are answered.
    """

    def __init__(self, app: Starlette, on_ready: Callable[[], object]) -> None:
        super().__init__(uvicorn.Config(app, log_config=None, access_log=False, lifespan="on", server_header=False))
        self._app = app
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer requests."""
        await super().startup(sockets)
        if not self.should_exit:
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop: without the first line, an open page would keep the server running."""
        self._app.state.changes.close()
        await super().shutdown(sockets)


@contextmanager
def running_shop(app: Starlette, *, port: int = 0) -> Iterator[str]:
    """Run the shop in a background thread, for tests.

    Args:
        app: the shop.
        port: of 127.0.0.1; 0 takes any free one.

    Yields:
        Its address, without a trailing slash.
    """
    ready = threading.Event()
    with socket.create_server(("127.0.0.1", port)) as listener:
        server = ShopServer(app, ready.set)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
        thread.start()
        try:
            if not ready.wait(_START_SECONDS):
                raise RuntimeError("the shop did not start: its log tells why")
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
