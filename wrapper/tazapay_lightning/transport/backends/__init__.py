"""What carries a request: httpx, aiohttp, and the connections and guards that both need."""

HTTPX = ("tazapay_lightning.transport.backends.httpx", "httpcore", "certifi", "encodings.idna", "encodings.utf_8_sig")
"""The backend of httpx, and what it, the lookup of a host and the reading of a reply load only when they need it."""
