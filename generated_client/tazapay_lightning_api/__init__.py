"""A client library for accessing Tazapay Lightning invoices, as it was generated.

It carries requests and nothing else. A client made from this package has no timeout, makes one attempt, sends no
idempotency key of its own (calling again can create a second invoice), takes a reply at its word, and shows the token
in its ``repr``. The safe client is `tazapay_lightning.LightningClient`: ``create_invoice`` and its other methods for
invoices, and ``call`` for every operation of this package.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .client import AuthenticatedClient, Client

__all__ = (
    "AuthenticatedClient",
    "Client",
)

if not TYPE_CHECKING:

    def __getattr__(name):  # the clients load httpx, which what an operation says does not need
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from . import client

        return getattr(client, name)
