"""What points the applications of a shell to an emulator."""

from __future__ import annotations

from shlex import quote
from urllib.parse import urlsplit


def export_lines(base_url: str, api_key: str, api_secret: str, webhook_secret: str) -> str:
    """The lines to paste into a shell, without a line end after the last one.

    Example:
        >>> print(export_lines("http://emulator:80", "key", "a b", "secret"))
        export TAZAPAY_BASE_URL=http://emulator:80
        export TAZAPAY_API_KEY=key
        export TAZAPAY_API_SECRET='a b'
        export TAZAPAY_WEBHOOK_SECRET=secret
        export TAZAPAY_ALLOW_HTTP=1
    """
    values = {"BASE_URL": base_url, "API_KEY": api_key, "API_SECRET": api_secret, "WEBHOOK_SECRET": webhook_secret}
    if urlsplit(base_url).hostname not in {"localhost", "127.0.0.1", "::1"}:
        values["ALLOW_HTTP"] = "1"  # or else the wrapper sends nothing by plain http to another machine
    return "\n".join(f"export TAZAPAY_{name}={quote(value)}" for name, value in values.items())
