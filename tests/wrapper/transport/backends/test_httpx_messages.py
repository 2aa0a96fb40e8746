"""What is sent on a connection of ours is what httpx itself would send."""

from __future__ import annotations

import httpx
import pytest

from tazapay_lightning.transport.backends.httpx import _message

HEADERS = {"Accept": "application/json", "Content-Type": "application/json", "X-Team": "billing"}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("content", [None, b"", b'{"amount":1}'], ids=["no body", "an empty body", "a body"])
@pytest.mark.parametrize(
    "url",
    [
        "https://service.example/v3",
        "http://127.0.0.1:8080/v3",
        "https://b\u00fccher.example:443/?a=%20",
        "http://[::1]/",
    ],
)
def test_a_message_is_the_one_that_httpx_makes(method: str, content: bytes | None, url: str) -> None:
    address = httpx.URL(url)
    ours = _message(method, address, headers=HEADERS, content=content, extensions={"timeout": {}})
    theirs = httpx.Request(method, address, headers=HEADERS, content=content, extensions={"timeout": {}})
    assert sorted(ours.headers.raw) == sorted(theirs.headers.raw)
    assert ours.headers.raw[0] == theirs.headers.raw[0] == (b"Host", address.netloc)
    assert ours.read() == theirs.read()
    assert (ours.method, ours.url, ours.extensions) == (theirs.method, theirs.url, theirs.extensions)
