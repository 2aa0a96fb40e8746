"""docs/regenerating.md shows what the commands really print, and CONTRIBUTING.md a method that works."""

import re
import shutil
import subprocess
import sys

import pytest

from codegen.drift.coverage import load_coverage
from tazapay_lightning import LightningClient
from tests.codegen.warm import WarmCheckout
from tests.support.checkout import documented_repository

OPERATIONS, CLIENT = (f"wrapper/tazapay_lightning/{name}.py" for name in ("operations", "client"))
EXAMPLE = ("--import", "tests/pages/create-with-metadata-input.md")


def blocks_of(text):
    return [
        content for _, content in re.findall(r"^```(text|yaml|toml|py)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    ]


@pytest.fixture
def blocks(repository):
    return blocks_of((repository / "docs/regenerating.md").read_text())


@pytest.fixture
def documented(tmp_path, server):
    return WarmCheckout(documented_repository(tmp_path / "repository").root, server)


def test_the_refusal_of_the_example_is_the_one_shown(documented, blocks):
    done = documented.run(*EXAMPLE)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr in blocks


def test_the_report_of_the_example_is_the_one_shown(documented, blocks):
    done = documented.run(*EXAMPLE, "--stub-missing")
    assert done.returncode == 0
    assert done.stdout in blocks


@pytest.mark.parametrize("name", ["generate.toml", "team.overlay.yaml", "order_checkout.py"])
def test_the_files_of_a_team_are_those_that_the_commands_name(repository, blocks, name):
    assert (repository / "tests/pages" / name).read_text() in blocks


@pytest.mark.skipif(hasattr(LightningClient, "create_checkout"), reason="somebody has done what is shown")
def test_the_method_that_contributing_adds_to_the_wrapper_works(documented, repository):
    """What it shows, put into a copy in which the page is imported: coverage, the request, and the method."""
    coverage, request, method = blocks_of((repository / "CONTRIBUTING.md").read_text())[-3:]
    root, pages = documented.root, documented.root / "tests/pages"
    for name in ("generate.toml", "team.overlay.yaml"):
        shutil.copy(pages / name, root)
    assert documented.run("--import", "tests/pages/create-checkout.md").returncode == 0
    with (root / "codegen/wrapper_coverage.yaml").open("a") as file:
        file.write(f"\n{coverage}")
    documented.edit(OPERATIONS, "def any_operation(\n", f"{request}\n\ndef any_operation(\n")
    method = method.partition("    ...\n\n")[2]
    documented.edit(CLIENT, "    def call(\n", f"{method}\n    def call(\n")
    documented.edit(CLIENT, "import any_operation, ", "import any_operation, checking_out, ")
    program = (pages / "order_checkout.py").read_text()
    called = 'create_checkout(currency="USD", amount=1012, description="Order #7890", idempotency_key="order-7890")'
    (root / "program.py").write_text(re.sub(r"call\(post_checkout.*\)", called, program))
    done = subprocess.run(
        [sys.executable, "program.py"],
        cwd=root,
        env={"PYTHONPATH": f"{root}/wrapper:{root}/generated_client"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("https://checkout.example/chk_1 order-7890\n", "")
    covered = load_coverage(root).operation("POST", "/v3/checkout")
    assert covered is not None
    assert covered.method == "create_checkout"
