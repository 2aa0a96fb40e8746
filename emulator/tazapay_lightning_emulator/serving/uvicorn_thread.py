"""Uvicorn in a background thread, started and stopped within milliseconds and without a trace."""

from __future__ import annotations

import asyncio
import functools
import logging
import socket
import threading
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn
from starlette.applications import Starlette

from tazapay_lightning_emulator.errors import EmulatorError
from tazapay_lightning_emulator.serving.listening import hold_port
from tazapay_lightning_emulator.serving.uvicorn_protocol import Protocol

_logger = logging.getLogger("tazapay_lightning_emulator")

_START_TIMEOUT_SECONDS = 30.0
_GRACE_SECONDS = 1.0  # for requests in flight when the server stops
_KEEP_ALIVE_SECONDS = 75  # longer than a test pauses, so that no pooled connection is closed under a client


@contextmanager
def served(app: Starlette, listener: socket.socket) -> Iterator[ListenerControl]:
    """Answer requests on the socket, in a background thread, from the beginning of the block to its end.

    Args:
        app: the application that answers.
        listener: a listening socket; it is closed when the block ends.

    Raises:
        EmulatorError: the server did not start; its cause is chained.
    """
    server = _Server(app, listener)
    thread = threading.Thread(target=server.run_in_thread, name="tazapay-emulator", daemon=True)
    thread.start()
    try:
        try:
            server.ready.result(timeout=_START_TIMEOUT_SECONDS)
        except (Exception, SystemExit) as error:  # SystemExit is how uvicorn gives up: it must not end the caller
            raise EmulatorError(f"the emulator's server did not start: {error!r}") from error
        yield ListenerControl(server)
    finally:
        server.stop()
        thread.join()


class ListenerControl:
    """Lets connections in, or refuses them; from any thread but the server's own."""

    def __init__(self, server: _Server) -> None:
        self._server = server

    def close(self, seconds: float | None) -> None:
        """Refuse connections from now on, for so long, or until `open`. Idle connections are closed."""
        self._server.do(self._server.refuse(seconds))

    def open(self) -> None:
        """Accept connections again, on the same port."""
        self._server.do(self._server.accept())


class _Server(uvicorn.Server):
    """Uvicorn in a thread: tells when it is ready, and stops at once where uvicorn waits two tenths of a second.

    A test suite starts an emulator for every test, so those tenths would be most of its run time.
    """

    def __init__(self, app: Starlette, listener: socket.socket) -> None:
        self._stopping = asyncio.Event()
        protocol = functools.partial(Protocol, stopping=self._stopping, refuse=self.refuse)
        super().__init__(
            uvicorn.Config(
                app,
                http=protocol,  # type: ignore[arg-type]  # typed as a class, and only ever called
                ws="none",
                lifespan="off",
                log_config=None,  # the logging of the process is not ours to arrange
                server_header=False,
                date_header=False,  # the application's clock need not be the machine's, so it sends the date itself
                proxy_headers=False,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            )
        )
        self.ready: Future[None] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listener = listener
        self._address = listener.getsockname()
        self._held_port: socket.socket | None = None  # what keeps the port while nothing listens
        self._listening_lock = asyncio.Lock()
        self._accept_timer: asyncio.TimerHandle | None = None
        self._accept_task: asyncio.Task[None] | None = None  # kept, or it could be collected half-way

    def run_in_thread(self) -> None:
        """Serve until `stop`; a failure to start is what `ready` raises."""
        try:
            asyncio.run(self.serve(sockets=[self._listener]))
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

    def do(self, work: Coroutine[Any, Any, None]) -> None:
        """Run the coroutine in the server's thread, and wait for it.

        Raises:
            EmulatorError: the server has stopped.
        """
        if self._loop is None or self.should_exit:
            work.close()
            raise EmulatorError("the emulator has stopped")
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=_START_TIMEOUT_SECONDS)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self.ready.set_result(None)

    async def refuse(self, seconds: float | None) -> None:
        """Stop listening for so long, or until `accept`; what is idle is closed, what is in flight ends in peace.

        Raises:
            EmulatorError: somebody else took the port.
        """
        async with self._listening_lock:
            if self._held_port is None:
                await self._stop_listening()
                self._held_port = hold_port(self._listener.family, self._address)
            self._cancel_accept_timer()
            if seconds is not None:
                self._accept_timer = asyncio.get_running_loop().call_later(seconds, self._start_accept_task)
        for connection in list(self.server_state.connections):
            if isinstance(connection, Protocol):  # all of them are: this narrows the type
                connection.retire()
        await asyncio.sleep(0)  # in which the idle ones send their FIN

    async def accept(self) -> None:
        """Listen again.

        Raises:
            EmulatorError: somebody else listens on the port by now, which only those can who ask for just this one.
        """
        async with self._listening_lock:
            self._cancel_accept_timer()
            if self._held_port is not None and not self._stopping.is_set():
                try:
                    await super().startup([self._held_port])
                except OSError as error:
                    raise EmulatorError(f"port {self._address[1]} was taken while the emulator was away") from error
                self._listener, self._held_port = self._held_port, None

    async def main_loop(self) -> None:
        """Wait until it is time to stop."""
        if not self.should_exit:
            await self._stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish what is in flight, for a bounded time, and leave no connection behind."""
        self._stopping.set()
        async with self._listening_lock:
            self._cancel_accept_timer()
            await self._stop_listening()
            if self._held_port is not None:
                self._held_port.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await self._until_idle()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await self._until_idle()  # what still runs after that is cancelled by asyncio.run

    def _start_accept_task(self) -> None:
        async def accept() -> None:
            try:
                await self.accept()
            except EmulatorError:
                _logger.exception("the emulator stays away")

        self._accept_task = asyncio.create_task(accept())

    def _cancel_accept_timer(self) -> None:
        if self._accept_timer is not None:
            self._accept_timer.cancel()
            self._accept_timer = None

    async def _stop_listening(self) -> None:
        with suppress(NotImplementedError, ValueError):  # not every event loop can; not listening at all
            asyncio.get_running_loop().remove_reader(self._listener)
        await asyncio.sleep(0)  # in which connections that were accepted just now get their protocol
        for accepting in self.servers:
            accepting.close()

    async def _until_idle(self) -> None:
        deadline = time.monotonic() + _GRACE_SECONDS
        while self._is_busy() and time.monotonic() < deadline:  # noqa: ASYNC110 - uvicorn has no event for "now idle"
            await asyncio.sleep(0.001)

    def _is_busy(self) -> bool:
        return bool(self.server_state.connections or self.server_state.tasks)
