"""What axe-core, the accessibility checker, finds wrong with a page as it is now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser.conftest import unavailable

if TYPE_CHECKING:
    from playwright.sync_api import Page


def violations(page: Page) -> list[str]:
    """One line for each element and rule that it breaks; empty is what a test asserts."""
    try:
        from axe_playwright_python.sync_playwright import Axe
    except ModuleNotFoundError:
        unavailable("axe-playwright-python is not installed: make browser-test")
    found = Axe().run(page).response
    assert found["testEngine"]["name"] == "axe-core"
    return [
        f"{rule['id']}: {element['html'][:200]}: {element['failureSummary']}"
        for rule in found["violations"]
        for element in rule["nodes"]
    ]
