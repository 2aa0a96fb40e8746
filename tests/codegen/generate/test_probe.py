"""What is generated is called before it replaces what is there: changes of a page that rules alone would misjudge."""

import json
import os
import subprocess
import sys

import pytest

from codegen.errors import CodegenError
from codegen.generate import probe as module
from codegen.generate.document_checks import NAMES_OF_MODELS, check_document
from codegen.generate.probe import probe
from codegen.generate.regeneration import merged_document
from codegen.layout import DOCUMENT, OVERLAY, PACKAGE

CREATE = "tests/pages/create-a-lightning-invoice.md"
KEY = "        - in: header\n          name: Idempotency-Key\n"
QUERY = "        - {in: query, name: locale, schema: {type: string}}\n"
DATA = "                  data:\n                    type: string\n"
OBJECT = "                  data:\n                    type: object\n"

USED = """
import asyncio
from tazapay_lightning import AsyncLightningClient, LightningClient
from tazapay_lightning_emulator import running_emulator

with running_emulator() as emulator:
    options = {"base_url": emulator.base_url, "max_retries": 0}
    with LightningClient(emulator.api_key, emulator.api_secret, **options) as client:
        made = client.create_invoice(amount_sats=1000, memo="Order", metadata={"order": "1"}, idempotency_key="a")
        assert client.create_invoice(amount_sats=1000, memo="Order", metadata={"order": "1"},
                                     idempotency_key="a").id == made.id, "the key was not sent"
        assert client.update_invoice(made.id, metadata={"order": "2"}).metadata == {"order": "2"}
        emulator.pay(made.id)
        assert client.wait_for_payment(made.id, timeout=5, poll_interval=0.01).is_paid

    async def main():
        async with AsyncLightningClient(emulator.api_key, emulator.api_secret, **options) as client:
            made = await client.create_invoice(amount_sats=2000)
            assert (await client.get_invoice(made.id)).amount_sats == 2000

    asyncio.run(main())
"""


@pytest.fixture
def new_checkout(new_warm_checkout):
    return new_warm_checkout


@pytest.fixture
def effective(repository):
    """The document with the supplement and every action of the overlay."""
    return merged_document(repository, ())[0]


def used(checkout):
    """Use the wrapper with the checkout's client, in a process that knows no other; return what it said."""
    path = os.pathsep.join(str(checkout.root / folder) for folder in ("generated_client", "wrapper", "emulator"))
    done = subprocess.run([sys.executable, "-c", USED], env={"PYTHONPATH": path}, capture_output=True, text=True)
    return done.stderr


def with_change(checkout, repository, old, new):
    text = (repository / CREATE).read_text()
    assert text.count(old) == 1, f"the page holds {old!r} {text.count(old)} times"
    (checkout.root / "page.md").write_text(text.replace(old, new))
    return "page.md"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("        '200':\n", "        '201':\n", id="200 becomes 201"),
        pytest.param("        '200':\n", "        '202':\n", id="200 becomes 202"),
        pytest.param(
            "      parameters: []\n",
            "      parameters:\n" + KEY.lower() + "          schema: {type: string}\n",
            id="the header in lower case",
        ),
        pytest.param("      parameters: []\n", "      parameters:\n" + QUERY, id="an optional query parameter"),
        pytest.param(DATA, OBJECT, id="data as an object"),
    ],
)
def test_what_breaks_no_call_is_imported_without_an_edit_and_works(checkout, repository, old, new):
    done = checkout.run("--import", with_change(checkout, repository, old, new), "--drop-obsolete")
    assert done.returncode in {0, 3}, done.stderr
    assert used(checkout) == ""


@pytest.mark.parametrize(
    ("old", "new", "call", "line"),
    [
        pytest.param(
            "                amount:\n",
            "                amount_sats:\n",
            "create_invoice",
            "amount",
            id="a field renamed",
        ),
        pytest.param(
            "      parameters: []\n",
            "      parameters:\n" + QUERY.replace("schema", "required: true, schema"),
            "create_invoice",
            "_get_kwargs() missing 1 required keyword-only argument: 'locale'",
            id="a query parameter that is needed",
        ),
        pytest.param(
            "                      amount: 123456\n",
            "                      amount: '0.00123456'\n",
            "create_invoice",
            "UnexpectedResponseError",
            id="an example with another type",
        ),
        pytest.param(
            "                      id: l11_abc123xyz\n",
            "",
            "create_invoice",
            "UnexpectedResponseError",
            id="an example without an id",
        ),
    ],
)
def test_what_breaks_a_call_is_breaking_with_the_last_line_of_its_traceback(checkout, repository, old, new, call, line):
    done = checkout.run("--import", with_change(checkout, repository, old, new), "--format", "json")
    assert done.returncode == 4, done.stdout + done.stderr
    calls = [each for each in json.loads(done.stdout)["changes"] if each["group"] == "calls"]
    assert [call in each["operation"] for each in calls] == [True] * len(calls)
    assert calls
    assert line in calls[0]["what"]


def test_a_reply_that_is_described_for_two_statuses_is_imported_and_works(checkout, repository):
    text = (repository / CREATE).read_text()
    reply = text[text.index("        '200':\n") : text.index("      parameters: []\n")]
    (checkout.root / "page.md").write_text(text.replace(reply, reply + reply.replace("'200'", "'201'")))
    done = checkout.run("--import", "page.md")
    assert done.returncode in {0, 3}, done.stderr
    assert used(checkout) == ""


@pytest.mark.parametrize("name", [*sorted(NAMES_OF_MODELS), "toDict", "$d", "CLS"])
@pytest.mark.parametrize("holder", ["requestBody", "responses/200"])
def test_a_property_that_would_break_its_model_is_refused_by_its_name(effective, holder, name):
    place = effective["paths"]["/v3/lightning_invoice_bolt11"]["post"]
    for step in holder.split("/"):
        place = place[step]
    place["content"]["application/json"]["schema"]["properties"][name] = {"type": "array", "items": {"type": "string"}}
    with pytest.raises(CodegenError) as caught:
        check_document(effective, DOCUMENT)
    assert f"a property called {name} breaks its model, whose code uses that name itself" in str(caught.value)
    assert "remove: true" in str(caught.value)


def test_a_generated_client_that_breaks_a_call_does_not_replace_the_old_one(checkout):
    checkout.edit(OVERLAY, "operationId: get_lightning_invoice\n", "operationId: fetch_lightning_invoice\n")
    before = checkout.tree()
    done = checkout.run()
    assert (done.returncode, done.stdout) == (2, "")
    assert "the new client breaks calls, and the old one stays:\n  " in done.stderr
    assert "get_lightning_invoice" in done.stderr
    assert checkout.tree() == before


def test_the_committed_client_breaks_no_call(repository, effective):
    assert probe(repository, repository / PACKAGE, effective, check_document(effective, DOCUMENT).operations) == ()


def test_a_method_that_a_team_has_added_is_called_too(checkout, effective):
    added = "    def refund(self, *, amount: int, reason: str) -> str:\n        return reason + amount\n\n"
    checkout.edit("wrapper/tazapay_lightning/client.py", "    def call(\n", f"{added}    def call(\n")
    (broken,) = probe(checkout.root, checkout.package, effective, check_document(effective, DOCUMENT).operations)
    assert (
        broken.calls
        == "LightningClient.refund against the document's examples, LightningClient.refund against the emulator"
    )
    assert broken.reason.startswith("TypeError: can only concatenate str")


def test_a_probe_that_does_not_end_is_ended_and_told(repository, effective, monkeypatch):
    monkeypatch.setattr(module, "TIME_LIMIT", 0.01)
    with pytest.raises(CodegenError, match="it did not come to an end within 0.01 seconds$"):
        probe(repository, repository / PACKAGE, effective, ())


def test_a_package_that_cannot_be_imported_is_told_by_the_last_line(repository, tmp_path):
    package = tmp_path / "tazapay_lightning_api"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('broken on purpose')\n")
    with pytest.raises(CodegenError, match="by calling the wrapper through it: RuntimeError: broken on purpose$"):
        probe(repository, package, {"paths": {}}, ())
