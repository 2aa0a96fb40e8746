"""Whenever a signal comes or a run is killed, what ./generate.sh says about the repository is true."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys

import pytest

from codegen.layout import DOCUMENT, OVERLAY, PACKAGE, SUPPLEMENT
from codegen.write import interruptions
from tests.support.nightly import nightly
from tests.support.thorough import THOROUGH

PAGE = "tests/pages/create-with-metadata-input.md"
TOO_LATE = {"import": "the import is done", "regenerate": f"{PACKAGE} is regenerated"}


@pytest.fixture
def new_checkout(new_warm_checkout):
    return new_warm_checkout


@pytest.mark.parametrize(
    ("command", "name"), [("import", "SIGTERM"), pytest.param("regenerate", "SIGINT", marks=nightly)]
)
def test_a_signal_at_any_moment_ends_in_an_exit_code_and_a_message_that_are_true(tmp_path, repository, command, name):
    root = tmp_path / "repository"
    (root / "codegen").mkdir(parents=True)
    for file in (DOCUMENT, SUPPLEMENT, OVERLAY, "codegen/wrapper_coverage.yaml"):
        shutil.copy(repository / file, root / file)
    sweep = [sys.executable, repository / "tests/codegen/write/signal_sweep.py", root, repository / PAGE, command, name]
    environment = {"PYTHONPATH": str(repository), "THOROUGH": str(int(THOROUGH))}
    done = subprocess.run(sweep, env=environment, capture_output=True, text=True, check=True)
    ends = json.loads(done.stdout)
    sent = [end for end in ends if end["sent"] == "yes"]
    undisturbed = ends[len(sent) :]
    assert {end["sent"] for end in undisturbed} == {"no"}
    too_late = f"interrupted, but too late: {TOO_LATE[command]}\n"
    seen = set()
    for end in sent:
        if end["left"] == "old":
            assert (end["code"], end["said"]) == (2, "error: interrupted: nothing was written\n")
        else:
            assert (end["left"], end["code"]) == ("new", 0)
            assert end["said"].endswith(too_late)
            assert "error" not in end["said"]
        assert not end["scratch"]
        seen.add(end["left"])
    assert seen == {"old", "new"}
    for end in undisturbed:
        assert (end["left"], end["code"], too_late in end["said"]) == ("new", 0, False)
    assert sent[-1]["moment"] > 30


def test_a_run_that_was_killed_between_its_steps_is_repaired_by_the_next(checkout, committed_tree):
    (checkout.root / ".codegen-scratch").mkdir()
    checkout.package.rename(checkout.root / ".codegen-scratch/retired")
    told = checkout.run("--check")
    assert told.returncode == 1
    assert told.stdout.endswith("run ./generate.sh and commit the result\n")
    assert checkout.run().returncode == 0
    assert checkout.tree() == committed_tree
    assert not (checkout.root / ".codegen-scratch").exists()


def test_check_leaves_the_scratch_of_a_run_that_was_killed_early_to_the_next_that_writes(checkout):
    (checkout.root / ".codegen-scratch/fresh").mkdir(parents=True)
    assert checkout.run("--check").returncode == 0
    assert (checkout.root / ".codegen-scratch/fresh").exists()


def test_a_report_that_nobody_reads_can_be_interrupted_and_the_import_is_done(checkout, repository):
    """The reader of the report stands still: the run waits for it, until a signal says that there is no use."""
    page = (repository / "tests/pages/create-a-lightning-invoice.md").read_text()
    fields = "".join(
        f"                field_{number}:\n                  type: string\n                  description: {'x' * 60}\n"
        for number in range(100)
    )
    (checkout.root / "page.md").write_text(
        page.replace("              properties:\n", f"              properties:\n{fields}", 1)
    )
    with checkout.start("--import", "page.md", "--format", "json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, 4096)
        for line in process.stderr:  # what was done comes before the report
            if line.startswith("generated_client"):
                break
        os.read(process.stdout.fileno(), 1)  # so the report has begun, and it is larger than the pipe
        os.kill(process.pid, signal.SIGTERM)
        said = process.stderr.read()
        process.stdout.close()
    assert (process.returncode, said) == (0, "interrupted, but too late: the import is done\n")
    assert checkout.run("--check").returncode == 0


@nightly
def test_a_regeneration_whose_summary_cannot_be_written_says_that_it_is_done(checkout, committed_tree):
    (checkout.package / "client.py").unlink()
    done = checkout.run_into_a_full_disk()
    assert done.returncode == 2
    assert done.stderr == (
        "error: generated_client/tazapay_lightning_api is regenerated, but its report could not be written:"
        " No space left on device\n"
    )
    assert checkout.tree() == committed_tree


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_counts_at_once_or_waits_or_comes_too_late(number):
    interruptions.listen()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)
    interruptions.listen()
    interruptions.hold()
    signal.raise_signal(number)
    assert interruptions.came()
    with pytest.raises(KeyboardInterrupt), interruptions.allowed():
        signal.raise_signal(number)
    signal.raise_signal(number)


def test_a_signal_that_whoever_started_us_ignores_stays_ignored():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    interruptions.listen()
    signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
