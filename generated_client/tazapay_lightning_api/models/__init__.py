"""Contains all the data models used in inputs/outputs"""

from .create_lightning_invoice_request import CreateLightningInvoiceRequest
from .create_lightning_invoice_response import CreateLightningInvoiceResponse
from .get_lightning_invoice_response import GetLightningInvoiceResponse
from .update_lightning_invoice_request import UpdateLightningInvoiceRequest
from .update_lightning_invoice_response import UpdateLightningInvoiceResponse

__all__ = (
    "CreateLightningInvoiceRequest",
    "CreateLightningInvoiceResponse",
    "GetLightningInvoiceResponse",
    "UpdateLightningInvoiceRequest",
    "UpdateLightningInvoiceResponse",
)
