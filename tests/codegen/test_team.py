"""generate.toml: the overlays and supplements that a team lists once, and every run uses."""

import re
import shutil

import pytest

from codegen.errors import CodegenError
from codegen.layout import TEAM
from codegen.team import documents, team_files
from tests.support.checkout import read_tree

NAME = """\
overlay: 1.0.0
info: {title: Deviations of a team, version: 1.0.0}
extends: openapi.yaml
actions:
  - target: $.paths['/v3/team'].get
    description: Our name for it.
    update:
      operationId: fetch_team
"""
SUPPLEMENT = """\
openapi: 3.1.0
info: {title: Operations of a team, version: '1'}
paths:
  /v3/team:
    get:
      operationId: get_team
      responses: {'200': {description: The team}}
  /v3/lightning_invoice_bolt11/{id}:
    get:
      operationId: fetch_it
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses: {'200': {description: It, content: {application/json: {schema: {type: object}}}}}
"""
LISTED = 'overlays = ["team/names.yaml"]\nsupplements = ["team/more.yaml"] # ours\n'


@pytest.fixture
def new_checkout(new_warm_checkout):
    return new_warm_checkout


@pytest.fixture
def team(checkout):
    """A checkout in which a team has listed an overlay and a supplement."""
    (checkout.root / "team").mkdir(exist_ok=True)
    (checkout.root / "team/names.yaml").write_text(NAME)
    (checkout.root / "team/more.yaml").write_text(SUPPLEMENT)
    (checkout.root / TEAM).write_text(LISTED)
    return checkout


def test_a_plain_run_uses_what_is_listed_from_whichever_folder_it_is_started(team, tmp_path):
    done = team.run(cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert " and 1 action of team/names.yaml: " in done.stdout
    assert "  GET /v3/team  fetch_team\n" in done.stdout


def test_check_compares_with_what_is_listed(team):
    assert team.run().returncode == 0
    assert team.run("--check").returncode == 0
    (team.root / TEAM).unlink()
    assert team.run("--check").returncode == 1


def test_a_supplement_of_a_team_wins_over_ours(team):
    assert team.run().returncode == 0
    assert "GetLightningInvoiceResponse" in (team.package / "models/__init__.py").read_text()
    model = (team.package / "models/get_lightning_invoice_response.py").read_text()
    assert "success or failure" not in model, "this is the reply of our supplement"


def test_an_import_uses_what_is_listed_and_names_what_a_page_supersedes(team, repository):
    assert team.run().returncode == 0
    done = team.run("--import", str(repository / "tests/pages/fetch-a-lightning-invoice.md"))
    assert done.returncode in {0, 3, 4}, done.stderr
    superseded = [line.partition(" is superseded")[0] for line in done.stderr.splitlines() if " is superseded" in line]
    assert superseded == [
        f"{name}: GET /v3/lightning_invoice_bolt11/{{id}}" for name in ("openapi.supplement.yaml", "team/more.yaml")
    ]
    assert "  GET /v3/team  fetch_team\n" in done.stderr
    assert team.run("--check").returncode == 0


def test_a_comparison_uses_what_is_listed(team):
    """The team's operation is there already, so what a page adds to it breaks its callers: else it would be new."""
    published = (team.root / "openapi.yaml").read_text()
    demanding = "    get:\n      parameters: [{name: of, in: query, required: true, schema: {type: string}}]\n"
    reply = "      operationId: get_team\n      responses: {'200': {description: The team}}\n"
    (team.root / "new.yaml").write_text(published.replace("paths:\n", f"paths:\n  /v3/team:\n{demanding}{reply}"))
    done = team.run("--diff", "openapi.yaml", "new.yaml")
    assert (done.returncode, "breaking: GET /v3/team, request, `of (query)`" in done.stdout) == (4, True), done.stdout


def test_an_overlay_of_the_command_line_comes_after_those_that_are_listed(team):
    (team.root / "mine.yaml").write_text(NAME.replace("fetch_team", "read_team"))
    done = team.run("--overlay", "mine.yaml")
    assert done.returncode == 0, done.stderr
    assert " and 1 action of team/names.yaml and 1 action of mine.yaml: " in done.stdout
    assert "  GET /v3/team  read_team\n" in done.stdout


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(
            '\noverlay = ["team/names.yaml"]',
            "generate.toml, line 2: overlay is no key of generate.toml, which has overlays and supplements",
            id="an unknown key",
        ),
        pytest.param(
            "[team]\noverlays = []", "generate.toml, line 1: team is no key of generate.toml", id="an unknown table"
        ),
        pytest.param(
            'overlays = "team/names.yaml"',
            "generate.toml, line 1: overlays must be a list of files, such as ['team/overlays.yaml']",
            id="no list",
        ),
        pytest.param("supplements = [1]", "line 1: supplements must be a list of files, such as", id="no text"),
        pytest.param('overlays = ["a\\u0000b"]', "line 1: overlays must be a list of files, such as", id="no name"),
        pytest.param(
            '# team/nothing.yaml\noverlays = [\n  "team/names.yaml",\n  "team/nothing.yaml",\n]',
            "generate.toml, line 4: team/nothing.yaml is no path from generate.toml to a file of this repository",
            id="a file that is missing",
        ),
        pytest.param('overlays = ["team"]', "generate.toml, line 1: team is no path from", id="a folder"),
        pytest.param('overlays = [""]', "line 1:  is no path from generate.toml to a file", id="an empty name"),
        pytest.param(
            'overlays = ["../outside.yaml"]',
            "line 1: ../outside.yaml is no path from generate.toml to a file of this repository",
            id="outside of the repository",
        ),
        pytest.param('overlays = ["team/link.yaml"]', "team/link.yaml is no path from", id="a link to outside"),
        pytest.param('overlays = ["/etc/hosts"]', "/etc/hosts is no path from", id="an absolute path"),
        pytest.param(
            'overlays = ["team/names.yaml"]\nsupplements = [\n "./team/../team/names.yaml"]',
            "generate.toml, line 3: ./team/../team/names.yaml is used already: name a file once",
            id="the same file twice",
        ),
        pytest.param(
            'overlays = ["openapi.overlay.yaml"]',
            "line 1: openapi.overlay.yaml is used already: name a file once, and none of openapi.yaml, ",
            id="a file of ours",
        ),
        pytest.param(
            "overlays = [\n  'a'\n  'b'\n]",
            "generate.toml is not well-formed TOML: Unclosed array (at line 3",
            id="broken",
        ),
        pytest.param(
            "overlays = []\noverlays = []", "is not well-formed TOML: Cannot overwrite a value (at ", id="a key twice"
        ),
        pytest.param("a = " + "[" * 5000, "generate.toml is not well-formed TOML: ", id="a bomb"),
        pytest.param(b"\xff", "generate.toml is not well-formed TOML: 'utf-8' codec", id="not UTF-8"),
    ],
)
def test_what_cannot_be_meant_is_told_with_file_and_line(team, content, message):
    (team.root.parent / "outside.yaml").write_text(NAME)
    (team.root / "team/link.yaml").symlink_to("../../outside.yaml")
    (team.root / TEAM).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(CodegenError) as refused:
        team_files(team.root)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "arguments", [(), ("--check",), ("--diff", "page.yaml"), ("--import", "page.yaml", "--stub-missing")], ids=str
)
def test_a_run_with_a_list_that_cannot_be_meant_is_one_message_and_writes_nothing(team, arguments):
    shutil.copy(team.root / "openapi.yaml", team.root / "page.yaml")
    (team.root / TEAM).write_text("overlay = []")
    before = read_tree(team.root)
    done = team.run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"error: generate\.toml, line 1: overlay is no key of .*\n", done.stderr)
    assert read_tree(team.root) == before


def test_a_link_that_leads_nowhere_is_no_absent_file(team):
    (team.root / TEAM).unlink()
    (team.root / TEAM).symlink_to("nowhere.toml")
    done = team.run("--check")
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"error: No such file or directory: .*generate\.toml\n", done.stderr)


def test_an_overlay_that_is_listed_is_not_named_on_the_command_line_again(team):
    done = team.run("--overlay", "team/names.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: --overlay: team/names.yaml is used already: name a file once")


def test_the_help_and_a_page_are_printed_whatever_is_listed(team, repository):
    (team.root / TEAM).write_text("broken")
    assert team.run("--help").returncode == 0
    assert team.run("--extract", str(repository / "tests/pages/fetch-a-lightning-invoice.md")).returncode == 0


def test_a_copy_takes_along_what_is_listed(team):
    assert documents(team.root)[-3:] == (TEAM, "team/names.yaml", "team/more.yaml")
    (team.root / TEAM).write_text("")
    assert TEAM not in documents(team.root)


def test_a_byte_order_mark_means_nothing(team):
    (team.root / TEAM).write_bytes(b"\xef\xbb\xbf" + LISTED.encode())
    assert list(team_files(team.root)["overlays"]) == ["team/names.yaml"]
    (team.root / TEAM).write_bytes(b"\xef\xbb\xbfx = 1")
    with pytest.raises(CodegenError, match="line 1: x is no key"):
        team_files(team.root)
