"""Uvicorn in a background thread, started and stopped within milliseconds and without a trace."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from tazapay_lightning_emulator.errors import EmulatorError

_START_TIMEOUT_SECONDS = 30.0
_GRACE_SECONDS = 1.0  # for requests in flight when the server stops
_KEEP_ALIVE_SECONDS = 75  # longer than a test pauses, so that no pooled connection is closed under a client


@contextmanager
def served(app: Starlette, listener: socket.socket) -> Iterator[None]:
    """Answer requests on the socket, in a background thread, from the beginning of the block to its end.

    Args:
        app: the application that answers.
        listener: a listening socket; it is closed when the block ends.

    Raises:
        EmulatorError: the server did not start; its cause is chained.
    """
    server = _Server(app)
    thread = threading.Thread(target=server.run_in_thread, args=(listener,), name="tazapay-emulator", daemon=True)
    thread.start()
    try:
        try:
            server.ready.result(timeout=_START_TIMEOUT_SECONDS)
        except (Exception, SystemExit) as error:  # SystemExit is how uvicorn gives up: it must not end the caller
            raise EmulatorError(f"the emulator's server did not start: {error!r}") from error
        yield
    finally:
        server.stop()
        thread.join()


class _QuietProtocol(H11Protocol):
    """HTTP/1.1 without an access log; uvicorn's own switch for it would undo the logging of the whole process."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.access_log = False


class _Server(uvicorn.Server):
    """Uvicorn in a thread: tells when it is ready, and stops at once where uvicorn waits two tenths of a second.

    A test suite starts an emulator for every test, so those tenths would be most of its run time.
    """

    def __init__(self, app: Starlette) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=_QuietProtocol,
                ws="none",
                lifespan="off",
                log_config=None,  # the logging of the process is not ours to arrange
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            )
        )
        self.ready: Future[None] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()

    def run_in_thread(self, listener: socket.socket) -> None:
        """Serve until `stop`; a failure to start is what `ready` raises."""
        try:
            asyncio.run(self.serve(sockets=[listener]))
        except BaseException as error:
            if self.ready.done():
                raise
            self.ready.set_exception(error)

    def stop(self) -> None:
        """Make the thread end soon; from any thread, and whether or not the server ever started."""
        self.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed already
                self._loop.call_soon_threadsafe(self._stopping.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self.ready.set_result(None)

    async def main_loop(self) -> None:
        """Keep the Date header current until it is time to stop."""
        while not self.should_exit:
            await self.on_tick(0)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), timeout=1.0)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish what is in flight, for a bounded time, and leave no connection behind."""
        for accepting in self.servers:
            accepting.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await self._until_idle()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await self._until_idle()  # what still runs after that is cancelled by asyncio.run

    async def _until_idle(self) -> None:
        deadline = time.monotonic() + _GRACE_SECONDS
        while self._is_busy() and time.monotonic() < deadline:  # noqa: ASYNC110 - uvicorn has no event for "now idle"
            await asyncio.sleep(0.001)

    def _is_busy(self) -> bool:
        return bool(self.server_state.connections or self.server_state.tasks)
