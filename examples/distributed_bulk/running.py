"""One run from beginning to end: workers, enqueuer, and a kill now and then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from attrs import frozen
from redis import Redis, RedisError

from examples.distributed_bulk.decisions import Decision
from examples.distributed_bulk.enqueuer import Enqueuer, Outcome
from examples.distributed_bulk.fleet import Fleet
from examples.distributed_bulk.ledger import Ledger
from examples.distributed_bulk.orders import Order
from examples.distributed_bulk.queueing import Queue
from examples.distributed_bulk.settings import Settings

__all__ = [
    "ForgetfulRedisError",
    "RedisError",
    "Run",
    "WorkerEndedError",
    "check_keeps_data",
    "connected",
    "run",
]


class WorkerEndedError(Exception):
    """A worker ended by itself: its log, which is cited, tells why."""


class ForgetfulRedisError(Exception):
    """This Redis may forget what was asked for."""


@frozen(kw_only=True)
class Run:
    """What became of a run.

    Attributes:
        outcomes: of every order.
        enqueued: orders that were not settled before.
        enqueued_again: messages that were lost with their workers.
        killed: workers, each with the order that it was asking for.
        stopped: why nothing could be billed; None in a run that went on.
    """

    outcomes: Sequence[Outcome]
    enqueued: int
    enqueued_again: int
    killed: Sequence[tuple[str, str]]
    stopped: str | None

    @property
    def decisions(self) -> list[Decision]:
        """What became of each order."""
        return [decision for _, decision, _ in self.outcomes]


def connected(settings: Settings) -> Redis:
    """Return a client of the Redis that all share."""
    return Redis.from_url(settings.redis_url.replace("redis+socket://", "unix://", 1), decode_responses=True)


def check_keeps_data(redis: Redis) -> None:
    """Refuse a Redis that forgets: without what it knows, an order of yesterday would be billed again.

    Raises:
        ForgetfulRedisError: saying what to set.
    """
    persistence, memory = redis.info("persistence"), redis.info("memory")
    if not persistence.get("aof_enabled"):
        raise ForgetfulRedisError("Redis keeps nothing when it restarts: set appendonly yes and appendfsync always")
    if memory.get("maxmemory_policy") != "noeviction":
        raise ForgetfulRedisError("Redis may throw away what it knows: set maxmemory-policy noeviction")


def run(
    orders: Sequence[Order],
    settings: Settings,
    *,
    workers: int,
    credentials: dict[str, str],
    log: Path,
    kills: int = 0,
    gives_up_after: float | None = None,
    on_kill: Callable[[str, str], object] = lambda worker, order_id: None,
) -> Run:
    """Bill orders, as far as they are not.

    Args:
        orders: with ids that differ.
        settings: of the run.
        workers: how many to start here; 0 if they run elsewhere.
        credentials: variables for the workers, and for nobody else.
        log: the file that workers write to.
        kills: how many workers to kill on the way, the first one soon and the others evenly spread over the orders.
        gives_up_after: seconds without any progress after which the run ends as it is; by default as long as Redis
            may take to hand the messages of dead workers back.
        on_kill: called with the name of a killed worker and the order that it was asking for.

    Raises:
        WorkerEndedError: a worker ended that nobody had killed.
    """
    killed: list[tuple[str, str]] = []
    with (
        closing(connected(settings)) as redis,
        closing(Queue(settings, redis)) as queue,
        Fleet(workers, settings.to_environment() | credentials, log) as fleet,
    ):
        ledger = Ledger(redis, settings.namespace, lease=settings.lease)
        enqueuer = Enqueuer(
            orders,
            ledger,
            queue,
            patience=settings.patience,
            gives_up_after=2 * settings.visibility_timeout if gives_up_after is None else gives_up_after,
        )
        before = ledger.settled()
        enqueued = enqueuer.begin()

        def look(settled: int) -> None:
            if (ended := fleet.dead()) is not None:
                lines = log.read_text(errors="replace").strip().splitlines()
                raise WorkerEndedError(f"{ended.name} ended by itself: {' | '.join(lines[-3:])}")
            if len(killed) < kills and settled - before > len(killed) * enqueued // kills:
                name = fleet.workers[0].name
                in_hand = fleet.catch_and_kill(ledger)
                if in_hand is not None:
                    killed.append((name, in_hand))
                    on_kill(name, in_hand)

        enqueuer.follow(look)
        return Run(
            outcomes=enqueuer.outcomes(),
            enqueued=enqueued,
            enqueued_again=enqueuer.enqueued_again,
            killed=killed,
            stopped=ledger.stopped(),
        )
