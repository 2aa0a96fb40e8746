"""`--diff` names which side is old and which new, and takes revisions, pages and files; `--dry-run` writes nothing."""

import json
import os
import subprocess

import pytest

CREATE = "tests/pages/create-a-lightning-invoice.md"
METADATA = "tests/pages/create-with-metadata-input.md"
REQUIRED = "                - amount\n", "                - amount\n                - d_tag_memo\n"


@pytest.fixture
def new_checkout(new_warm_checkout):
    return new_warm_checkout


@pytest.fixture
def committed(checkout):
    """A checkout under git whose document differs from its last commit by a field that became required."""

    def git(*arguments):
        name = ("-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
        subprocess.run(["git", "-C", checkout.root, *name, *arguments], check=True, capture_output=True)

    git("init", "--quiet")
    git("add", "openapi.yaml")
    git("commit", "--quiet", "--message", "First")
    git("tag", "first")
    checkout.edit("openapi.yaml", *REQUIRED)
    return checkout


@pytest.mark.parametrize("arguments", [[], ["HEAD"], ["first"]], ids=["nothing named", "HEAD", "a tag"])
def test_a_revision_is_old_and_the_document_new_from_any_folder(committed, arguments, tmp_path):
    done = committed.run("--diff", *arguments, "--format", "json", cwd=tmp_path)
    read = json.loads(done.stdout)
    assert (done.returncode, done.stderr, read["severity"]) == (4, "", "breaking")
    assert (read["old"], read["new"]) == ((*arguments, "HEAD")[0], "openapi.yaml")


def test_a_page_is_new_and_the_document_old(checkout, repository):
    page = checkout.root / "page.md"
    page.write_text((repository / CREATE).read_text().replace(*REQUIRED))
    done = checkout.run("--diff", "page.md")
    assert (done.returncode, done.stderr) == (4, "")
    first, _, *rest = done.stdout.splitlines()
    assert first == "old: openapi.yaml, new: openapi.yaml with page.md"
    assert "`d_tag_memo`: required now" in "".join(rest)


def test_a_page_of_another_operation_leaves_those_that_are_there(checkout, repository):
    page = (repository / CREATE).read_text().replace("lightning_invoice_bolt11", "thing")
    (checkout.root / "page.md").write_text(page)
    done = checkout.run("--diff", "page.md")
    assert (done.returncode, "gone" in done.stdout) == (0, False)
    assert "POST /v3/thing: new" in done.stdout


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_states_the_first_is_old(committed, turned):
    states = ["first", "openapi.yaml"][:: -1 if turned else 1]
    done = committed.run("--diff", *states)
    first, *rest = done.stdout.splitlines()
    assert first == f"old: {states[0]}, new: {states[1]}"
    assert ("required now" in "".join(rest), done.returncode) == ((False, 0) if turned else (True, 4))


def test_more_than_two_states_give_the_usage(checkout):
    done = checkout.run("--diff", "a", "b", "c")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--diff takes two states at most, the old one and the new one" in done.stderr


def test_without_a_change_it_exits_0_and_says_so(committed):
    done = committed.run("--diff", "openapi.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "old: openapi.yaml, new: openapi.yaml with openapi.yaml\nnothing changed\n"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder to somebody else")
def test_a_checkout_of_another_user_is_compared_too(committed):
    for path in (committed.root, committed.root / ".git"):
        os.chown(path, 65534, 65534)
    done = committed.run("--diff")
    assert (done.returncode, done.stderr) == (4, "")


@pytest.mark.parametrize("what", ["no-such-revision", "--output=x", "-n1", "HEAD:tools"])
def test_what_git_does_not_know_is_named(committed, what):
    done = committed.run(f"--diff={what}")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {what} is neither a file nor a revision that holds openapi.yaml")
    assert done.stderr.count("\n") == 1
    assert not (committed.root / "x").exists()


def kept(checkout):
    files = ("openapi.yaml", "openapi.overlay.yaml")
    return [(checkout.root / file).read_bytes() for file in files], checkout.tree(), sorted(checkout.root.iterdir())


@pytest.mark.parametrize("page", ["metadata", "breaking"])
def test_a_dry_run_reports_what_the_import_would_and_writes_nothing(checkout, repository, page):
    text = (repository / METADATA).read_text()
    (checkout.root / "page.md").write_text(text if page == "metadata" else text.replace(*REQUIRED))
    before = kept(checkout)
    arguments = ("--import", "page.md", "--stub-missing")
    tried = checkout.run(*arguments, "--dry-run")
    assert kept(checkout) == before
    done = checkout.run(*arguments)
    assert (tried.returncode, tried.stdout) == (done.returncode, done.stdout)
    assert done.returncode == (0 if page == "metadata" else 4)
    assert tried.stderr == done.stderr + "dry run: nothing was written\n"
    assert kept(checkout) != before


def test_a_dry_run_refuses_what_the_import_would(checkout, repository):
    done = checkout.run("--import", str(repository / METADATA), "--dry-run")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--stub-missing" in done.stderr


def test_a_dry_run_generates_and_checks(checkout, repository):
    checkout.add_hook("echo >&2 the tool gave up; exit 3")
    done = checkout.run("--import", str(repository / METADATA), "--stub-missing", "--dry-run")
    assert (done.returncode, done.stdout) == (2, "")
    assert "the tool gave up" in done.stderr


def test_a_dry_run_belongs_to_an_import(checkout):
    done = checkout.run("--check", "--dry-run")
    assert (done.returncode, "--dry-run belong to --import" in done.stderr) == (2, True)
