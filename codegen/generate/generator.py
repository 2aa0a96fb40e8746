"""Run openapi-python-client and make it say so when something is wrong.

On its own it drops endpoints with a warning, ignores settings it does not know, leaves the code unformatted when ruff
is not within reach, and writes no py.typed.
"""

import importlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from codegen.errors import CodegenError
from codegen.layout import CONFIGURATION, TEMPLATES
from codegen.read.documents import JsonObject, load_document
from codegen.read.values import shown

_FORMATTER = "ruff format . "
_LONGEST_LINE = 500  # characters of one line that a tool said


@dataclass(frozen=True)
class Configuration:
    """The generator's settings: where they are, and the commands that it runs over its output."""

    path: Path
    hooks: tuple[str, ...]


def read_configuration(path: Path) -> Configuration:
    """Read the generator's settings.

    Raises:
        CodegenError: A key that the generator does not know, or a hook that is not an isolated ruff.
    """
    settings = load_document(path, CONFIGURATION)
    # Looked up at run time: the generator is installed where this runs, not where types are checked.
    known = set(importlib.import_module("openapi_python_client.config").ConfigFile.model_fields)
    unknown = sorted(settings.keys() - known)
    if unknown:
        raise CodegenError(f"{CONFIGURATION}: the generator knows no setting {', '.join(unknown)} and would ignore it")
    hooks = settings.get("post_hooks")
    if not isinstance(hooks, list) or not any(str(hook).startswith(_FORMATTER) for hook in hooks):
        raise CodegenError(f"{CONFIGURATION}: post_hooks must hold a `{_FORMATTER.strip()}` command, for all files")
    for hook in hooks:
        if str(hook).startswith("ruff ") and "--isolated" not in str(hook).split():
            raise CodegenError(f"{CONFIGURATION}: `{hook}` must be --isolated, or settings of ruff elsewhere decide")
    return Configuration(path, tuple(str(hook) for hook in hooks))


def generate(document: JsonObject, configuration: Configuration, output: Path) -> None:
    """Write the client package for a document into a new folder.

    Args:
        document: The document with the overlay applied, checked by `codegen.generate.document_checks`.
        configuration: From `read_configuration`.
        output: The package's folder; its parent is scratch space, where the merged document is written too.

    Raises:
        CodegenError: The generator or one of its hooks failed or warned, or left unformatted code.
        OSError: The folder cannot be written.
    """
    merged = output.parent / "openapi.json"
    merged.write_text(json.dumps(document, indent=2), encoding="utf-8")
    run_tool(
        "openapi-python-client could not generate the client",
        [
            *(sys.executable, "-P", "-s", "-B", "-m", "openapi_python_client", "generate"),
            *("--path", str(merged), "--config", str(configuration.path), "--output-path", str(output)),
            *("--custom-template-path", str(configuration.path.with_name(TEMPLATES))),
            *("--meta", "none", "--overwrite", "--fail-on-warning"),
        ],
        output.parent,
    )
    (output / "py.typed").touch()
    for hook in configuration.hooks:
        if hook.startswith(_FORMATTER):
            run_tool("the generated code is not formatted", [*shlex.split(hook), "--check"], output)


def run_tool(failure: str, command: Sequence[str], folder: Path) -> bytes:
    """Run one of the tools of the environment in a folder, quietly unless it fails, and return what it printed.

    Raises:
        CodegenError: It failed; the message starts with `failure` and ends with what the tool said.
    """
    done = subprocess.run(
        command,
        cwd=folder,
        env=tool_environment(os.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).decode(errors="replace")
        raise CodegenError(f"{failure}:\n{_indented(said or f'it said nothing and ended with {done.returncode}')}")
    return done.stdout


def tool_environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables for a tool: nothing in them may change what is generated.

    Examples:
        >>> sorted(tool_environment({"RUFF_CONFIG": "x", "PYTHONPATH": "x", "HOME": "x", "PATH": ""}).keys())
        ['HOME', 'NO_COLOR', 'PATH', 'PYTHONUTF8', '_TYPER_STANDARD_TRACEBACK']
    """
    foreign = ("RUFF_", "PYTHON", "FORCE_COLOR", "CLICOLOR")
    # The hash seed is let through on purpose: the output must not depend on it, and a test varies it.
    kept = {
        name: value for name, value in inherited.items() if name == "PYTHONHASHSEED" or not name.startswith(foreign)
    }
    tools = str(Path(sys.executable).parent)
    return kept | {
        "PATH": os.pathsep.join(filter(None, [tools, inherited.get("PATH")])),
        "PYTHONUTF8": "1",
        "NO_COLOR": "1",
        "_TYPER_STANDARD_TRACEBACK": "1",
    }


def _indented(said: str) -> str:
    r"""Cut a tool's output to its end, where the reason is, and set it off from our own words.

    Examples:
        >>> _indented("Warning\nOSError: full")
        '  Warning\n  OSError: full'
    """
    lines = said.splitlines()
    # A traceback of the generator says nothing to its users but the last line.
    if lines and any(line.startswith("Traceback (most recent call last)") for line in lines):
        lines = lines[-1:]
    return "\n".join("  " + shown(line, _LONGEST_LINE) for line in lines[-40:])
