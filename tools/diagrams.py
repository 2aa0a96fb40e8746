"""Diagrams in Mermaid, drawn when the site is built: a page needs no script for them, and a mistake ends the build.

mkdocs.yml names `fence` as what formats fenced blocks of ``mermaid``. The drawing is Mermaid's own, run by mermaidx
without a browser and without a network.
"""

from __future__ import annotations

import hashlib
import importlib
from functools import cache
from typing import Any

_ONLY_NAME = "my-svg"
"""What mermaidx calls every diagram, in its ids and its styles."""


def fence(source: str, language: str, css_class: str, options: Any, md: Any, **more: Any) -> str:
    """Return a block as a figure.

    Raises:
        SuperFencesException: it cannot be read. Any other exception would leave the block as text.
    """
    try:
        return f'<figure class="diagram">{drawn(source)}</figure>'
    except RuntimeError as error:
        refused = importlib.import_module("pymdownx.superfences").SuperFencesException
        raise refused(f"a diagram cannot be drawn: {error}\n{source}") from error


@cache
def drawn(source: str) -> str:
    """Return a diagram as SVG that can stand in a page beside others.

    Raises:
        RuntimeError: the source cannot be read; the message shows where.
    """
    mermaidx = importlib.import_module("mermaidx")  # only where the site is built
    svg: str = mermaidx.render(source, theme="neutral").svg()
    name = f"diagram-{hashlib.sha256(source.encode()).hexdigest()[:8]}"
    return svg.replace(_ONLY_NAME, name)
