"""Check a built site: no asset from elsewhere, and no link within it that leads nowhere.

    python -m tools.site_check site

Prints a line for each problem, and fails if there is one. What readers click may lead anywhere; what their browser
loads by itself may not.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LOADED = {"src", "srcset", "poster", "data"}
_LOADED_LINKS = {"stylesheet", "icon", "preload", "modulepreload", "prefetch", "manifest", "mask-icon"}
_DRAWN = {"image", "use", "feimage"}
"""Elements of SVG whose ``href`` is loaded."""
_IN_STYLES = re.compile(r"""(?:@import\s+(?:url\(\s*)?|url\(\s*)["']?([^"')\s;]+)""")


@dataclass
class Page(HTMLParser):
    """What a page, or a picture in SVG, loads and links to, and which anchors it has."""

    loaded: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    _is_style: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what an element refers to."""
        values = {name: value or "" for name, value in attrs}
        self._is_style = tag == "style"
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        self.loaded += _IN_STYLES.findall(values.get("style", ""))
        for name in _LOADED & values.keys():
            each = values[name].split(",") if name == "srcset" else [values[name]]
            self.loaded += [address.split()[0] for address in each if address.split()]
        href = values.get("href", values.get("xlink:href"))
        if href is None:
            return
        if tag in _DRAWN or (tag == "link" and _LOADED_LINKS & set(values.get("rel", "").split())):
            self.loaded.append(href)
        elif tag in {"a", "area"}:
            self.links.append(href)

    def handle_data(self, data: str) -> None:
        """Note what a stylesheet within the page refers to."""
        if self._is_style:
            self.loaded += _IN_STYLES.findall(data)
            self._is_style = False


def problems(site: Path) -> Iterator[str]:
    """Yield a line for each reference in a site that must not be."""
    read = cache(read_page)  # many links lead to the same page
    for file in sorted(site.rglob("*")):
        if file.suffix == ".css":
            page = Page(loaded=_IN_STYLES.findall(file.read_text("utf-8")))
        elif file.suffix in {".html", ".svg"}:
            page = read(file)
        else:
            continue
        name = file.relative_to(site)
        for address in dict.fromkeys(page.loaded):
            if _is_foreign(address):
                yield f"{name}: loads {address}, which is not of this site"
            elif problem := None if address.startswith("#") else _problem(site, file, address, read):
                yield f"{name}: loads {address}, {problem}"
        for address in dict.fromkeys(page.links):
            if problem := None if _is_foreign(address) else _problem(site, file, address, read):
                yield f"{name}: links to {address}, {problem}"


def read_page(file: Path) -> Page:
    """Read a page, or a picture."""
    page = Page()
    page.feed(file.read_text("utf-8"))
    return page


def _is_foreign(address: str) -> bool:
    parts = urlsplit(address)
    return bool(parts.netloc) or parts.scheme in {"http", "https"}


def _problem(site: Path, file: Path, address: str, read: Callable[[Path], Page]) -> str | None:
    """Tell what is wrong with a reference within the site; None if nothing is."""
    parts = urlsplit(address)
    if parts.scheme:  # mailto:, data:, lightning:
        return None
    path = unquote(parts.path)
    target = (site / path.lstrip("/") if path.startswith("/") else file.parent / path) if path else file
    if target.is_dir():
        target /= "index.html"
    if not target.resolve().is_relative_to(site.resolve()):
        return "which is outside the site"
    if not target.is_file():
        return "which is not there"
    if parts.fragment and target.suffix == ".html" and unquote(parts.fragment) not in read(target).anchors:
        return "but the page has no such anchor"
    return None


def main() -> None:
    """Print the problems of the site that the command line names."""
    site = Path(sys.argv[1])
    if not (site / "index.html").is_file():
        sys.exit(f"error: {site} holds no site")
    found = list(problems(site))
    for problem in found:
        print(f"error: {problem}", file=sys.stderr)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
