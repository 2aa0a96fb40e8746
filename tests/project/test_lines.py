"""The wrapper stays thin: its lines of code have a bound, and grow only where that is raised with a reason."""

from __future__ import annotations

from codegen.drift.coverage import load_coverage
from tools.lines import CORE, MOST_OF_CORE, MOST_OF_WRAPPER, ROOT, WRAPPER, by_room, lines_of_code

METHODS_OF_INVOICES = 3
LINES_OF_A_METHOD = 60
"""What a method for another operation may add: its request, and itself in both clients. See CONTRIBUTING.md."""


def test_blank_lines_comments_and_docstrings_are_no_code() -> None:
    assert (
        lines_of_code(
            "'What it is.'\n\nA = 1  # one\n\n\ndef f():\n    'What it does.'\n    return (\n        A\n    )\n"
        )
        == 5
    )


def test_the_wrapper_and_its_core_keep_to_their_bounds() -> None:
    rooms = by_room(ROOT / WRAPPER)
    more = LINES_OF_A_METHOD * (len(load_coverage(ROOT).operations) - METHODS_OF_INVOICES)
    assert sum(rooms[room] for room in CORE) <= MOST_OF_CORE + more
    assert rooms.total() <= MOST_OF_WRAPPER + more
