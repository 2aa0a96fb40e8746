"""What must be true of a generated package before it may replace the committed one."""

import json
import re
import sys
from collections import Counter
from pathlib import Path

from codegen.errors import CodegenError
from codegen.generate.document_checks import Contents
from codegen.generate.generator import run_tool
from codegen.read.units import path_shape

_IMPORTER = Path(__file__).with_name("import_package.py")


def check_package(package: Path, contents: Contents) -> None:
    """Establish from the generated code itself that it is a whole client.

    Args:
        package: The folder of the generated package.
        contents: What the document defines.

    Raises:
        CodegenError: py.typed is missing, a file does not compile, a module does not import, an operation of the
            document is missing or occurs twice, or lacks one of its functions, or a model is missing.
    """
    if not (package / "py.typed").is_file():
        raise CodegenError("the generated package has no py.typed: type checkers would ignore its types")
    said = run_tool(
        "the generated package does not import (codegen/requirements.in and pyproject.toml must hold what it needs)",
        [sys.executable, "-P", "-s", "-B", str(_IMPORTER), str(package)],
        package.parent,
    )
    try:
        held = json.loads(said.splitlines()[-1])
        models, requests = held["models"], held["requests"]
    except (IndexError, ValueError, TypeError):
        raise CodegenError("the generated package does not import: one of its modules ends the process") from None

    lacking = [f"{method.upper()} {url} has no {' and no '.join(names)}" for method, url, names in requests if names]
    wanted = Counter((each.method, path_shape(each.path)) for each in contents.operations)
    found = Counter((method, path_shape(url)) for method, url, _ in requests)
    lacking += [f"{method.upper()} {path} is missing" for method, path in (wanted - found).elements()]
    lacking += [f"{method.upper()} {path} is there once too often" for method, path in (found - wanted).elements()]
    if lacking:
        raise CodegenError(
            "the generated package does not hold exactly the operations of the document:"
            + "".join(f"\n  {problem}" for problem in lacking)
            + "\n  two operationIds that differ only in case or punctuation become one module, and the second wins"
        )
    # what the generator does in silence with a schema that it cannot express: any JSON instead of a class
    classes = {_plain(name) for name in models}
    missing = [title for title in contents.models if _plain(title) not in classes]
    if missing:
        raise CodegenError(
            f"the generated package has no model {', '.join(missing)}: the generator cannot express the schema (oneOf,"
            " anyOf and allOf beside properties are what it gives up on); simplify it with an action of the overlay"
        )


def _plain(name: str) -> str:
    """Return what a title and the class that is named after it have in common.

    Examples:
        >>> _plain("create-lightning invoice") == _plain("CreateLightningInvoice")
        True
    """
    return re.sub(r"[\W_]", "", name).lower()
