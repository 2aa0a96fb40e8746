"""`--overlay` for teams with deviations of their own, and what `--help` says."""

import pytest

PAGE = "tests/pages/create-with-metadata-input.md"
OWN = """\
overlay: 1.0.0
info: {title: Deviations of a team, version: 1.0.0}
extends: vendor/openapi.yaml
actions:
  - target: $.paths['/v3/lightning_invoice_bolt11/{id}']
    description: Ours alone.
    update:
      delete:
        operationId: delete_invoice
        parameters: [{name: id, in: path, required: true, schema: {type: string}}]
        responses: {'204': {description: Gone}}
"""
MORE = """\
overlay: 1.0.0
info: {title: More of them, version: 1.0.0}
extends: vendor/openapi.yaml
actions:
  - target: $.paths['/v3/lightning_invoice_bolt11/{id}'].delete
    description: Another name.
    update: {operationId: cancel_invoice}
"""


@pytest.fixture
def new_checkout(new_warm_checkout):
    return new_warm_checkout


@pytest.fixture
def own(checkout):
    (checkout.root / "own.yaml").write_text(OWN)
    (checkout.root / "more.yaml").write_text(MORE)
    return checkout


def test_overlays_of_a_team_apply_after_ours_in_the_order_given(own, with_overlay, contents):
    done = own.run("--overlay", "own.yaml", "--overlay", "more.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    added = len(contents.operations) + 1
    assert lines[0] == f"{with_overlay} and 1 action of own.yaml and 1 action of more.yaml: {added} operations"
    assert "  DELETE /v3/lightning_invoice_bolt11/{id}  cancel_invoice" in lines
    assert (own.package / "api/default/cancel_invoice.py").exists()


def test_check_compares_with_the_same_overlays(own):
    assert own.run("--overlay", "own.yaml").returncode == 0
    assert own.run("--check", "--overlay", "own.yaml").returncode == 0
    without = own.run("--check")
    assert without.returncode == 1
    assert (
        "only in the committed tree: generated_client/tazapay_lightning_api/api/default/delete_invoice.py"
        in without.stdout
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(
            OWN.replace("{id}']", "{id}'].patch"),
            "own.yaml does not fit the document:\n  action 1: its target",
            id="target",
        ),
        pytest.param(
            OWN.partition("      delete:")[0] + "      get: {operationId: get_lightning_invoice}\n",
            "own.yaml does not fit the document:\n  action 1: is obsolete: the document now has all that it adds",
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
    assert "DELETE /v3/lightning_invoice_bolt11/{id}  delete_invoice" in done.stderr
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
