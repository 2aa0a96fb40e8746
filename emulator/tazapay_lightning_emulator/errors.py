"""What the emulator raises in the program that starts it. What it answers over HTTP is in `api.replies`.

::

    EmulatorError (also RuntimeError)
    ├── NoSuchInvoiceError
    ├── NotPayableError
    └── NoSuchWebhookError
"""

from __future__ import annotations


class EmulatorError(RuntimeError):
    """The emulator cannot start, go on, or do what it was told; the message says why and what to do about it."""


class NoSuchInvoiceError(EmulatorError):
    """The emulator has no invoice with this id."""


class NotPayableError(EmulatorError):
    """The invoice cannot be paid, since it is paid or has expired."""


class NoSuchWebhookError(EmulatorError):
    """The emulator has sent no event with this id."""
