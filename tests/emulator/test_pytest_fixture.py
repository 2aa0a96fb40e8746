from __future__ import annotations

import httpx
import pytest

from tazapay_lightning_emulator import Emulator
from tests.support.nightly import nightly
from tests.support.plain_http import NO_TLS

pytest_plugins = ["pytester"]

QUICK = ("-p", "no:cacheprovider", "-p", "no:schemathesis")  # the latter takes a second to import

CREATE = """
import httpx

def create(emulator):
    return httpx.post(
        f"{emulator.base_url}/v3/lightning_invoice_bolt11",
        auth=(emulator.api_key, emulator.api_secret),
        json={"amount": 1},
        trust_env=False,
    )
"""


def test_the_fixture_is_there_without_any_configuration(tazapay_emulator: Emulator) -> None:
    reply = httpx.post(
        f"{tazapay_emulator.base_url}/v3/lightning_invoice_bolt11",
        auth=(tazapay_emulator.api_key, tazapay_emulator.api_secret),
        json={"amount": 123456},
        trust_env=False,
        verify=NO_TLS,
    )
    assert reply.status_code == 200
    assert [stored["amount"] for stored in tazapay_emulator.invoices()] == [123456]


def test_every_test_of_a_user_gets_an_empty_emulator_of_its_own(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        CREATE
        + """
urls = set()

def test_one(tazapay_emulator):
    assert create(tazapay_emulator).status_code == 200
    assert len(tazapay_emulator.invoices()) == 1
    urls.add(tazapay_emulator.base_url)

def test_two(tazapay_emulator):
    assert tazapay_emulator.invoices() == []
    assert create(tazapay_emulator).status_code == 200
"""
    )
    pytester.runpytest_subprocess("-W", "error", *QUICK).assert_outcomes(passed=2)


@nightly
def test_the_fixture_explains_itself(pytester: pytest.Pytester) -> None:
    listing = pytester.runpytest_subprocess("--fixtures", *QUICK).stdout.str()
    assert "tazapay_emulator" in listing
    assert "A running emulator of Tazapay, empty at the start of every test." in listing


@pytest.mark.parametrize("package", [pytest.param("starlette", marks=nightly), "uvicorn"])
def test_a_missing_extra_is_named_only_when_the_fixture_is_used(pytester: pytest.Pytester, package: str) -> None:
    pytester.makeconftest(f"import sys\nsys.modules[{package!r}] = None")
    pytester.makepyfile("def test_without():\n    pass\n\ndef test_with(tazapay_emulator):\n    pass\n")
    result = pytester.runpytest_subprocess("-p", "no:randomly", *QUICK)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [f'*needs {package}, which is not installed: pip install "tazapay-lightning?emulator?"*']
    )
