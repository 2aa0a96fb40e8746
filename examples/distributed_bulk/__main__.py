"""Bill a bulk of orders with many workers: `python -m examples.distributed_bulk`.

Without BULK_REDIS_URL it practises: it brings along an emulator of Tazapay and a Redis of its own, and needs no
network. With BULK_REDIS_URL it bills with Tazapay, through a Redis that keeps its data: see README.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from examples.distributed_bulk.orders import Order, OrdersError, read_orders, sample_orders
from examples.distributed_bulk.redis_server import RedisMissingError, running_redis
from examples.distributed_bulk.report import exit_code, invoices_per_order, summary, table
from examples.distributed_bulk.settings import Settings, SettingsError
from tazapay_lightning import ConfigurationError, LightningClient
from tazapay_lightning.bulk import idempotency_key
from tazapay_lightning_emulator import FaultPlan, running_emulator

if TYPE_CHECKING:
    from examples.distributed_bulk.running import Run


class _RefusedError(Exception):
    """What the command line or the environment asks for makes no sense."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it.

    Args:
        arguments: of the command line; None for those of this process.

    Returns:
        0 if every order has its invoice, 1 if one was refused or nothing could be done, 3 if one is in doubt. (Usage
        errors exit with 2.)
    """
    options = _parser().parse_args(arguments)
    try:
        from examples.distributed_bulk import running
    except ModuleNotFoundError as error:
        return _failed(f"{error.name} is not installed here: `make distributed-bulk` makes the environment")
    practice = not os.environ.get("BULK_REDIS_URL")
    try:
        return _practise(options) if practice else _bill(options)
    except (
        _RefusedError,
        ConfigurationError,
        OrdersError,
        RedisMissingError,
        SettingsError,
        running.ForgetfulRedisError,
        running.WorkerEndedError,
        running.RedisError,
        OSError,
    ) as error:
        return _failed(str(error))
    except KeyboardInterrupt:
        print("interrupted: the same command goes on where it was; no order is billed twice", file=sys.stderr)
        return 3


def _failed(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m examples.distributed_bulk", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("file", nargs="?", type=Path, help="orders, a JSON object per line (default: made-up ones)")
    parser.add_argument("--orders", type=_whole(1, 1_000_000), default=500, help="how many to make up (%(default)s)")
    parser.add_argument(
        "--workers", type=_whole(0, 100), default=2, help="to start here; 0 if they run elsewhere (%(default)s)"
    )
    practice = parser.add_argument_group("for practice")
    practice.add_argument("--kill", action="store_true", help="kill each of the first workers while it asks")
    practice.add_argument("--faults", type=_share, default=0.0, help="share of requests that fail, such as 0.3")
    practice.add_argument("--seed", type=int, default=7, help="which ones (%(default)s)")
    return parser


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"a whole number from {least} to {most}, please")
        return int(text)

    return read


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 0.9:
        raise argparse.ArgumentTypeError("a number from 0 to 0.9, please")
    return share


def _orders(options: argparse.Namespace) -> list[Order]:
    if options.file is None:
        return list(sample_orders(options.orders))
    with options.file.open(encoding="utf-8-sig") as lines:
        try:
            return list(read_orders(lines))
        except UnicodeDecodeError:
            raise OrdersError(f"{options.file} is not UTF-8") from None


def _practise(options: argparse.Namespace) -> int:
    """Bill with an emulator, and look at what it has in the end."""
    from examples.distributed_bulk.running import run

    if os.environ.get("TAZAPAY_API_KEY") or os.environ.get("TAZAPAY_API_SECRET"):
        raise _RefusedError(
            "TAZAPAY_API_KEY or TAZAPAY_API_SECRET is set, but BULK_REDIS_URL is not: billing needs a Redis that keeps "
            "its data; to practise, unset them"
        )
    if not options.workers:
        raise _RefusedError("practice needs workers: --workers 2")
    orders = _orders(options)
    faults = FaultPlan()
    faults.fail_randomly(options.faults, seed=options.seed)
    with (
        tempfile.TemporaryDirectory(prefix="bulk-") as scratch,
        running_redis() as (redis_url, _),
        running_emulator(faults=faults) as emulator,
    ):
        # the emulator answers in milliseconds, and nobody wants to wait for a dead worker's lease
        settings = Settings(redis_url=redis_url, deadline=4.0, longest_wait=2.0)
        credentials = {
            "TAZAPAY_API_KEY": emulator.api_key,
            "TAZAPAY_API_SECRET": emulator.api_secret,
            "TAZAPAY_BASE_URL": emulator.base_url,
        }
        kills = options.workers if options.kill else 0
        begun = time.monotonic()
        print(f"{len(orders)} orders, {options.workers} workers, an emulator of Tazapay; no money moves", flush=True)
        done = run(
            orders,
            settings,
            workers=options.workers,
            credentials=credentials,
            log=Path(scratch) / "workers.log",
            kills=kills,
            on_kill=_say_killed,
        )
        seconds = time.monotonic() - begun
        keys = {order.order_id: idempotency_key(settings.namespace, order.order_id) for order in orders}
        found = invoices_per_order(orders, keys, emulator.invoices())
        rows = [
            ("requests", len(emulator.requests())),
            ("  of which failed on purpose", len(emulator.faults_injected())),
            ("invoices per order", found),
        ]
    return _tell(done, seconds, rows) or int(found != "exactly 1")


def _bill(options: argparse.Namespace) -> int:
    """Bill with Tazapay, or with whatever TAZAPAY_BASE_URL names."""
    from examples.distributed_bulk.running import check_keeps_data, connected, run

    if options.kill or options.faults or options.file is None:
        raise _RefusedError("with BULK_REDIS_URL, name a file of orders; --kill and --faults are for practice")
    settings = Settings.from_environment(os.environ)
    orders = _orders(options)
    if options.workers:
        LightningClient().close()  # names what is missing, before any worker does
    with closing(connected(settings)) as redis:
        check_keeps_data(redis)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bulk-") as scratch:
        log = Path(scratch) / "workers.log"
        done = run(orders, settings, workers=options.workers, credentials={}, log=log)
    return _tell(done, time.monotonic() - begun, [])


def _say_killed(name: str, order_id: str) -> None:
    print(f"killed {name} (SIGKILL) while it asked for {order_id}; another one takes its place", flush=True)


def _tell(done: Run, seconds: float, rows: list[tuple[str, object]]) -> int:
    told = [
        *summary(done.outcomes),
        ("workers killed", len(done.killed)),
        ("messages lost with them, sent again", done.enqueued_again),
        *rows,
        ("seconds", f"{seconds:.1f}"),
    ]
    print(table(told, done.outcomes))
    if done.stopped is not None:
        return _failed(f"stopped, because every order would fail: {done.stopped}")
    return exit_code(done.decisions)


if __name__ == "__main__":
    sys.exit(main())
