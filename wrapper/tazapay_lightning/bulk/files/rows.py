"""Files of orders for the command ``bulk``, read strictly and line by line: each problem names its line.

CSV has a header with ``order_id``, ``amount_sats`` or ``amount_btc``, ``memo``, ``expires_in`` and any number of
``metadata.NAME``; an empty cell counts as absent. JSONL has one object per line with the same names, and
``metadata`` as an object. Spreadsheets change what they show into what they save, so amounts have to be plain digits.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from attrs import frozen

from tazapay_lightning.bulk.files.lines import LineError, Lines
from tazapay_lightning.errors import InvalidArgumentError, UnexpectedResponseError
from tazapay_lightning.invoices.request import InvoiceRequest
from tazapay_lightning.values.json_fields import parse_json
from tazapay_lightning.values.safe_text import printable, shown

_COLUMNS = ("order_id", "amount_sats", "amount_btc", "memo", "expires_in")
_NUMBERS = ("amount_sats", "expires_in")
_METADATA = "metadata."
_DIGITS = re.compile(r"[0-9]{1,30}", re.ASCII)
_BTC = re.compile(r"[0-9]{1,30}(\.[0-9]{1,30})?", re.ASCII)


@frozen
class Row:
    """An order that can be sent.

    Attributes:
        line: its first line in the file, from 1.
        order_id: as it stands in the file.
        amount_sats: the amount in satoshi.
        request: the arguments of the invoice as JSON: equal for equal arguments, whatever the order of columns.
        since: when it was first sent (ISO 8601), if an invoice for it may exist; None for a row as it was read.
    """

    line: int
    order_id: str
    amount_sats: int
    request: str
    since: str | None = None

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
        Each row as an order, or the problem that it has.

    Raises:
        InvalidArgumentError: the file as a whole cannot be used: its name or header is wrong, or it is empty.
    """
    kind = path.suffix.lower()
    if kind not in {".csv", ".jsonl"}:
        raise InvalidArgumentError(f"orders must be a .csv or .jsonl file; got {shown(path.name)}", argument="orders")
    is_empty = True
    try:
        with path.open("rb") as file:
            lines = Lines(file)
            # both kinds of iterator go on after a line that is refused
            records = _from_csv(lines) if kind == ".csv" else map(_of_json, lines)
            while True:
                line = lines.number + 1
                try:
                    fields = next(records)
                    if fields is None:
                        continue
                    row: Row | Problem = _row(line, fields)
                except StopIteration:
                    break
                except (csv.Error, LineError) as error:
                    row = Problem(line, _reason(error))
                is_empty = False
                yield row
    except OSError as error:
        raise InvalidArgumentError(f"{path} cannot be read: {error.strerror}", argument="orders") from error
    except (csv.Error, LineError) as error:  # of the header
        raise InvalidArgumentError(f"{path}, line {lines.number}: {_reason(error)}", argument="orders") from None
    if is_empty:
        raise InvalidArgumentError(f"{path} has no orders in it", argument="orders")


def _reason(error: Exception) -> str:
    return f"not CSV: {error}" if isinstance(error, csv.Error) else str(error)


def _from_csv(lines: Lines) -> Iterator[dict[str, object] | None]:
    reader = csv.reader(lines, strict=True)
    columns = next(filter(None, reader), [])
    for column in columns:
        if column not in _COLUMNS and (not column.startswith(_METADATA) or column == _METADATA):
            known = f"{', '.join(_COLUMNS)} and {_METADATA}NAME, separated by commas"
            raise LineError(f"{shown(column)} is no column; the first line names the columns: {known}")
        if columns.count(column) > 1:
            raise LineError(f"the column {shown(column)} is there twice")
    if columns and ("order_id" not in columns or not {"amount_sats", "amount_btc"} & set(columns)):
        raise LineError(f"the columns order_id and amount_sats (or amount_btc) are needed; got {shown(columns)}")
    return map(partial(_of_cells, columns), reader)


def _of_cells(columns: list[str], cells: list[str]) -> dict[str, object] | None:
    if not cells:  # a blank line
        return None
    if len(cells) != len(columns):
        raise LineError(f"{len(cells)} cells, where the first line names {len(columns)} columns")
    fields: dict[str, object] = {}
    metadata: dict[str, str] = {}
    for column, cell in zip(columns, cells, strict=True):
        if not cell:
            continue
        if column.startswith(_METADATA):
            metadata[column.removeprefix(_METADATA)] = cell
        elif column in _NUMBERS:
            if not _DIGITS.fullmatch(cell):
                raise LineError(f"{column} must be digits only, such as 5000; got {shown(cell)}")
            fields[column] = int(cell)
        else:
            fields[column] = cell
    return {**fields, "metadata": metadata or None}


def _of_json(text: str) -> dict[str, object] | None:
    if not text.strip():
        return None
    try:
        fields = parse_json(text)
    except UnexpectedResponseError as error:
        raise LineError(str(error)) from None
    if not isinstance(fields, dict):
        raise LineError(f'must be an object such as {{"order_id": "7890", "amount_sats": 5000}}; got {shown(fields)}')
    for name in fields:
        if name not in (*_COLUMNS, "metadata"):
            raise LineError(f"{shown(name)} is no field; known are {', '.join(_COLUMNS)} and metadata")
    return fields


def _row(line: int, fields: dict[str, object]) -> Row:
    order_id, btc = fields.pop("order_id", None), fields.get("amount_btc")
    if not isinstance(order_id, str) or not order_id or order_id != order_id.strip() or not order_id.isprintable():
        raise LineError(f"order_id must be text on one line, without blanks around it; got {shown(order_id)}")
    order = f"order {printable(order_id, most=80)}"
    if btc is not None and not (isinstance(btc, str) and _BTC.fullmatch(btc)):
        raise LineError(f'{order}: amount_btc must be digits and a point as text, such as "0.00005"; got {shown(btc)}')
    try:
        asked = InvoiceRequest.build(**fields)
    except InvalidArgumentError as error:
        raise LineError(f"{order}: {error}") from None
    request = {name: getattr(asked, name) for name in ("amount_sats", "memo", "metadata", "expires_in")}
    return Row(line, order_id, asked.amount_sats, json.dumps(request, sort_keys=True, separators=(",", ":")))
