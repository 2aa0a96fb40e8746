"""The models of what travels. Each is loaded when it is first used."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .create_lightning_invoice_request import CreateLightningInvoiceRequest
    from .create_lightning_invoice_response import CreateLightningInvoiceResponse
    from .get_lightning_invoice_response import GetLightningInvoiceResponse
    from .update_lightning_invoice_request import UpdateLightningInvoiceRequest
    from .update_lightning_invoice_response import UpdateLightningInvoiceResponse

_HOME = {
    "CreateLightningInvoiceRequest": "create_lightning_invoice_request",
    "CreateLightningInvoiceResponse": "create_lightning_invoice_response",
    "GetLightningInvoiceResponse": "get_lightning_invoice_response",
    "UpdateLightningInvoiceRequest": "update_lightning_invoice_request",
    "UpdateLightningInvoiceResponse": "update_lightning_invoice_response",
}

__all__ = (
    "CreateLightningInvoiceRequest",
    "CreateLightningInvoiceResponse",
    "GetLightningInvoiceResponse",
    "UpdateLightningInvoiceRequest",
    "UpdateLightningInvoiceResponse",
)

if not TYPE_CHECKING:

    def __getattr__(name):
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
        return value
