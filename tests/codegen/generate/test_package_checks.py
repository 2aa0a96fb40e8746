import shutil
from pathlib import Path

import httpx
import pytest

import tazapay_lightning_api
from codegen.errors import CodegenError
from codegen.generate.document_checks import Contents, Operation
from codegen.generate.package_checks import check_package
from tazapay_lightning_api import AuthenticatedClient

CREATE = Operation("/v3/lightning_invoice_bolt11", "post", "create_lightning_invoice")
MODULE = "api/default/create_lightning_invoice.py"


@pytest.fixture
def package(tmp_path, repository) -> Path:
    """A copy of the generated package, to be broken."""
    folder = tmp_path / "tazapay_lightning_api"
    source = repository / "generated_client/tazapay_lightning_api"
    return Path(shutil.copytree(source, folder, ignore=shutil.ignore_patterns("__pycache__")))


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_the_generated_package_passes(package, contents):
    check_package(package, contents)


def test_nothing_is_left_behind_in_the_package(package, contents):
    check_package(package, contents)
    assert not list(package.parent.rglob("__pycache__"))


def test_the_generated_package_tells_what_it_lacks_and_where_the_safe_client_is():
    said = tazapay_lightning_api.__doc__
    lacking = AuthenticatedClient(base_url="http://127.0.0.1:1", token="c2VjcmV0")
    assert "no timeout" in said
    assert lacking.get_httpx_client().timeout == httpx.Timeout(None)
    assert "shows the token" in said
    assert "c2VjcmV0" in repr(lacking)
    assert "tazapay_lightning.LightningClient" in said
    lacking.get_httpx_client().close()


def test_a_path_parameter_may_have_another_name_in_the_code(package, contents):
    replace(
        package / MODULE, '"url": "/v3/lightning_invoice_bolt11",', '"url": "/v3/x/{id_}".format(id_=quote(str(1))),'
    )
    replace(
        package / MODULE,
        "from http import HTTPStatus\n",
        "from http import HTTPStatus\nfrom urllib.parse import quote\n",
    )
    others = tuple(operation for operation in contents.operations if operation != CREATE)
    check_package(package, Contents((Operation("/v3/x/{id}", "post", "x"), *others), contents.models))


def drop_module(package: Path) -> None:
    (package / MODULE).unlink()


def write_where_no_import_reaches(package: Path, text: str) -> None:
    (package / "no package").mkdir()
    (package / "no package/a-b.py").write_text(text)


def copy_module(package: Path) -> None:
    shutil.copy(package / MODULE, package / "api/default/again.py")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        pytest.param(lambda package: (package / "py.typed").unlink(), "has no py.typed", id="no py.typed"),
        pytest.param(
            lambda package: replace(
                package / "models/create_lightning_invoice_request.py", "class Create", "class Make"
            ),
            "has no attribute 'CreateLightningInvoiceRequest'",
            id="a model less",
        ),
        pytest.param(
            lambda package: (package / "models/create_lightning_invoice_request.py").write_text(
                "from typing import Any as CreateLightningInvoiceRequest\n"
            ),
            "has no model CreateLightningInvoiceRequest:",
            id="a model that is any JSON",
        ),
        pytest.param(drop_module, "POST /v3/lightning_invoice_bolt11 is missing", id="a dropped endpoint"),
        pytest.param(copy_module, "POST /v3/lightning_invoice_bolt11 is there once too often", id="an endpoint twice"),
        pytest.param(
            lambda package: replace(package / MODULE, '"post"', '"put"'),
            "POST /v3/lightning_invoice_bolt11 is missing",
            id="another method",
        ),
        pytest.param(
            lambda package: replace(package / MODULE, "bolt11", "bolt12"),
            "POST /v3/lightning_invoice_bolt12 is there once too often",
            id="another path",
        ),
        pytest.param(
            lambda package: replace(package / MODULE, "def sync_detailed(", "def other("),
            "POST /v3/lightning_invoice_bolt11 has no sync_detailed",
            id="a function less",
        ),
        pytest.param(
            lambda package: replace(package / MODULE, "async def asyncio_detailed(", "async def other("),
            "POST /v3/lightning_invoice_bolt11 has no asyncio_detailed",
            id="an async function less",
        ),
        pytest.param(
            lambda package: replace(package / "types.py", "class Unset:", "class Unset"),
            "types.py is not valid Python",
            id="invalid Python",
        ),
        pytest.param(
            lambda package: (package / "types.py").write_text("return\n"),
            "types.py is not valid Python: 'return' outside function",
            id="what only compiling finds",
        ),
        pytest.param(
            lambda package: write_where_no_import_reaches(package, "x = = 1\n"),
            "no package/a-b.py is not valid Python",
            id="invalid Python where no import reaches",
        ),
        pytest.param(
            lambda package: write_where_no_import_reaches(package, "return\n"),
            "no package/a-b.py is not valid Python",
            id="what only compiling finds where no import reaches",
        ),
        pytest.param(
            lambda package: (package / "types.py").write_bytes(b"x = 1\0"),
            "types.py is not valid Python",
            id="a null byte",
        ),
        pytest.param(
            lambda package: replace(
                package / "models/__init__.py", '": "create_lightning_invoice_request"', '": "missing"'
            ),
            "does not import",
            id="an import of nothing",
        ),
        pytest.param(
            lambda package: (package / "models/extra.py").write_text("import dateutil_of_nobody\n"),
            "No module named 'dateutil_of_nobody'",
            id="a library that is not there",
        ),
        pytest.param(
            lambda package: (package / "models/extra.py").write_text("raise SystemExit(3)\n"),
            "does not import",
            id="a module that ends the process",
        ),
        pytest.param(
            lambda package: (package / "models/extra.py").write_text("raise SystemExit(0)\n"),
            "does not import: one of its modules ends the process",
            id="a module that ends the process as if all were well",
        ),
        pytest.param(
            lambda package: (package / "models/extra.py").write_text("print('said')\nraise SystemExit(0)\n"),
            "does not import: one of its modules ends the process",
            id="a module that prints and ends the process",
        ),
        pytest.param(
            lambda package: (package / "models/extra.py").write_text("print('no list of names')\nraise OSError\n"),
            "does not import",
            id="a module that prints and fails",
        ),
    ],
)
def test_a_damaged_package_is_refused(package, contents, damage, message):
    damage(package)
    with pytest.raises(CodegenError) as caught:
        check_package(package, contents)
    assert message in str(caught.value)


def test_an_operation_that_the_code_lacks_is_named(package, contents):
    missing = Operation(f"{CREATE.path}/{{id}}", "delete", "delete_lightning_invoice")
    with pytest.raises(CodegenError, match=r"DELETE /v3/lightning_invoice_bolt11/\{\} is missing"):
        check_package(package, Contents((*contents.operations, missing), contents.models))


def test_operations_that_differ_only_in_the_method_are_told_apart(package, contents):
    shutil.copy(package / MODULE, package / "api/default/update.py")
    replace(package / "api/default/update.py", '"method": "post"', '"method": "put"')
    other = Operation(CREATE.path, "put", "update")
    check_package(package, Contents((*contents.operations, other), contents.models))


def test_what_a_module_prints_is_not_taken_for_the_names_of_the_models(package, contents):
    (package / "models/extra.py").write_text("print('[]')\n")
    check_package(package, contents)
