"""The site that `make docs` built into site/, and the environment that it is built in.

Without them these tests are skipped, unless SITE_TESTS=required says that they must run: `make docs-test` does.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def unavailable(reason: str) -> None:
    """Skip, or fail where the tests of the site are required."""
    if os.environ.get("SITE_TESTS") == "required":
        pytest.fail(f"SITE_TESTS=required, but {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def site() -> Path:
    """The folder of the built site."""
    if not (REPOSITORY / "site/index.html").is_file():
        unavailable("there is no site: make docs")
    return REPOSITORY / "site"
