"""Import every published page of a folder into a scratch copy of the repository, one by one, and print what came of it.

    make real-pages DIR=pages

Each page is tried without options first and, if it is refused, with those that add actions to the overlay. The table
has a row for each page: whether it was imported and with what, the verdict of the report, and why it was refused.
"""

import argparse
import shutil
import tempfile
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from codegen.errors import CodegenError
from codegen.importing import import_pages
from codegen.options import Options
from codegen.team import documents

ROOT = Path(__file__).resolve().parent.parent
NEEDED = ("codegen", "emulator", "generated_client", "wrapper")
_IMPORTED = ("yes", "with --stub-missing --drop-samples")


class Row(NamedTuple):
    """What came of one page."""

    page: str
    imported: str
    verdict: str
    reason: str
    seconds: float


def main() -> None:
    """Print the table; the exit code is 0 whatever is in it, since a page may be wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="a folder of published pages (*.md)")
    folder = parser.parse_args().folder
    pages = sorted(folder.glob("*.md")) if folder.is_dir() else []
    if not pages:
        parser.error(f"{folder} is no folder with published pages (*.md) in it")
    print("| page | imported | verdict | refused because | s |\n|---|---|---|---|---:|")
    rows = []
    for page in pages:
        rows.append(row_of(page))
        print(f"| {' | '.join(rows[-1][:-1])} | {rows[-1].seconds:.1f} |", flush=True)
    done, by_itself = (sum(row.imported in kinds for row in rows) for kinds in (_IMPORTED, _IMPORTED[:1]))
    print(f"\n{done} of {len(rows)} pages are imported, {by_itself} without an option")


def row_of(page: Path) -> Row:
    """Import one page, each time into a new copy."""
    for imported, with_options in zip(_IMPORTED, (False, True), strict=True):
        began = monotonic()
        try:
            verdict = verdict_of(page, with_options=with_options)
        except CodegenError as error:
            reason = " ".join(str(error).replace(f"{page.parent}/", "").split()).replace("|", "\\|")
        else:
            return Row(page.name, imported, verdict, "", monotonic() - began)
    return Row(page.name, "no", "", reason, monotonic() - began)


def verdict_of(page: Path, *, with_options: bool) -> str:
    """Import a page into a copy, and return the verdict of the report.

    Raises:
        CodegenError: It is refused.
    """
    with tempfile.TemporaryDirectory(prefix="tazapay-real-pages-") as scratch:
        root = Path(scratch)
        for name in (*NEEDED, *documents(ROOT)):
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            copy(ROOT / name, root / name)
        imported = import_pages(root, Options(pages=[str(page)], stub_missing=with_options, drop_samples=with_options))
    return imported.drift.severity


if __name__ == "__main__":
    main()
