"""What moves on stderr while a command waits: the countdown of an invoice with its QR code, the bar of a bulk run."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from attrs import define

from tazapay_lightning import Invoice, TazapayError, format_btc
from tazapay_lightning.cli.display import draw
from tazapay_lightning.cli.terminal import has_blocks, moving
from tazapay_lightning.values.safe_text import printable

if TYPE_CHECKING:
    from rich.console import Console, ConsoleDimensions, RenderableType
    from rich.live import Live
    from rich.progress import Progress
    from rich.text import Text

_BESIDE = 40  # columns for what stands beside a QR code


@contextmanager
def countdown(invoice: Invoice | str, *, qr: bool) -> Iterator[Callable[[Invoice], None]]:
    """Count down to an invoice's expiry on stderr, with its QR code; yield the function that takes each look.

    Args:
        invoice: the invoice, or its id while it has not been looked at.
        qr: whether to show the QR code.
    """
    looks = [invoice]
    in_blocks = has_blocks(sys.stderr)

    def make(console: Console) -> Live:
        from rich.live import Live

        def show() -> RenderableType:
            return _waiting(looks[-1], console.size, qr=qr, in_blocks=in_blocks)

        return Live(get_renderable=show, console=console, transient=True, redirect_stdout=False)

    with moving(make, no_color=False):  # the black and white of a QR code is no decoration
        yield looks.append


def _waiting(invoice: Invoice | str, size: ConsoleDimensions, *, qr: bool, in_blocks: bool) -> RenderableType:
    """Return the countdown as it fits a terminal: beside the QR code, or below it, or by itself."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    if isinstance(invoice, str):
        return Text(f"{printable(invoice, most=80)}: looking", no_wrap=True, overflow="ellipsis")
    facts = _facts(invoice)
    line = Text(", ".join(facts) + " (Ctrl-C stops waiting)")
    drawn, problem = "", ""
    try:
        if qr and not invoice.is_paid and not invoice.is_expired:
            drawn, problem = draw(invoice, *size, in_blocks=in_blocks)
    except (TazapayError, ValueError) as error:  # it has no payment request, or one too long for a QR code
        problem = f"no QR code: {error}"
    if not drawn:
        return Group(line, Text(problem)) if problem else line
    code = Text.from_ansi(drawn.rstrip("\n"), no_wrap=True)
    if size.width < code.cell_len // (code.plain.count("\n") + 1) + _BESIDE:
        return Group(code, line)
    beside = Table.grid(padding=(0, 2))
    beside.add_row(code, Text("\n".join(["", *facts, "", "Ctrl-C stops waiting"])))
    return beside


def _facts(invoice: Invoice) -> list[str]:
    """Return what there is to say of an invoice as it reads now.

    Example:
        >>> _facts(Invoice.from_payload({"id": "l11_1", "amount": 5, "payment_status": "unpaid"}))
        ['l11_1: 0.00000005 BTC', 'unpaid']
    """
    state = printable(invoice.payment_status or "payment status unknown", most=40)
    left = invoice.seconds_left
    until = [] if left is None or invoice.is_paid else [f"expires in {timedelta(seconds=int(left))}"]
    return [f"{printable(invoice.id, most=80)}: {format_btc(invoice.amount_sats)} BTC", state, *until]


@contextmanager
def progress(total: int, paused_for: Callable[[], float]) -> Iterator[Callable[[Mapping[str, int]], None]]:
    """Show a bar within the block, and yield the function that moves it, which takes how many ended in each state.

    Args:
        total: how many orders there are.
        paused_for: returns for how many seconds more the run pauses, since the service asked for it.
    """
    began, note = time.monotonic(), _Note(paused_for)

    def make(console: Console) -> Progress:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, RenderableColumn, TimeRemainingColumn
        from rich.table import Column

        whole = Column(no_wrap=True)  # in a narrow window the bar gives way
        texts = MofNCompleteColumn(table_column=whole), RenderableColumn(note, table_column=whole)
        columns = BarColumn(), *texts, TimeRemainingColumn()
        bar = Progress(*columns, console=console, transient=True, redirect_stdout=False)
        bar.add_task("", total=total)
        return bar

    with moving(make) as bar:

        def update(states: Mapping[str, int]) -> None:
            if bar is not None:
                done, seconds = sum(states.values()), time.monotonic() - began
                note.pace = f"{done / max(seconds, 1e-9):.1f}/s, {done - states.get('created', 0)} failed"
                bar.update(bar.task_ids[0], completed=done)

        yield update


@define
class _Note:
    """What a bar says of its run, anew in each frame: its pace, or for how long the service has it pause."""

    paused_for: Callable[[], float]
    pace: str = "0.0/s, 0 failed"

    def __rich__(self) -> Text:
        from rich.text import Text

        left = math.ceil(self.paused_for())
        return Text(f"paused by the service, {left} s" if left else self.pace)
