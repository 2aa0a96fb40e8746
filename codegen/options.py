"""The options of `./generate.sh`."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field

from codegen.layout import DOCUMENT, OVERLAY, PACKAGE, TEAM

FORMATS = ("text", "json", "markdown")
_OF_IMPORT = {
    "--drop-obsolete": "delete actions that became obsolete",
    "--stub-missing": "define the schemas (string/json) and path parameters that pages use and leave out",
    "--drop-samples": "remove the sample values that pages give as defaults",
    "--dry-run": "generate, check and report, and write nothing",
}


@dataclass
class Options(argparse.Namespace):
    """What the command line asks for; at most one of the first four is set."""

    check: bool = False
    extract: str | None = None
    diff: list[str] | None = None
    pages: list[str] | None = None
    drop_obsolete: bool = False
    stub_missing: bool = False
    drop_samples: bool = False
    dry_run: bool = False
    format: str = FORMATS[0]
    overlay: list[str] = field(default_factory=list)


def read_options(arguments: Sequence[str]) -> Options:
    """Read the command line; ends the program with the usage if it means nothing, or with the help.

    Examples:
        >>> read_options(["--import", "a.md", "b.md", "--stub-missing"]).pages
        ['a.md', 'b.md']
        >>> read_options(["--diff"]).diff
        []
    """
    parser = argparse.ArgumentParser(
        prog="generate.sh",
        description=f"Regenerate {PACKAGE} from {DOCUMENT} and {OVERLAY}; that is all it does without an option.",
        epilog=(
            "Exit codes: 0 done, 1 --check found differences, 2 error and nothing was written, unless the message says"
            " that all is done; --import and --diff: 0 no change or a harmless one, 3 somebody has"
            " to look, and perhaps to change the wrapper, 4 breaking. With 3 and 4 the import is done."
        ),
        allow_abbrev=False,
    )
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--check", action="store_true", help="change nothing; show how the committed client differs")
    one.add_argument(
        "--import",
        dest="pages",
        metavar="PAGE",
        nargs="+",
        help=f"merge published pages, YAML or JSON documents (- is stdin) into {DOCUMENT}, regenerate, and report",
    )
    one.add_argument(
        "--diff",
        metavar="REV|PAGE",
        nargs="*",
        help=f"report what changed in {DOCUMENT} since a revision of git (HEAD), what a page would change in it, or"
        " what is different between two revisions or files, the old one first",
    )
    one.add_argument(
        "--extract", metavar="PAGE", help="print the document inside a published page (- reads the page from stdin)"
    )
    for option, does in _OF_IMPORT.items():
        parser.add_argument(option, action="store_true", help=f"--import: {does}")
    parser.add_argument("--format", choices=FORMATS, help="--import and --diff: how to report (text)")
    parser.add_argument(
        "--overlay",
        metavar="FILE",
        action="append",
        default=[],
        help=f"apply an overlay after {OVERLAY} and those that {TEAM} lists",
    )
    options = parser.parse_args(arguments, Options())
    if options.pages is None and (_OF_IMPORT.keys() & {*arguments}):
        parser.error(f"{', '.join(_OF_IMPORT)} belong to --import")
    if len(options.diff or ()) > 2:
        parser.error("--diff takes two states at most, the old one and the new one")
    if any(each.startswith("--format") for each in arguments) and options.pages is None and options.diff is None:
        parser.error("--format belongs to --import and --diff")
    if options.overlay and options.extract is not None:
        parser.error("--extract applies no overlay")
    return options
