"""Celery, as enqueuer and workers share it. What has to be right for money is in `configured`, with the reason."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from celery import Celery

from examples.distributed_bulk.orders import Order
from examples.distributed_bulk.settings import Settings

if TYPE_CHECKING:
    from redis import Redis

__all__ = ["CREATE", "Queue", "configured"]

CREATE = "tazapay_bulk.create_invoice"
"""The name of the task. The enqueuer knows only the name: it needs neither the client nor its credentials."""


def configured(settings: Settings) -> Celery:
    """Return a Celery application for this run."""
    app = Celery("tazapay_bulk", broker=settings.redis_url)
    app.conf.update(
        # At least once: a message is acknowledged when its order is settled, not when it is taken; and it goes back
        # when the process that had it is killed (out of memory, say) under a worker that lives on.
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        # When the whole machine is gone, nobody is left to hand it back: another worker fetches it after this time. By
        # default it looks only every hundred seconds; here every ten.
        broker_transport_options={"visibility_timeout": settings.visibility_timeout, "unacked_restore_throttle": 1},
        # Nothing lies in a worker's memory but what it works at.
        worker_prefetch_multiplier=1,
        # A task that hangs is killed before its message is given to somebody else.
        task_time_limit=settings.longest_delivery + 30,
        # Messages are data: with pickle, whoever can write to Redis could run code where the credentials are.
        task_serializer="json",
        accept_content=["json"],
        # The result belongs to the order, not to the task: see the ledger.
        task_ignore_result=True,
        # A namespace is a run of its own.
        task_default_queue=_queue_name(settings),
        # On a lost connection to Redis the request goes on: its end is written down, and the message comes twice.
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        # Nobody sends commands to workers, so nobody needs to be able to.
        worker_enable_remote_control=False,
    )
    return app


def _queue_name(settings: Settings) -> str:
    return f"tazapay-bulk:{settings.namespace}:queue"


class Queue:
    """The queue as the enqueuer sees it."""

    def __init__(self, settings: Settings, redis: Redis) -> None:
        self._app = configured(settings)
        self._redis = redis
        self._name = _queue_name(settings)

    def put(self, orders: Iterable[Order]) -> None:
        """Enqueue orders, a message each."""
        with self._app.producer_pool.acquire(block=True) as producer:
            for order in orders:
                self._app.send_task(CREATE, args=[order.to_dict()], producer=producer)

    def waiting(self) -> int:
        """Return how many messages no worker has taken yet."""
        return int(self._redis.llen(self._name))

    def close(self) -> None:
        """Close the connections."""
        self._app.close()
