"""The control of an emulator, as the command ``pay`` needs it: nothing else is sent to what is no emulator.

Whether a service is one is asked without credentials. It is asked by the standard library, since the client's
connections carry credentials and idempotency keys, and are kept for calls of the service's own operations.
"""

from __future__ import annotations

import json
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import quote, urlsplit

from tazapay_lightning import InvalidArgumentError, TazapayError
from tazapay_lightning.values.json_fields import decoded
from tazapay_lightning.values.safe_text import printable

_TIMEOUT_SECONDS = 10.0
_MAX_REPLY_BYTES = 1_000_000


class EmulatorControl:
    """What an emulator has under ``/_emulator/``.

    Args:
        base_url: the address of a service.

    Raises:
        InvalidArgumentError: it is Tazapay's own; nothing was sent.
        TazapayError: no emulator answers there.
    """

    def __init__(self, base_url: str) -> None:
        self._parts = urlsplit(base_url)
        no_emulator = f"{base_url} is no emulator: an invoice of another service is paid by a wallet"
        if f".{self._parts.hostname}".rstrip(".").endswith(".tazapay.com"):
            raise InvalidArgumentError(f"{no_emulator}; nothing was sent", argument="base_url")
        status, reply = self._ask("GET", "clock")
        if status != 200 or not {"now", "ahead"} <= reply.keys():
            raise TazapayError(f"{no_emulator}; only GET {self._parts.path}/_emulator/clock was sent")

    def pay(self, invoice_id: str) -> None:
        """Pay an invoice.

        Raises:
            TazapayError: it cannot be paid.
        """
        status, reply = self._ask("POST", f"invoices/{quote(invoice_id, safe='')}/pay")
        if status != 200:
            raise TazapayError(f"the emulator did not pay it: {printable(_reason(reply), most=200)}")

    def _ask(self, method: str, path: str) -> tuple[int, dict[str, object]]:
        parts = self._parts
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(parts.netloc, timeout=_TIMEOUT_SECONDS)
        try:
            connection.request(method, f"{parts.path}/_emulator/{path}")
            response = connection.getresponse()
            reply = decoded(response.read(_MAX_REPLY_BYTES).decode("utf-8", "replace"))
        except (OSError, HTTPException) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise TazapayError(f"no reply from {parts.scheme}://{parts.netloc}: {reason}; is it running?") from error
        finally:
            connection.close()
        return response.status, reply if isinstance(reply, dict) else {}


def _reason(reply: dict[str, object]) -> str:
    errors = reply.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else reply
    return str(first.get("remarks") or first.get("message") or json.dumps(reply))
