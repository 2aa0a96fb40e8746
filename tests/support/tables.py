"""A fact over a table of values: one case that tries every row, and fails with the names of those that do not hold."""

from __future__ import annotations

import functools
import inspect
import reprlib
from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from typing import Any

import pytest

Test = Callable[..., None]

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 100


def each_row(
    names: str | Sequence[str], rows: Iterable[Any], ids: Iterable[object] | Callable[[Any], object] | None = None
) -> Callable[[Test], Test]:
    """Take the place of `pytest.mark.parametrize` where the rows are examples of one fact and cost little.

    The rows share the fixtures of the case, so it is for tests whose fixtures no row changes.
    """
    fields = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    labels = repeat(None) if ids is None or callable(ids) else ids
    table = [
        (ids(row) if callable(ids) else label, row if len(fields) > 1 or isinstance(row, _PARAMETERS) else (row,))
        for label, row in zip(labels, rows, strict=False)
    ]
    assert table, "a table without rows proves nothing"
    assert not any(row.marks for _, row in table if isinstance(row, _PARAMETERS)), "a marked row needs its own case"

    def over_the_table(test: Test) -> Test:
        @functools.wraps(test)
        def on_every_row(**fixtures: Any) -> None:
            failures: list[tuple[str, BaseException]] = []
            for label, row in table:
                values = row.values if isinstance(row, _PARAMETERS) else row
                try:
                    test(**fixtures, **dict(zip(fields, values, strict=True)))
                except (Exception, pytest.fail.Exception) as failure:  # noqa: BLE001 - all are raised below, together
                    name = _name(label, row)
                    failure.add_note(f"the row: {name}")
                    failures.append((name, failure))
            if failures:
                listed = "; ".join(name for name, _ in failures)
                raise BaseExceptionGroup(
                    f"{len(failures)} of {len(table)} rows do not hold: {listed}", [failure for _, failure in failures]
                )

        signature = inspect.signature(test)
        rest = [parameter for name, parameter in signature.parameters.items() if name not in fields]
        on_every_row.__signature__ = signature.replace(parameters=rest)  # type: ignore[attr-defined]  # pytest reads it
        return on_every_row

    return over_the_table


_PARAMETERS = type(pytest.param())


def _name(label: object, row: Any) -> str:
    if isinstance(row, _PARAMETERS):
        label, row = row.id or label, row.values
    return str(label) if label is not None else ", ".join(map(_SHORT.repr, row))
