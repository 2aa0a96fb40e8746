"""The event in a webhook whose signature is proven: strict about what identifies it, generous about the rest."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from attrs import field, frozen

from tazapay_lightning.errors import WebhookPayloadError
from tazapay_lightning.values.json_fields import decode_json_field, optional
from tazapay_lightning.values.moments import read_moment
from tazapay_lightning.values.read_only import Reduced, read_only, reduced
from tazapay_lightning.webhooks.body import Body


@frozen(kw_only=True)
class WebhookEvent:
    """A notice that Tazapay signed. Frozen.

    Tazapay sends the same event again until it is acknowledged, for up to 24 hours: act once per ``id``. An event is a
    reason to ask for the invoice's state, not a substitute for it: fetch the invoice before delivering anything.

    Attributes:
        id: the event's id (``evt_...``), by which to tell a repetition.
        type: such as ``"collect.succeeded"``, ``"collect.failed"``, ``"collect.on_hold"``, ``"collect.detected"``; any
            other text is passed on. That the payment of a Lightning invoice arrives as ``collect.succeeded`` is
            inference: Tazapay's documentation does not say it.
        created_at: aware datetime; None for an integer (seconds or milliseconds, undocumented) and for a text that is
            no moment. A moment without a zone is read as UTC (assumption).
        data: what the event is about, read-only; empty when it is missing or cannot be read.
        collect_id: the id of the payment (``col_...``) that an event ``collect.*`` is about: ``data["id"]`` if it
            begins with ``col_``, else ``data["collect"]``; None for every other event. That it equals
            ``Invoice.collect_id`` is inference.
        raw: the whole event, fields unknown to this version included, read-only.

    Example:
        >>> WebhookEvent(id="evt_1", type="collect.succeeded", collect_id="col_98765", data={"id": "col_98765"})
        WebhookEvent(id='evt_1', type='collect.succeeded', created_at=None, collect_id='col_98765')
    """

    id: str
    type: str
    created_at: datetime | None = None
    data: Mapping[str, object] = field(factory=dict, converter=read_only, repr=False, hash=False)
    collect_id: str | None = None
    raw: Mapping[str, object] = field(factory=dict, converter=read_only, repr=False, hash=False)

    def __reduce__(self) -> Reduced:
        return reduced(self)


def read_event(body: Body) -> WebhookEvent:
    """Read an event whose signature is proven.

    Raises:
        WebhookPayloadError: if it has no type. Anything else that cannot be read becomes None (``data``: empty), is
            logged as a warning, and stays in ``raw``.
    """
    kind = body.event.get("type")
    if not isinstance(kind, str) or not kind:
        raise WebhookPayloadError("the event must have a `type` such as 'collect.succeeded', a text that is not empty")
    source = f"the webhook {body.id}"
    data = optional(body.event, "data", decode_json_field, source=source) or {}
    # An integer is a documented form, but of seconds or milliseconds?
    dated = not isinstance(body.event["created_at"], int)
    return WebhookEvent(
        id=body.id,
        type=kind,
        created_at=optional(body.event, "created_at", read_moment, source=source) if dated else None,
        data=data,
        collect_id=_collect_id(kind, data),
        raw=body.event,
    )


def _collect_id(kind: str, data: Mapping[str, object]) -> str | None:
    if not kind.startswith("collect."):
        return None
    own, other = data.get("id"), data.get("collect")
    if isinstance(own, str) and own.startswith("col_"):
        return own
    return other if isinstance(other, str) and other else None
