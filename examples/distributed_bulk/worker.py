"""The worker: `celery -A examples.distributed_bulk.worker worker`, on as many machines as there are.

The settings and the credentials come from its environment: see `settings` and `LightningClient`. It refuses to start
without them.
"""

from __future__ import annotations

import os
import socket
from typing import Any

from celery.signals import worker_process_init, worker_process_shutdown
from redis import Redis

from examples.distributed_bulk.asking import Asker
from examples.distributed_bulk.ledger import Ledger
from examples.distributed_bulk.orders import Order
from examples.distributed_bulk.pace import Pace
from examples.distributed_bulk.queueing import CREATE, configured
from examples.distributed_bulk.settings import Settings
from tazapay_lightning import LightningClient

SETTINGS = Settings.from_environment(os.environ)
LightningClient().close()  # without credentials a worker would start, and then fail with every order

app = configured(SETTINGS)

_asker: Asker | None = None  # of this process


def open_client(**_: object) -> None:
    """Make this process's client and connections: after the fork, since no two processes may share a connection."""
    global _asker
    redis = Redis.from_url(SETTINGS.redis_url.replace("redis+socket://", "unix://", 1), decode_responses=True)
    _asker = Asker(
        client=LightningClient(max_retries=0, timeout=SETTINGS.deadline, deadline=SETTINGS.deadline),
        ledger=Ledger(redis, SETTINGS.namespace, lease=SETTINGS.lease),
        pace=Pace(redis, SETTINGS.rate),
        settings=SETTINGS,
        worker=os.environ.get("BULK_WORKER") or f"{socket.gethostname()}:{os.getpid()}",
    )


def close_client(**_: object) -> None:
    """Close them when the process ends in peace."""
    if _asker is not None:
        _asker.client.close()


def create_invoice(task: Any, fields: dict[str, Any]) -> None:
    """Settle one order. However often a message comes, in whatever order: the ledger and the key make it one invoice.

    Args:
        task: as Celery binds it.
        fields: the order, as `Order.to_dict` writes it.
    """
    if _asker is None:
        raise RuntimeError("no client in this process: workers need the prefork pool")
    if not _asker.settle(Order.from_dict(fields)):
        raise task.retry(countdown=0)  # to the end of the queue


worker_process_init.connect(open_client)
worker_process_shutdown.connect(close_client)
# No limit of Celery's: it would drop the message at the fourth return (3 is the default, and what `retry` takes None
# for). The ledger counts requests instead, and waiting for another worker's lease is none.
app.task(create_invoice, name=CREATE, bind=True, max_retries=None)
