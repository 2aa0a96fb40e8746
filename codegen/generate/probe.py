"""Prove a new client before it replaces the old one: the wrapper is called through it, aside.

Rules that infer from two documents what a change breaks miss what nobody thought of. Calling the client does not: each
public method of the wrapper, each operation and each model is tried in a process of its own, `probe_calls`.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from codegen.errors import CodegenError
from codegen.generate.document_checks import Operation, bad_names, name_told
from codegen.layout import EMULATOR, WRAPPER
from codegen.read.documents import JsonObject, JsonValue, shown
from codegen.read.references import look_up

TIME_LIMIT = 60  # seconds; it takes about one
_PROGRAM = Path(__file__).with_name("probe_calls.py")
_LONGEST = 300  # characters of a reason
_INVOICE: JsonObject = {"id": "l11_abc123xyz", "amount": 123456, "status": "active", "payment_status": "unpaid"}
_CONTRACT: JsonObject = {"status": "success", "message": "", "data": _INVOICE}
"""What is answered where the document shows no reply, an empty one, or what is no JSON: some pages do."""


class Broken(NamedTuple):
    """Calls that the new client breaks for one reason."""

    calls: str
    """Each by its client, with what answered it: the document's examples or the emulator."""
    reason: str
    """The last line of the traceback."""


def probe(
    root: Path, package: Path, document: JsonObject, operations: Sequence[Operation], at: Callable[[str], str] = str
) -> tuple[Broken, ...]:
    """Call the wrapper, each operation and each model through a new package.

    Args:
        root: The repository, whose wrapper and emulator are used as they are.
        package: The folder of the new package.
        document: What it was generated from: its examples are the replies.
        operations: Those of the document.
        at: Says where a place of the document is; see `codegen.generate.document_checks`.

    Raises:
        CodegenError: A model does not keep what it reads, or the probe could not be run to its end.
    """
    asked = {
        "package": str(package),
        "path": [str(package.parent), str(root / WRAPPER), str(root / EMULATOR)],
        "operations": [
            (each.method, re.sub(r"\\{.*?\\}", "[^/]+", re.escape(each.path)), _replies(document, each))
            for each in sorted(operations, key=lambda each: each.path.count("{"))  # /a/list is not /a/{id}
        ],
    }
    found = _run(json.dumps(asked), package.parent)
    if found["models"]:
        lines = ["models of the new client do not read what they wrote:"]
        for model, fields, reason in found["models"]:
            lines.append(f"  {shown(model)}: {shown(reason, _LONGEST)}")
            lines += [f"  {name_told(document, place, at)}" for place in bad_names(document, fields)]
        raise CodegenError("\n".join(lines))
    return tuple(Broken(*(shown(text, _LONGEST) for text in each)) for each in found["broken"])


def refuse_broken(broken: Sequence[Broken]) -> None:
    """Raise a CodegenError if a call is broken: the new client must not replace the old one."""
    if broken:
        told = "".join(f"\n  {calls}: {reason}" for calls, reason in broken)
        raise CodegenError(
            f"the new client breaks calls, and the old one stays:{told}\n  undo the change by an action of the overlay,"
            f" or adapt {WRAPPER}/ first, which is called as it is; ./generate.sh --check shows the new code"
        )


def _run(asked: str, folder: Path) -> dict[str, Any]:
    failure = "the new client could not be proven by calling the wrapper through it"
    command = [sys.executable, "-I", "-B", "-X", "utf8", str(_PROGRAM)]
    try:  # no variables: neither proxies nor credentials nor settings of the caller belong into it
        done = subprocess.run(
            command, cwd=folder, env={}, input=asked.encode(), capture_output=True, timeout=TIME_LIMIT, check=False
        )
        return dict(json.loads(done.stdout.splitlines()[-1]))
    except subprocess.TimeoutExpired:
        raise CodegenError(f"{failure}: it did not come to an end within {TIME_LIMIT} seconds") from None
    except (IndexError, ValueError):
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["it ended without a word"]
        raise CodegenError(f"{failure}: {shown(said[-1], _LONGEST)}") from None


def _replies(document: JsonObject, operation: Operation) -> list[tuple[int, str]]:
    """Return status and body of each success that the document shows; where there is none, one of the contract."""
    responses = _member(document, document, "paths", operation.path, operation.method, "responses")
    found = []
    statuses = sorted(status for status in responses if status.startswith("2")) or ["200"]
    numbers = [int(status) if status.isdecimal() else 200 for status in statuses]
    for status, number in zip(statuses, numbers, strict=True):
        for media in _members(document, responses, status, "content"):
            shown_ones = [media, *_members(document, media, "examples")]
            values = (_json(each.get("example", each.get("value"))) for each in shown_ones)
            found += [(number, json.dumps(value)) for value in values if isinstance(value, dict | list) and value]
    return found or [(numbers[0], "" if numbers[0] in {204, 205} else json.dumps(_CONTRACT))]


def _json(example: JsonValue) -> JsonValue:
    """Read an example that is a text of JSON; None if it is none, as some of Tazapay's are."""
    try:
        return cast("JsonValue", json.loads(example)) if isinstance(example, str) else example
    except ValueError:
        return None


def _members(document: JsonObject, value: JsonValue, *steps: str) -> list[JsonObject]:
    holder = _member(document, value, *steps)
    return [_member(document, holder, name) for name in holder]


def _member(document: JsonObject, value: JsonValue, *steps: str) -> JsonObject:
    """Go down by keys, through references; an empty object where that leads to none."""
    for step in steps:
        value = value.get(step) if isinstance(value, dict) else None
        if isinstance(value, dict) and isinstance(value.get("$ref"), str):
            value = (look_up(document, str(value["$ref"])) or (None,))[0]
    return value if isinstance(value, dict) else {}
