"""What the site is built with: a mistake in a diagram or in a docstring ends the build."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any

import pytest

from tests.site.conftest import REPOSITORY, unavailable
from tools.diagrams import fence

SOURCE = '''
"""A package."""


class Money:
    """An amount.

    Attributes:
        sats: satoshi, a whole number
            that may be large.
        currency: of the payer.

    Example:
        >>> Money().sats
        1
    """

    sats: int = 1
    currency: str = ""
'''


@pytest.fixture
def griffe() -> Any:
    if importlib.util.find_spec("griffe") is None:
        unavailable("griffe is not installed: make docs-test")
    return importlib.import_module("griffe")


def loaded(griffe: Any, folder: Path, source: str) -> Any:
    (folder / "package.py").write_text(source)
    extension = griffe.load_extensions(str(REPOSITORY / "tools/reference.py"))
    return griffe.load("package", search_paths=[folder], extensions=extension)


def drawn(source: str) -> str:
    if importlib.util.find_spec("mermaidx") is None:
        unavailable("mermaidx is not installed: make docs-test")
    return fence(source, "mermaid", "mermaid", {}, None)


def test_a_diagram_becomes_a_figure_with_an_id_of_its_own() -> None:
    one, other = drawn("flowchart TD\n    a --> b\n"), drawn("flowchart TD\n    a --> c\n")
    assert one.startswith('<figure class="diagram"><svg id="diagram-')
    assert one[:50] != other[:50]
    assert "my-svg" not in one


def test_a_diagram_that_cannot_be_read_ends_the_build_with_its_source() -> None:
    with pytest.raises(Exception, match=r"a diagram cannot be drawn: (?s:.*)a -->\|yes b") as refused:
        drawn("flowchart TD\n    a -->|yes b\n")
    assert type(refused.value).__name__ == "SuperFencesException"  # pymdownx hides every other


def test_what_a_docstring_says_of_attributes_is_moved_to_them(griffe: Any, tmp_path: Path) -> None:
    money = loaded(griffe, tmp_path, SOURCE)["Money"]
    assert money["sats"].docstring.value == "satoshi, a whole number\nthat may be large."
    assert money["currency"].docstring.value == "of the payer."
    assert "Attributes" not in money.docstring.value
    assert money.docstring.value.startswith("An amount.\n\nExamples:\n")


def test_an_attribute_that_the_class_does_not_have_ends_the_build(griffe: Any, tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="currency"):
        loaded(griffe, tmp_path, SOURCE.replace("    currency: str", "    other: str"))
