"""What a signal handler raises in a call, and a fork beside one, leave nothing locked and nothing lost."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from tazapay_lightning import APIConnectionError, APIError, ConfigurationError, LightningClient
from tazapay_lightning.transport.backends.connections import MAX_CONNECTIONS
from tests.support.service import read_request
from tests.support.thorough import THOROUGH
from tests.support.wire import reply

if TYPE_CHECKING:
    from tests.support.service import Listener

GOOD = reply()
INTERRUPTED = """
import faulthandler, random, sys, threading, warnings
from concurrent.futures import ThreadPoolExecutor
from tazapay_lightning import LightningClient

class Interrupted(BaseException):
    pass

faulthandler.dump_traceback_later(100, exit=True)
warnings.simplefilter("ignore", ResourceWarning)  # a socket that Python's own library was just opening
base_url, step, places = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
client = LightningClient("k", "s", base_url=base_url, max_retries=0)

def create(sats=1):
    return client.create_invoice(amount_sats=1, idempotency_key="k").amount_sats

def interrupted_at(nth):
    count = 0
    def look(frame, event, arg):
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event == "opcode":
            count += 1
            if count == nth:
                raise Interrupted
        return look
    sys._getframe().f_trace_opcodes = True  # Python 3.12 heeds it in other frames only if one had it before
    sys.settrace(look)
    try:
        create()
    except Interrupted:
        pass
    finally:
        sys.settrace(None)
    return count

create()
length = interrupted_at(0)
for nth in range(random.randrange(1, step), length, step):
    interrupted_at(nth)
create(), print(length, flush=True)
input()  # from now on the server answers when all places are taken
with ThreadPoolExecutor(places) as threads:
    print(list(threads.map(create, range(2 * places))) == [1] * 2 * places)
"""


@pytest.mark.parametrize("ending", [False, True], ids=["a connection that is kept", "a new connection"])
def test_after_exceptions_at_any_bytecode_of_a_call_all_connections_can_be_had(ending: bool, listen: Any) -> None:
    together = threading.Barrier(MAX_CONNECTIONS)
    full = threading.Event()

    def serve(connection: socket.socket) -> None:
        while read_request(connection):
            if full.is_set():
                together.wait(30)
            connection.sendall(GOOD.replace(b"\r\n", b"\r\nConnection: close\r\n", 1) if ending else GOOD)
            if ending:
                return

    step = 23 if THOROUGH else 211
    listener: Listener = listen(serve)
    program = [sys.executable, "-c", INTERRUPTED, f"http://127.0.0.1:{listener.port}", str(step), str(MAX_CONNECTIONS)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        length = int(process.stdout.readline())
        full.set()
        told, _ = process.communicate("\n", timeout=100)
    assert length > 5_000
    assert told.strip() == "True"


class TooLateError(Exception):
    """Raised by the signal handler, as for a worker's soft time limit."""


def test_a_signal_handler_may_raise_while_a_call_waits_for_a_connection(listen: Any) -> None:
    def raise_late(*_: object) -> None:
        raise TooLateError

    client = LightningClient("k", "s", base_url=f"http://127.0.0.1:{listen(answer).port}")
    connections = client._calls._backend()._connections
    places: Any = connections._places  # type: ignore[union-attr]  # it is not a client that the caller brought
    taken = [places.take(time.monotonic()) for _ in range(MAX_CONNECTIONS)]
    before = signal.signal(signal.SIGALRM, raise_late)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(APIError) as caught:
            client.create_invoice(amount_sats=1)
        assert isinstance(caught.value.__cause__, TooLateError)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    del taken  # lost, without having been given back
    with client:
        assert client.create_invoice(amount_sats=1).amount_sats == 1
        assert len(places) == MAX_CONNECTIONS


@pytest.mark.parametrize("waiting_for", ["a reply", "the next attempt"])
def test_a_signal_handler_may_close_the_client_in_the_middle_of_its_call(waiting_for: str, listen: Any) -> None:
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        if waiting_for == "the next attempt":
            connection.sendall(reply(b"{}", b"Retry-After: 60", status=b"503 Busy"))
        os.kill(os.getpid(), signal.SIGALRM)
        read_request(connection)

    client = LightningClient("k", "s", base_url=f"http://127.0.0.1:{listen(serve).port}", timeout=5)
    before = signal.signal(signal.SIGALRM, lambda *_: client.close())
    try:
        with pytest.raises((APIConnectionError, APIError)) as caught:
            client.create_invoice(amount_sats=1)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert caught.value.outcome_unknown
    with pytest.raises(ConfigurationError, match="this client is closed"):
        client.create_invoice(amount_sats=1)


def answer(connection: socket.socket) -> None:
    while read_request(connection):
        connection.sendall(reply())


FORKED = """
import os, signal, sys, threading, time, warnings
warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)  # of Python 3.12 and later
from tazapay_lightning import LightningClient
client = LightningClient("k", "s", base_url=sys.argv[1])
calling = threading.Thread(target=client.create_invoice, kwargs={"amount_sats": 1, "idempotency_key": "k"})
calling.start()
time.sleep(float(sys.argv[2]))  # any moment of the first call, which takes most of its time to load libraries
child = os.fork()
if not child:
    signal.alarm(20)
    os._exit(client.create_invoice(amount_sats=1, idempotency_key="k").amount_sats)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
calling.join()
client.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("part", range(40 if THOROUGH else 4))
def test_a_child_that_is_forked_while_another_thread_makes_the_first_call_makes_its_own(part: int, listen: Any) -> None:
    delay = random.uniform(0, 0.3)
    program = [sys.executable, "-c", FORKED, f"http://127.0.0.1:{listen(answer).port}", str(delay)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("1\n", ""), delay
