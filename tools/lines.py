"""Count lines of code by room: without blank lines, comments and docstrings.

Run by `make lines`. A test holds the two bounds: of the wrapper's core, and of all of it.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("wrapper/tazapay_lightning", "emulator/tazapay_lightning_emulator", "codegen")
WRAPPER = PACKAGES[0]
CORE = ("errors", "values", "invoices", "transport", "operations", "client", "async_client")
"""Rooms and modules without which no call is made."""
MOST_OF_CORE, MOST_OF_WRAPPER = 3_158, 5_762
"""What the promises need beyond the 2,700 and 4,600 that the rooms have without them: an invoice of another order is
refused (`invoices.spelling`, `invoices.echo`), every step of a call ends by one clock (`backends.guards`, `httpx`), no
signal and no fork leaves a lock (`backends.connections`, `calls`, `_loading`), clients share the authorities that they
trust, which are read without an HTTP library (`backends.environment`), neither a frame nor a message shows a secret
(`tracebacks`, `redaction`), an order id is taken as strictly as an amount and a stopped run tells all that is in doubt
(`bulk.files`), a million orders go on within ten seconds of a kill (`bulk.files.kept`, `bulk.files.position`: 155
lines), and the command line speaks of its own options and in JSON (`bulk.wording`, `cli.outcomes`), pays
(`cli.emulated`), waits, and shows meanwhile what fits the terminal (`cli.terminal`, `cli.progress`)."""

_NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


def lines_of_code(text: str) -> int:
    r"""Count the lines of a module that hold code.

    Example:
        >>> lines_of_code("'What it is.'\n\nA = 1  # one\n\ndef f():\n    'What it does.'\n    return A\n")
        3
    """
    docstrings = {line for start, end in _docstrings(ast.parse(text)) for line in range(start, end + 1)}
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    code = {line for token in tokens if token.type not in _NO_CODE for line in range(token.start[0], token.end[0] + 1)}
    return len(code - docstrings)


def _docstrings(tree: ast.Module) -> Iterator[tuple[int, int]]:
    for node in ast.walk(tree):
        # a text that stands by itself: a docstring, also one below an attribute
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.end_lineno or node.lineno


def by_room(package: Path) -> Counter[str]:
    """Count a package's lines of code for each room, and for each module at its top."""
    counted: Counter[str] = Counter()
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        counted[parts[0]] += lines_of_code(path.read_text())
    return counted


def main() -> None:
    """Print the tables."""
    for name in PACKAGES:
        rooms = by_room(ROOT / name)
        print(name)
        for room, lines in rooms.items():
            print(f"  {room:<16}{lines:>6}")
        print(f"  {'in all':<16}{rooms.total():>6}")
    rooms = by_room(ROOT / WRAPPER)
    core = sum(rooms[room] for room in CORE)
    print(
        f"the wrapper's core: {core} (at most {MOST_OF_CORE}); the wrapper: {rooms.total()} (at most {MOST_OF_WRAPPER})"
    )


if __name__ == "__main__":
    main()
