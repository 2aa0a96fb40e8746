"""No error reporter gets a secret, whatever fails: neither ours nor a library's frames and exceptions hold one.

Reporters send the local variables of each frame. The frames of these tests are among them, so the secrets here are held
by an object that shows nothing.
"""

from __future__ import annotations

import asyncio
import gc
import gzip
import html
import json
import os
import secrets
import signal
import socket
import ssl
import sys
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType
from typing import Any

import httpx
import pytest
import trustme

from tazapay_lightning import (
    AsyncLightningClient,
    ConfigurationError,
    LightningClient,
    TazapayError,
    verify_webhook,
    verify_webhook_request,
)
from tests.support.plain_http import NO_TLS
from tests.support.reporters import reported
from tests.support.service import Listener, envelope, invoice_object, read_request
from tests.support.tables import each_row
from tests.support.thorough import THOROUGH
from tests.support.wire import close, reply, reset

Listen = Callable[[Callable[[socket.socket], None]], Listener]
Behave = Callable[[socket.socket, bytes], None]


class Held:
    """Secrets, made anew for each run, so that no source line that a reporter quotes has them."""

    def __init__(self) -> None:
        self.key, self.secret, self.memo, self.name, self.header = (
            f"{letter}-{secrets.token_hex(8)}" for letter in "ksmnh"
        )
        self.token = b64encode(f"{self.key}:{self.secret}".encode()).decode()

    def __repr__(self) -> str:
        return "Held(...)"

    def leaked(self, error: BaseException, *reporters: str) -> list[str]:
        """List what leaks through which reporter, and what its report has before that."""
        return [
            f"{name} through {reporter}: {report.partition(value)[0][-200:]}"
            for reporter, report in reported(error, *reporters).items()
            for name, value in vars(self).items()
            if value in report
        ]


HELD = Held()
KINDS = ("sync", "async", "aiohttp", "sync, http_client", "async, http_client")
OWN_CONNECTIONS, CLIENTS_OF_THE_CALLER = KINDS[:3], KINDS[3:]
each_kind = pytest.mark.parametrize("kind", KINDS)
each_kind_of_connection = pytest.mark.parametrize("kind", OWN_CONNECTIONS)


@contextmanager
def creating(kind: str, base_url: str, hook: Callable[..., Any] | None = None, **options: Any) -> Iterator[Any]:
    """Within the block, create invoices with a client of a kind."""
    client: Any
    if kind.startswith("sync"):
        with httpx.Client(verify=NO_TLS, event_hooks={"response": [hook] if hook else []}) as own:
            if kind in CLIENTS_OF_THE_CALLER:
                options["http_client"] = own
            with LightningClient(HELD.key, HELD.secret, base_url=base_url, **options) as client:
                yield lambda: client.create_invoice(
                    amount_sats=1, memo=HELD.memo, metadata={"name": HELD.name}, headers={"X-Gateway": HELD.header}
                )
        return

    async def hooked(response: httpx.Response) -> None:
        if hook is not None:
            hook(response)

    async def create() -> Any:
        return await client.create_invoice(
            amount_sats=1, memo=HELD.memo, metadata={"name": HELD.name}, headers={"X-Gateway": HELD.header}
        )

    with asyncio.Runner() as loop:
        own_async = httpx.AsyncClient(verify=NO_TLS, event_hooks={"response": [hooked]})
        if kind in CLIENTS_OF_THE_CALLER:
            options["http_client"] = own_async
        elif kind == "aiohttp":
            options["backend"] = kind
        client = AsyncLightningClient(HELD.key, HELD.secret, base_url=base_url, **options)
        try:
            yield lambda: loop.run(create())
        finally:
            loop.run(client.aclose())
            loop.run(own_async.aclose())


INVOICE = ("invoice", "differences")  # what the service said of it: for the program, and in no report


def check_nothing_leaks(fail: Callable[[], Any], *kinds: type[BaseException]) -> None:
    with pytest.raises(kinds or TazapayError) as caught:
        fail()
    assert not HELD.leaked(caught.value)
    attributes = {name: value for name, value in vars(caught.value).items() if name not in INVOICE}
    assert not [name for name, value in vars(HELD).items() if value in f"{attributes} {caught.value}"]


WORDS = f"{HELD.key} {HELD.secret} Basic {HELD.token} {HELD.memo} {HELD.name} {HELD.header}"
NAMES = ("X-Request-Id", "X-Debug", "Authorization", "Set-Cookie", "WWW-Authenticate", "Retry-After", "Location")
ECHOED_HEADERS = [
    *(f"{name}: {WORDS}".encode() for name in NAMES),
    *(f"{name}: x".encode() for name in (HELD.key, HELD.secret, HELD.memo)),
]


def echoed(request: bytes) -> bytes:
    """Return an error that repeats all that came, and what it means, in every place."""
    words = f"{request.decode()} {WORDS}"
    entry = {"code": 1, "message": words, "remarks": {"sent": [words]}, HELD.secret: HELD.memo}
    shown = {"status": "error", "message": words, "code": HELD.memo, HELD.key: 1, "errors": [entry]}
    return json.dumps(shown).encode()


def page(request: bytes) -> bytes:
    words = f"{request.decode()} {WORDS}"
    return f"<html>{words} {html.escape(words)} {words.upper()}</html>".encode()


def answering(status: str, make: Callable[[bytes], bytes], *lines: bytes) -> Behave:
    """Answer with a status, a body and headers that repeat what came."""

    def behave(connection: socket.socket, request: bytes) -> None:
        connection.sendall(reply(make(request), *lines, *ECHOED_HEADERS, status=status.encode()))

    return behave


def invoice_with(**fields: Any) -> Callable[[bytes], bytes]:
    return lambda request: envelope(invoice_object(**fields))


def sending(make: Callable[[bytes], bytes], then: Callable[[socket.socket], None] = close) -> Behave:
    """Send bytes that may be no HTTP."""

    def behave(connection: socket.socket, request: bytes) -> None:
        connection.sendall(make(request))
        then(connection)

    return behave


def hang(connection: socket.socket, request: bytes = b"") -> None:
    connection.recv(1)  # until the client goes


def interrupt(connection: socket.socket, request: bytes) -> None:
    os.kill(os.getpid(), signal.SIGINT)
    hang(connection)


STATUSES = ("302 Found", "400 Bad", "401 No", "403 No", "404 No", "408 Late", "429 Busy", "500 Oh", "520 Oh")
FAULTS: dict[str, Behave] = {
    **{status: answering(status, echoed) for status in STATUSES},
    "status line": sending(lambda request: f"HTTP/1.1 400 {HELD.key} {HELD.memo}\r\n\r\n{HELD.secret}".encode()),
    "page": answering("500 Oh", page),
    "nested deeply": answering("400 Bad", lambda request: b"[" * 400 + echoed(request) + b"]" * 400),
    "cut": answering("400 Bad", lambda request: json.dumps({"message": "x" * 3990 + WORDS}).encode()),
    "2xx failed": answering("200 OK", echoed),
    "2xx page": answering("200 OK", page),
    "2xx key twice": answering("200 OK", lambda request: f'{{"{HELD.key}":1,"{HELD.key}":2}}'.encode()),
    "2xx memo twice": answering("200 OK", lambda request: f'{{"{HELD.memo}":1,"{HELD.memo}":2}}'.encode()),
    "2xx not gzip": answering("200 OK", echoed, b"Content-Encoding: gzip"),
    "2xx gzip": answering("200 OK", lambda request: gzip.compress(echoed(request)), b"Content-Encoding: gzip"),
    "2xx without an invoice": answering("200 OK", lambda request: envelope({HELD.memo: HELD.key})),
    "mismatch, secret as id": answering("200 OK", invoice_with(id=HELD.secret, amount=2)),
    "mismatch, memo as id": answering("200 OK", invoice_with(id=HELD.memo, amount=2)),
    "token as amount": answering("200 OK", invoice_with(amount=HELD.token)),
    "reset": lambda connection, request: reset(connection),
    "closed": lambda connection, request: close(connection),
    "request sent back": sending(lambda request: request),
    "request as a head": sending(lambda request: b"HTTP/1.1 200 OK\r\nX: " + request),
    "half a head": sending(lambda request: b"HTTP/1.1 200 OK\r\n" + b"\r\n".join(ECHOED_HEADERS)),
    "head too long": sending(lambda request: b"HTTP/1.1 200 OK\r\nX: " + HELD.secret.encode() * 100_000),
    "half a body": sending(lambda request: reply(echoed(request))[:-10]),
    "half a body of an error": sending(lambda request: reply(echoed(request), status=b"400 Bad")[:-10]),
    "chunk size": sending(
        lambda request: f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{HELD.secret}\r\n{HELD.token}".encode()
    ),
    "length": sending(lambda request: f"HTTP/1.1 200 OK\r\nContent-Length: {HELD.secret}\r\n\r\nx".encode()),
    "no colon": sending(lambda request: f"HTTP/1.1 200 OK\r\n{HELD.secret} {HELD.memo}\r\n\r\n".encode()),
    "NUL": sending(lambda request: f"HTTP/1.1 200 OK\r\nX: {HELD.secret}\0\r\n\r\n".encode()),
    "no reply": hang,
    "half a body, then none": sending(lambda request: reply(echoed(request))[:-10], hang),
    "interrupt": interrupt,
}


@each_kind
@each_row("fault", FAULTS)
def test_a_fault_of_the_service_leaks_nothing(kind: str, fault: str, listen: Listen) -> None:
    def serve(connection: socket.socket) -> None:
        while request := read_request(connection):
            FAULTS[fault](connection, request)

    base_url = f"http://127.0.0.1:{listen(serve).port}"
    with creating(kind, base_url, timeout=0.3 if "no" in fault else 5, max_retries=0) as create:
        check_nothing_leaks(create, KeyboardInterrupt if fault == "interrupt" else TazapayError)


@each_kind
def test_a_refused_connection_leaks_nothing(kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with creating(kind, f"http://127.0.0.1:{port}", max_retries=0) as create:
        check_nothing_leaks(create)


@each_kind_of_connection
@each_row("speaks", ["plain HTTP", "TLS with a certificate of its own", "nothing"])
def test_a_failure_of_tls_leaks_nothing(kind: str, speaks: str, listen: Listen) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)

    def serve(connection: socket.socket) -> None:
        if speaks == "plain HTTP":
            connection.sendall(reply(HELD.secret.encode()))
        elif speaks == "nothing":
            hang(connection)
        else:
            context.wrap_socket(connection, server_side=True).close()

    with creating(kind, f"https://127.0.0.1:{listen(serve).port}", timeout=0.5, max_retries=0) as create:
        check_nothing_leaks(create)


PROXIES: dict[str, Behave] = {
    "refuses": lambda connection, request: connection.sendall(
        f"HTTP/1.1 407 {HELD.secret}\r\nX: {HELD.key}\r\nContent-Length: 0\r\n\r\n".encode() + request
    ),
    "answers with garbage": lambda connection, request: connection.sendall(request),
    "goes away": lambda connection, request: reset(connection),
    "says nothing": hang,
}


@each_kind_of_connection
@each_row("proxy", PROXIES)
def test_a_failure_of_a_proxy_leaks_neither_its_credentials_nor_those_of_the_service(
    kind: str, proxy: str, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = listen(lambda connection: PROXIES[proxy](connection, read_request(connection))).port
    monkeypatch.setenv("HTTPS_PROXY", f"http://{HELD.key}:{HELD.secret}@127.0.0.1:{port}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with creating(kind, "https://tazapay.invalid", timeout=0.5, max_retries=0) as create:
        check_nothing_leaks(create)


FOREIGN = (OverflowError, RuntimeError, KeyError, httpx.HTTPStatusError, KeyboardInterrupt, SystemExit)


@each_row("failure", FOREIGN)
@pytest.mark.parametrize("kind", CLIENTS_OF_THE_CALLER)
def test_what_a_hook_of_the_caller_raises_leaks_nothing(kind: str, failure: Any, listen: Listen) -> None:
    def hook(response: httpx.Response) -> None:
        headers = dict(response.request.headers)
        if failure is httpx.HTTPStatusError:
            raise httpx.HTTPStatusError(str(headers), request=response.request, response=response)
        raise failure(str(headers)) from ExceptionGroup("several", [ValueError(headers, headers["authorization"])])

    def serve(connection: socket.socket) -> None:
        connection.sendall(reply(echoed(read_request(connection))))

    with creating(kind, f"http://127.0.0.1:{listen(serve).port}", hook, max_retries=0) as create:
        check_nothing_leaks(create, TazapayError, KeyboardInterrupt, SystemExit)


@pytest.mark.parametrize("backend", ["httpx", "aiohttp"])
def test_a_cancelled_call_leaks_nothing(backend: Any, listen: Listen) -> None:
    came = threading.Event()

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        came.set()
        hang(connection)

    base_url = f"http://127.0.0.1:{listen(serve).port}"

    async def cancelled() -> None:
        async with AsyncLightningClient(HELD.key, HELD.secret, base_url=base_url, backend=backend) as client:
            task = asyncio.create_task(client.create_invoice(amount_sats=1, memo=HELD.memo))
            await asyncio.to_thread(came.wait, 10)
            task.cancel()
            await task

    check_nothing_leaks(lambda: asyncio.run(cancelled()), asyncio.CancelledError)


def test_a_closed_client_leaks_nothing() -> None:
    with creating("sync", "http://127.0.0.1:1") as create:
        pass
    check_nothing_leaks(create, ConfigurationError)


CLIENTS = {
    "sync": LightningClient,
    "async": AsyncLightningClient,
    "aiohttp": partial(AsyncLightningClient, backend="aiohttp"),
}
MISTAKES: dict[str, dict[str, Any]] = {
    "timeout": {"timeout": -1},
    "deadline": {"deadline": "x"},
    "max_retries": {"max_retries": 1000},
    "environment": {"environment": "live"},
    "base_url": {"base_url": "http://example.com"},
    "host": {"base_url": "https://xn--.example"},
    "metadata_format": {"metadata_format": "xml"},
    "check_echo": {"check_echo": 1},
    "http_client": {"http_client": object()},
}
VARIABLES = {
    "TAZAPAY_LOG": "loud",
    "TAZAPAY_ENVIRONMENT": "live",
    "TAZAPAY_BASE_URL": "ftp://example.com",
    "SSL_CERT_FILE": "/nowhere",
    "HTTPS_PROXY": f"gopher://{HELD.key}:{HELD.secret}@127.0.0.1",
}
UNFIT: dict[str, Callable[[str], Any]] = {
    "blank": lambda text: f"{text} ",
    "letter": lambda text: f"{text}é",
    "bytes": str.encode,
    "list": list,
}
each_client = pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS.keys())


@pytest.fixture
def credentials_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("TAZAPAY_API_KEY", HELD.key)
    monkeypatch.setenv("TAZAPAY_API_SECRET", HELD.secret)
    return monkeypatch


@each_client
@each_row("mistake", MISTAKES)
def test_a_mistake_in_the_arguments_of_a_client_leaks_nothing(client: Any, mistake: str) -> None:
    check_nothing_leaks(lambda: client(HELD.key, HELD.secret, **MISTAKES[mistake]), ConfigurationError)


@each_client
@each_row("mistake", MISTAKES)
def test_nor_does_it_with_credentials_of_the_environment(
    client: Any, mistake: str, credentials_of_the_environment: pytest.MonkeyPatch
) -> None:
    check_nothing_leaks(lambda: client(**MISTAKES[mistake]), ConfigurationError)


@each_client
@each_row("variable", VARIABLES)
def test_a_mistake_in_the_environment_leaks_nothing(
    client: Any, variable: str, credentials_of_the_environment: pytest.MonkeyPatch
) -> None:
    with credentials_of_the_environment.context() as patched:
        patched.setenv(variable, VARIABLES[variable])
        check_nothing_leaks(client, ConfigurationError)


@each_client
@each_row("how", UNFIT)
def test_credentials_that_cannot_be_sent_are_not_shown(client: Any, how: str) -> None:
    check_nothing_leaks(lambda: client(HELD.key, UNFIT[how](HELD.secret)), ConfigurationError)
    check_nothing_leaks(lambda: client(UNFIT[how](HELD.key), HELD.secret), ConfigurationError)


@each_row(
    "verify",
    [
        lambda body: verify_webhook(body, "x", HELD.secret),
        lambda body: verify_webhook(b"no", "x", HELD.secret),
        lambda body: verify_webhook(body, None, HELD.secret),  # type: ignore[arg-type]  # what headers.get() can give
        lambda body: verify_webhook_request(body, {}, HELD.secret),
        lambda body: verify_webhook_request(body, {"signature": "x"}),
        lambda body: verify_webhook_request(body, {"signature": "x"}, tolerance=-1),
    ],
)
def test_a_refused_webhook_leaks_no_secret(verify: Callable[[bytes], object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAZAPAY_WEBHOOK_SECRET", HELD.secret)
    body = b'{"id":"evt_1","type":"collect.succeeded","created_at":1759047330}'
    check_nothing_leaks(lambda: verify(body))


class Interruption:
    """A Ctrl-C at a bytecode of what is run, given by its number."""

    def __init__(self, at: int | None = None) -> None:
        self._at = at
        self.count = 0
        self.error: BaseException | None = None

    def run(self, something: Callable[[], object]) -> None:
        before = sys.gettrace()
        sys._getframe().f_trace_opcodes = True  # Python 3.12 heeds it in other frames only if one had it before
        try:
            sys.settrace(self._trace)
            something()
        except KeyboardInterrupt as error:
            self.error = error
        finally:
            sys.settrace(before)

    def _trace(self, frame: FrameType, event: str, argument: object) -> Any:
        frame.f_trace_opcodes = True
        if event == "opcode":
            self.count += 1
            if self.count == self._at:
                raise KeyboardInterrupt
        return self._trace


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # that they were not closed
def test_a_call_that_is_interrupted_anywhere_leaks_no_credentials(listen: Listen) -> None:
    def serve(connection: socket.socket) -> None:
        while read_request(connection):
            connection.sendall(reply())

    with LightningClient(HELD.key, HELD.secret, base_url=f"http://127.0.0.1:{listen(serve).port}") as client:
        create = partial(client.create_invoice, amount_sats=1, idempotency_key="order-1")
        whole = Interruption()
        whole.run(create)

        def sweep() -> None:
            for at in range(1, whole.count, whole.count // (2000 if THOROUGH else 50)):
                interruption = Interruption(at)
                with suppress(TazapayError):
                    interruption.run(create)
                if interruption.error is not None:  # frames of others can hold objects that cannot be shown yet
                    assert not HELD.leaked(interruption.error, "rich", "sentry"), at
                    interruption.error = None

        with ThreadPoolExecutor(1) as thread:  # of its own: see test_deadlines
            thread.submit(sweep).result()
    gc.collect()  # of sockets that were just made, while that may be said of them
