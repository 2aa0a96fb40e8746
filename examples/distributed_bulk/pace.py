"""One pace for all machines: Celery's `rate_limit` counts per worker, so N workers would be N times too fast.

Redis hands out the turns. Each request takes the next one; a 429 moves all later turns back, so that every worker on
every machine waits. Without BULK_RATE turns follow without a gap, and only a 429 makes one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from redis import Redis

__all__ = ["Pace"]

_NEXT_TURN = "tazapay-bulk:next-turn"  # of the account, which all namespaces share
_LONGEST_PAUSE = 3_600.0

_TAKE = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local turn = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0'))
local wait = turn - now
if wait <= tonumber(ARGV[2]) then
    local following = turn + tonumber(ARGV[1])
    redis.call('SET', KEYS[1], string.format('%.6f', following), 'PX', math.ceil((following - now) * 1000) + 1000)
end
return string.format('%.6f', wait)
"""
"""Takes a turn unless it is too far away; answers in how many seconds it is."""

_PAUSE = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local turn = math.max(now + tonumber(ARGV[1]), tonumber(redis.call('GET', KEYS[1]) or '0'))
redis.call('SET', KEYS[1], string.format('%.6f', turn), 'PX', math.ceil((turn - now) * 1000) + 1000)
"""


class Pace:
    """Turns for requests, the same ones for all workers, by Redis's clock.

    Args:
        redis: a client with ``decode_responses=True``.
        rate: requests per second; None for no limit. It has to be the same everywhere.
        sleep: waits, in seconds.
    """

    def __init__(self, redis: Redis, rate: float | None, *, sleep: Callable[[float], object] = time.sleep) -> None:
        self._interval = 0.0 if rate is None else 1 / rate
        self._sleep = sleep
        self._take = redis.register_script(_TAKE)
        self._pause = redis.register_script(_PAUSE)

    def turn(self, *, within: float) -> bool:
        """Wait for the next turn, but not longer than so many seconds; False if none came, and then none is taken."""
        wait = float(self._take(keys=[_NEXT_TURN], args=[self._interval, within]))
        self._sleep(min(wait, within))
        return wait <= within

    def pause(self, seconds: float) -> None:
        """Let nobody ask for so many seconds, an hour at most: the service said 429."""
        self._pause(keys=[_NEXT_TURN], args=[min(seconds, _LONGEST_PAUSE)])
