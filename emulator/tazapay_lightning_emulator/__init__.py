"""A local emulator for Tazapay's Lightning invoices: a real HTTP server over SQLite, for tests and demonstrations.

It answers `POST /v3/lightning_invoice_bolt11` as Tazapay's published document and documentation say, and shows what it
stored at `GET /_emulator/invoices`. Where they are silent it does the strict and simple thing. These are its own rules,
not Tazapay's:

================================  ====================================================================================
assumption                        what the emulator does
================================  ====================================================================================
amount                            1 to 2,100,000,000,000,000 satoshi; an integer without fraction or exponent
d_tag_memo                        at most 639 bytes in UTF-8 (BOLT #11), may be empty
h_tag_memo                        64 hex digits, in upper or lower case
expiry_interval                   1 to 2,147,483,647 seconds
metadata                          the JSON text of an object, or an object; replied as an object, `{}` when not given
null                              refused for every field; a field that is not wanted is left out
unknown fields                    passed over
both memos given                  both must be acceptable, and only the hash is stored (that part is documented)
a memo that was not given         left out of the invoice object, as in the published example
code of a refused body or header  100 (documented for bad JSON), for want of a documented code for validation
code of an unknown method         105 (documented for what is absent), with status 405
wrong API secret                  code 111, like a wrong API key; "Basic" without credentials is code 109
Content-Type                      must be application/json, else 400
body                              at most 1,048,576 bytes of UTF-8, else 400
JSON                              no NaN or Infinity, no key twice in an object, no lone surrogate, at most 64 levels,
                                  numbers of at most 100 characters and within a double
Idempotency-Key                   empty, or given twice: 400; valid until exactly 24 hours after the reply was stored
same key, another body            the stored reply, if the new body is acceptable by itself; else 400
same key, twice at the same time  one after the other: one invoice, and the same reply to both
replies to a key                  kept for the pair of API key and idempotency key; the secret has no part in it
message of a success              empty, as in the published example
created_at, updated_at            equal at creation, in whole seconds of UTC
================================  ====================================================================================

It can be told to fail in every way a network can: `Emulator.fail_next` for the next requests, `Emulator.fail_randomly`
for a share of them, the same in every run, and `Emulator.refuse_connections`; for other processes the same over HTTP,
under `/_emulator/`. The table in `tazapay_lightning_emulator.fault_kinds` lists what it can do and what becomes of the
invoice, the one in `tazapay_lightning_emulator.fault_control` the endpoints. For example::

    with running_emulator() as emulator:
        emulator.fail_next("reset_after_commit")                # the next request loses its reply, not its invoice
        emulator.fail_next("status_before_commit", status=429, retry_after=1, times=2, idempotency_key="order-7890")
        emulator.fail_randomly(0.3, seed=7)                     # then three in ten, half of them after the commit
        ...
        print(Counter(str(record.fault) for record in emulator.faults_injected()))

Names load on first use, so that importing the package costs nothing: pytest does so in every run.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tazapay_lightning_emulator.app import create_app
    from tazapay_lightning_emulator.credentials import DEFAULT_API_KEY, DEFAULT_API_SECRET
    from tazapay_lightning_emulator.emulator import Emulator
    from tazapay_lightning_emulator.errors import EmulatorError
    from tazapay_lightning_emulator.fault_kinds import FAULT_KINDS, Fault, FaultKind
    from tazapay_lightning_emulator.faults import FaultPlan, RequestRecord
    from tazapay_lightning_emulator.server import running_emulator, serve

__all__ = [
    "DEFAULT_API_KEY",
    "DEFAULT_API_SECRET",
    "FAULT_KINDS",
    "Emulator",
    "EmulatorError",
    "Fault",
    "FaultKind",
    "FaultPlan",
    "RequestRecord",
    "create_app",
    "running_emulator",
    "serve",
]

_HOME_OF = {
    "DEFAULT_API_KEY": "credentials",
    "DEFAULT_API_SECRET": "credentials",
    "Emulator": "emulator",
    "EmulatorError": "errors",
    "FAULT_KINDS": "fault_kinds",
    "Fault": "fault_kinds",
    "FaultKind": "fault_kinds",
    "FaultPlan": "faults",
    "RequestRecord": "faults",
    "create_app": "app",
    "running_emulator": "server",
    "serve": "server",
}
_EXTRA = {"starlette", "uvicorn"}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = importlib.import_module(f"{__name__}.{_HOME_OF[name]}")
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
