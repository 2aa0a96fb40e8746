"""The command line of `./generate.sh`."""

import os
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from codegen.errors import CodegenError
from codegen.layout import DOCUMENT, PACKAGE
from codegen.options import Options, read_options
from codegen.read.values import shown
from codegen.write import interruptions

if TYPE_CHECKING:
    from codegen.generate.regeneration import Outcome

ROOT = Path(__file__).resolve().parent.parent

DONE, DIFFERENT, FAILED = 0, 1, 2


def main(arguments: Sequence[str]) -> int:
    """Do what the command line asks for, and return the exit code.

    0: done, or the committed client is what would be generated. 1: `--check` found differences. 2: an error; one
    message on stderr says which, and the repository is as it was unless the message says that all is done. 3 and 4:
    `--import` or `--diff` is done, and what changed needs a change of the wrapper, or breaks its users. A signal does
    not change the exit code of what it came too late for.
    """
    interruptions.listen()
    try:
        code = _run(arguments)
        # here and not at exit, where a full disk or a closed pipe could no longer be told
        sys.stdout.flush()
        interruptions.hold()
    except CodegenError as error:
        return _failed(str(error))
    except BrokenPipeError:
        _give_up_stdout()  # whoever read our output, such as `head`, has seen enough
        return FAILED
    except OSError as error:
        _give_up_stdout()
        return _failed(shown(f"{error.strerror or error}: {error.filename or 'while reading or writing'}", 4096))
    except KeyboardInterrupt:
        return _failed("interrupted: nothing was written")
    except Exception as error:  # noqa: BLE001 - a defect must not end as exit code 1, which means "different"
        traceback.print_exc()
        return _failed(f"a defect of codegen, not of your files: {error!r}")
    return code


def _run(arguments: Sequence[str]) -> int:
    options = read_options(arguments)
    # Not at the top: loading the validator takes longer than --help may, and an interrupt meanwhile is to be caught.
    if options.extract is not None:
        # whatever state the repository is in: this may be what is to be written to openapi.yaml
        return _extract(options.extract)
    if options.diff is not None:
        return _diff(options)
    from codegen.generate.regeneration import regenerate

    if options.check:
        return _report_check(regenerate(ROOT, replace=False, own=options.overlay))
    if options.pages is not None:
        return _import(options)
    outcome = regenerate(ROOT, replace=True, own=options.overlay)
    done = f"{PACKAGE} is regenerated" if outcome.differences else f"{PACKAGE} was up to date"
    return _tell(done, DONE, _summary(outcome))


def _extract(page: str) -> int:
    from codegen.read.sources import extract_document, read_bytes

    name, content = read_bytes(page)
    sys.stdout.buffer.write(extract_document(content, name))
    return DONE


def _diff(options: Options) -> int:
    from codegen.drift.compare import compare
    from codegen.drift.coverage import load_coverage
    from codegen.drift.report import render
    from codegen.drift.states import effective, read_states
    from codegen.generate.regeneration import read_overlays
    from codegen.merge.supplement import read_supplements, supplemented

    (old, before), (new, after) = read_states(ROOT, options.diff or [])
    supplements = read_supplements(ROOT).values()
    before, after = supplemented(before, *supplements), supplemented(after, *supplements)
    actions = [action for overlay in read_overlays(ROOT, options.overlay) for action in overlay.actions]
    drift = compare(
        effective(before, actions),
        effective(after, actions),
        load_coverage(ROOT),
        published=(before, after),
        names=(old, new),
    )
    print(render(drift, options.format))
    return drift.exit_code


def _import(options: Options) -> int:
    from codegen.importing import import_pages

    imported = import_pages(ROOT, options)
    done = "the import is done" if imported.outcome else "there was nothing to import"
    if imported.outcome:
        told = [*imported.told, *_summary(imported.outcome)]
    else:
        told = [f"{DOCUMENT} already says what is imported: nothing changed"]
    if options.dry_run:
        done = "the import was tried, and nothing was written"
        told.append("dry run: nothing was written")
    # stdout is for the report alone, which a program may read
    return _tell(done, imported.drift.exit_code, [imported.report], told, "; ./generate.sh --diff shows it")


def _tell(done: str, code: int, report: Iterable[str], told: Iterable[str] = (), otherwise: str = "") -> int:
    """Tell what was done, and return the exit code: whatever happens now, it is done."""
    interrupted = False
    try:
        with interruptions.allowed():  # a reader that never reads on must not keep us for ever
            for lines, stream in ((told, sys.stderr), (report, sys.stdout)):
                for line in lines:
                    print(line, file=stream)
            sys.stdout.flush()
    except BrokenPipeError:  # whoever reads it has seen enough
        _give_up_stdout()
    except OSError as error:
        _give_up_stdout()
        return _failed(f"{done}, but its report could not be written: {error.strerror or error}{otherwise}")
    except KeyboardInterrupt:
        _give_up_stdout()
        interrupted = True
    if interrupted or interruptions.came():
        print(f"interrupted, but too late: {done}", file=sys.stderr)
    return code


def _report_check(outcome: "Outcome") -> int:
    overlays = " and ".join([DOCUMENT, *(name for name, _ in outcome.actions)])
    if not outcome.differences:
        print(f"{PACKAGE}: {outcome.files} files, exactly what {overlays} give")
        return DONE
    print(*outcome.differences, sep="\n")
    print(
        f"{PACKAGE} is not what {overlays} give ({_count(len(outcome.differences), 'difference')}):"
        " run ./generate.sh and commit the result"
    )
    return DIFFERENT


def _summary(outcome: "Outcome") -> Iterator[str]:
    actions = " and ".join(f"{_count(number, 'action')} of {name}" for name, number in outcome.actions)
    yield f"{DOCUMENT} with {actions}: {_count(len(outcome.operations), 'operation')}"
    yield from (f"  {operation}" for operation in outcome.operations)
    state = f"{len(outcome.differences)} changed" if outcome.differences else "unchanged"
    yield f"{PACKAGE}: {outcome.files} files, {state}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _failed(message: str) -> int:
    interruptions.hold()  # the message comes once
    print(f"error: {message}", file=sys.stderr)
    return FAILED


def _give_up_stdout() -> None:
    """Let what is still to be printed go nowhere, since at exit Python would try again, and fail with exit code 120."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
