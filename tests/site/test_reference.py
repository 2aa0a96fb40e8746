"""The reference on the site has every public name, and of a class every public attribute and method."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

import tazapay_lightning
import tazapay_lightning_emulator
from tazapay_lightning import TazapayError, bulk
from tools.site_check import read_page

PACKAGES = [tazapay_lightning, bulk, tazapay_lightning_emulator]
PUBLIC = {f"{package.__name__}.{name}": getattr(package, name) for package in PACKAGES for name in package.__all__}
CLASSES = {path: thing for path, thing in PUBLIC.items() if inspect.isclass(thing)}


@pytest.fixture(scope="module")
def anchors(site: Path) -> set[str]:
    return {anchor for page in (site / "reference").glob("*.html") for anchor in read_page(page).anchors}


def own_names(thing: type) -> set[str]:
    """The public names that a class itself defines: attributes, properties and methods."""
    names = {*vars(thing), *inspect.get_annotations(thing)}
    return {name for name in names if not name.startswith("_")}


def test_every_public_name_has_an_anchor(anchors: set[str]) -> None:
    assert set(PUBLIC) <= anchors


def test_nothing_else_has_one(anchors: set[str]) -> None:
    packages = {package.__name__ for package in PACKAGES}
    names = {anchor for anchor in anchors if anchor.rpartition(".")[0] in packages}
    assert names == set(PUBLIC)


def test_every_attribute_and_method_that_a_public_class_defines_has_an_anchor(anchors: set[str]) -> None:
    members = {f"{path}.{name}" for path, thing in CLASSES.items() for name in own_names(thing)}
    assert "tazapay_lightning.Invoice.amount_btc" in members
    assert members <= anchors


def test_every_error_is_there_with_its_own_attributes(anchors: set[str]) -> None:
    errors = {path: thing for path, thing in CLASSES.items() if issubclass(thing, TazapayError)}
    assert len(errors) == 22
    attributes = {f"{path}.{name}" for path, thing in errors.items() for name in own_names(thing)}
    assert {f"tazapay_lightning.APIError.{name}" for name in ("attempts", "outcome_unknown")} <= attributes
    assert attributes <= anchors


@pytest.mark.parametrize("name", ["LightningClient", "AsyncLightningClient"])
def test_a_client_has_what_both_clients_share(name: str, anchors: set[str]) -> None:
    client = getattr(tazapay_lightning, name)
    assert {f"tazapay_lightning.{name}.{each}" for each in dir(client) if not each.startswith("_")} <= anchors


def test_what_a_docstring_says_of_an_attribute_stands_with_it(site: Path) -> None:
    page = (site / "reference/errors.html").read_text()
    begin = page.index('id="tazapay_lightning.APIError.request_id"')
    end = page.index('id="tazapay_lightning.APIConnectionError"')
    assert "the id that the service gave the last request" in page[begin:end]


def test_examples_are_shown_as_code(site: Path) -> None:
    page = (site / "reference/values.html").read_text()
    assert "&gt;&gt;&gt;" in page
    assert "<blockquote>" not in page
