"""Contains all the data models used in inputs/outputs"""

from .create_lightning_invoice_request import CreateLightningInvoiceRequest
from .create_lightning_invoice_response import CreateLightningInvoiceResponse

__all__ = (
    "CreateLightningInvoiceRequest",
    "CreateLightningInvoiceResponse",
)
