"""The order form: what is taken, and what a customer is told about the rest, with the form as it was."""

from __future__ import annotations

import pytest

from examples.checkout.catalogue import CATALOGUE
from examples.checkout.forms import MAX_NAME_LENGTH, empty_form, read_order_form
from tazapay_lightning_emulator import Emulator
from tests.support.elements import Elements
from tests.support.shop import Customer
from tests.support.tables import each_row

TOKEN = "0123456789abcdef" * 2
TAKEN = [
    "",
    "Ada",
    "Zoë O'Neil-Ünal",
    "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER}",
    "نام\N{ZERO WIDTH NON-JOINER}ها",
    "Jean\N{NO-BREAK SPACE}Luc",
    "שלום עולם",
    "قهوة Ada",
    "क्\N{ZERO WIDTH JOINER}ष",
    "山田\N{IDEOGRAPHIC SPACE}太郎",
    "\N{RIGHT-TO-LEFT MARK}أهلا!",
    "x" * MAX_NAME_LENGTH,
]
REFUSED = {
    "two\nlines": "U+000A (a control character)",
    "NUL\x00": "U+0000 (a control character)",
    "\x1b[31mred": "U+001B (a control character)",
    "ne\x85xt": "U+0085 (a control character)",
    "line\u2028separator": "U+2028 (LINE SEPARATOR)",
    "\u202eesrever": "U+202E (RIGHT-TO-LEFT OVERRIDE)",
    "\u202aembedded\u202c": "U+202A (LEFT-TO-RIGHT EMBEDDING)",
    "\u2066isolated\u2069": "U+2066 (LEFT-TO-RIGHT ISOLATE)",
    "end\u2069ed": "U+2069 (POP DIRECTIONAL ISOLATE)",
}


def fields(**changes: str) -> dict[str, str]:
    return {"token": TOKEN, "product": "espresso", "name": "Ada"} | changes


@each_row("name", TAKEN)
def test_a_name_of_any_script_is_taken_as_it_is(name: str) -> None:
    form = read_order_form(fields(name=name), CATALOGUE)
    assert (form.problems, form.name) == ({}, name)


@each_row("name", list(REFUSED))
def test_what_breaks_the_line_or_turns_text_around_is_named_and_left_out(name: str) -> None:
    form = read_order_form(fields(name=name), CATALOGUE)
    assert form.problems["name"].startswith(f"{REFUSED[name]} cannot be part of a name")
    assert read_order_form(fields(name=form.name), CATALOGUE).problems == {}


def test_a_name_that_is_too_long_is_kept_to_be_shortened() -> None:
    form = read_order_form(fields(name="x" * 61), CATALOGUE)
    assert form.problems == {"name": "A name may have up to 60 letters. This one has 61."}
    assert form.name == "x" * 61


def test_two_showings_of_the_form_have_different_tokens() -> None:
    assert empty_form(CATALOGUE).token != empty_form(CATALOGUE).token


def test_a_damaged_token_is_replaced_so_that_the_form_can_be_sent_again() -> None:
    form = read_order_form(fields(token="guessed"), CATALOGUE)
    assert "Please send it again" in form.problems["token"]
    assert read_order_form(fields(token=form.token), CATALOGUE).problems == {}


def test_an_error_keeps_the_form_and_is_beside_its_field(customer: Customer, emulator: Emulator) -> None:
    sent = customer.form("course", "Ada\u202e")
    reply = customer.http.post("/orders", data=sent)
    page = Elements(reply.text)
    assert reply.status_code == 400
    name = page.by_id("name")
    assert (name["value"], name["aria-invalid"], name["aria-describedby"]) == ("Ada", "true", "name-problem")
    assert page.by_id("name-problem")
    assert [each["value"] for each in page.named("input") if "checked" in each] == ["course"]
    assert [each["value"] for each in page.named("input") if each["name"] == "token"] == [sent["token"]]
    assert "U+202E (RIGHT-TO-LEFT OVERRIDE) cannot be part of a name" in page.text
    assert emulator.invoices() == []


def test_a_form_without_problems_names_none(customer: Customer) -> None:
    page = Elements(customer.http.get("/").text)
    assert "aria-invalid" not in page.by_id("name")
    assert not [each for each in page.named("p") if each.get("class") == "problem"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"product": "yacht"}, "not for sale"), ({"product": ""}, "not for sale"), ({"token": "guessed"}, "came damaged")],
)
def test_a_form_that_the_page_does_not_send_is_refused_with_advice(
    customer: Customer, emulator: Emulator, changes: dict[str, str], says: str
) -> None:
    reply = customer.http.post("/orders", data=customer.form(name="Ada") | changes)
    assert reply.status_code == 400
    assert says in reply.text
    assert Elements(reply.text).by_id("name")["value"] == "Ada"
    assert emulator.invoices() == []


def test_what_was_sent_is_text_in_the_form_too(customer: Customer) -> None:
    nasty = "\"><script>alert('x')</script>" + "x" * 60
    page = Elements(customer.http.post("/orders", data=customer.form(name=nasty)).text)
    assert page.by_id("name")["value"] == nasty
    assert len(page.named("script")) == 2


@pytest.mark.parametrize("content", [b"\xff=%ff", b"x=" + b"1" * 10_000, b"&".join(b"a%d=1" % n for n in range(11))])
def test_a_damaged_form_is_refused(customer: Customer, content: bytes) -> None:
    reply = customer.http.post("/orders", content=content)
    assert reply.status_code == 400
    assert "came damaged" in reply.text
