"""What an emulator costs the tests that start one, beside a stub that a user would write instead (part F)."""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from benchmarks.calls import alternate
from benchmarks.payload import ARGUMENTS, BODY, CREDENTIALS, HEADERS, PATH, invoice_reply
from benchmarks.rounds import Measured
from tazapay_lightning import LightningClient
from tazapay_lightning_emulator import create_app, running_emulator

__all__ = ["BY_HTTPX", "EMULATOR", "FIXTURE", "IN_PROCESS", "STUB", "emulator"]

STUB = "stub"
EMULATOR = "emulator"
BY_HTTPX = "emulator, asked by httpx"
IN_PROCESS = "invoices per second, in process"
FIXTURE = ("fixture, start", "fixture, create", "fixture, shutdown", "fixture, CPU")

_CONTENT = json.dumps(BODY).encode()
_Application = Callable[[Any, Any, Any], Awaitable[None]]
_Ask = Callable[[dict[str, str]], Awaitable[int]]  # with these headers; returns the status


def emulator(rounds: int) -> Measured:
    """Measure how many invoices a second of the processor is enough for, and how long a test with a fixture takes."""
    return {**in_process(rounds), **fixtures(rounds)}


def in_process(rounds: int, *, invoices: int = 100) -> Measured:
    """Measure invoices per second of the processor: the application called as a server calls it, without a socket.

    An invoice is a request with every usual field, credentials and an idempotency key of its own; the emulator's has a
    signed payment request.
    """
    app = create_app(api_key=CREDENTIALS[0], api_secret=CREDENTIALS[1])
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://emulator")
    keys = iter(range(10**9))

    async def by_httpx(headers: dict[str, str]) -> int:
        return (await client.post(PATH, content=_CONTENT, headers=headers)).status_code

    async def create(ask: _Ask) -> None:
        for _ in range(invoices):
            headers = {**HEADERS, "Content-Type": "application/json", "Idempotency-Key": f"order-{next(keys)}"}
            if (status := await ask(headers)) != 200:
                raise SystemExit(f"error: an invoice was answered with status {status}")

    with asyncio.Runner() as runner:
        asks = {STUB: _asking(stub()), EMULATOR: _asking(app), BY_HTTPX: by_httpx}
        functions = {name: (lambda ask=ask: runner.run(create(ask))) for name, ask in asks.items()}
        measured = alternate(functions, rounds, 1)
        runner.run(client.aclose())
    app.book.store.close()
    return {IN_PROCESS: {name: [1e6 * invoices / each for each in values] for name, values in measured.items()}}


def _asking(app: _Application) -> _Ask:
    async def ask(headers: dict[str, str]) -> int:
        waiting = [{"type": "http.request", "body": _CONTENT, "more_body": False}]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return waiting.pop()

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": PATH,
            "raw_path": PATH.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 80),
        }
        await app(scope, receive, send)
        return int(sent[0]["status"])

    return ask


def fixtures(rounds: int) -> Measured:
    """Measure seconds of a test: until connections are accepted, of one create through the client, until all ended.

    These are seconds by the clock; of all three and the client, it measures those of the processor, too.
    """
    running: dict[str, Callable[[], AbstractContextManager[str]]] = {STUB: running_stub, EMULATOR: _running_emulator}
    measured: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for number in range(rounds + 1):
        for name in list(running)[:: -1 if number % 2 else 1]:
            for step, seconds in zip(FIXTURE, _one_test(running[name]), strict=True):
                if number > 0:  # the first one imports
                    measured[step][name].append(seconds)
    return measured


def _one_test(running: Callable[[], AbstractContextManager[str]]) -> tuple[float, float, float, float]:
    used_before = time.process_time()
    began = time.perf_counter()
    with running() as url:
        started = time.perf_counter()
        with LightningClient(*CREDENTIALS, base_url=url) as client:
            constructed = time.perf_counter()
            client.create_invoice(**ARGUMENTS)
            created = time.perf_counter()
        closed = time.perf_counter()
    ended = time.perf_counter()
    return started - began, created - constructed, ended - closed, time.process_time() - used_before


@contextmanager
def _running_emulator() -> Iterator[str]:
    with running_emulator(api_key=CREDENTIALS[0], api_secret=CREDENTIALS[1]) as running:
        yield running.base_url


def stub() -> Starlette:
    """An application that stores each invoice and replies the documented example with its amount.

    It checks neither fields nor credentials, knows no idempotency keys, and signs nothing.
    """
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.execute("CREATE TABLE invoices (id TEXT PRIMARY KEY, reply TEXT NOT NULL)")

    async def create(request: Request) -> Response:
        reply = invoice_reply((await request.json())["amount"])
        reply["data"]["id"] = f"l11_{secrets.token_hex(12)}"
        connection.execute("INSERT INTO invoices VALUES (?, ?)", (reply["data"]["id"], json.dumps(reply)))
        return JSONResponse(reply)

    return Starlette(routes=[Route(PATH, create, methods=["POST"])])


@contextmanager
def running_stub() -> Iterator[str]:
    """The stub under uvicorn in a thread, as uvicorn's documentation has it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(stub(), log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            while not server.started:
                time.sleep(0.001)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
