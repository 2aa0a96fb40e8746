"""The document as it was in another state: a revision of git, or a file."""

import shutil
import subprocess
from pathlib import Path

from codegen.errors import CodegenError
from codegen.layout import DOCUMENT
from codegen.read.documents import JsonObject, parse_document
from codegen.read.sources import read_sources


def read_state(root: Path, what: str) -> JsonObject:
    """Return the document of a revision, or that of a published page, a YAML or a JSON document.

    Args:
        root: The repository.
        what: A file, `-` for stdin, or what git takes for a revision; a file comes first.

    Raises:
        CodegenError: There is no such thing, or it holds no document.
        OSError: The file cannot be read.
    """
    if is_file(what):
        return read_sources([what])[0].document
    git = shutil.which("git")
    if git is None:
        raise CodegenError(f"{what} is no file, and there is no git that could know it as a revision")
    # one argument with a colon is never an option; ./ for a repository inside another one
    # and git reads a folder that is another user's only if told to: this program is run from it anyway
    command = [git, "-c", "safe.directory=*", "-C", str(root), "show", "--end-of-options", f"{what}:./{DOCUMENT}"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        reason = f" ({said[-1]})" if said else ""
        raise CodegenError(f"{what} is neither a file nor a revision that holds {DOCUMENT}{reason}")
    return parse_document(done.stdout, f"{DOCUMENT} of {what}")


def is_file(what: str) -> bool:
    """Tell a file or stdin from a revision."""
    return what == "-" or Path(what).is_file()
