"""Import every module of the package in a folder: `python import_package.py FOLDER`.

Prints what they hold as JSON: the classes that the modules of `models` define, and the requests that the other modules
can send. A script, since importing runs the code: that must not happen in the process that decides about it.
"""

import importlib
import inspect
import json
import pkgutil
import re
import sys
from pathlib import Path

FUNCTIONS = ("sync_detailed", "asyncio_detailed")
"""Without a schema for the reply there is nothing else: the shorter two return what was read by it."""


def import_package(folder: Path) -> dict[str, list[object]]:
    """Import the package and everything in it, and tell what it holds; any exception of an import goes through."""
    for path in sorted(folder.rglob("*.py")):  # also what no import reaches
        name = path.relative_to(folder).as_posix()
        try:
            compile(path.read_bytes(), name, "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            sys.exit(f"{name} is not valid Python: {error}")
    sys.path.insert(0, str(folder.parent))
    package = importlib.import_module(folder.name)
    held: dict[str, list[object]] = {"models": [], "requests": []}
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        module = importlib.import_module(found.name)
        for name in getattr(module, "__all__", ()):
            getattr(module, name)  # some are loaded when they are first used
        if found.name.startswith(f"{folder.name}.models."):
            classes = [value for value in vars(module).values() if isinstance(value, type)]
            held["models"] += [each.__name__ for each in classes if each.__module__ == module.__name__]
        elif hasattr(module, "_get_kwargs"):
            source = inspect.getsource(module._get_kwargs)  # noqa: SLF001 - what the functions below send is told there
            method, url = (re.findall(rf'"{key}": "(.*?)"', source)[0] for key in ("method", "url"))
            held["requests"].append((method, url, [name for name in FUNCTIONS if not hasattr(module, name)]))
    return held


if __name__ == "__main__":
    print(json.dumps(import_package(Path(sys.argv[1]))))
