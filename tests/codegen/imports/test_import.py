"""./generate.sh --import as people run it, on copies of the repository, with pages like the published ones."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from codegen.layout import DOCUMENT, OVERLAY

CREATE = "create-a-lightning-invoice.md"
CHANGED = "create-with-metadata-input.md"
BODY = "$.paths['/v3/lightning_invoice_bolt11'].post.requestBody"
FETCH, UPDATE = "fetch-a-lightning-invoice.md", "update-a-lightning-invoice.md"


@pytest.fixture
def new_checkout(new_warm_checkout):
    return new_warm_checkout


@pytest.fixture
def pages(repository):
    return repository / "tests/pages"


@pytest.fixture
def kept(checkout):
    """Return what an import may write: the two files and the generated tree."""

    def state():
        return {name: (checkout.root / name).read_bytes() for name in (DOCUMENT, OVERLAY)} | checkout.tree()

    return state


def overlay_with(checkout, *replacements):
    for old, new in replacements:
        checkout.edit(OVERLAY, old, new)


def test_importing_the_page_that_is_there_changes_nothing_and_says_so(checkout, pages):
    def state():
        ours = [path for path in checkout.root.rglob("*") if ".venv-codegen" not in path.name]
        return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in ours}

    before = state()
    done = checkout.run("--import", str(pages / CREATE))
    assert (done.returncode, done.stdout.splitlines()[1:]) == (0, ["nothing changed"])
    assert done.stderr == "openapi.yaml already says what is imported: nothing changed\n"
    assert state() == before


@pytest.mark.parametrize("form", ["a YAML document", "a JSON document", "another layout"])
def test_whatever_form_the_same_document_has_nothing_changes(checkout, kept, published, form):
    source = (checkout.root / DOCUMENT).read_text()
    name, content = {
        "a YAML document": ("page.yaml", source),
        "a JSON document": ("page.json", json.dumps(published)),
        "another layout": ("page.yaml", "# a comment\n" + source.replace("'200'", '"200"').replace("'3'", '"3"')),
    }[form]
    (checkout.root / name).write_text(content)
    before = kept()
    done = checkout.run("--import", name, cwd=checkout.root)
    assert (done.returncode, done.stdout.splitlines()[1:]) == (0, ["nothing changed"])
    assert kept() == before


def test_the_same_document_from_stdin_changes_nothing(checkout, kept):
    before = kept()
    done = subprocess.run(
        [checkout.root / "generate.sh", "--import", "-"],
        input=(checkout.root / DOCUMENT).read_text(),
        env={"PATH": os.environ["PATH"], "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.splitlines()[1:]) == (0, ["nothing changed"])
    assert kept() == before


def test_a_schema_that_no_page_defines_is_named_with_the_action_that_would_define_it(checkout, pages, kept):
    before = kept()
    done = checkout.run("--import", str(pages / CHANGED))
    assert (done.returncode, done.stdout) == (2, "")
    line = (
        (pages / CHANGED).read_text().splitlines().index("                  $ref: '#/components/schemas/MetadataInput'")
    )
    assert f"{CHANGED}, line {line} (" in done.stderr  # the line of the property, which is the one before
    assert "#/components/schemas/MetadataInput" in done.stderr
    assert "      - target: $\n" in done.stderr
    assert "              MetadataInput:\n                type: string\n                format: json\n" in done.stderr
    assert "--stub-missing" in done.stderr
    assert kept() == before


def test_the_named_action_does_what_it_is_said_to_do(checkout, pages, kept):
    refused = checkout.run("--import", str(pages / CHANGED)).stderr
    action = refused.partition("      - target: $\n")[2].partition("  add the actions")[0]
    with (checkout.root / OVERLAY).open("a") as file:
        file.write("\n  - target: $\n" + "".join(f"{line[4:]}\n" for line in action.splitlines()))
    done = checkout.run("--import", str(pages / CHANGED))
    assert done.returncode == 0, done.stderr
    by_hand = kept()
    shutil.copy(pages.parents[1] / OVERLAY, checkout.root)
    shutil.copy(pages.parents[1] / DOCUMENT, checkout.root)
    assert checkout.run("--import", str(pages / CHANGED), "--stub-missing").returncode == 0
    assert kept() == by_hand


def test_stub_missing_adds_the_action_says_so_and_the_result_is_what_check_expects(
    checkout, pages, with_overlay, overlay, told, committed_tree
):
    done = checkout.run("--import", str(pages / CHANGED), "--stub-missing")
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == [
        "openapi.yaml: imported POST /v3/lightning_invoice_bolt11",
        "openapi.overlay.yaml: added an action that defines MetadataInput as string/json",
        f"{with_overlay.replace(str(len(overlay)), str(len(overlay) + 1), 1)}: {told[0]}",
        *told[1:],
        # a description that was beside the type
        f"generated_client/tazapay_lightning_api: {len(committed_tree)} files, 1 changed",
    ]
    assert "MetadataInput" in done.stdout
    extracted = checkout.run("--extract", str(pages / CHANGED)).stdout
    assert (checkout.root / DOCUMENT).read_text().startswith(extracted.partition("components:\n")[0])
    assert checkout.run("--check").returncode == 0


def test_nothing_of_the_document_but_the_operation_is_touched(checkout, pages):
    checkout.edit(DOCUMENT, "  title: sandbox\n", '  title: "sandbox" # as published\n\n')
    checkout.edit(DOCUMENT, "components:\n", "# how to sign in\ncomponents:\n")
    before = (checkout.root / DOCUMENT).read_text()
    done = checkout.run("--import", str(pages / CHANGED), "--stub-missing")
    assert done.returncode == 0, done.stderr
    old, new = ("type: string\n", "format: json\n")
    after = (checkout.root / DOCUMENT).read_text()
    metadata, after_metadata = (text.partition("metadata:\n")[2].partition("required:")[0] for text in (before, after))
    assert before.replace(metadata, after_metadata) == after
    assert (old in metadata, new in metadata, "$ref" in after_metadata) == (True, True, True)


def test_a_stub_is_obsolete_on_the_day_a_page_defines_the_schema_otherwise(checkout, pages, kept):
    assert checkout.run("--import", str(pages / CHANGED), "--stub-missing").returncode == 0
    page = checkout.root / "page.md"
    definition = "components:\n  schemas:\n    MetadataInput:\n      type: object\n"
    page.write_text((pages / CHANGED).read_text().replace("components:\n", definition))
    before = kept()
    refused = checkout.run("--import", str(page))
    assert refused.returncode == 2
    assert ": is obsolete: the document now defines MetadataInput itself" in refused.stderr
    assert kept() == before
    done = checkout.run("--import", str(page), "--drop-obsolete")
    assert done.returncode in {3, 4}
    assert (checkout.root / OVERLAY).read_bytes().strip() == (pages.parents[1] / OVERLAY).read_bytes().strip()
    assert checkout.run("--check").returncode == 0


@pytest.fixture
def with_its_title(checkout, pages):
    """The page of a day on which Tazapay publishes what our overlay adds."""
    page = checkout.root / "page.md"
    text = (pages / CREATE).read_text()
    page.write_text(text.replace("      requestBody:\n", "      requestBody:\n        required: true\n"))
    return str(page)


def test_an_obsolete_action_is_named_with_what_to_do_and_nothing_is_written(checkout, kept, with_its_title):
    before = kept()
    done = checkout.run("--import", with_its_title)
    assert (done.returncode, done.stdout) == (2, "")
    assert ": is obsolete: the document now has all that it adds: $" in done.stderr
    assert "what to do: delete the action, or import again with --drop-obsolete\n" in done.stderr
    assert kept() == before


def test_drop_obsolete_removes_exactly_that_action(checkout, with_its_title, overlay):
    before = (checkout.root / OVERLAY).read_text()
    done = checkout.run("--import", with_its_title, "--drop-obsolete")
    assert done.returncode == 0
    (number,) = (action.number for action in overlay if action.target == BODY)
    assert f"openapi.overlay.yaml: dropped action {number} ({BODY})\n" in done.stderr
    start = before.index(f"  - target: {BODY}\n")
    action = before[start : before.index("  - target:", start + 1)]
    assert (checkout.root / OVERLAY).read_text() == before.replace(action, "")
    assert checkout.run("--check").returncode == 0


def test_the_published_pages_of_the_supplements_operations_take_their_places_without_an_edit(checkout, pages, kept):
    done = checkout.run("--import", str(pages / FETCH), str(pages / UPDATE), "--stub-missing")
    assert done.returncode in {0, 3}, done.stderr
    for method in ("GET", "PUT"):
        said = f"openapi.supplement.yaml: {method} /v3/lightning_invoice_bolt11/{{id}} is superseded"
        assert f"{said}, and can be deleted there\n" in done.stderr
    assert "GET /v3/lightning_invoice_bolt11/{id}  get_lightning_invoice\n" in done.stderr
    assert checkout.run("--check").returncode == 0
    assert "operationId: get_v3lightning_invoice_bolt11{id}\n" in (checkout.root / DOCUMENT).read_text()
    before = kept()
    (checkout.root / "openapi.supplement.yaml").write_text("paths: {}\n")
    assert checkout.run().returncode == 0
    assert kept() == before


def test_a_sample_that_no_rule_removes_is_removed_by_an_action_of_its_own(checkout, pages, kept):
    page = checkout.root / "page.md"
    page.write_text(
        (pages / CREATE).read_text().replace("h_tag_memo:\n", "h_tag_memo:\n                  default: 1\n")
    )
    page.write_text(page.read_text().replace("default: 1\n                  type: string\n", "default: 1\n"))
    before = kept()
    refused = checkout.run("--import", "page.md")
    assert (refused.returncode, kept() == before) == (2, True)
    assert "has a default, which would be sent although the caller chose nothing" in refused.stderr
    assert "properties.h_tag_memo.default\n" in refused.stderr
    done = checkout.run("--import", "page.md", "--drop-samples")
    assert "openapi.overlay.yaml: added an action that removes the default of #/paths" in done.stderr
    assert checkout.run("--check").returncode == 0


def test_a_path_parameter_that_the_page_leaves_out_is_declared_by_an_action(checkout, pages):
    page = (pages / FETCH).read_text()
    parameters = page[page.index("      parameters:\n") : page.index("      responses:\n")]
    (checkout.root / "page.md").write_text(page.replace(parameters, ""))
    refused = checkout.run("--import", "page.md")
    assert refused.returncode == 2
    assert "page.md, line " in refused.stderr
    assert "does not declare {id}, which its path has" in refused.stderr
    done = checkout.run("--import", "page.md", "--stub-missing")
    assert "added an action that declares {id} of GET /v3/lightning_invoice_bolt11/{id}\n" in done.stderr
    assert checkout.run("--check").returncode == 0


def test_an_operation_whose_reply_has_no_schema_is_generated(checkout):
    page = "openapi: 3.1.0\nservers: [{url: 'https://service-sandbox.tazapay.com'}]\nsecurity: [{sec0: []}]\npaths:\n"
    page += "  /v3/x: {post: {operationId: do_x, responses: {'204': {description: done}}}}\n"
    (checkout.root / "page.yaml").write_text(page)
    done = checkout.run("--import", "page.yaml")
    assert done.returncode in {0, 3}, done.stderr
    assert "def sync_detailed(" in (checkout.package / "api/default/do_x.py").read_text()


def test_the_order_of_the_arguments_does_not_matter(checkout, pages, kept, new_checkout, tmp_path):
    other = new_checkout(tmp_path / "other")
    names = [str(pages / CHANGED), str(checkout.root / "b.md")]
    page = (pages / CREATE).read_text().replace("lightning_invoice_bolt11", "thing").replace("default: ", "example: ")
    (checkout.root / "b.md").write_text(page)
    for where, arguments in ((checkout, names), (other, names[::-1])):
        assert where.run("--import", *arguments, "--stub-missing").returncode in {0, 3}
    assert other.tree() == checkout.tree()
    for name in (DOCUMENT, OVERLAY):
        assert (other.root / name).read_bytes() == (checkout.root / name).read_bytes()


@pytest.mark.parametrize(
    ("old", "new", "code", "severity"),
    [
        pytest.param("Message related", "The message related", 0, "harmless", id="words"),
        pytest.param(
            "                d_tag_memo:\n                  type: string\n",
            "                note:\n                  type: string\n"
            "                d_tag_memo:\n                  type: string\n",
            0,
            "harmless",
            id="a new field of the request",
        ),
        pytest.param(
            "                  format: int64\n", "                  format: int32\n", 3, "wrapper", id="a format"
        ),
        pytest.param(
            "                - amount\n",
            "                - amount\n                - d_tag_memo\n",
            4,
            "breaking",
            id="a field that became required",
        ),
    ],
)
def test_the_exit_code_says_how_bad_it_is_and_everything_is_written(checkout, pages, old, new, code, severity):
    text = (pages / CREATE).read_text()
    assert text.count(old) == 1
    (checkout.root / "page.md").write_text(text.replace(old, new))
    shutil.copy(checkout.root / DOCUMENT, checkout.root / "before.yaml")
    done = checkout.run("--import", "page.md", "--format", "json")
    assert done.returncode == code, done.stdout + done.stderr
    assert json.loads(done.stdout)["severity"] == severity
    assert new in (checkout.root / DOCUMENT).read_text()
    assert checkout.run("--check").returncode == 0
    again = checkout.run("--diff", "before.yaml", DOCUMENT, "--format", "json")
    by_rules = [change for change in json.loads(done.stdout)["changes"] if change["group"] != "calls"]
    assert (again.returncode, json.loads(again.stdout)["changes"]) == (code, by_rules)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--import"], "expected at least one argument"),
        (["--drop-obsolete"], "belong to --import"),
        (["--check", "--stub-missing"], "belong to --import"),
        (["--check", "--format", "json"], "--format belongs to --import and --diff"),
        (["--diff", "--format", "html"], "invalid choice: 'html'"),
        (["--import", "a.md", "--check"], "not allowed with argument"),
        (["--extract", "a.md", "--overlay", "b.yaml"], "--extract applies no overlay"),
    ],
)
def test_options_that_do_not_go_together_give_the_usage(checkout, arguments, message):
    done = checkout.run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: generate.sh ")
    assert message in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no-such-page.md"], "No such file or directory: no-such-page.md"),
        (["-", "-"], "- is named more than once"),
        (["generate.sh"], "no fenced block holds an OpenAPI document"),
        (["tools"], "Is a directory: tools"),
    ],
)
def test_what_cannot_be_read_is_named(checkout, kept, arguments, message):
    before = kept()
    done = checkout.run("--import", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert kept() == before


def test_a_failure_of_the_generator_leaves_everything_as_it_was(checkout, pages, kept):
    checkout.add_hook("echo >&2 the tool gave up; exit 3")
    before = kept()
    done = checkout.run("--import", str(pages / CHANGED), "--stub-missing")
    assert (done.returncode, done.stdout) == (2, "")
    assert "the tool gave up" in done.stderr
    assert kept() == before
    assert not (checkout.root / ".codegen-scratch").exists()


def test_a_reader_of_the_report_that_has_seen_enough_does_not_make_the_import_a_failure(checkout, pages):
    with checkout.start("--import", str(pages / CHANGED), "--stub-missing") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert process.returncode == 0, said
    assert "Traceback" not in said
    assert checkout.run("--check").returncode == 0


def test_a_report_that_cannot_be_written_is_an_error_that_says_that_the_import_is_done(checkout, pages):
    done = checkout.run_into_a_full_disk("--import", pages / CHANGED, "--stub-missing")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: the import is done, but its report could not be written: No")
    assert checkout.run("--check").returncode == 0
