"""Import every module of the package in a folder: `python import_package.py FOLDER`.

Prints the names of the classes that the modules of `models` define, as a JSON list. A script, since importing runs the
code: that must not happen in the process that decides about it.
"""

import importlib
import json
import pkgutil
import sys
from pathlib import Path


def import_package(folder: Path) -> list[str]:
    """Import the package and everything in it, and name its models; any exception of an import goes through."""
    sys.path.insert(0, str(folder.parent))
    package = importlib.import_module(folder.name)
    names, imported = [], {Path(str(package.__file__))}
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        module = importlib.import_module(found.name)
        imported.add(Path(str(module.__file__)))
        if found.name.startswith(f"{folder.name}.models."):
            classes = [value for value in vars(module).values() if isinstance(value, type)]
            names += [each.__name__ for each in classes if each.__module__ == module.__name__]
    for path in sorted({*folder.rglob("*.py")} - imported):  # what no import reaches must be valid Python all the same
        compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    return names


if __name__ == "__main__":
    print(json.dumps(import_package(Path(sys.argv[1]))))
