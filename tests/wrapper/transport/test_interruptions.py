"""What interrupts a call leaves it as it is, and the idempotency key leaves with it, in a note."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

import httpx
import pytest

from tazapay_lightning import LightningClient
from tests.support.service import API_KEY, API_SECRET, envelope, invoice_object

KEY = re.compile(r"idempotency_key='([^']+)'")

UNREACHABLE = "http://127.0.0.1:9"
"""Nobody listens there: a request never goes out."""


def notes_of(error: BaseException | None) -> list[str]:
    """Return what a traceback shows: the notes of an exception and of those that led to it."""
    notes: list[str] = []
    while error is not None:
        notes += getattr(error, "__notes__", [])
        error = error.__cause__ or error.__context__
    return notes


def test_an_interrupted_load_says_that_nothing_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until httpx is loaded, the first call, nothing is in doubt."""
    client = LightningClient(API_KEY, API_SECRET, base_url=UNREACHABLE)

    def interrupt() -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(client._calls, "_backend", interrupt)
    with pytest.raises(KeyboardInterrupt) as caught:
        client.create_invoice(amount_sats=1, idempotency_key="order-1")
    assert notes_of(caught.value) == ["idempotency key order-1: nothing was sent"]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_an_interruption_while_the_reply_is_read_has_the_key(kind: type[BaseException]) -> None:
    class Reply(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield envelope(invoice_object(amount=1))[:20]
            raise kind

    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=Reply()))
    with (
        httpx.Client(transport=transport) as http_client,
        LightningClient(API_KEY, API_SECRET, http_client=http_client) as client,
        pytest.raises(kind) as caught,
    ):
        client.create_invoice(amount_sats=1, idempotency_key="order-1")
    assert KEY.findall(notes_of(caught.value)[0]) == ["order-1"]


class Interrupted(BaseException):
    """What a signal handler raises."""


class At:
    """Raises `Interrupted` at one of the lines of the wrapper that run once the request is out."""

    def __init__(self, line: int, sent: list[str]) -> None:
        self.left = line
        self.sent = sent

    def __call__(self, frame: FrameType, event: str, arg: object) -> At | None:
        if not frame.f_globals.get("__name__", "").startswith("tazapay_lightning."):
            return None
        if self.sent and event == "line":
            self.left -= 1
            if self.left < 0:
                sys.settrace(None)
                raise Interrupted
        return self


def test_an_interruption_at_any_line_after_the_request_loses_no_key() -> None:
    sent: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["idempotency-key"])
        return httpx.Response(200, content=envelope(invoice_object(amount=1)))

    before, lines = sys.gettrace(), 0
    with (
        httpx.Client(transport=httpx.MockTransport(handle)) as http_client,
        LightningClient(API_KEY, API_SECRET, http_client=http_client) as client,
    ):
        client.create_invoice(amount_sats=1)  # loads everything
        for lines in range(10_000):
            sent.clear()
            sys.settrace(At(lines, sent))
            try:
                client.create_invoice(amount_sats=1)
                break
            except Interrupted as error:
                noted = KEY.findall(" ".join(notes_of(error)))
            finally:
                sys.settrace(before)
            assert noted == sent
    assert 100 < lines < 10_000
