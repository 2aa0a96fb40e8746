"""Read a BOLT11 payment request. Pure."""

from tazapay_lightning.bolt11.decode import Bolt11, decode_bolt11

__all__ = ["Bolt11", "decode_bolt11"]
