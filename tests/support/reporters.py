"""What error reporters would send of an error: its text and causes, and the local variables of every frame."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import rich.traceback
import sentry_sdk
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport


def _standard_library(error: BaseException) -> str:
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


def _rich(error: BaseException) -> str:
    """Return what it would print, before it is laid out, which takes longer than all else here."""
    kind, limits = type(error), {"locals_max_length": 1000, "locals_max_string": None}
    return repr(rich.traceback.Traceback.extract(kind, error, error.__traceback__, show_locals=True, **limits))


class _Kept(Transport):
    """Keeps what would be sent."""

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.events: list[Mapping[str, Any]] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.events.append(envelope.get_event() or {})


def _sentry(error: BaseException) -> str:
    kept = _Kept()
    client = sentry_sdk.Client(
        "https://key@sentry.invalid/1", transport=kept, default_integrations=False, max_value_length=1_000_000
    )
    with sentry_sdk.isolation_scope() as scope:
        scope.set_client(client)
        sentry_sdk.capture_exception(error)
    (event,) = kept.events
    return json.dumps(event, ensure_ascii=False)


REPORTERS: Mapping[str, Callable[[BaseException], str]] = {
    "traceback": _standard_library,
    "rich": _rich,
    "sentry": _sentry,
}


def reported(error: BaseException, *reporters: str) -> Mapping[str, str]:
    """Return what each reporter would send, or these alone, by the name of the reporter."""
    return {name: REPORTERS[name](error) for name in reporters or REPORTERS}
