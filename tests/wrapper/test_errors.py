"""The tree of errors is the documented one, and each of them travels."""

from __future__ import annotations

import copy
import pickle
import re

import tazapay_lightning
from tazapay_lightning import (
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    InvalidArgumentError,
    PaymentTimeoutError,
    ServerError,
    TazapayError,
    errors,
)
from tests.support.tables import each_row

ALL = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, TazapayError)]


def tree(kind: type[BaseException], depth: int = 0) -> list[tuple[int, str]]:
    children = [child for child in kind.__subclasses__() if child.__module__ == errors.__name__]
    below = [line for child in children for line in tree(child, depth + 1)]
    return [(depth, kind.__name__), *below]


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    assert errors.__doc__ is not None
    drawn = re.findall(r"^    ([│├└─ ]*)(\w+Error)", errors.__doc__, re.MULTILINE)
    assert sorted((len(lines) // 4, name) for lines, name in drawn) == sorted(tree(TazapayError))


def test_the_builtin_bases_are_the_documented_ones() -> None:
    assert issubclass(InvalidArgumentError, ValueError)
    assert issubclass(APITimeoutError, TimeoutError)
    assert issubclass(PaymentTimeoutError, TimeoutError)


def test_every_error_is_public() -> None:
    assert {each.__name__ for each in ALL} <= set(tazapay_lightning.__all__)


@each_row("kind", ALL)
def test_an_error_can_be_made_with_a_message_alone(kind: type[TazapayError]) -> None:
    assert str(kind("what happened")) == "what happened"
    assert isinstance(kind(), TazapayError)


@each_row("kind", ALL)
def test_an_error_survives_pickle_and_copy_with_its_attributes(kind: type[TazapayError]) -> None:
    error = kind("what happened")
    if isinstance(error, APIError):
        error.idempotency_key, error.outcome_unknown, error.attempts = "key", True, 3
    if isinstance(error, APIStatusError):
        error.status_code, error.headers = 500, {"x": "y"}
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301 - our own bytes
        assert type(twin) is kind
        assert (str(twin), vars(twin)) == (str(error), vars(error))


def test_an_error_with_an_unknown_outcome_tells_how_to_resume() -> None:
    error = APIConnectionError("lost")
    error.outcome_unknown, error.idempotency_key = True, "order-7890"
    assert str(error) == (
        "lost; an invoice may exist: to resume, call again with the same arguments and idempotency_key='order-7890'"
    )


def test_a_status_error_knows_its_defaults() -> None:
    error = ServerError("m")
    assert (error.status_code, error.code, error.message, error.errors, error.headers, error.body) == (
        0,
        None,
        "",
        (),
        {},
        "",
    )
    assert error.retry_after is None
