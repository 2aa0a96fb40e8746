"""Whatever goes wrong, ./generate.sh says so in one message and leaves the committed client whole."""

import fcntl
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.nightly import nightly
from tests.support.thorough import THOROUGH


@pytest.fixture
def warm(new_warm_checkout, tmp_path):
    return new_warm_checkout(tmp_path / "repository")


@pytest.fixture
def assert_refused(warm, committed_tree) -> Callable[..., None]:
    """Run, and expect one clear message, exit code 2 and the old client."""

    def expect(*messages: str) -> None:
        done = warm.run()
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("error: ")
        assert done.stderr.count("error: ") == 1
        assert "Traceback" not in done.stderr
        for message in messages:
            assert message in done.stderr
        assert warm.tree() == committed_tree
        assert not (warm.root / ".codegen-scratch").exists()

    return expect


def add_operation(checkout, text: str) -> None:
    """Put another operation before the one that is there; the text is indented as a path item."""
    checkout.edit("openapi.yaml", "paths:\n", "paths:\n" + text)


def operation(path: str, operation_id: str, reply: str = "{type: object}") -> str:
    return (
        f"  {path}:\n    get:\n      operationId: {operation_id}\n      responses:\n        '200':\n"
        f"          description: ''\n          content:\n            application/json:\n              schema: {reply}\n"
    )


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        pytest.param(
            lambda checkout: (checkout.root / "openapi.yaml").unlink(), "openapi.yaml is missing", id="no document"
        ),
        pytest.param(
            lambda checkout: (checkout.root / "codegen/generator-config.yml").unlink(),
            "codegen/generator-config.yml is missing",
            id="no settings",
        ),
        pytest.param(
            lambda checkout: checkout.edit("openapi.yaml", "openapi: 3.1.0", "openapi: [3.1.0"),
            "openapi.yaml, line ",
            id="broken YAML",
        ),
        pytest.param(
            lambda checkout: checkout.edit("openapi.yaml", "info:\n", "paths: {}\ninfo:\n"),
            "the key 'paths' was already given on line 2",
            id="a key twice",
        ),
        pytest.param(
            lambda checkout: checkout.edit("openapi.yaml", "post:", "put:"),
            ": its target matches nothing\n    target: $.paths['/v3/lightning_invoice_bolt11'].post",
            id="an overlay that does not fit",
        ),
        pytest.param(
            lambda checkout: checkout.edit("openapi.overlay.yaml", "extends: openapi.yaml", "extends: other.yaml"),
            "it is for another document",
            id="an overlay for another document",
        ),
        pytest.param(
            lambda checkout: add_operation(checkout, operation("/v3/x", "create_lightning_invoice")),
            "'create_lightning_invoice'",
            id="an operationId twice",
        ),
        pytest.param(
            lambda checkout: add_operation(checkout, operation("/v3/x", "createLightningInvoice")),
            "GET /v3/x is missing",
            id="operationIds that become one module",
        ),
        pytest.param(
            lambda checkout: add_operation(checkout, operation("/v3/x", "x", "{$ref: '#/components/schemas/X'}")),
            "refers to #/components/schemas/X",
            id="a dangling reference",
        ),
        pytest.param(
            lambda checkout: add_operation(checkout, operation("/v3/x", "x", "{$ref: 'http://127.0.0.1:9/x.yaml'}")),
            "only references into the document",
            id="a remote reference",
        ),
        pytest.param(
            lambda checkout: add_operation(
                checkout,
                operation("/v3/x", "x").replace(
                    "responses:",
                    "parameters: [{name: a, in: query, schema: {enum: [b], default: b}}]\n      responses:",
                ),
            ),
            "parameters/0/schema has a default",
            id="a new sample default",
        ),
        pytest.param(
            lambda checkout: add_operation(
                checkout, operation("/v3/x", "x", "{type: object, title: CreateLightningInvoiceRequest}")
            ),
            "openapi-python-client could not generate the client",
            id="an endpoint that the generator drops",
        ),
        pytest.param(
            lambda checkout: checkout.edit(
                "openapi.yaml",
                "              required:\n                - amount\n",
                "              oneOf: [{required: [amount]}, {required: [d_tag_memo]}]\n",
            ),
            "has no model CreateLightningInvoiceRequest",
            id="a schema that the generator cannot express",
        ),
        pytest.param(
            lambda checkout: checkout.edit("codegen/generator-config.yml", "use_path", "use_paths"),
            "the generator knows no setting use_paths_prefixes_for_title_model_names",
            id="a setting that the generator ignores",
        ),
        pytest.param(
            lambda checkout: checkout.edit("codegen/generator-config.yml", "ruff format . --isolated", "ruff format ."),
            "must be --isolated",
            id="a formatter that is not isolated",
        ),
        pytest.param(
            lambda checkout: checkout.edit(
                "codegen/generator-config.yml", "ruff format . --isolated", "echo ruff format . --isolated"
            ),
            "must hold a `ruff format .` command",
            id="no formatter",
        ),
        pytest.param(
            lambda checkout: checkout.edit(
                "codegen/generator-config.yml", "ruff format . --isolated", "ruff format api --isolated"
            ),
            "must hold a `ruff format .` command, for all files",
            id="a formatter that leaves files out",
        ),
        pytest.param(
            lambda checkout: checkout.add_hook("no-such-tool ."),
            "no-such-tool is not in PATH",
            id="a hook that is not there",
        ),
        pytest.param(
            lambda checkout: checkout.add_hook("echo >&2 the tool gave up; exit 3"),
            "the tool gave up",
            id="a hook that fails",
        ),
        pytest.param(
            lambda checkout: checkout.add_hook("echo >>types.py 'x=1'"),
            "the generated code is not formatted",
            id="a hook that leaves code unformatted",
        ),
    ],
)
def test_a_bad_input_is_refused(warm, assert_refused, damage, message):
    damage(warm)
    assert_refused(message)


def test_a_scratch_folder_that_cannot_be_made_is_named(checkout, committed_tree):
    (checkout.root / ".codegen-scratch").write_text("in the way")
    done = checkout.run()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert str(checkout.root / ".codegen-scratch") in done.stderr
    assert checkout.tree() == committed_tree


def test_an_environment_that_cannot_be_made_is_an_error_and_not_a_difference(checkout, committed_tree):
    (checkout.root / ".venv-codegen").unlink()  # a link to the one that is made
    (checkout.root / ".venv-codegen.lock").mkdir()
    done = checkout.run("--check")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Is a directory" in done.stderr
    assert checkout.tree() == committed_tree


@pytest.mark.parametrize("kilobytes", [pytest.param(1, marks=nightly), 10])
def test_a_full_disk_leaves_the_client_whole(checkout, committed_tree, kilobytes):
    # A limit on the size of files is the one full disk that every user can have. At 1 kB the merged document does not
    # fit, which our own code notices; at 10 kB the biggest module does not fit, which the generator notices.
    checkout.edit("openapi.yaml", "description: success or failure", "description: succeeded or failed")
    limit = kilobytes * 1024
    done = subprocess.run(
        [checkout.root / "generate.sh"],
        env={"PATH": os.environ["PATH"], "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert checkout.tree() == committed_tree
    assert not (checkout.root / ".codegen-scratch").exists()


def test_a_disk_too_full_for_the_output_is_an_error_too(checkout, repository):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [checkout.root / "generate.sh", "--extract", repository / "tests/pages/create-a-lightning-invoice.md"],
            env={"PATH": os.environ["PATH"], "PYTHON": sys.executable},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (2, "error: No space left on device: while reading or writing\n")


def test_a_reader_that_has_seen_enough_is_no_reason_for_a_traceback(checkout):
    page = checkout.root / "page.md"
    page.write_text("```\nopenapi: 3.1.0\n" + f"{'x' * 99}\n" * 10_000 + "```\n")  # more than a pipe holds
    with checkout.start("--extract", str(page)) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 2


@pytest.fixture
def changed(warm, committed_tree):
    """A checkout whose document changed, the client that its next run gives, and how many seconds that run takes."""
    warm.edit("openapi.yaml", "description: success or failure", "description: succeeded or failed")
    old = shutil.copytree(warm.package, warm.root / "old")
    started = time.monotonic()
    assert warm.run_killed_after(60).returncode == 0  # as those that are killed, but too late to be so
    duration = time.monotonic() - started
    new = warm.tree()
    assert new != committed_tree
    shutil.rmtree(warm.package)
    old.rename(warm.package)
    return warm, new, duration


@nightly
def test_a_run_that_is_killed_while_it_generates_leaves_the_old_client(changed, committed_tree):
    checkout, new, _ = changed
    settings = (checkout.root / "codegen/generator-config.yml").read_bytes()
    checkout.add_hook("kill -9 0")  # the whole process group: the script, the generator and this hook
    process = checkout.start()
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert (checkout.root / ".codegen-scratch").exists(), "it was not killed while it generated"
    assert checkout.tree() == committed_tree
    (checkout.root / "codegen/generator-config.yml").write_bytes(settings)
    assert checkout.run().returncode == 0
    assert checkout.tree() == new
    assert not (checkout.root / ".codegen-scratch").exists()


def test_a_run_that_is_killed_at_any_time_leaves_the_old_client_or_the_new_one(changed, committed_tree):
    checkout, new, duration = changed
    for step in range(1, 5) if THOROUGH else (2,):
        checkout.run_killed_after(duration * step / 4)
        assert checkout.tree() in (committed_tree, new), f"killed at {step}/4 of a run"
    assert checkout.run().returncode == 0
    assert checkout.tree() == new
    assert not (checkout.root / ".codegen-scratch").exists()


@pytest.mark.parametrize("name", ["SIGINT", pytest.param("SIGTERM", marks=nightly)])
def test_an_interrupted_run_says_so_and_cleans_up(checkout, committed_tree, name):
    reached = checkout.root / "reached"
    os.mkfifo(reached)
    checkout.add_hook(f"echo reached > '{reached}'; sleep 60")
    process = checkout.start()
    reached.read_text()  # blocks until the hook runs
    os.kill(process.pid, signal.Signals[name])
    out, err = process.communicate(timeout=30)
    os.killpg(process.pid, signal.SIGKILL)  # the hook's sleep
    assert (process.returncode, out, err) == (2, "", "error: interrupted: nothing was written\n")
    assert checkout.tree() == committed_tree
    assert not (checkout.root / ".codegen-scratch").exists()


def test_a_second_run_waits_for_the_first(checkout):
    folder = os.open(checkout.root, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    with checkout.start("--check") as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "waiting for another run of ./generate.sh to end\n"
        assert process.poll() is None
        os.close(folder)
        assert process.wait(timeout=60) == 0
