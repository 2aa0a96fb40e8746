"""Files of orders for the command ``bulk``, read strictly and line by line: each problem names its line.

CSV has a header with ``order_id``, ``amount_sats`` or ``amount_btc``, ``memo``, ``expires_in``, ``memo_as_hash`` and
any number of ``metadata.NAME``; blanks around a cell do not count, and an empty one counts as absent. JSONL has one
object per line with the same names, and ``metadata`` as an object. Spreadsheets change what they show into what they
save, so amounts have to be plain digits, and an id must not look like what a spreadsheet makes of one: exported as text
later on, the same order would have another id, and be billed again.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import unicodedata
from collections.abc import Iterator
from functools import partial
from itertools import chain, zip_longest
from pathlib import Path
from typing import BinaryIO

from attrs import Factory, frozen

from tazapay_lightning.bulk.wording import worded
from tazapay_lightning.errors import InvalidArgumentError, UnexpectedResponseError
from tazapay_lightning.invoices.request import InvoiceRequest
from tazapay_lightning.values.json_fields import parse_json
from tazapay_lightning.values.safe_text import printable, shown

_MAX_LINE_BYTES = 1_000_000
_NOT_UTF_8 = "is not UTF-8: save the file as UTF-8 (Excel: CSV UTF-8)"
_COLUMNS = ("order_id", "amount_sats", "amount_btc", "memo", "expires_in", "memo_as_hash")
_METADATA = "metadata."
_BOOLEANS = {"true": True, "false": False}
_SEPARATOR = re.compile(r"sep=([,;|\t])\s*", re.IGNORECASE)  # which Excel reads, and does not show
_DIGITS = re.compile(r"[0-9]{1,30}", re.ASCII)
_BTC = re.compile(r"[0-9]{1,30}(\.[0-9]{1,30})?", re.ASCII)
# What spreadsheets and exports put in the place of an id, in whatever language. What people do name orders is not
# here: 1E5 (a spreadsheet writes its exponents with a sign), dates, 12.345, numbers that end in many zeros, #A1.
_NO_ID = re.compile(
    r"[+\-\u2212]?\d+([.,\u066b]\d+)?E[+\-\u2212]\d+"  # 1.23457E+12
    r"|[+\-\u2212]?\d+[.,\u066b](0+|\d+E\d+)"  # 7890.0; 1.23457E12
    r"|\W{0,2}\d{1,3}(([,'\u2019\u066c]\d{2,3})*[,'\u2019\u066c]|(\.\d{3})+\.)\d{3}([.,\u066b]\d+)?\W{0,2}"  # 12,34,567
    r"|#+|#.*[!?]|#N/A|Loading\.\.\."
    r"|(Err|Erro|Fehler|Fejl|Fel|Fout|Hata|Hiba|Chyba|Virhe|B\u0142\u0105d|\u041e\u0448\u0438\u0431\u043a\u0430) ?:\d+"
    r"|nan|nat|<na>|none|null|nil|n/a|inf(inity)?|undefined|\\N|\[object .*"
    r"|[='\"].*"  # a formula, the mark that begins a text, or a quote that is none to CSV
    # invisible letters, marks and blanks that count as printable
    r"|.*[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef].*",
    re.IGNORECASE,
)
_ERROR = re.compile(r"#[^\d!?]{2,}(/0)?")  # in capitals: #NV, #N/D, #DIV/0
_OTHER_DIGITS = re.compile(r"(?=.*(?![0-9])\d)[\W\d]+")  # without a letter
_encoder = json.JSONEncoder(sort_keys=True, separators=(",", ":"))  # made once: `json.dumps` makes one for each call


@frozen
class Row:
    """An order that can be sent.

    Attributes:
        line: its first line in the file, from 1.
        order_id: as it stands in the file, without blanks around it.
        amount_sats: the amount in satoshi.
        request: the arguments of the invoice as JSON: equal for equal arguments, whatever the order of columns.
        since: when it was first sent (ISO 8601), if an invoice for it may exist; None for a row as it was read.
        fingerprint: the SHA-256 of the request, in hex.
    """

    line: int
    order_id: str
    amount_sats: int
    request: str
    since: str | None = None
    fingerprint: str = Factory(lambda row: hashlib.sha256(row.request.encode()).hexdigest(), takes_self=True)


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
        raise InvalidArgumentError(f"{path} cannot be read: {error.strerror}") from error
    except (csv.Error, LineError) as error:  # of the header
        raise InvalidArgumentError(f"{path}, line {lines.number}: {_reason(error)}") from None
    if is_empty:
        raise InvalidArgumentError(f"{path} has no orders in it")


def _reason(error: Exception) -> str:
    if not isinstance(error, csv.Error):
        return str(error)
    if "field limit" in str(error):
        return f"a cell is longer than {csv.field_size_limit()} characters, or its quote is never closed"
    return f"not CSV: {error}"


def _from_csv(lines: Lines) -> Iterator[dict[str, object] | None]:
    first = next(lines, "")
    named = _SEPARATOR.fullmatch(first)
    text, separator = (lines, named[1]) if named else (chain([first], lines), ",")
    cells = csv.reader(text, delimiter=separator, skipinitialspace=True, strict=True)
    rows = map(lambda row: list(map(str.strip, row)), cells)  # noqa: C417 - a generator would end with the first bad line
    columns = next(filter(any, rows), [])
    for column in filter(None, columns):
        if column not in _COLUMNS and (not column.startswith(_METADATA) or column == _METADATA):
            known = f"{', '.join(_COLUMNS)} and {_METADATA}NAME, separated by commas, not by semicolons or tabs"
            raise LineError(f"{shown(column)} is no column; the first line names the columns: {known}")
        if columns.count(column) > 1:
            raise LineError(f"the column {shown(column)} is there twice")
    if columns and ("order_id" not in columns or not {"amount_sats", "amount_btc"} & set(columns)):
        raise LineError(f"the columns order_id and amount_sats (or amount_btc) are needed; got {shown(columns)}")
    return map(partial(_of_cells, columns), rows)


def _of_cells(columns: list[str], cells: list[str]) -> dict[str, object] | None:
    if not any(cells):  # a blank line, or what a spreadsheet makes of it
        return None
    fields: dict[str, object] = {}
    metadata: dict[str, str] = {}
    for column, cell in zip_longest(columns, cells, fillvalue=""):
        if not cell:
            continue
        if not column:
            raise LineError(f"{shown(cell)} is in a column without a name")
        if column.startswith(_METADATA):
            metadata[column.removeprefix(_METADATA)] = cell
        elif column in {"amount_sats", "expires_in"}:
            if not _DIGITS.fullmatch(cell):
                raise LineError(f"{column} must be digits only, such as 5000; got {shown(cell)}")
            fields[column] = int(cell)
        else:
            fields[column] = _BOOLEANS.get(cell.lower(), cell) if column == "memo_as_hash" else cell
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
    plain = unicodedata.normalize("NFKC", order_id)  # of full-width forms, and the like
    if _NO_ID.fullmatch(plain) or (plain.isupper() and _ERROR.fullmatch(plain)):
        problem = f"order_id {ascii(order_id)[:80]} is what a spreadsheet or an export made of an id"
        raise LineError(f"{problem}: format its column as text, and give the id as it was")
    if _OTHER_DIGITS.fullmatch(order_id):
        problem = f"order_id {ascii(order_id)[:80]} is a number in other digits than 0 to 9, which an export may change"
        raise LineError(f"{problem}: format its column as text, and write it in those")
    order = f"order {printable(order_id, most=80)}"
    if btc is not None and not (isinstance(btc, str) and _BTC.fullmatch(btc)):
        raise LineError(f'{order}: amount_btc must be digits and a point as text, such as "0.00005"; got {shown(btc)}')
    if fields.get("memo_as_hash") is True and fields.get("memo") is None:
        raise LineError(f"{order}: memo_as_hash needs a memo")
    try:
        asked = InvoiceRequest.build(**{name: value for name, value in fields.items() if value is not None})
    except InvalidArgumentError as error:
        raise LineError(f"{order}: {worded(error)}") from None
    request = {name: getattr(asked, name) for name in ("amount_sats", "memo", "metadata", "expires_in")}
    if asked.memo_hash is not None:  # in these orders alone: the fingerprints of all others are in journals
        request.update(memo=fields["memo"], memo_as_hash=True)
    return Row(line, order_id, asked.amount_sats, _encoder.encode(request))


class LineError(Exception):
    """Why a line cannot be used."""


class Lines(Iterator[str]):
    """The lines of a file as text; unlike a generator, it goes on after a line that could not be read.

    Attributes:
        number: of the line that was read last, from 1.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.number = 0

    def __next__(self) -> str:
        content = self._file.readline(_MAX_LINE_BYTES + 1)
        if not content:
            raise StopIteration
        self.number += 1
        if self.number == 1 and not json.detect_encoding(content).startswith("utf-8"):
            self._file.seek(0, os.SEEK_END)  # told once, and not for each line
            raise LineError(f"byte 1 {_NOT_UTF_8}")
        if len(content) > _MAX_LINE_BYTES:
            while content and not content.endswith(b"\n"):
                content = self._file.readline(_MAX_LINE_BYTES)
            raise LineError(f"the line is longer than {_MAX_LINE_BYTES} bytes")
        try:
            return content.decode("utf-8-sig" if self.number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise LineError(f"byte {error.start + 1} {_NOT_UTF_8}") from None
