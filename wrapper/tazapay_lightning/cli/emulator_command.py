"""The command ``emulator``: stdout gets the settings for a shell, stderr a line for each request and webhook."""

from __future__ import annotations

import threading
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer

from tazapay_lightning.cli.outcomes import problems_explained, put, refusing, say, stop
from tazapay_lightning.values.safe_text import printable

if TYPE_CHECKING:
    from tazapay_lightning_emulator import RequestRecord, WebhookDelivery

_KEY_LENGTH, _LINE_LENGTH = 12, 100


def emulator(
    host: Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8787,
    db: Annotated[Path | None, typer.Option(help="Keep the invoices in this SQLite file.", dir_okay=False)] = None,
    data_as_string: Annotated[bool, typer.Option("--data-as-string", help="Send `data` as JSON text.")] = False,
    webhook_url: Annotated[str | None, typer.Option(help="Where to send a signed webhook of a payment.")] = None,
    webhook_secret: Annotated[str | None, typer.Option(help="The secret that signs it, of your tests only.")] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open its page in a browser.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no line for each request and webhook.")] = False,
) -> None:
    """Run the emulator of Tazapay on this machine until Ctrl-C. Its page shows what it holds, with buttons to pay.

    Examples:
        $ tazapay-lightning emulator

        $ tazapay-lightning emulator --port 0 --db invoices.db
    """
    package = installed_emulator()
    from tazapay_lightning_emulator.shell import export_lines

    secret = package.DEFAULT_WEBHOOK_SECRET if webhook_secret is None else webhook_secret

    def announce(base_url: str) -> None:
        say(f"emulator of Tazapay at {base_url}, where a page shows what it holds; in another terminal:")
        # credentials that open nothing else
        lines = export_lines(base_url, package.DEFAULT_API_KEY, package.DEFAULT_API_SECRET, secret)
        put(f"{lines}\n", "the settings")
        if not _is_of_this_machine_only(host):
            say(f"warning: whoever can reach {host} can read and pay everything here; do so on a network of your own")
        if open_page:  # a text browser takes as long as somebody reads
            threading.Thread(target=_open, args=(base_url,), daemon=True).start()

    try:
        with problems_explained(), refusing():
            package.serve(
                host=host,
                for_other_machines=True,
                port=port,
                database=":memory:" if db is None else db,
                data_as_string=data_as_string,
                webhook_url=webhook_url,
                webhook_secret=secret,
                on_ready=announce,
                on_activity=None if quiet else _log,
            )
    except package.EmulatorError as error:
        stop(str(error))


def installed_emulator() -> ModuleType:
    """Return the package of the emulator, or end the command with what to install."""
    try:
        import starlette  # noqa: F401 - the emulator's own imports happen later, as it starts
        import uvicorn  # noqa: F401 - likewise

        import tazapay_lightning_emulator
    except ModuleNotFoundError as error:
        stop(f'the emulator needs {error.name}: pip install "tazapay-lightning[emulator]"')
    return tazapay_lightning_emulator


def _is_of_this_machine_only(host: str) -> bool:
    from ipaddress import ip_address

    return host == "localhost" or ip_address(host).is_loopback


def _open(url: str) -> None:
    import webbrowser  # here, since it takes as long to load as a command

    try:
        opened = webbrowser.open(url)
    except (webbrowser.Error, OSError):
        opened = False
    if not opened:
        say(f"no browser can be opened here: open {url} in one")


def _log(news: object) -> None:
    from tazapay_lightning_emulator import RequestRecord, WebhookDelivery

    if isinstance(news, RequestRecord):
        say(_request_line(news), whole=True)
    elif isinstance(news, WebhookDelivery):
        say(_webhook_line(news), whole=True)


def _request_line(record: RequestRecord) -> str:
    """Return the line of a request.

    Example:
        >>> from tazapay_lightning_emulator import Fault, RequestRecord
        >>> lost = Fault("reset_after_commit")
        >>> _request_line(RequestRecord("POST", "/v3", "order-7890-of-ours", lost, status=None, milliseconds=3))
        '-        POST /v3 no reply 3 ms fault=reset_after_commit key=order-7890-o...'
    """
    parts = [
        f"{record.at:%H:%M:%S}" if record.at else "-       ",
        record.method,
        record.path,
        str(record.status or "no reply"),
        f"{record.milliseconds} ms",
        f"fault={record.fault}" if record.fault else "",
        "" if record.idempotency_key is None else f"key={printable(record.idempotency_key, most=_KEY_LENGTH)}",
    ]
    return " ".join(printable(part, most=_LINE_LENGTH) for part in parts if part)


def _webhook_line(delivery: WebhookDelivery) -> str:
    attempt = delivery.attempts[-1]
    answer = "no answer" if attempt.status is None else str(attempt.status)
    url = printable(attempt.url, most=_LINE_LENGTH)
    return f"{attempt.at:%H:%M:%S} webhook {delivery.type} {delivery.event_id} {url} {answer}"
