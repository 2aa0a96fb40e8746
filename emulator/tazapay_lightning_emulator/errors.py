"""The exceptions that the emulator raises in the program that runs it. Errors over HTTP are in `api.replies`.

::

    EmulatorError (also RuntimeError)
    ├── NoSuchInvoiceError
    ├── NotPayableError
    └── NoSuchWebhookError
"""

from __future__ import annotations


class EmulatorError(RuntimeError):
    """The emulator cannot start or cannot do what was asked. The message says why and what to do."""


class NoSuchInvoiceError(EmulatorError):
    """The emulator has no invoice with this id."""


class NotPayableError(EmulatorError):
    """The invoice cannot be paid: it is paid already or has expired."""


class NoSuchWebhookError(EmulatorError):
    """The emulator has no event with this id."""
