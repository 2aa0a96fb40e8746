"""What must be true of a generated package before it may replace the committed one."""

import ast
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from codegen.errors import CodegenError
from codegen.generate.document_checks import Contents, Operation
from codegen.generate.generator import run_tool

_IMPORTER = Path(__file__).with_name("import_package.py")
_FUNCTIONS = ("sync_detailed", "asyncio_detailed")
"""Without a schema for the reply there is nothing else: the shorter two return what was read by it."""


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
    try:
        models = _imported(package)
    except CodegenError:
        # the code itself tells in better words why it does not import, if it can
        trees = {path: _compiled(path, package) for path in sorted(package.rglob("*.py"))}
        written = [tree for path, tree in trees.items() if path.is_relative_to(package / "models")]
        _check_operations(_found(package), contents.operations)
        _check_models([name for tree in written for name in _classes(tree)], contents.models)
        raise
    _check_operations(_found(package), contents.operations)
    _check_models(models, contents.models)


def _imported(package: Path) -> list[str]:
    """Import, and so compile, all of the package; return the names of its models."""
    said = run_tool(
        "the generated package does not import (codegen/requirements.in and pyproject.toml must hold what it needs)",
        [sys.executable, "-P", "-s", "-B", str(_IMPORTER), str(package)],
        package.parent,
    )
    try:
        return [str(name) for name in json.loads(said.splitlines()[-1])]
    except (IndexError, ValueError):
        raise CodegenError("the generated package does not import: one of its modules ends the process") from None


def _found(package: Path) -> "Counter[tuple[str, str]]":
    """Count the requests that the package can send."""
    modules = sorted((package / "api").rglob("*.py"))
    return Counter(
        endpoint for path in modules for endpoint in _endpoints(_parsed(path, package), _named(path, package))
    )


def _compiled(path: Path, package: Path) -> ast.Module:
    tree = _parsed(path, package)
    try:
        compile(tree, str(path), "exec", dont_inherit=True)  # finds what the parser lets through: a stray return
    except (SyntaxError, ValueError) as error:
        raise _invalid(path, package, error) from None
    return tree


def _parsed(path: Path, package: Path) -> ast.Module:
    try:
        return ast.parse(path.read_bytes())
    except (SyntaxError, ValueError) as error:
        raise _invalid(path, package, error) from None


def _invalid(path: Path, package: Path, error: Exception) -> CodegenError:
    return CodegenError(f"the generated {_named(path, package)} is not valid Python: {error}")


def _named(path: Path, package: Path) -> str:
    return path.relative_to(package).as_posix()


def _classes(tree: ast.Module) -> Iterator[str]:
    return (node.name for node in tree.body if isinstance(node, ast.ClassDef))


def _endpoints(tree: ast.Module, where: str) -> Iterator[tuple[str, str]]:
    """Find (method, shape of the path) of every request that a generated module can send."""
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Dict):
            continue
        entries = {
            key.value: value
            for key, value in zip(node.keys, node.values, strict=True)
            if isinstance(key, ast.Constant) and isinstance(key.value, str)
        }
        method, url = _text(entries.get("method")), _text(entries.get("url"))
        if method is None or url is None:
            continue
        missing = [function for function in _FUNCTIONS if function not in functions]
        if missing:
            raise CodegenError(f"the generated {where} has no {' and no '.join(missing)} for {method.upper()} {url}")
        yield method, path_shape(url)


def _text(node: ast.expr | None) -> str | None:
    """Return the constant in `"..."` or in `"...".format(...)`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        node = node.func.value
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def path_shape(path: str) -> str:
    """Return a path without the names of its parameters, which the generator may change.

    Examples:
        >>> path_shape("/v3/lightning_invoice_bolt11/{id}"), path_shape("/v3/lightning_invoice_bolt11/{id_}")
        ('/v3/lightning_invoice_bolt11/{}', '/v3/lightning_invoice_bolt11/{}')
    """
    return re.sub(r"\{[^{}]*\}", "{}", path)


def _check_operations(found: "Counter[tuple[str, str]]", operations: Sequence[Operation]) -> None:
    wanted = Counter((operation.method, path_shape(operation.path)) for operation in operations)
    problems = [f"{method.upper()} {path} is missing" for method, path in (wanted - found).elements()]
    problems += [f"{method.upper()} {path} is there once too often" for method, path in (found - wanted).elements()]
    if problems:
        raise CodegenError(
            "the generated package does not hold exactly the operations of the document:"
            + "".join(f"\n  {problem}" for problem in problems)
            + "\n  two operationIds that differ only in case or punctuation become one module, and the second wins"
        )


def _check_models(names: Sequence[str], titles: Sequence[str]) -> None:
    """Refuse what the generator does in silence with a schema that it cannot express: any JSON instead of a class."""
    classes = {_plain(name) for name in names}
    missing = [title for title in titles if _plain(title) not in classes]
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
