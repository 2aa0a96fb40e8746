"""Uvicorn in a background thread, which starts and stops within milliseconds and leaves nothing open."""

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
from attrs import frozen
from starlette.applications import Starlette

from tazapay_lightning_emulator.errors import EmulatorError
from tazapay_lightning_emulator.serving.listening import hold_port
from tazapay_lightning_emulator.serving.uvicorn_protocol import Protocol

_logger = logging.getLogger("tazapay_lightning_emulator")

_START_TIMEOUT_SECONDS = 30.0
_GRACE_SECONDS = 1.0  # for requests in flight when the server stops
_KEEP_ALIVE_SECONDS = 75  # longer than a test pauses, so that the server does not close a client's pooled connection


@contextmanager
def served(app: Starlette, listener: socket.socket) -> Iterator[ListenerControl]:
    """Serve the application on the socket, in a background thread, until the end of the block.

    Args:
        app: the application.
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
        except (Exception, SystemExit) as error:  # uvicorn raises SystemExit if it cannot start
            raise EmulatorError(f"the emulator's server did not start: {error!r}") from error
        yield ListenerControl(server)
    finally:
        server.stop()
        thread.join()


@frozen
class ListenerControl:
    """Makes the server refuse or accept connections. Not for use in the server's own thread, which would block."""

    _server: _Server

    def refuse(self, seconds: float | None) -> None:
        """Refuse connections for so many seconds, or until `accept`. Idle connections are closed."""
        self._server.run_and_wait(self._server.refuse(seconds))

    def accept(self) -> None:
        """Accept connections again, on the same port."""
        self._server.run_and_wait(self._server.accept())


class _Server(uvicorn.Server):
    """Uvicorn in a thread: `ready` says when it accepts connections, and it stops at once.

    Uvicorn itself takes 0.2 s to stop, which would be most of the run time of a suite that starts an emulator for
    every test.
    """

    def __init__(self, app: Starlette, listener: socket.socket) -> None:
        self._stopping = asyncio.Event()
        protocol = functools.partial(Protocol, stopping=self._stopping, refuse=self.refuse)
        super().__init__(
            uvicorn.Config(
                app,
                http=protocol,  # type: ignore[arg-type]  # typed as a class, and only called
                ws="none",
                lifespan="off",
                log_config=None,  # leaves the logging of the process alone
                server_header=False,
                date_header=False,  # the application sends the date, since its clock may be ahead of the machine's
                proxy_headers=False,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            )
        )
        self.ready: Future[None] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listener = listener
        self._address = listener.getsockname()
        self._held_port: socket.socket | None = None  # holds the port while connections are refused
        self._listening_lock = asyncio.Lock()
        self._accept_timer: asyncio.TimerHandle | None = None
        self._accept_task: asyncio.Task[None] | None = None  # the event loop itself keeps only a weak reference

    def run_in_thread(self) -> None:
        """Serve until `stop`. If the server cannot start, `ready` raises the reason."""
        try:
            asyncio.run(self.serve(sockets=[self._listener]))
        except BaseException as error:
            if self.ready.done():
                raise
            self.ready.set_exception(error)

    def stop(self) -> None:
        """Make the thread end soon. Any thread can call it, also if the server did not start."""
        self.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # the event loop is closed already
                self._loop.call_soon_threadsafe(self._stopping.set)

    def run_and_wait(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine in the server's thread, and wait for it.

        Raises:
            EmulatorError: the server has stopped.
        """
        if self._loop is None or self.should_exit:
            work.close()
            raise EmulatorError("the emulator has stopped")
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=_START_TIMEOUT_SECONDS)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to accept connections."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self.ready.set_result(None)

    async def refuse(self, seconds: float | None) -> None:
        """Stop listening for so many seconds, or until `accept`. Connections are closed, busy ones after their reply.

        Raises:
            EmulatorError: another process took the port.
        """
        async with self._listening_lock:
            if self._stopping.is_set():  # nothing listens any more, and nobody would close a socket that is opened now
                return
            if self._held_port is None:
                await self._stop_listening()
                self._held_port = hold_port(self._listener.family, self._address)
            self._cancel_accept_timer()
            if seconds is not None:
                self._accept_timer = asyncio.get_running_loop().call_later(seconds, self._start_accept_task)
        for connection in list(self.server_state.connections):
            if isinstance(connection, Protocol):  # all of them are; narrows the type
                connection.retire()
        await asyncio.sleep(0)  # the idle ones send FIN now

    async def accept(self) -> None:
        """Listen again.

        Raises:
            EmulatorError: another process listens on the port, because it asked for this very port.
        """
        async with self._listening_lock:
            self._cancel_accept_timer()
            if self._held_port is not None and not self._stopping.is_set():
                try:
                    await super().startup([self._held_port])
                except OSError as error:
                    raise EmulatorError(
                        f"port {self._address[1]} was taken while the emulator refused connections"
                    ) from error
                self._listener, self._held_port = self._held_port, None

    async def main_loop(self) -> None:
        """Wait until the server should stop."""
        if not self.should_exit:
            await self._stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Complete the replies in flight within `_GRACE_SECONDS`, then close every connection."""
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
        await self._until_idle()  # asyncio.run cancels what still runs after that

    def _start_accept_task(self) -> None:
        async def accept() -> None:
            try:
                await self.accept()
            except EmulatorError:
                _logger.exception("the emulator still refuses connections")

        self._accept_task = asyncio.create_task(accept())

    def _cancel_accept_timer(self) -> None:
        if self._accept_timer is not None:
            self._accept_timer.cancel()
            self._accept_timer = None

    async def _stop_listening(self) -> None:
        with suppress(NotImplementedError, ValueError):  # an event loop without readers; a closed socket
            asyncio.get_running_loop().remove_reader(self._listener)
        await asyncio.sleep(0)  # connections accepted just now get their protocol
        for accepting in self.servers:
            accepting.close()

    async def _until_idle(self) -> None:
        deadline = time.monotonic() + _GRACE_SECONDS
        state = self.server_state
        while (state.connections or state.tasks) and time.monotonic() < deadline:  # noqa: ASYNC110 - uvicorn has no event for this
            await asyncio.sleep(0.001)
