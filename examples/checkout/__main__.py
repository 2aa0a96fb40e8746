"""Run the shop: `python -m examples.checkout`.

Without credentials in the environment it brings an emulator of Tazapay along and needs no network. With TAZAPAY_API_KEY
and TAZAPAY_API_SECRET (and TAZAPAY_ENVIRONMENT or TAZAPAY_BASE_URL, see `LightningClient`) it bills with Tazapay;
TAZAPAY_WEBHOOK_SECRET is what webhooks are verified with.
"""

from __future__ import annotations

import argparse
import logging
import os
import socket
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from ipaddress import ip_address

from examples.checkout.app import WEBHOOK_PATH, Practice, Settings, create_shop
from examples.checkout.server import ShopServer
from tazapay_lightning import AsyncLightningClient, ConfigurationError

_LONGEST_EXPIRY = 43_200
_HIGHEST_PORT = 65_535


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the shop until Ctrl-C.

    Args:
        arguments: of the command line; None for those of this process.

    Returns:
        The exit code: 0 after Ctrl-C, 1 if the shop cannot start. (Usage errors exit with 2.)
    """
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    for chatty in ("httpx", "uvicorn.error"):  # a line per look at an invoice, and four per start
        logging.getLogger(chatty).setLevel(logging.WARNING)
    with ExitStack() as stack:
        try:
            listener = stack.enter_context(socket.create_server((options.host, options.port)))
        except OSError as error:
            print(f"error: cannot listen on {options.host}:{options.port}: {error.strerror}", file=sys.stderr)
            return 1
        port = listener.getsockname()[1]
        try:
            client, settings = _with_tazapay(options) if _has_credentials() else _with_emulator(options, port, stack)
            shop = create_shop(client, settings)
        except ConfigurationError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        except sqlite3.Error as error:
            print(f"error: cannot use the database {options.database or 'checkout.db'}: {error}", file=sys.stderr)
            return 1
        server = ShopServer(shop, lambda: _say_ready(f"http://{options.host}:{port}", settings))
        with suppress(KeyboardInterrupt):  # Ctrl-C, which uvicorn passes on when everything is closed
            server.run(sockets=[listener])
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m examples.checkout", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=8000, help="0 takes any free one (default: %(default)s)")
    parser.add_argument(
        "--database", help="the file with the orders (default: checkout.db; in memory with the emulator)"
    )
    parser.add_argument(
        "--expires-in", type=_lifetime, default=900, metavar="SECONDS", help="of an invoice (default: %(default)s)"
    )
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"a whole number from 0 to {_HIGHEST_PORT}, please")
    return int(text)


def _lifetime(text: str) -> int:
    if not text.isdecimal() or not 30 <= int(text) <= _LONGEST_EXPIRY:
        raise argparse.ArgumentTypeError(f"whole seconds from 30 to {_LONGEST_EXPIRY}, please")
    return int(text)


def _has_credentials() -> bool:
    return bool(os.environ.get("TAZAPAY_API_KEY") or os.environ.get("TAZAPAY_API_SECRET"))


def _with_tazapay(options: argparse.Namespace) -> tuple[AsyncLightningClient, Settings]:
    secret = os.environ.get("TAZAPAY_WEBHOOK_SECRET") or None
    if secret is None:
        print(
            f"TAZAPAY_WEBHOOK_SECRET is not set: webhooks to {WEBHOOK_PATH} are refused, and payments are found by "
            "polling",
            file=sys.stderr,
        )
    database = options.database or "checkout.db"
    return AsyncLightningClient(), Settings(database=database, webhook_secret=secret, expires_in=options.expires_in)


def _with_emulator(options: argparse.Namespace, port: int, stack: ExitStack) -> tuple[AsyncLightningClient, Settings]:
    from tazapay_lightning_emulator import DEFAULT_WEBHOOK_SECRET, EmulatorError, running_emulator

    host = "127.0.0.1" if ip_address(socket.gethostbyname(options.host)).is_unspecified else options.host
    try:
        emulator = stack.enter_context(
            running_emulator(
                database=f"{options.database}.emulator" if options.database else ":memory:",
                webhook_url=f"http://{host}:{port}{WEBHOOK_PATH}",
            )
        )
    except EmulatorError as error:
        raise ConfigurationError(str(error)) from error

    def pay(invoice_id: str) -> None:
        try:
            emulator.pay(invoice_id)
        except EmulatorError as error:  # such as one that expired since the page was made
            logging.getLogger("checkout").warning("not paid: %s", error)

    client = AsyncLightningClient(emulator.api_key, emulator.api_secret, base_url=emulator.base_url)
    settings = Settings(
        database=options.database or ":memory:",
        webhook_secret=DEFAULT_WEBHOOK_SECRET,
        expires_in=options.expires_in,
        practice=Practice(pay, emulator.advance_clock),
    )
    return client, settings


def _say_ready(url: str, settings: Settings) -> None:
    whom = "an emulator of Tazapay; no money moves" if settings.practice else "Tazapay"
    print(f"The shop is open at {url} (bills with {whom}). Ctrl-C closes it.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
