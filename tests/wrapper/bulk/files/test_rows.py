"""Files of orders: what is read of them, and every way in which one can be wrong, with its line."""

from __future__ import annotations

import codecs
import json
from pathlib import Path
from typing import Any

import pytest

from tazapay_lightning import InvalidArgumentError
from tazapay_lightning.bulk.files.rows import Problem, Row, read_orders


def reading(folder: Path, content: str | bytes, *, name: str = "orders.csv") -> list[Row | Problem]:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read_orders(path))


def rows_of(folder: Path, content: str | bytes, *, name: str = "orders.csv") -> list[Row]:
    read = reading(folder, content, name=name)
    assert all(isinstance(row, Row) for row in read), read
    return [row for row in read if isinstance(row, Row)]


def problems_of(folder: Path, content: str | bytes, *, name: str = "orders.csv") -> list[tuple[int, str]]:
    return [
        (problem.line, problem.message)
        for problem in reading(folder, content, name=name)
        if isinstance(problem, Problem)
    ]


def asked(row: Row) -> dict[str, Any]:
    request: dict[str, Any] = json.loads(row.request)
    return {name: value for name, value in request.items() if value is not None}


def test_a_csv_file_may_say_everything(tmp_path: Path) -> None:
    (row,) = rows_of(
        tmp_path,
        "order_id,amount_btc,memo,metadata.customer_id,metadata.table,expires_in\n7890,0.00005,Order #7890,c1,,900\n",
    )
    assert (row.line, row.order_id, row.amount_sats) == (2, "7890", 5000)
    assert asked(row) == {
        "amount_sats": 5000,
        "memo": "Order #7890",
        "metadata": {"customer_id": "c1"},
        "expires_in": 900,
    }


def test_a_jsonl_file_may_say_everything(tmp_path: Path) -> None:
    line = {
        "order_id": "7890",
        "amount_btc": "0.00005",
        "memo": "Order #7890",
        "metadata": {"lines": [1, 2.5]},
        "expires_in": 900,
    }
    (row,) = rows_of(tmp_path, json.dumps(line), name="orders.JSONL")
    assert asked(row) == {
        "amount_sats": 5000,
        "memo": "Order #7890",
        "metadata": {"lines": [1, 2.5]},
        "expires_in": 900,
    }


def test_the_same_question_has_the_same_fingerprint_however_the_file_is_arranged(tmp_path: Path) -> None:
    files = {
        "a.csv": "order_id,amount_sats,metadata.a,metadata.b\n1,5000,x,y\n",
        "b.csv": "metadata.b,amount_btc,order_id,metadata.a,memo\ny,0.00005000,1,x,\n",
        "c.jsonl": '{"metadata":{"b":"y","a":"x"},"amount_sats":5000,"order_id":"1","memo":null}\n',
    }
    fingerprints = {rows_of(tmp_path, content, name=name)[0].fingerprint for name, content in files.items()}
    assert len(fingerprints) == 1
    other = rows_of(tmp_path, files["a.csv"].replace("5000", "5001"))[0].fingerprint
    assert other not in fingerprints


@pytest.mark.parametrize("name", ["orders.csv", "orders.jsonl"])
def test_a_byte_order_mark_blank_lines_and_windows_line_ends_do_not_matter(tmp_path: Path, name: str) -> None:
    text = {
        "orders.csv": "order_id,amount_sats\r\n\r\n1,5000\r\n\r\n2,6000\r\n",
        "orders.jsonl": '\r\n\r\n{"order_id":"1","amount_sats":5000}\r\n\r\n{"order_id":"2","amount_sats":6000}',
    }[name]
    read = rows_of(tmp_path, codecs.BOM_UTF8 + text.encode(), name=name)
    assert [(row.line, row.order_id, row.amount_sats) for row in read] == [(3, "1", 5000), (5, "2", 6000)]


def test_a_cell_may_hold_commas_quotes_and_line_ends(tmp_path: Path) -> None:
    first, second = rows_of(tmp_path, 'order_id,amount_sats,memo\n1,5,"a, ""b""\nc"\n2,6,d\n')
    assert asked(first)["memo"] == 'a, "b"\nc'
    assert second.line == 4


def test_a_blank_before_a_quote_is_no_part_of_an_id(tmp_path: Path) -> None:
    plain, blank = (
        rows_of(tmp_path, f"order_id,amount_sats,memo\n{row}\n")[0] for row in ('"7q",5,"a, b"', ' "7q", 5, "a, b"')
    )
    assert (plain.order_id, plain.fingerprint) == (blank.order_id, blank.fingerprint) == ("7q", plain.fingerprint)


def test_what_spreadsheets_add_does_not_matter(tmp_path: Path) -> None:
    content = """ , ,,
\torder_id , amount_sats,,metadata.a ,\u00a0
,,,,
 1 , 5000 ,,  ,
 ,\u00a0, , ,
2,6000,, x y ,
"""
    read = rows_of(tmp_path, content)
    assert [(row.line, row.order_id, row.amount_sats, asked(row).get("metadata")) for row in read] == [
        (4, "1", 5000, None),
        (6, "2", 6000, {"a": "x y"}),
    ]


def test_a_cell_in_a_column_without_a_name_is_told(tmp_path: Path) -> None:
    assert problems_of(tmp_path, "order_id,amount_sats,\n1,5000,Tea\n") == [(2, "'Tea' is in a column without a name")]


def test_empty_cells_at_the_end_of_a_row_may_be_missing_or_too_many(tmp_path: Path) -> None:
    content = "order_id,amount_sats,memo,metadata.a,expires_in\n1,5000\n2,5000,\n3,5000,,,,\n4,5000,,,, ,,\n"
    assert [(row.order_id, asked(row)) for row in rows_of(tmp_path, content)] == [
        (order_id, {"amount_sats": 5000}) for order_id in "1234"
    ]


@pytest.mark.parametrize(
    ("named", "separator"),
    [("sep=,", ","), ("sep=;", ";"), ("SEP=\t", "\t"), ("sep=|", "|"), ("\ufeffsep=;", ";")],
    ids=repr,
)
def test_a_first_line_for_excel_names_the_separator(tmp_path: Path, named: str, separator: str) -> None:
    lines = [named, *(line.replace(",", separator) for line in ("order_id,amount_sats,memo", '1,5000,"a,b;c"'))]
    (row,) = rows_of(tmp_path, "\r\n".join(lines))
    assert (row.line, row.order_id, asked(row)["memo"]) == (3, "1", "a,b;c".replace(",", separator))


@pytest.mark.parametrize("flag", ["true", "TRUE", "True"])
def test_a_memo_can_be_sent_as_its_hash(tmp_path: Path, flag: str) -> None:
    memo = "m" * 1000
    (row,) = rows_of(tmp_path, f"order_id,amount_sats,memo,memo_as_hash\n1,5,{memo},{flag}\n")
    line = json.dumps({"order_id": "1", "amount_sats": 5, "memo": memo, "memo_as_hash": True})
    (same,) = rows_of(tmp_path, line, name="orders.jsonl")
    assert asked(row) == {"amount_sats": 5, "memo": memo, "memo_as_hash": True}
    assert row.fingerprint == same.fingerprint


@pytest.mark.parametrize("cell", ["false", "FALSE", ""])
def test_the_fingerprint_of_an_order_that_sends_its_memo_is_as_it_was_before_there_were_hashes(
    tmp_path: Path, cell: str
) -> None:
    (row,) = rows_of(tmp_path, f"order_id,amount_sats,memo,memo_as_hash\n1,5,Tea,{cell}\n")
    # as journals of version 0.1.0 have it
    assert row.fingerprint == "845d3714fc216db06a6d5ad789842b31e68bd4df5d7f9e16911e0edb94557eeb"


def test_a_hash_without_a_memo_is_told(tmp_path: Path) -> None:
    content = "order_id,amount_sats,memo,memo_as_hash\n1,5,,true\n"
    assert problems_of(tmp_path, content) == [(2, "order 1: memo_as_hash needs a memo")]


@pytest.mark.parametrize("cell", ["yes", "1", "WAHR"])
def test_another_word_for_true_is_told(tmp_path: Path, cell: str) -> None:
    ((_, message),) = problems_of(tmp_path, f"order_id,amount_sats,memo,memo_as_hash\n1,5,Tea,{cell}\n")
    assert message == "order 1: memo_as_hash must be True or False; got str"


def written_by_spreadsheets() -> list[str]:
    numbers = [
        f"{sign}{digits}E{exponent}"
        for sign in ("", "-")
        for digits in ("1", "1.2", "1,23457", "9.00")
        for exponent in ("+05", "-05", "+12", "+018", "+300")
    ]
    numbers += [number.lower() for number in numbers]
    numbers += [
        "1.23457E12",
        "1,23457e12",
        "1234567.0",
        "1234567,0",
        "7890.00",
        "-7890.0",
        "1,234",
        "1,234,567",
        "1'234'567",
        "1.234.567",
        "1.234.567,50",
        "1,234.50",
        "-1,234,567",
        "(1,234)",
        "$ 1,234.00",
        "12,34,567",
        "1,23,45,678.90",
        "\u20b912,34,567",
    ]
    errors = [
        "NAME?",
        "REF!",
        "N/A",
        "VALUE!",
        "DIV/0!",
        "NUM!",
        "NULL!",
        "SPILL!",
        "CALC!",
        "WERT!",
        "BEZUG!",
        "NV",
        "NOM?",
        "VALEUR!",
        "\u00a1VALOR!",
        "\u00a1DIV/0!",
        "\u00bfNOMBRE?",
        "N/D",
        "I/T",
        "YOK",
        "\u041d/\u0414",
        "\u0417\u041d\u0410\u0427!",
        "\u0421\u0421\u042b\u041b\u041a\u0410!",
        "\u0394/\u03a5",
        "NAZWA?",
        "ARG!",
        "HI\u00c1NYZIK",
        "NEN\u00cd_K_DISPOZICI",
        "DIV/0",
        "ERROR!",
        "ERR520!",
        "",
        "####",
    ]
    return [
        *numbers,
        *(f"#{error}" for error in errors),
        "Err:502",
        "Err :502",
        "Fehler:502",
        "\u041e\u0448\u0438\u0431\u043a\u0430:502",
        "\uff03\uff2e\uff0f\uff21",
        "Loading\u2026",
        "=A1",
        '="007890"',
        "'007890",
        '"007890"',
        "#GETTING_DATA",
        "Loading...",
        "<NA>",
        "NaT",
        "inf",
        "Infinity",
        "[object Object]",
        "\\N",
        "nan",
        "NaN",
        "None",
        "NULL",
    ]


@pytest.mark.parametrize(
    "order_id", [*written_by_spreadsheets(), "a\u034fb", "7890\ufe0f", "\u3164", "\u2800", "7\U000e0100"]
)
def test_what_a_spreadsheet_or_an_export_makes_of_an_id_is_refused(tmp_path: Path, order_id: str) -> None:
    quoted = '"' + order_id.replace('"', '""') + '"'
    problem = f"order_id {order_id!a} is what a spreadsheet or an export made of an id"
    advice = "format its column as text, and give the id as it was"
    content = f"order_id,amount_sats\n7890,5\n{quoted},5\n"
    assert problems_of(tmp_path, content) == [(3, f"{problem}: {advice}")]


ARABIC = "\u0661\u0662\u0663"
OTHER_NUMBERS = [
    *(chr(ord(zero) + 1) * 3 for zero in "\u0660\u06f0\u07c0\u0966\u09e6\u0e50\u0f20\u1040\u17e0\uff10"),
    *(form.format(ARABIC) for form in ("{}.5", "{0}/{0}", "-{}", "7{}", "{0} {0}")),
]


@pytest.mark.parametrize("order_id", OTHER_NUMBERS, ids=ascii)
def test_a_number_in_the_digits_of_another_script_is_refused(tmp_path: Path, order_id: str) -> None:
    problem = f"order_id {order_id!a} is a number in other digits than 0 to 9, which an export may change"
    advice = "format its column as text, and write it in those"
    assert problems_of(tmp_path, f"order_id,amount_sats\n{order_id},5\n") == [(2, f"{problem}: {advice}")]


@pytest.mark.parametrize(
    "order_id",
    [
        "1E5",
        "12e3",
        "1234567e8",
        "7e3-9",
        "12.345",
        "1.2.3",
        "1.10",
        "#7890",
        "#1001",
        "#INV-1001",
        "#A-1",
        "#Order",
        "A#1",
        "#A",
        "shop:502",
        "\u6ce8\u6587\uff11",
        "\u2116 7",
        "007890",
        "1234567890123450000",
        "2024-10-01",
        "01/10/2024",
        "5-MAY",
        "INV/2024/1",
        "a b",
        "+7890",
        "-7890",
        "@7890",
        "N",
        "nano",
        "null-7",
        "NA",
        "caf\u00e9",
        "\u2615 7",
        "123e4567-e89b-12d3-a456-426614174000",
        "1+1",
        "E+5",
        "1,23",
    ],
)
def test_what_people_name_orders_is_an_id(tmp_path: Path, order_id: str) -> None:
    (row,) = rows_of(tmp_path, f'order_id,amount_sats\n"{order_id}",5\n')
    assert row.order_id == order_id


HEADER = "order_id,amount_sats,amount_btc,memo,metadata.a,expires_in\n"


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ("1,1e3,,,,", "amount_sats must be digits only, such as 5000; got '1e3'"),
        ('1,"1,000",,,,', "amount_sats must be digits only, such as 5000; got '1,000'"),
        ("1,1.0,,,,", "amount_sats must be digits only, such as 5000; got '1.0'"),
        ("1,-5,,,,", "amount_sats must be digits only, such as 5000; got '-5'"),
        ("1,\u0665,,,,", "amount_sats must be digits only, such as 5000; got '\u0665'"),
        ("1,0,,,,", "order 1: amount_sats must be an int from 1 to 2100000000000000, in satoshi; got 0"),
        ("1,,1E-05,,,", "order 1: amount_btc must be digits and a point as text, such as \"0.00005\"; got '1E-05'"),
        ('1,,"0,001",,,', "order 1: amount_btc must be digits and a point as text, such as \"0.00005\"; got '0,001'"),
        ("1,,0.000000001,,,", "with at most 8 decimals"),
        ("1,5,0.1,,,", "order 1: give amount_sats or amount_btc, not both"),
        ("1,,,,,", "order 1: an amount is needed"),
        (",5,,,,", "order_id must be text on one line, without blanks around it; got None"),
        ('"\u200b1",5,,,,', "order_id must be text on one line, without blanks around it; got '\\u200b1'"),
        ('"1\n2",5,,,,', "order_id must be text on one line, without blanks around it; got '1\\n2'"),
        (",,,,,5", "order_id must be text on one line, without blanks around it; got None"),
        ("1,5,,,,1h", "expires_in must be digits only, such as 5000; got '1h'"),
        ("1,5,,,,0", "order 1: expires_in must be an int from 1"),
        (f"1,5,,{'m' * 640},,", "(BOLT #11); got 640. Pass memo_as_hash to send its SHA-256, which has no limit"),
        ("1,5,,,,,Tea", "'Tea' is in a column without a name"),
        ("1,5,,,,,,7", "'7' is in a column without a name"),
        ("1", 'order 1: an amount is needed: amount_sats=123456 or amount_btc="0.00123456"'),
        ('1,"5"0,,,,', "not CSV: ',' expected after '\"'"),
    ],
    ids=lambda value: value[:18],
)
def test_what_a_csv_row_cannot_hold_is_told_with_its_line(tmp_path: Path, cells: str, problem: str) -> None:
    ((line, message),) = problems_of(tmp_path, f"{HEADER}7,5,,,,\n{cells}\n")
    assert line == 3
    assert problem in message


def test_a_quote_that_is_never_closed_is_told(tmp_path: Path) -> None:
    assert problems_of(tmp_path, f'{HEADER}1,5,,"memo,,\n') == [(2, "not CSV: unexpected end of data")]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"order_id":"1","amount_sats":', "expected JSON; "),
        ("[" * 100_000, "expected JSON; "),
        ('{"order_id":"1","order_id":"2","amount_sats":5}', "expected JSON; the key 'order_id' comes twice"),
        ('{"order_id":"1","amount_sats":NaN}', "expected JSON; NaN is not a number that JSON can hold"),
        (
            '[{"order_id":"1","amount_sats":5}]',
            'must be an object such as {"order_id": "7890", "amount_sats": 5000}; got ',
        ),
        ('"7890"', "must be an object such as"),
        ('{"order_id":"1","amount":5}', "'amount' is no field; known are order_id, amount_sats, amount_btc, memo, exp"),
        ('{"order_id":"1","metadata.a":5,"amount_sats":5}', "'metadata.a' is no field"),
        ('{"order_id":7890,"amount_sats":5}', "order_id must be text on one line, without blanks around it; got 7890"),
        ('{"order_id":1.5,"amount_sats":5}', "order_id must be text on one line, without blanks around it; got 1.5"),
        ('{"order_id":true,"amount_sats":5}', "order_id must be text on one line, without blanks around it; got True"),
        ('{"order_id":" 1","amount_sats":5}', "order_id must be text on one line, without blanks around it; got ' 1'"),
        ('{"order_id":"1.5E+9","amount_sats":5}', "order_id '1.5E+9' is what a spreadsheet or an export made of an id"),
        (
            '{"order_id":"1","amount_sats":5,"memo":"a","memo_as_hash":"true"}',
            "memo_as_hash must be True or False; got str",
        ),
        ('{"order_id":"\\ud800","amount_sats":5}', "order_id must be text"),
        ('{"order_id":"1","amount_sats":"5"}', "order 1: amount_sats must be an int from 1"),
        ('{"order_id":"1","amount_sats":5.0}', "order 1: amount_sats must be an int from 1"),
        ('{"order_id":"1","amount_sats":true}', "order 1: amount_sats must be an int from 1"),
        (
            '{"order_id":"1","amount_btc":0.1}',
            'amount_btc must be digits and a point as text, such as "0.00005"; got 0.1',
        ),
        ('{"order_id":"1","amount_btc":1}', 'amount_btc must be digits and a point as text, such as "0.00005"; got 1'),
        ('{"order_id":"1","amount_btc":"1E-5"}', "order 1: amount_btc must be digits and a point"),
        ('{"order_id":"1","amount_sats":5,"metadata":"a"}', "order 1: metadata must be a mapping"),
        ('{"order_id":"1","amount_sats":5,"expires_in":1.5}', "order 1: expires_in must be an int from 1 "),
        ('{"order_id":"1","amount_sats":5,"memo":7}', "order 1: memo must be"),
    ],
    ids=lambda value: value[:28],
)
def test_what_a_json_line_cannot_hold_is_told_with_its_line(tmp_path: Path, text: str, problem: str) -> None:
    good = '{"order_id":"7","amount_sats":5}'
    read = reading(tmp_path, f"{good}\n{text}\n{good}\n", name="orders.jsonl")
    ((line, message),) = [(each.line, each.message) for each in read if isinstance(each, Problem)]
    assert line == 2
    assert problem in message
    assert len(read) == 3


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ("order_id;amount_sats", "line 1: 'order_id;amount_sats' is no column; the first line names the columns: "),
        (
            "order_id;amount_sats",
            "expires_in, memo_as_hash and metadata.NAME, separated by commas, not by semicolons or tabs",
        ),
        ("order_id\tamount_sats", "line 1: 'order_id\\tamount_sats' is no column"),
        ("order_id,amount_sats\r1,5\r2,6", "line 1: not CSV: new-line character seen in unquoted field"),
        ("\norder_id;amount_sats", "line 2: 'order_id;amount_sats' is no column"),
        ("order_id,amount", "line 1: 'amount' is no column; the first line names the columns: order_id, "),
        ("1,5", "line 1: '1' is no column"),
        ("order_id,amount_sats,metadata.", "line 1: 'metadata.' is no column"),
        ("order_id,Amount_sats", "line 1: 'Amount_sats' is no column"),
        ("order_id,amount_sats,memo,memo", "line 1: the column 'memo' is there twice"),
        ("amount_sats,memo", "line 1: the columns order_id and amount_sats (or amount_btc) are needed"),
        ("order_id,memo", "line 1: the columns order_id and amount_sats (or amount_btc) are needed"),
    ],
    ids=lambda value: value[:24],
)
def test_a_header_that_cannot_be_used_is_refused(tmp_path: Path, header: str, problem: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        reading(tmp_path, f"{header}\n1,5\n")
    assert problem in str(caught.value)
    assert "orders.csv" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("orders.csv", b"", "has no orders in it"),
        ("orders.csv", b"order_id,amount_sats\n", "has no orders in it"),
        ("orders.jsonl", b"\n \n", "has no orders in it"),
        *(
            (
                "orders.csv",
                "order_id\tamount_sats\r\n1\t5\r\n".encode(encoding),
                "line 1: byte 1 is not UTF-8: save the file",
            )
            for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32")
        ),
        (
            "orders.csv",
            b"order_id,amount_sats,metadata.\xe9\n1,5,x",
            "line 1: byte 31 is not UTF-8: save the file as UTF-8",
        ),
        ("orders.xlsx", b"", "orders must be a .csv or .jsonl file; got 'orders.xlsx'"),
        ("orders", b"", "orders must be a .csv or .jsonl file; got 'orders'"),
    ],
    ids=[
        "empty-csv",
        "header-only",
        "blank",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "utf-32",
        "latin-1-header",
        "excel",
        "no-suffix",
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, name: str, content: bytes, problem: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        reading(tmp_path, content, name=name)
    assert problem in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="cannot be read: No such file or directory"):
        list(read_orders(tmp_path / "orders.csv"))


@pytest.mark.parametrize("name", ["orders.csv", "orders.jsonl"])
def test_a_line_in_another_encoding_is_told_and_the_others_are_read(tmp_path: Path, name: str) -> None:
    content = {
        "orders.csv": b"order_id,amount_sats,memo\n1,5,caf\xe9\n2,6,tea\n",
        "orders.jsonl": b'\n{"order_id":"1","amount_sats":5,"memo":"caf\xe9"}\n{"order_id":"2","amount_sats":6}\n',
    }[name]
    problem, row = reading(tmp_path, content, name=name)
    assert isinstance(problem, Problem)
    assert isinstance(row, Row)
    assert problem.line == 2
    assert "is not UTF-8: save the file as UTF-8" in problem.message
    assert row.order_id == "2"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_json_lines_in_utf_16_are_told_once(tmp_path: Path, encoding: str) -> None:
    content = ('{"order_id":"1","amount_sats":5}\n' * 30).encode(encoding)
    assert problems_of(tmp_path, content, name="orders.jsonl") == [
        (1, "byte 1 is not UTF-8: save the file as UTF-8 (Excel: CSV UTF-8)")
    ]


@pytest.mark.parametrize("name", ["orders.csv", "orders.jsonl"])
def test_a_line_without_end_is_not_taken_into_memory(tmp_path: Path, name: str) -> None:
    head = "order_id,amount_sats\n" if name.endswith("csv") else "\n"
    tail = "1,5\n" if name.endswith("csv") else '{"order_id":"1","amount_sats":5}\n'
    problem, row = reading(tmp_path, head + "x" * 2_500_000 + "\n" + tail, name=name)
    assert problem == Problem(2, "the line is longer than 1000000 bytes")
    assert isinstance(row, Row)
    assert row.line == 3


LONG = "m" * 200_000
TOO_LONG = "a cell is longer than 131072 characters, or its quote is never closed"


@pytest.mark.parametrize("cell", [LONG, f'"{LONG}"', '"' + "m\n" * 100_000], ids=["plain", "quoted", "never-closed"])
def test_a_cell_that_is_too_long_is_told_with_its_line(tmp_path: Path, cell: str) -> None:
    assert problems_of(tmp_path, f"order_id,amount_sats,memo\n1,5,{cell}\n")[0] == (2, TOO_LONG)


@pytest.mark.parametrize("header", [f"order_id,{LONG}", f"sep=,\norder_id,{LONG}"], ids=["first", "second"])
def test_a_header_that_is_too_long_is_refused(tmp_path: Path, header: str) -> None:
    with pytest.raises(InvalidArgumentError, match=f"line [12]: {TOO_LONG}"):
        reading(tmp_path, f"{header}\n1,5\n")
