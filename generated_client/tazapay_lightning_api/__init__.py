"""A client library for accessing Tazapay Lightning invoices, as it was generated.

It carries requests and nothing else. A client made from this package has no timeout, makes one attempt, sends no
idempotency key of its own (calling again can create a second invoice), takes a reply at its word, and shows the token
in its ``repr``. The safe client is `tazapay_lightning.LightningClient`: ``create_invoice`` and its other methods for
invoices, and ``call`` for every operation of this package.
"""

from .client import AuthenticatedClient, Client

__all__ = (
    "AuthenticatedClient",
    "Client",
)
