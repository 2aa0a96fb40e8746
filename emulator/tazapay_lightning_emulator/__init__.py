"""A local emulator for Tazapay's Lightning invoices: a real HTTP server over SQLite, for tests and demonstrations.

It serves `POST /v3/lightning_invoice_bolt11`, and GET and PUT of `/v3/lightning_invoice_bolt11/{id}`, as Tazapay's
published document and documentation say. Where these are silent, it does what is strict and simple. The following
rules are its own, not Tazapay's:

================================  ====================================================================================
assumption                        what the emulator does
================================  ====================================================================================
amount                            1 to 2,100,000,000,000,000 satoshi; an integer without fraction or exponent
d_tag_memo                        at most 639 bytes in UTF-8 (BOLT #11), may be empty
h_tag_memo                        64 hex digits, in upper or lower case
expiry_interval                   1 to 2,147,483,647 seconds
metadata                          the JSON text of an object, or an object; replied as an object, `{}` when not given
null                              refused for every field; an optional field can be left out
unknown fields                    ignored
both memos given                  both must be valid, and only the hash is stored (that part is documented)
a memo that was not given         left out of the invoice object, as in the published example
the hash when fetched or updated  called h_tag, null without a hash, as in the examples of these operations; when an
                                  invoice is created it is called h_tag_memo, as on the page of the object
PUT                               replaces all of the metadata, which is required; `{}` clears it; other fields are
                                  ignored; an Idempotency-Key has no effect (that it has none on GET is documented)
PUT when paid or expired          accepted
an unknown id                     404 with code 105, after the body was found valid
status                            expired from created_at + expiry_interval on; an invoice paid before that stays
                                  active, one paid later is expired
updated_at                        the time of the last update or payment; expiry does not change it
collect                           the same from creation on, paid or not
payment_request                   the BOLT11 string, for which no field is documented: a valid one for regtest, for
                                  exactly the amount, with the memo (or an empty one) or the hash; signed with a key
                                  that is lost when the emulator stops. It is left out, with a warning in the log at the
                                  start, where the package `cryptography` cannot be imported, and while the clock is
                                  before 1970 or beyond its 35-bit timestamp. It cannot be paid
code of a refused body or header  100 (documented for bad JSON), since no code for validation is documented
code of an unknown method         105 (documented for what is absent), with status 405
wrong API secret                  code 111, like a wrong API key; "Basic" without credentials is code 109
Content-Type                      must be application/json, else 400
body                              at most 1,048,576 bytes of UTF-8, else 400
JSON                              no NaN or Infinity, no key twice in an object, no lone surrogate, at most 64 levels,
                                  numbers of at most 100 characters and within a double
Idempotency-Key                   empty, or given twice: 400; valid until exactly 24 hours after the reply was stored
same key, another body            the stored reply, if the new body is valid; else 400
same key, twice at the same time  one after the other: one invoice, and the same reply to both
replies to a key                  kept for the pair of API key and idempotency key, whatever the secret
message of a success              empty, as in the published example
created_at, updated_at            equal at creation, in whole seconds of UTC
events                            a payment causes one event of type collect.succeeded, whose data holds only the id and
                                  the object of the collect; nothing else causes an event
created_at of an event            RFC 3339 with microseconds, one of the documented forms
retries of an event               10 seconds after the first attempt, then after twice as long each time, until 24 hours
                                  after the event; after the documented statuses (400, 404, 408, 409, 412, 500), and if
                                  no reply comes within 10 seconds; any other status ends them
destination of webhooks           this machine only: http and a loopback address, or a name without a dot, which is that
                                  of a container beside it; redirects are not followed
================================  ====================================================================================

`Emulator.advance_clock` moves its clock forward, and what is due by then happens. `Emulator.pay` pays an invoice, and
sends a webhook if there is a URL for webhooks. A database file holds invoices and replies, but neither the position of
the clock nor pending webhooks.

At `/` it has a page for people, which `tazapay_lightning_emulator.dashboard.routes` describes: what it holds and sent,
live, with buttons for these methods.

It can fail in every way a network can: `Emulator.fail_next` for the next requests, `Emulator.fail_randomly` for a share
of them, the same in every run, and `Emulator.refuse_connections`. Other processes do the same over HTTP, under
`/_emulator/`. The table in `tazapay_lightning_emulator.faults.kinds` lists the faults and whether they store the
invoice. The endpoints are listed in `tazapay_lightning_emulator.control.faults`, those for invoices and the clock in
`tazapay_lightning_emulator.control.invoices`, those for webhooks in `tazapay_lightning_emulator.control.webhooks`.
For example::

    with running_emulator() as emulator:
        emulator.fail_next("reset_after_commit")                # the next invoice is stored, its reply is lost
        emulator.fail_next("status_before_commit", status=429, retry_after=1, times=2, idempotency_key="order-7890")
        emulator.fail_randomly(0.3, seed=7)                     # then 3 in 10 requests, half of them after the commit
        ...
        print(Counter(str(record.fault) for record in emulator.faults_injected()))

Names load on first use, so that importing the package, which pytest does in every run, is fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tazapay_lightning_emulator.api.credentials import DEFAULT_API_KEY, DEFAULT_API_SECRET
    from tazapay_lightning_emulator.app import create_app
    from tazapay_lightning_emulator.emulator import Emulator
    from tazapay_lightning_emulator.errors import EmulatorError
    from tazapay_lightning_emulator.faults.kinds import FAULT_KINDS, Fault, FaultKind
    from tazapay_lightning_emulator.faults.plan import FaultPlan, RequestRecord
    from tazapay_lightning_emulator.server import running_emulator, serve
    from tazapay_lightning_emulator.webhooks.event import DEFAULT_WEBHOOK_SECRET, WebhookAttempt, WebhookDelivery

__all__ = [
    "DEFAULT_API_KEY",
    "DEFAULT_API_SECRET",
    "DEFAULT_WEBHOOK_SECRET",
    "FAULT_KINDS",
    "Emulator",
    "EmulatorError",
    "Fault",
    "FaultKind",
    "FaultPlan",
    "RequestRecord",
    "WebhookAttempt",
    "WebhookDelivery",
    "create_app",
    "running_emulator",
    "serve",
]

_MODULE_OF = {
    "DEFAULT_API_KEY": "api.credentials",
    "DEFAULT_API_SECRET": "api.credentials",
    "DEFAULT_WEBHOOK_SECRET": "webhooks.event",
    "Emulator": "emulator",
    "EmulatorError": "errors",
    "FAULT_KINDS": "faults.kinds",
    "Fault": "faults.kinds",
    "FaultKind": "faults.kinds",
    "FaultPlan": "faults.plan",
    "RequestRecord": "faults.plan",
    "WebhookAttempt": "webhooks.event",
    "WebhookDelivery": "webhooks.event",
    "create_app": "app",
    "running_emulator": "server",
    "serve": "server",
}
_EXTRA = {"starlette", "uvicorn"}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = importlib.import_module(f"{__name__}.{_MODULE_OF[name]}")
    except ModuleNotFoundError as missing:
        package = (missing.name or "").partition(".")[0]
        if package not in _EXTRA:
            raise
        raise ModuleNotFoundError(
            f'the emulator needs {package}, which is not installed: pip install "tazapay-lightning[emulator]"',
            name=missing.name,
        ) from missing
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
