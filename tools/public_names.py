"""Compare the public names of two states of a package: `python public_names.py OLD NEW`.

Prints a line for each name that is new, gone or called otherwise. Runs where griffe is installed, which is not the
project's own environment; it reads the code and does not import it.
"""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def main() -> None:
    """Print what differs."""
    griffe = importlib.import_module("griffe")
    old, new = (griffe.load(folder.name, search_paths=[folder.parent]) for folder in map(Path, sys.argv[1:3]))
    before, after = dict(names_of(old)), dict(names_of(new))
    for name in sorted(before.keys() | after.keys()):
        if name not in after:
            print(f"  gone: {name}")
        elif name not in before:
            print(f"  new: {name}{call(after[name])}")
        elif call(before[name]) != call(after[name]):
            print(f"  called otherwise: {name}{call(before[name])}\n{'now':>18}: {name}{call(after[name])}")
    retyped = [name for name in before.keys() & after.keys() if types(before[name]) != types(after[name])]
    if retyped:
        print(f"  annotated otherwise: {len(retyped)} names, such as {min(retyped)}")


def names_of(thing: Any) -> Iterator[tuple[str, Any]]:
    """Yield everything public by its path; of a package, what its modules only import is not its own."""
    for member in thing.members.values():
        if not member.is_alias and member.is_public:
            yield member.path, member
            if not member.is_function:
                yield from names_of(member)


def call(member: Any) -> str:
    """Write how a function is called; nothing for what is not one."""
    if not member.is_function:
        return ""
    parameters = [
        ("*" if each.kind and "keyword-only" in str(each.kind.value) else "")
        + each.name
        + ("" if each.default is None else f"={each.default}")
        for each in member.parameters
    ]
    return f"({', '.join(parameters)})"


def types(member: Any) -> list[str]:
    """Write the annotations of a function, or of an attribute."""
    if not member.is_function:
        return [str(getattr(member, "annotation", None))]
    return [*(str(each.annotation) for each in member.parameters), str(member.returns)]


if __name__ == "__main__":
    main()
