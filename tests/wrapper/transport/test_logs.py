"""TAZAPAY_LOG writes the log of a client to stderr: tried in a Python of its own, which has no other handler."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tazapay_lightning import ConfigurationError, LightningClient

PROGRAM = """if True:
    import httpx
    from tazapay_lightning import LightningClient
    left = [httpx.Response(503, headers={"Retry-After": "0"})]
    body = b'{"data": {"id": "l11_1", "amount": 1, "d_tag_memo": "for your eyes only"}}'
    answer = lambda request: left.pop() if left else httpx.Response(200, stream=httpx.ByteStream(body))
    own = httpx.Client(transport=httpx.MockTransport(answer))
    for _ in range(2):
        client = LightningClient("my-key", "my-secret", http_client=own)
    client.create_invoice(amount_sats=1, memo="for your eyes only", idempotency_key="the-whole-key")
"""


def logged(level: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "TAZAPAY_LOG": level},
    )
    assert "eyes only" not in done.stderr
    assert "my-secret" not in done.stderr
    return [line for line in done.stderr.splitlines() if " tazapay_lightning: " in line]


def test_info_has_a_line_for_each_retry() -> None:
    (line,) = logged("info")
    assert re.search(
        r"INFO tazapay_lightning: POST /v3/lightning_invoice_bolt11: trying again in 0\.\d\d s after: 503", line
    )


def test_debug_has_a_line_for_each_attempt_with_the_whole_key() -> None:
    first, _, second = logged("DEBUG")
    assert "POST /v3/lightning_invoice_bolt11 -> 503, attempt 1 of 3, " in first
    assert first.endswith("key the-whole-key")
    assert "-> 200, attempt 2 of 3, " in second


def test_without_the_variable_nothing_is_written() -> None:
    assert logged("") == []


def test_another_level_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAZAPAY_LOG", "verbose")
    with pytest.raises(ConfigurationError, match='^TAZAPAY_LOG must be "info" or "debug"; got \'verbose\'$'):
        LightningClient("k", "s")
