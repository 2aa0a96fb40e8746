from __future__ import annotations

from base64 import b64encode

import httpx
import pytest

from tazapay_lightning_emulator import Emulator, create_app, running_emulator
from tazapay_lightning_emulator.api.credentials import Credentials
from tests.support.plain_http import NO_TLS

INVOICES = "/v3/lightning_invoice_bolt11"


def basic(user_and_password: str) -> str:
    return "Basic " + b64encode(user_and_password.encode()).decode()


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        pytest.param([], 109, id="no header"),
        pytest.param([""], 109, id="empty header"),
        pytest.param(["Basic"], 109, id="Basic without credentials"),
        pytest.param(["Bearer abc"], 108, id="another scheme"),
        pytest.param([f"Basic{basic('emulator-api-key:emulator-api-secret')[6:]}"], 108, id="no blank after Basic"),
        pytest.param(["Basic ####"], 108, id="not Base64"),
        pytest.param([basic("emulator-api-key:emulator-api-secret").replace("Z", "#Z", 1)], 108, id="Base64 and more"),
        pytest.param(["Basic Zm9vOmJhcg"], 108, id="Base64 without its padding"),
        pytest.param(["Basic \u00fc\u00fc\u00fc\u00fc"], 108, id="not ASCII"),
        pytest.param([basic("emulator-api-key")], 108, id="no colon"),
        pytest.param([basic("emulator-api-key:emulator-api-secret")] * 2, 108, id="two headers"),
        pytest.param([basic(":")], 111, id="empty key and secret"),
        pytest.param([basic("another-key:emulator-api-secret")], 111, id="another key"),
        pytest.param([basic("emulator-api-key:another-secret")], 111, id="another secret"),
        pytest.param([basic("emulator-api-key:emulator-api-secret ")], 111, id="a blank after the secret"),
        pytest.param([basic("emulator-api-key:")], 111, id="no secret"),
        pytest.param([basic("EMULATOR-API-KEY:emulator-api-secret")], 111, id="key in another case"),
        pytest.param([basic("emulator-api-secret:emulator-api-key")], 111, id="key and secret exchanged"),
    ],
)
def test_a_request_without_the_accepted_pair_is_401_with_the_documented_code(
    emulator: Emulator, headers: list[str], code: int
) -> None:
    reply = httpx.post(
        emulator.base_url + INVOICES,
        headers=[(b"Authorization", header.encode("latin-1")) for header in headers],
        json={"amount": 1},
        trust_env=False,
        verify=NO_TLS,
    )
    assert reply.status_code == 401
    body = reply.json()
    assert (body["status"], [error["code"] for error in body["errors"]]) == ("error", [code])
    assert body["errors"][0]["remarks"]
    assert reply.headers["WWW-Authenticate"].startswith("Basic ")
    assert "emulator-api" not in reply.text
    assert "another" not in reply.text
    assert emulator.invoices() == []


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_the_scheme_is_read_in_any_case(emulator: Emulator, scheme: str) -> None:
    header = scheme + basic("emulator-api-key:emulator-api-secret")[5:]
    reply = httpx.post(
        emulator.base_url + INVOICES,
        headers={"Authorization": header},
        json={"amount": 1},
        trust_env=False,
        verify=NO_TLS,
    )
    assert reply.status_code == 200


def test_a_secret_may_hold_colons_and_any_character() -> None:
    with running_emulator(api_key="clé", api_secret="a:b::ü") as emulator:
        reply = httpx.post(
            emulator.base_url + INVOICES,
            auth=("clé".encode(), "a:b::ü".encode()),
            json={"amount": 1},
            trust_env=False,
            verify=NO_TLS,
        )
    assert reply.status_code == 200


def test_authentication_comes_before_everything_else_in_the_request(emulator: Emulator) -> None:
    reply = httpx.post(
        emulator.base_url + INVOICES,
        content=b"{",
        headers={"Idempotency-Key": "k" * 999},
        trust_env=False,
        verify=NO_TLS,
    )
    assert reply.status_code == 401


@pytest.mark.parametrize(("api_key", "api_secret"), [("", "secret"), ("a:b", "secret"), ("key", "")])
def test_credentials_that_http_basic_cannot_carry_are_refused(api_key: str, api_secret: str) -> None:
    with pytest.raises(ValueError, match=r"api_(key|secret) must be"):
        create_app(api_key=api_key, api_secret=api_secret)


def test_the_secret_shows_in_no_repr(emulator: Emulator) -> None:
    assert "the-secret" not in repr(Credentials("the-key", "the-secret"))
    assert repr(emulator) == f"Emulator(base_url={emulator.base_url!r})"
