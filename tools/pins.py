"""Read what the lock files pin.

    python tools/pins.py tests.in dev.txt    print what dev.txt pins of the distributions that tests.in names

`make lock` takes these lines as constraints for requirements/oldest.txt: `lowest-direct` alone would take the oldest of
the test tools, too.
"""

import re
import sys
from pathlib import Path


def main() -> None:
    """Print the constraints."""
    named, lock = (Path(argument).read_text(encoding="utf-8") for argument in sys.argv[1:3])
    versions = pins(lock)
    for name in names(named):
        print(f"{name}=={versions[name]}")


def pins(lock: str) -> dict[str, str]:
    r"""Return the version of each distribution that a lock file pins.

    Examples:
        >>> pins("httpx==0.28.1 \\\n    --hash=sha256:00\n    # via schemathesis\ncelery[redis]==5.6.0")
        {'httpx': '0.28.1', 'celery': '5.6.0'}
    """
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^]]*\])?==([^\s;]+)", lock, re.MULTILINE))


def names(requirements: str) -> list[str]:
    r"""Return the distributions that a requirements file names, spelt as lock files spell them.

    Examples:
        >>> names("# the tools\npytest\nruamel.yaml>=0.18  # reads\n")
        ['pytest', 'ruamel-yaml']
    """
    return [canonical(name) for name in re.findall(r"^[A-Za-z0-9][A-Za-z0-9._-]*", requirements, re.MULTILINE)]


def canonical(name: str) -> str:
    """Return the name of a distribution as lock files spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main()
