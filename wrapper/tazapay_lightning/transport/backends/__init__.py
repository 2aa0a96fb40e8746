"""What carries a request: httpx, aiohttp, and the connections and guards that both need."""

HTTPX = ("tazapay_lightning.transport.backends.httpx", "httpcore", "certifi", "encodings.idna")
"""The module of that name, and what it, and a lookup of a name, load when they need it."""
