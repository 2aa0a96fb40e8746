"""The command line of `./generate.sh`."""

import argparse
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from codegen.errors import CodegenError
from codegen.layout import DOCUMENT, OVERLAY, PACKAGE

if TYPE_CHECKING:
    from codegen.regeneration import Outcome

ROOT = Path(__file__).resolve().parent.parent

DONE, DIFFERENT, FAILED = 0, 1, 2


def main(arguments: Sequence[str]) -> int:
    """Do what the command line asks for, and return the exit code.

    0: done, or the committed client is what would be generated. 1: `--check` found differences. 2: an error; one
    message on stderr says which, and the committed client is as it was.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        code = _run(arguments)
        # here and not at exit, where a full disk or a closed pipe could no longer be told
        sys.stdout.flush()
    except CodegenError as error:
        return _failed(str(error))
    except BrokenPipeError:
        _give_up_stdout()  # whoever read our output, such as `head`, has seen enough
        return FAILED
    except OSError as error:
        _give_up_stdout()
        return _failed(f"{error.strerror or error}: {error.filename or 'while reading or writing'}")
    except KeyboardInterrupt:
        return _failed("interrupted")
    except Exception as error:  # noqa: BLE001 - a defect must not end as exit code 1, which means "different"
        traceback.print_exc()
        return _failed(f"a defect of codegen, not of your files: {error!r}")
    return code


def _run(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    if options.extract is not None:
        sys.stdout.buffer.write(_extract(options.extract))
        return DONE
    # Not at the top: loading the validator takes longer than --help may, and an interrupt meanwhile is to be caught.
    from codegen.regeneration import regenerate

    outcome = regenerate(ROOT, replace=not options.check)
    return _report_check(outcome) if options.check else _report_regeneration(outcome)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="generate.sh",
        description=f"Regenerate {PACKAGE} from {DOCUMENT} and {OVERLAY}; that is all it does without an option.",
        epilog="Exit codes: 0 done, 1 --check found differences, 2 error.",
        allow_abbrev=False,
    )
    options = parser.add_mutually_exclusive_group()
    options.add_argument("--check", action="store_true", help="change nothing; show how the committed client differs")
    options.add_argument(
        "--extract", metavar="PAGE", help="print the document inside a published page (- reads the page from stdin)"
    )
    return parser


def _extract(page: str) -> bytes:
    from codegen.published_page import extract_document

    if page == "-":
        return extract_document(sys.stdin.buffer.read(), "stdin")
    return extract_document(Path(page).read_bytes(), page)


def _report_regeneration(outcome: "Outcome") -> int:
    _print_summary(outcome)
    state = f"{len(outcome.differences)} changed" if outcome.differences else "unchanged"
    print(f"{PACKAGE}: {outcome.files} files, {state}")
    return DONE


def _report_check(outcome: "Outcome") -> int:
    if not outcome.differences:
        print(f"{PACKAGE}: {outcome.files} files, exactly what {DOCUMENT} and {OVERLAY} give")
        return DONE
    print(*outcome.differences, sep="\n")
    print(
        f"{PACKAGE} is not what {DOCUMENT} and {OVERLAY} give ({_count(len(outcome.differences), 'difference')}):"
        " run ./generate.sh and commit the result"
    )
    return DIFFERENT


def _print_summary(outcome: "Outcome") -> None:
    actions, operations = _count(outcome.actions, "action"), _count(len(outcome.operations), "operation")
    print(f"{DOCUMENT} with {actions} of {OVERLAY}: {operations}")
    for operation in outcome.operations:
        print(f"  {operation}")


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _failed(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return FAILED


def _give_up_stdout() -> None:
    """Let what is still to be printed go nowhere, since at exit Python would try again, and fail with exit code 120."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
