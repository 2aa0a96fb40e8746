"""What the service says is repeated without what was submitted, however that is spelled, and only its beginning."""

from __future__ import annotations

import html
import json
import struct
import unicodedata
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus, unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tazapay_lightning.transport import redaction as module
from tazapay_lightning.transport.redaction import Redaction
from tazapay_lightning.transport.service_errors import status_error
from tazapay_lightning.transport.settings import Credentials
from tests.support.tables import each_row

MEMOS = [
    "Tom & Jerry",
    "Müller",
    "Straße 7",
    'say "please"',
    "two\nlines",
    "a/b\\c",
    "<bold>",
    "100% off",
    "ﬁne día",
    "😀😀😀😀",
]
SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "upper case": str.upper,
    "lower case": str.lower,
    "decomposed": lambda text: unicodedata.normalize("NFD", text),
    "composed for compatibility": lambda text: unicodedata.normalize("NFKC", text),
    "JSON": lambda text: json.dumps(text)[1:-1],
    "entities": html.escape,
    "entities, escaped twice": lambda text: html.escape(html.escape(text)),
    "numbered entities": lambda text: "".join(f"&#{ord(letter)};" for letter in text),
    "hexadecimal entities": lambda text: "".join(f"&#x{ord(letter):X};" for letter in text),
    "percent signs": quote,
    "percent signs, in lower case": lambda text: quote(text).lower(),
    "percent signs, escaped twice": lambda text: quote(quote(text)),
    "every byte": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "a form": quote_plus,
    "entities of percent signs": lambda text: html.escape(quote(text)),
    "escapes of each letter": lambda text: "".join(f"\\u{unit:04X}" for unit in utf16(text)),
    "escapes of each letter, escaped twice": lambda text: "".join(f"\\\\u{unit:04x}" for unit in utf16(text)),
    "blanks doubled": lambda text: text.replace(" ", "  "),
    "a line for each word": lambda text: text.replace(" ", "\r\n\t"),
    "blanks of no width": "\u200b".join,
    "soft hyphens": "\u00ad".join,
    "blanks between": " ".join,
    "no blanks": lambda text: text.replace(" ", ""),
    "no accents": lambda text: "".join(
        each for each in unicodedata.normalize("NFD", text) if each < "\u0300" or each > "\u036f"
    ),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_hides_a_text_from_redaction(spelling: str) -> None:
    redacted = {memo: Redaction(submitted=[memo]).text(f"bad memo: {SPELLINGS[spelling](memo)}!") for memo in MEMOS}
    assert redacted == dict.fromkeys(MEMOS, "bad memo: [redacted]!")


LONG_MEMO = "Consultation of 2026-11-28 for Dr Jekyll, order 7890"


@pytest.mark.parametrize("spelling", ["as it is", "upper case", "blanks doubled", "escapes of each letter", "entities"])
@pytest.mark.parametrize("ellipsis", ["...", "…", " ...", " [...]", "(…)", ".."])
def test_no_beginning_before_an_ellipsis_passes(ellipsis: str, spelling: str) -> None:
    for length in range(4, len(LONG_MEMO)):
        text = f"bad memo: '{SPELLINGS[spelling](LONG_MEMO[:length].strip() + ellipsis)}'"
        redacted = Redaction(submitted=[LONG_MEMO]).text(text)
        assert redacted.startswith("bad memo: '[redacted]"), (length, redacted)
    assert Redaction(submitted=[LONG_MEMO]).text(LONG_MEMO[:9] + ellipsis).startswith("[redacted]")


def test_no_long_part_of_a_text_passes() -> None:
    redaction = Redaction(submitted=[LONG_MEMO])
    for begin in range(len(LONG_MEMO) - 20):
        part = LONG_MEMO[begin : begin + 20].strip()
        assert part not in redaction.text(f"'{part}' is no memo")
    assert redaction.text("no consultation, no order 7891") == "no consultation, no order 7891"


def test_short_parts_of_a_text_pass_as_they_are_words_of_others_too() -> None:
    redaction, letters = Redaction(submitted=[LONG_MEMO]), LONG_MEMO.replace(" ", "")
    for length in range(1, 16):
        assert redaction.text(f"no {letters[-length:]}") == f"no {letters[-length:]}"
    for length in range(1, 4):
        assert redaction.text(f"no {letters[:length]}...") == f"no {letters[:length]}..."


@each_row(
    ("submitted", "said", "shown"),
    [
        ("4  €", "no 4 €", "no [redacted]"),
        ("a   ", "a banana", "a banana"),  # one letter is a secret no more than three are
        ("C:\\Xavier", "no C:Xavier", "no [redacted]"),
    ],
)
def test_a_text_is_found_by_its_letters(submitted: str, said: str, shown: str) -> None:
    assert Redaction(submitted=[submitted]).text(said) == shown


def test_no_part_of_credentials_passes_that_tells_something() -> None:
    credentials = Credentials("ak_test_0123456789", "sk_test_9876543210")
    credentials.complete({})
    for secret in credentials:
        for begin in range(len(secret) - 8):
            assert secret[begin : begin + 9] not in Redaction(credentials=credentials).text(f"<{secret[begin:]}>")
            assert secret[: begin + 9] not in Redaction(credentials=credentials).text(f"<{secret[: begin + 9]}>")


@each_row("text", ["100%25 of 1+1", "a &amp; b", "ＡＢＣ", "%zz", "&;", "Mu\u0308ll", "." * 3999 + "&"])
def test_a_text_without_a_secret_stays_as_it_is(text: str) -> None:
    assert Redaction(submitted=["Müller"]).text(text) == text


def utf16(text: str) -> tuple[int, ...]:
    units = text.encode("utf-16-le")
    return struct.unpack(f"<{len(units) // 2}H", units)


def visible(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text)
    return "".join(each for each in letters if unicodedata.category(each)[0] not in "CMZ")


@given(st.text(min_size=4, max_size=20), st.text(max_size=20), st.text(max_size=20), st.sampled_from(list(SPELLINGS)))
@example("0000", "%", "", "numbered entities").via("what stands before it makes an escape of what it is unescaped to")
@example("n456", "\\", "", "every byte").via("as above")
def test_no_spelling_of_any_text_passes(secret: str, before: str, after: str, spelling: str) -> None:
    spelled = SPELLINGS[spelling](secret) if secret.isprintable() and secret.isascii() else secret
    redacted = Redaction(submitted=[secret]).text(before + spelled + after)
    assert redacted == "[redacted]" or "[redacted]" in redacted or len(visible(secret)) < 2


def test_texts_in_json_that_is_text_itself_are_secrets_too() -> None:
    names = [f"Dr Jekyll the {number}th" for number in range(100)]
    redaction = Redaction(submitted=[[json.dumps({"customer": {"name": name}}) for name in names]])
    assert {redaction.text(f"no {name}") for name in names} == {"no [redacted]"}


@pytest.mark.parametrize("spelling", ["as it is", "upper case", "decomposed", "numbered entities", "every byte"])
@pytest.mark.parametrize("secret", ["Müller und Söhne", "😀-Dr Jekyll, order 7890", "x" * 5000], ids=["a", "b", "c"])
def test_a_secret_anywhere_around_the_cut_leaves_no_head(secret: str, spelling: str) -> None:
    spelled, redaction = SPELLINGS[spelling](secret), Redaction(submitted=[secret])
    for before in range(4000 - min(len(spelled), 200) - 5, 4006, 1 if len(secret) < 100 else 17):
        redacted = redaction.text("." * before + spelled + "." * 100)
        rest = unquote(html.unescape(redacted.replace("[redacted]", "")))
        assert len(unicodedata.normalize("NFC", rest.strip("."))) < 4, (before, rest)
        assert len(redacted) <= 4000 + len("[redacted]")


@pytest.mark.parametrize("size", [10, 1999, 2000, 2001, 3999, 4000, 4001, 100_000, 8_000_000])
@pytest.mark.parametrize("place", ["message", "remarks", "key"])
def test_an_error_of_any_size_shows_no_secret_at_either_end(size: int, place: str) -> None:
    text = f"Dr Jekyll{'.' * size}Dr Jekyll"
    entry: dict[str, Any] = {"code": 1, "remarks": text} if place == "remarks" else {"code": 1, text: 1}
    body = {"message": text} if place == "message" else {"errors": [entry]}
    error = status_error(400, {"x-echo": text}, json.dumps(body).encode(), Redaction(submitted=["Dr Jekyll"]))
    shown = f"{error} {vars(error)}"
    assert "[redacted]" in shown
    assert "Jek" not in shown


HUGE = {
    "one text": json.dumps({"message": "Dr Jekyll " * 800_000}),
    "many errors": json.dumps({"message": "m", "errors": [{"code": 1, "message": "Dr Jekyll"}] * 200_000}),
    "numbers": json.dumps({"message": "m", "errors": [0] * 2_000_000}),
    "objects": '{"errors":[' + "{}," * 2_000_000 + "{}]}",
    "keys": json.dumps({f"Dr Jekyll {number}": number for number in range(200_000)}),
    "levels": '{"message":"m","errors":' + "[" * 400 + "]" * 400 + "}",
    "a page": "<html>Dr Jekyll</html>" * 400_000,
    "one word": "x" * 8_000_000,
}


@pytest.mark.parametrize("huge", HUGE)
def test_of_a_huge_error_a_few_thousand_characters_are_redacted(huge: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of redaction depends on that, and on the number of submitted texts, and on nothing else."""
    handed: list[int] = []
    letters = module._letters
    redaction = Redaction(submitted=[{"names": [f"customer number {number}" for number in range(300)]}, "Dr Jekyll"])
    redaction.text("")  # reads what was submitted
    monkeypatch.setattr(module, "_letters", lambda text: handed.append(len(text)) or letters(text))
    headers = {f"x-echo-{number}": "Dr Jekyll" * 1000 for number in range(100)}
    error = status_error(500, headers, HUGE[huge].encode(), redaction)
    assert sum(handed) < 100_000
    assert len(handed) < 2000
    assert len(repr(vars(error))) < 30_000


@each_row(
    ("value", "kept"),
    [
        (["a" * 3000, "b" * 3000], ["a" * 3000, "b" * 859]),  # of what is cut, the last letter may be half of one
        (["a" * 3879, 0, 0], ["a" * 3879, 0]),
        (["a" * 3880, 0], ["a" * 3880]),
        ({"a" * 3859: 0, "b": 0}, {"a" * 3859: 0, "": 0}),
        ({"a" * 3860: 0, "b": 0}, {"a" * 3860: 0}),
        ([0] * 1000, [0] * 195),
        ([[]] * 38 + [0] * 1000, [[]] * 38 + [0] * 5),
    ],
)
def test_of_a_value_4000_characters_are_kept(value: object, kept: object) -> None:
    """Each list and object counts 100 of them, and anything else 20 beside its own."""
    assert Redaction().value(value) == kept


@each_row(("texts", "shown"), [(500, "a word"), (501, "[redacted]")])
def test_500_short_texts_are_looked_for(texts: int, shown: str) -> None:
    redaction = Redaction(submitted=[[f"customer {number}" for number in range(texts)]])
    assert redaction.text("a word") == shown


def test_where_too_much_was_submitted_to_look_for_no_text_of_the_service_is_repeated() -> None:
    redaction = Redaction(submitted=[[f"customer {number}" for number in range(10_000)]])
    assert redaction.value({"message": "no customer 9", "code": 7}) == {"[redacted]": 7}


@pytest.mark.parametrize("depth", [1, 400, 493, 900, 1000, 1100, 20_000])
def test_texts_are_found_however_deep_they_were_submitted(depth: int) -> None:
    value: object = "Dr Jekyll"
    for _ in range(depth):
        value = [value] if depth % 2 else {"a": value}
    assert Redaction(submitted=[value]).text("no Dr Jekyll") == "no [redacted]"


def test_what_was_submitted_may_contain_itself() -> None:
    value: list[object] = ["Dr Jekyll"]
    value.append(value)
    assert Redaction(submitted=[value]).text("no Dr Jekyll") == "no [redacted]"
