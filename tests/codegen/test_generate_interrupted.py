"""Whenever a signal comes or a run is killed, what ./generate.sh says about the repository is true."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from codegen.layout import DOCUMENT, OVERLAY, PACKAGE
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
    for file in (DOCUMENT, OVERLAY, "codegen/wrapper_coverage.yaml"):
        shutil.copy(repository / file, root / file)
    sweep = [sys.executable, repository / "tests/codegen/signal_sweep.py", root, repository / PAGE, command, name]
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


@pytest.fixture
def killed(checkout, repository):
    """A checkout in which an import was killed right after it was decided, before anything was put in place."""
    code = (
        "import codegen.write.journal as journal, pathlib, sys\n"
        "root = pathlib.Path(sys.argv[1]); scratch = root / '.codegen-scratch'; scratch.mkdir()\n"
        "journal.settle = lambda _root, _scratch: None\n"
        "new = (root / 'openapi.yaml').read_bytes() + b'# the new one\\n'\n"
        "journal.put_in_place(root, scratch, {'openapi.yaml': new}, {})\n"
    )
    python = checkout.root / ".venv-codegen/bin/python"
    subprocess.run([python, "-c", code, checkout.root], env={"PYTHONPATH": str(repository)}, check=True)
    return checkout


def everything(root: Path):
    files = [path for path in root.rglob("*") if path.is_file() and not path.name.startswith(".venv-codegen")]
    return {path: (path.read_bytes(), path.stat().st_ino, path.stat().st_mtime_ns) for path in files}


@pytest.mark.parametrize("arguments", [["--check"], ["--diff", "openapi.yaml"]], ids=["check", "diff"])
def test_what_only_reads_finishes_nothing_and_says_what_does(killed, arguments):
    before = everything(killed.root)
    done = killed.run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: a run was killed while it put things in place, so openapi.yaml, openapi.overlay.yaml and"
        " generated_client/tazapay_lightning_api may not belong together: run ./generate.sh, which finishes that;"
        " nothing was changed now\n"
    )
    assert everything(killed.root) == before


def test_extract_reads_nothing_of_the_repository_and_leaves_it_as_it_is(killed, repository):
    before = everything(killed.root)
    done = killed.run("--extract", str(repository / PAGE))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("openapi: 3.1.0\n")
    assert everything(killed.root) == before


@pytest.mark.parametrize("command", ["plain", "import"])
def test_what_writes_finishes_it_first_and_says_so(killed, repository, command):
    arguments = ["--import", str(repository / "tests/pages/create-a-lightning-invoice.md")]
    done = killed.run(*(arguments if command == "import" else []))
    assert done.returncode == 0
    assert done.stderr.startswith("an import that was interrupted has been carried out\n")
    assert (killed.root / DOCUMENT).read_text().endswith("# the new one\n")
    assert not (killed.root / ".codegen-scratch").exists()
    assert killed.run("--check").returncode == 0


def test_check_refuses_a_package_that_stepped_aside_and_a_plain_run_puts_it_back(checkout, committed_tree):
    """As a run leaves it that is killed where folders cannot be exchanged in one step."""
    (checkout.root / ".codegen-scratch").mkdir()
    checkout.package.rename(checkout.root / ".codegen-scratch/retired")
    refused = checkout.run("--check")
    assert refused.returncode == 2
    assert "run ./generate.sh, which finishes that" in refused.stderr
    assert not checkout.package.exists()
    done = checkout.run()
    assert done.stdout.endswith("unchanged\n")
    assert checkout.tree() == committed_tree


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
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [checkout.root / "generate.sh"],
            env={"PATH": os.environ["PATH"], "PYTHON": sys.executable},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
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
    waited = []
    with pytest.raises(KeyboardInterrupt), interruptions.deferred():
        waited.append(signal.raise_signal(number))
    assert waited == [None]
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
