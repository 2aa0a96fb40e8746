"""The weekly import: the steps of .github/workflows/spec-drift.yml, run as they stand, without the network."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from codegen.read.documents import load_document
from tests.support.nightly import nightly

WORKFLOW, PAGES = ".github/workflows/spec-drift.yml", ".github/spec-pages.txt"
GH = """\
#!/bin/sh
case "$1 $2" in
    "pr list") cat "$RUNNER_TEMP/open" ;;
    "auth setup-git") ;;
    *) printf '%s\\n' "$@" >"$RUNNER_TEMP/called" ;;
esac
"""


@pytest.fixture
def steps(repository):
    (job,) = load_document(repository / WORKFLOW, WORKFLOW)["jobs"].values()
    return {step.get("name", step.get("uses")): step for step in job["steps"]}


@pytest.fixture
def runner(checkout, steps, repository, tmp_path):
    """Run the import and the pull request on a clone of a bare repository, with a stand-in for `gh`."""
    temporary = tmp_path / "runner"
    for folder in ("pages", "bin"):
        (temporary / folder).mkdir(parents=True)
    (temporary / "open").write_text("0")
    (temporary / "bin/gh").write_text(GH)
    (temporary / "bin/gh").chmod(0o755)
    environment = {
        "PATH": f"{temporary / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHON": sys.executable,
        "RUNNER_TEMP": str(temporary),
        "GITHUB_OUTPUT": str(temporary / "output"),
        "GIT_CONFIG_GLOBAL": os.devnull,
    }

    def git(*arguments, where=checkout.root):
        command = ["git", "-C", where, "-c", "user.name=T", "-c", "user.email=t@example.com", *arguments]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    git("init", "--quiet", "--bare", "--initial-branch=main", tmp_path / "origin", where=tmp_path)
    git("init", "--quiet", "--initial-branch=main")
    git("remote", "add", "origin", str(tmp_path / "origin"))
    git("add", "openapi.yaml", "openapi.overlay.yaml", "generated_client")
    git("commit", "--quiet", "--message", "First")
    git("push", "--quiet", "origin", "main")

    def run(page):
        shutil.copy(page, temporary / "pages")
        for name in ("import them", "open a pull request"):
            bash = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", steps[name]["run"]]
            outputs = (temporary / "output").read_text() if (temporary / "output").exists() else ""
            verdict = {"VERDICT": outputs.strip().removeprefix("verdict=")}
            done = subprocess.run(
                bash, cwd=checkout.root, env=environment | verdict, capture_output=True, text=True, check=False
            )
            if done.returncode:
                break
        called = temporary / "called"
        return done, called.read_text().splitlines() if called.exists() else [], git

    run.temporary = temporary
    return run


def test_a_change_becomes_a_branch_and_a_pull_request_with_the_report(runner, repository):
    done, called, git = runner(repository / "tests/pages/create-with-metadata-input.md")
    assert done.returncode == 0, done.stderr
    assert called[:6] == [
        *("pr", "create", "--head", "spec-drift", "--title"),
        "Import Tazapay's changed document (harmless)",
    ]
    report = (runner.temporary / "report.md").read_text()
    assert called[-2:] == ["--body-file", str(runner.temporary / "report.md")]
    assert "MetadataInput" in report
    assert git("rev-parse", "spec-drift") == git("ls-remote", "origin", "refs/heads/spec-drift").split()[0] + "\n"
    changed = git("diff", "--name-only", "main", "spec-drift").splitlines()
    assert changed[-2:] == ["openapi.overlay.yaml", "openapi.yaml"]


@nightly
def test_the_pull_request_that_is_open_is_updated(runner, repository):
    (runner.temporary / "open").write_text("1")
    done, called, _ = runner(repository / "tests/pages/create-with-metadata-input.md")
    assert done.returncode == 0, done.stderr
    assert called[:3] == ["pr", "edit", "spec-drift"]


def test_without_a_change_there_is_no_pull_request(runner, repository):
    done, called, git = runner(repository / "tests/pages/create-a-lightning-invoice.md")
    assert (done.returncode, done.stdout, called) == (0, "nothing changed\n", [])
    assert git("ls-remote", "origin", "refs/heads/spec-drift") == ""


def test_a_page_that_is_refused_fails_the_run_and_says_why(runner, repository, tmp_path):
    (tmp_path / "page.md").write_text("# This page has moved\n")
    done, called, _ = runner(tmp_path / "page.md")
    assert (done.returncode, called) == (2, [])
    assert "no fenced block holds an OpenAPI document" in done.stderr


def test_the_pages_are_fetched_over_https_and_are_markdown(repository):
    addresses = [line for line in (repository / PAGES).read_text().splitlines() if not line.startswith("#")]
    assert addresses
    assert all(re.fullmatch(r"https://developer\.tazapay\.com/[\w/-]+\.md", address) for address in addresses)


def test_the_workflow_runs_weekly_with_the_actions_of_the_others(repository, steps):
    workflow = (repository / WORKFLOW).read_text()
    ci = (repository / ".github/workflows/ci.yml").read_text()
    assert re.search(r'cron: "\d+ \d+ \* \* 1"', workflow)
    assert set(re.findall(r"uses: (\S+)", workflow)) <= set(re.findall(r"uses: (\S+)", ci))
    assert '"$GITHUB_WORKSPACE/.github/spec-pages.txt"' in steps["fetch the published pages"]["run"]
