"""Fixtures of the code generation's tests."""

import signal
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path

import pytest

from codegen.drift.coverage import Coverage, load_coverage
from codegen.generate.document_checks import Contents, check_document
from codegen.generate.regeneration import Overlay, merged_document
from codegen.overlay.actions import Action, read_overlay
from codegen.read.documents import JsonObject, load_document
from codegen.read.sources import read_sources
from codegen.write import interruptions
from tests.codegen.warm import WarmCheckout, WarmServer, warm_server
from tests.support.checkout import PACKAGE, REPOSITORY, Checkout, copy_repository, made_environment, read_tree


@pytest.fixture(autouse=True)
def handlers_of_signals() -> Iterator[None]:
    """What runs in this process takes over both signals: afterwards they are as they were."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    interruptions.listen()  # nothing is held back any more
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def environment() -> Path:
    """The environment of the code generation."""
    return made_environment()


@pytest.fixture
def new_checkout() -> Callable[[Path], Checkout]:
    """Make a checkout in a folder."""
    return copy_repository


@pytest.fixture
def checkout(tmp_path: Path, new_checkout: Callable[[Path], Checkout]) -> Checkout:
    """A checkout whose path has spaces in it."""
    return new_checkout(tmp_path / "a folder" / "of the repository")


@pytest.fixture(scope="session")
def server() -> Iterator[WarmServer]:
    """The process from which the runs of warm checkouts are forked."""
    with warm_server() as ready:
        yield ready


@pytest.fixture
def new_warm_checkout(server: WarmServer) -> Callable[[Path], WarmCheckout]:
    """Make a checkout whose runs cost no start: what `new_checkout` is in the files whose tests are not about that."""
    return lambda root: WarmCheckout(copy_repository(root).root, server)


@pytest.fixture
def repository() -> Path:
    return REPOSITORY


@pytest.fixture
def committed_tree() -> dict[str, bytes]:
    return read_tree(REPOSITORY / PACKAGE)


@pytest.fixture
def published() -> JsonObject:
    """The document of the page that creates invoices, for the test alone: openapi.yaml may hold other pages too."""
    return deepcopy(read_published())


@cache
def read_published() -> JsonObject:
    return read_sources([str(REPOSITORY / "tests/pages/create-a-lightning-invoice.md")])[0].document


@cache
def committed() -> tuple[JsonObject, tuple[Overlay, ...]]:
    return merged_document(REPOSITORY)


@pytest.fixture(scope="session")
def contents() -> Contents:
    """What the committed client is made of, whichever pages were imported into its document."""
    return check_document(committed()[0], "openapi.yaml")


@pytest.fixture(scope="session")
def told(contents: Contents) -> tuple[str, ...]:
    """How a run tells the operations: their number, and each on a line of its own."""
    return f"{len(contents.operations)} operations", *(f"  {operation}" for operation in contents.operations)


@pytest.fixture(scope="session")
def coverage() -> Coverage:
    """What the wrapper does with each field."""
    return load_coverage(REPOSITORY)


@pytest.fixture(scope="session")
def with_overlay() -> str:
    """How a run names the document, our overlay and those of a team."""
    numbers = [(overlay.name, len(overlay.actions)) for overlay in committed()[1]]
    named = (f"{number} action{'s' * (number != 1)} of {name}" for name, number in numbers)
    return f"openapi.yaml with {' and '.join(named)}"


@pytest.fixture(scope="session")
def overlay() -> tuple[Action, ...]:
    """The actions of the committed overlay."""
    return read_overlay(load_document(REPOSITORY / "openapi.overlay.yaml", "overlay"), "overlay")
