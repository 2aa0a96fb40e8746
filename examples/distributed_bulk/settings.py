"""What the enqueuer and every worker have to agree on, from environment variables, and the times that follow. Pure.

====================  ==============================================================================================
variable              meaning
====================  ==============================================================================================
BULK_REDIS_URL        the Redis that all share, such as redis://:password@host:6379/0. One database per account: the
                      pace is kept once in it
BULK_NAMESPACE        part of every idempotency key; "orders" by default. Another one means other invoices
BULK_RATE             requests per second, all machines together; no limit by default, since none is documented
BULK_DEADLINE         seconds that one request may take; 30 by default
BULK_LONGEST_WAIT     seconds that a worker waits at most before it tries again; 30 by default
====================  ==============================================================================================

Credentials are none of these: workers read TAZAPAY_API_KEY and TAZAPAY_API_SECRET from their own environment, and
nobody else has them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import field, frozen

__all__ = ["ATTEMPTS_PER_DELIVERY", "DAY", "KEY_USABLE", "MOST_TRIES", "Settings", "SettingsError"]

DAY = 86_400.0
"""The life of an idempotency key, in seconds, says Tazapay's documentation."""

KEY_USABLE = DAY - 3_600.0
"""For how long after the first request a key is used, in seconds: an hour less, so that no clock decides."""

ATTEMPTS_PER_DELIVERY = 4
"""Requests that a worker makes for one message before it hands it back and takes another order."""

MOST_TRIES = 24
"""Requests per order and run. It also ends the round of an order that kills every worker that takes it."""

_NAMESPACE = re.compile(r"[A-Za-z0-9._-]{1,60}", re.ASCII)
_MOST_SECONDS = 600.0


class SettingsError(ValueError):
    """A variable is missing or wrong; the message names it."""


@frozen(kw_only=True)
class Settings:
    """See the module's table.

    Example:
        >>> settings = Settings(redis_url="redis://localhost:6379/0")
        >>> settings.lease, settings.visibility_timeout
        (35.0, 720.0)
    """

    redis_url: str = field(repr=False)  # it may hold a password
    namespace: str = "orders"
    rate: float | None = None
    deadline: float = 30.0
    longest_wait: float = 30.0

    @classmethod
    def from_environment(cls, variables: Mapping[str, str]) -> Settings:
        """Read the settings off `os.environ`.

        Raises:
            SettingsError: naming the variable and what would be accepted.
        """
        url = variables.get("BULK_REDIS_URL", "")
        if not url.startswith(("redis://", "rediss://", "redis+socket://")):
            raise SettingsError(
                "BULK_REDIS_URL must be the address of the Redis that enqueuer and workers share, such as "
                "redis://:password@host:6379/0 (rediss:// for TLS, redis+socket:///path for a socket)"
            )
        namespace = variables.get("BULK_NAMESPACE") or "orders"
        if not _NAMESPACE.fullmatch(namespace):
            raise SettingsError("BULK_NAMESPACE must be 1 to 60 letters, digits, dots, hyphens and underscores")
        rate = _number(variables, "BULK_RATE", 100_000.0)
        return cls(
            redis_url=url,
            namespace=namespace,
            rate=rate,
            deadline=_number(variables, "BULK_DEADLINE", _MOST_SECONDS) or 30.0,
            longest_wait=_number(variables, "BULK_LONGEST_WAIT", _MOST_SECONDS) or 30.0,
        )

    def to_environment(self) -> dict[str, str]:
        """Return the variables that tell a worker the same."""
        told = {
            "BULK_REDIS_URL": self.redis_url,
            "BULK_NAMESPACE": self.namespace,
            "BULK_DEADLINE": str(self.deadline),
            "BULK_LONGEST_WAIT": str(self.longest_wait),
        }
        return told if self.rate is None else told | {"BULK_RATE": str(self.rate)}

    @property
    def lease(self) -> float:
        """Seconds for which an order belongs to the worker that asks: a request, and time to write down its end."""
        return self.deadline + 5.0

    @property
    def longest_delivery(self) -> float:
        """Seconds that a worker may be busy with one message: for each request its turn, itself, and a wait after."""
        return ATTEMPTS_PER_DELIVERY * (self.longest_wait + self.deadline + self.longest_wait)

    @property
    def visibility_timeout(self) -> float:
        """Seconds after which Redis gives an unacknowledged message to another worker.

        Twice the longest delivery, or living workers would see their messages taken away and doubled; and short,
        because until then nobody but the enqueuer notices that a machine is gone. It is minutes where a key lives for a
        day.
        """
        return 2 * self.longest_delivery

    @property
    def patience(self) -> float:
        """Seconds after which the enqueuer takes an order for lost that nobody holds and no queue has."""
        return self.longest_wait + 5.0


def _number(variables: Mapping[str, str], name: str, most: float) -> float | None:
    text = variables.get(name, "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= most:
        raise SettingsError(f"{name} must be a number greater than 0 and at most {most:g}")
    return value
