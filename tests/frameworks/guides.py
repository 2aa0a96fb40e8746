"""The guides of docs/frameworks, as a reader takes them: their files, and the commands between them.

The first line of each block names its file, as in ``# shop.py``; with ``, at its end`` the block is added to a file
that a command made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from attrs import frozen

FOLDER = Path(__file__).resolve().parents[2] / "docs/frameworks"
PORT = "8000"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"(?:# |<!-- )([\w/]+\.\w+)(, at its end)?(?: -->)?\n")


@frozen
class File:
    """A block that belongs into a file.

    Attributes:
        name: its path in the reader's project.
        text: what it holds, on the lines that it has in the guide.
        is_added: whether the file is there already.
    """

    name: str
    text: str
    is_added: bool

    def write(self, folder: Path) -> None:
        path = folder / self.name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a" if self.is_added else "w") as file:
            file.write(self.text)


@frozen
class Guide:
    """One guide.

    Attributes:
        name: "flask" for docs/frameworks/flask.md.
        steps: its files, and the commands of its console blocks, in order.
    """

    name: str
    steps: tuple[File | str, ...]

    @property
    def servers(self) -> tuple[str, ...]:
        """The commands that serve the application, each until it is stopped."""
        return tuple(step for step in self.steps if isinstance(step, str) and PORT in step)

    @property
    def preparations(self) -> tuple[File | str, ...]:
        """What comes before those; in a guide that serves nothing, its files."""
        if self.servers:
            return self.steps[: self.steps.index(self.servers[0])]
        return tuple(step for step in self.steps if isinstance(step, File))

    @property
    def job(self) -> str:
        """The command after those, which finds the payments that no webhook told of."""
        [job] = self.steps[self.steps.index(self.servers[-1]) + 1 :]
        assert isinstance(job, str)
        return job


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    for block in _BLOCK.finditer(text):
        lines_before = text.count("\n", 0, block.start(2))
        yield block[1], "\n" * lines_before + block[2]


@cache
def guide(name: str) -> Guide:
    """Read a guide.

    Raises:
        ValueError: a block is neither a file that says its name, nor commands.
    """
    steps: list[File | str] = []
    for language, block in _blocks((FOLDER / f"{name}.md").read_text()):
        if language == "console":
            steps += [line.removeprefix("$ ") for line in block.split("\n") if line]
        elif named := _NAME.match(block.lstrip("\n")):
            steps.append(File(named[1], block, is_added=named[2] is not None))
        else:
            raise ValueError(f"{name}.md has a block in {language} that names no file: {block.strip()[:60]}")
    return Guide(name, tuple(steps))


ALL = tuple(sorted(path.stem for path in FOLDER.glob("*.md")))
