"""The Python samples of the documents pass ``mypy --strict``, as an application that copies them would want.

`conftest.py` runs the same blocks; here they are only read. Each block is a module of its own. Those of docs/frameworks
are checked by tests/frameworks, where the frameworks are installed.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENTS = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def write_samples(folder: Path) -> dict[str, str]:
    """Write each block to a file of its own, on the lines that it has in its document; return what each comes from."""
    documents = {}
    for document in DOCUMENTS:
        text = document.read_text()
        for block in BLOCK.finditer(text):
            lines_before = text.count("\n", 0, block.start(1))
            name = f"{document.stem.lower()}_{lines_before + 1}.py"
            (folder / name).write_text("\n" * lines_before + block[1])
            documents[name] = document.relative_to(REPOSITORY).as_posix()
    return documents


def test_every_python_sample_passes_the_strict_type_checker(tmp_path: Path) -> None:
    documents = write_samples(tmp_path)
    assert {"README.md", "docs/bulk.md"} <= set(documents.values())
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", "pyproject.toml", "--no-error-summary"]
    done = subprocess.run(
        [*command, *(str(tmp_path / name) for name in documents)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    report = done.stdout
    for name, document in documents.items():
        report = report.replace(str(tmp_path / name), document)
    assert done.returncode == 0, report + done.stderr
