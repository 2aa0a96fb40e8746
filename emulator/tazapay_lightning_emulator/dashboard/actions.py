"""What the buttons and forms of the page do."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from tazapay_lightning_emulator.control.faults import possible_fault
from tazapay_lightning_emulator.dashboard.parts import Parts


@frozen
class Sent:
    """A form that was sent.

    Attributes:
        parts: of the emulator.
        path: the values in its path, such as the id of an invoice.
        fields: what was filled in; a missing field is empty.
        own_server: whether faults below HTTP are possible.
    """

    parts: Parts
    path: Mapping[str, Any]
    fields: Mapping[str, str]
    own_server: bool

    def text(self, name: str) -> str:
        """What a field holds, without blanks around it."""
        return self.fields.get(name, "").strip()

    def number(self, name: str) -> float:
        """The number in a field.

        Raises:
            ValueError: it holds none.
        """
        try:
            value = float(self.text(name))
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise ValueError(f"{name}: a number")
        return value

    def integer(self, name: str) -> int:
        """The integer in a field.

        Raises:
            ValueError: it holds none.
        """
        value = self.number(name)
        if not value.is_integer():
            raise ValueError(f"{name}: an integer")
        return int(value)


def _pay(sent: Sent) -> None:
    sent.parts.book.pay(sent.path["id"], even_if_expired=False)


def _pay_late(sent: Sent) -> None:
    sent.parts.book.pay(sent.path["id"], even_if_expired=True)


def _expire(sent: Sent) -> None:
    sent.parts.book.let_expire(sent.path["id"])


def _move_clock(sent: Sent) -> None:
    sent.parts.book.advance(sent.number("seconds"))


def _fail_next(sent: Sent) -> None:
    fields = {"kind": sent.text("kind"), **parameters_in(sent.text("parameters"))}
    fault = possible_fault(fields, own_server=sent.own_server)
    sent.parts.plan.fail_next(fault, times=sent.integer("times"), idempotency_key=sent.text("key") or None)


def _fail_at_random(sent: Sent) -> None:
    percent = sent.number("percent")
    if not 0 <= percent <= 100:
        raise ValueError("percent: a number from 0 to 100")
    sent.parts.plan.fail_randomly(percent / 100, seed=sent.integer("seed"))


def _stop_failing(sent: Sent) -> None:
    sent.parts.plan.stop_failing()


def _send_webhooks_to(sent: Sent) -> None:
    sent.parts.webhooks.send_to(sent.text("url") or None)


def _resend(sent: Sent) -> None:
    sent.parts.webhooks.resend(sent.path["event_id"])


ACTIONS: Mapping[str, tuple[Callable[[Sent], None], str]] = {
    "/invoices/{id}/pay": (_pay, "{id}"),
    "/invoices/{id}/pay-late": (_pay_late, "{id}"),
    "/invoices/{id}/expire": (_expire, "{id}"),
    "/clock": (_move_clock, "clock"),
    "/faults/next": (_fail_next, "faults"),
    "/faults/rate": (_fail_at_random, "faults"),
    "/faults/clear": (_stop_failing, "faults"),
    "/webhooks/url": (_send_webhooks_to, "webhooks"),
    "/webhooks/{event_id}/resend": (_resend, "{event_id}"),
}
"""The path of each form below that of the page: what it does, and which part of the page shows the result."""


def parameters_in(text: str) -> dict[str, Any]:
    """The parameters of a fault, as a person writes them: values are JSON, or else text.

    Raises:
        ValueError: it is not a list of names with values.

    Example:
        >>> parameters_in("status=429 retry_after=2"), parameters_in("value='gzip, identity'")
        ({'status': 429, 'retry_after': 2}, {'value': 'gzip, identity'})
    """
    parameters = {}
    for part in shlex.split(text):
        name, equals, value = part.partition("=")
        if not name or not equals or name == "kind":
            raise ValueError("parameters: NAME=VALUE, with blanks between them, such as status=429 retry_after=2")
        try:
            parameters[name] = json.loads(value)
        except ValueError:
            parameters[name] = value
    return parameters
