"""`--overlay` for teams with deviations of their own, and what `--help` says."""

import pytest

PAGE = "tests/pages/create-with-metadata-input.md"
OWN = """\
overlay: 1.0.0
info: {title: Deviations of a team, version: 1.0.0}
extends: vendor/openapi.yaml
actions:
  - target: $.paths['/v3/lightning_invoice_bolt11'].post
    description: Our name for it.
    update:
      operationId: make_invoice
"""


@pytest.fixture
def new_checkout(new_warm_checkout):
    return new_warm_checkout


@pytest.fixture
def own(checkout):
    (checkout.root / "own.yaml").write_text(OWN)
    (checkout.root / "more.yaml").write_text(OWN.replace("make_invoice", "order_invoice"))
    return checkout


def test_overlays_of_a_team_apply_after_ours_in_the_order_given(own, with_overlay, told):
    done = own.run("--overlay", "own.yaml", "--overlay", "more.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == f"{with_overlay} and 1 action of own.yaml and 1 action of more.yaml: {told[0]}"
    assert "  POST /v3/lightning_invoice_bolt11  order_invoice" in lines
    assert (own.package / "api/default/order_invoice.py").exists()


def test_check_compares_with_the_same_overlays(own):
    assert own.run("--overlay", "own.yaml").returncode == 0
    assert own.run("--check", "--overlay", "own.yaml").returncode == 0
    without = own.run("--check")
    assert without.returncode == 1
    assert (
        "only in the committed tree: generated_client/tazapay_lightning_api/api/default/make_invoice.py"
        in without.stdout
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(
            OWN.replace("].post", "].patch"), "own.yaml does not fit the document:\n  action 1: its target", id="target"
        ),
        pytest.param(
            OWN.replace("make_invoice", "create_lightning_invoice"),
            "own.yaml does not fit the document:\n  action 1: adds what is already there",
            id="nothing new",
        ),
        pytest.param(
            OWN.replace("openapi.yaml", "other.yaml"), "own.yaml extends vendor/other.yaml and not", id="extends"
        ),
        pytest.param("actions: [\n", "own.yaml, line 2: not well-formed YAML", id="broken"),
    ],
)
def test_what_is_wrong_with_an_overlay_of_a_team_is_said_with_its_name(checkout, content, message):
    (checkout.root / "own.yaml").write_text(content)
    done = checkout.run("--overlay", "own.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_an_overlay_of_a_team_that_is_not_there_is_named(checkout):
    done = checkout.run("--check", "--overlay", "nowhere.yaml")
    assert done.returncode == 2
    assert done.stderr.startswith("error: nowhere.yaml is missing")


def test_an_import_uses_the_overlays_of_a_team_and_leaves_them_alone(checkout, repository):
    stub = (
        "  - target: $\n    description: Ours.\n    update: {components: {schemas: {MetadataInput: {type: string}}}}\n"
    )
    (checkout.root / "own.yaml").write_text(OWN + stub)
    done = checkout.run("--import", str(repository / PAGE), "--overlay", "own.yaml")
    assert done.returncode in {0, 3}, done.stderr
    assert "POST /v3/lightning_invoice_bolt11  make_invoice" in done.stderr
    assert (checkout.root / "openapi.overlay.yaml").read_bytes() == (repository / "openapi.overlay.yaml").read_bytes()


def test_an_obsolete_action_of_a_team_is_named_and_not_dropped(checkout, repository):
    default = "/v3/lightning_invoice_bolt11'].post.requestBody.content['application/json'].schema.properties"
    (checkout.root / "own.yaml").write_text(
        OWN + f"  - target: $.paths['{default}.h_tag_memo.default\n    description: A sample.\n    remove: true\n"
    )
    arguments = "--import", str(repository / PAGE), "--overlay", "own.yaml", "--drop-obsolete", "--stub-missing"
    done = checkout.run(*arguments)
    assert done.returncode == 2
    assert "own.yaml does not fit the document:\n  action 2: is obsolete: the document no longer has" in done.stderr
    assert "what to do: delete the action\n" in done.stderr


def test_help_names_every_option_and_exit_code(checkout):
    done = checkout.run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    words = (
        "--import PAGE",
        "--diff [REV|PAGE ...]",
        "--dry-run",
        "--drop-obsolete",
        "--stub-missing",
        "--format",
        "--overlay FILE",
    )
    for word in (*words, "3 somebody has to look", "4 breaking"):
        assert word in " ".join(done.stdout.split())
