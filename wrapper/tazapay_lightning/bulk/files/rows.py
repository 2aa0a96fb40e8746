"""Files of orders, as the command ``bulk`` takes them: read strictly, one line at a time, each problem with its line.

CSV has a header with ``order_id``, ``amount_sats`` or ``amount_btc``, ``memo``, ``expires_in`` and any number of
``metadata.NAME``; an empty cell is as good as none. JSONL has one object per line with the same names, and
``metadata`` as an object. Spreadsheets change what they show into what they save, so amounts have to be plain digits.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import frozen

from tazapay_lightning.bulk.files.lines import Lines, UnreadableError
from tazapay_lightning.errors import InvalidArgumentError, UnexpectedResponseError
from tazapay_lightning.invoices.request import InvoiceRequest
from tazapay_lightning.values.json_fields import parse_json
from tazapay_lightning.values.safe_text import printable, shown

__all__ = ["Problem", "Row", "read_orders"]

_COLUMNS = ("order_id", "amount_sats", "amount_btc", "memo", "expires_in")
_METADATA = "metadata."
_KNOWN = f"{', '.join(_COLUMNS)} and {_METADATA}NAME"
_DIGITS = re.compile(r"[0-9]{1,30}", re.ASCII)
_BTC = re.compile(r"[0-9]{1,30}(\.[0-9]{1,30})?", re.ASCII)


@frozen(kw_only=True)
class Row:
    """An order that can be sent.

    Attributes:
        line: where it begins, from 1.
        order_id: as it stands in the file.
        amount_sats: what it asks for.
        request: all that it asks for, as JSON: the same text for the same question, however the file is arranged.
    """

    line: int
    order_id: str
    amount_sats: int
    request: str

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the request, in hex."""
        return hashlib.sha256(self.request.encode()).hexdigest()


@frozen
class Problem:
    """Why a line cannot be sent."""

    line: int
    message: str


def read_orders(path: Path) -> Iterator[Row | Problem]:
    """Read a file of orders, in memory that does not grow with it.

    Args:
        path: a file whose name ends in .csv or .jsonl, in UTF-8, with or without a byte order mark.

    Yields:
        Each row as an order or as what is wrong with it.

    Raises:
        InvalidArgumentError: the file as a whole cannot be read: its name, encoding or header is wrong, or it is empty.
    """
    kinds = {".csv": _from_csv, ".jsonl": _from_jsonl}
    if path.suffix.lower() not in kinds:
        raise InvalidArgumentError(
            f"the name of the orders must end in .csv or .jsonl; got {shown(path.name)}", argument="orders"
        )
    try:
        with path.open("rb") as file:
            lines = Lines(file, path)
            is_empty = True
            for line, fields in kinds[path.suffix.lower()](lines):
                is_empty = False
                yield fields if isinstance(fields, Problem) else _row(line, fields)
    except OSError as error:
        raise InvalidArgumentError(f"{path} cannot be read: {error.strerror}", argument="orders") from error
    if is_empty:
        raise InvalidArgumentError(f"{path} has no orders in it", argument="orders")


_Fields = Iterator[tuple[int, Mapping[str, object] | Problem]]


def _from_csv(lines: Lines) -> _Fields:
    reader = csv.reader(lines, strict=True)
    columns: list[str] = []
    while True:
        line = lines.number + 1
        try:
            cells = next(reader)
            if not cells:
                continue  # a blank line
            if not columns:
                columns = _checked_header(cells, lines.path)
                continue
            yield line, _of_cells(columns, cells)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, Problem(line, f"not CSV: {error}")
        except (UnreadableError, _RefusedError) as refused:
            if not columns:
                raise InvalidArgumentError(f"{lines.path}, line {line}: {refused}", argument="orders") from None
            yield line, Problem(line, str(refused))


class _RefusedError(Exception):
    """Why a row cannot be taken."""


def _checked_header(columns: list[str], path: Path) -> list[str]:
    where = f"{path}, line 1:"
    for separator, name in ((";", "semicolons"), ("\t", "tabs"), ("\r", "bare carriage returns")):
        if separator in "".join(columns):
            raise InvalidArgumentError(
                f"{where} separated by {name}: cells must be separated by commas, and lines by line ends "
                "(in Excel: CSV UTF-8, comma delimited)",
                argument="orders",
            )
    for column in columns:
        if column not in _COLUMNS and (not column.startswith(_METADATA) or column == _METADATA):
            raise InvalidArgumentError(
                f"{where} {shown(column)} is no column; the first line names the columns, which are {_KNOWN}",
                argument="orders",
            )
        if columns.count(column) > 1:
            raise InvalidArgumentError(f"{where} the column {shown(column)} is there twice", argument="orders")
    if "order_id" not in columns or not {"amount_sats", "amount_btc"} & set(columns):
        raise InvalidArgumentError(
            f"{where} the columns order_id and amount_sats (or amount_btc) are needed; got {shown(','.join(columns))}",
            argument="orders",
        )
    return columns


def _of_cells(columns: list[str], cells: list[str]) -> dict[str, object]:
    if len(cells) != len(columns):
        raise _RefusedError(f"{len(cells)} cells, where the first line names {len(columns)} columns")
    given = {column: cell for column, cell in zip(columns, cells, strict=True) if cell}
    metadata = {name.removeprefix(_METADATA): given.pop(name) for name in list(given) if name.startswith(_METADATA)}
    fields: dict[str, object] = {**given}
    for column in ("amount_sats", "expires_in"):
        if column in given:
            if not _DIGITS.fullmatch(given[column]):
                unit = "satoshi" if column == "amount_sats" else "seconds"
                raise _RefusedError(
                    f"{column} must be digits only, the number of {unit}, such as 5000; got {shown(given[column])}"
                )
            fields[column] = int(given[column])
    if metadata:
        fields["metadata"] = metadata
    return fields


def _from_jsonl(lines: Lines) -> _Fields:
    while True:
        line = lines.number + 1
        try:
            text = next(lines)
            if text.strip():
                yield line, _of_json(text)
        except StopIteration:
            return
        except (UnreadableError, _RefusedError) as refused:
            yield line, Problem(line, str(refused))


def _of_json(text: str) -> dict[str, object]:
    try:
        fields = parse_json(text)
    except UnexpectedResponseError as error:
        raise _RefusedError(str(error)) from None
    if not isinstance(fields, dict):
        raise _RefusedError(
            f'one object per line is needed, such as {{"order_id": "7890", "amount_sats": 5000}}; got {shown(fields)}'
        )
    for name in fields:
        if name not in (*_COLUMNS, "metadata"):
            raise _RefusedError(f"{shown(name)} is no field; known are {', '.join(_COLUMNS)} and metadata")
    return {name: value for name, value in fields.items() if value is not None}


def _row(line: int, fields: Mapping[str, object]) -> Row | Problem:
    order_id, btc = fields.get("order_id"), fields.get("amount_btc")
    if not isinstance(order_id, str) or not order_id or order_id != order_id.strip() or not order_id.isprintable():
        return Problem(
            line, f"order_id must be text without line ends, and without blanks around it; got {shown(order_id)}"
        )
    if isinstance(btc, str) and not _BTC.fullmatch(btc):
        return Problem(
            line,
            f"order {printable(order_id, most=80)}: amount_btc must be digits and a point, such as 0.00123456; "
            f"got {shown(btc)} (a spreadsheet that shows 1E-05 also saves that, and may have lost digits)",
        )
    if isinstance(btc, float):  # of JSON, whose writer is not helped by what a Python program would have to do
        return Problem(
            line,
            f'order {printable(order_id, most=80)}: amount_btc must be text, as in "0.00005"; '
            f"got the number {shown(btc)}",
        )
    try:
        asked = InvoiceRequest.build(**{name: value for name, value in fields.items() if name != "order_id"})
    except InvalidArgumentError as error:
        return Problem(line, f"order {printable(order_id, most=80)}: {error}")
    request = {
        "amount_sats": asked.amount_sats,
        "memo": asked.memo,
        "metadata": asked.metadata,
        "expires_in": asked.expires_in,
    }
    return Row(
        line=line,
        order_id=order_id,
        amount_sats=asked.amount_sats,
        request=json.dumps(request, sort_keys=True, separators=(",", ":")),
    )
