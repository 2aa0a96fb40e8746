"""Import every module of the package in a folder: `python import_package.py FOLDER`.

A script of its own, since importing runs the code: it must not happen in the process that decides about that code.
"""

import importlib
import pkgutil
import sys
from pathlib import Path


def import_package(folder: Path) -> None:
    """Import the package and everything in it; any exception of an import goes through."""
    sys.path.insert(0, str(folder.parent))
    package = importlib.import_module(folder.name)
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)


if __name__ == "__main__":
    import_package(Path(sys.argv[1]))
