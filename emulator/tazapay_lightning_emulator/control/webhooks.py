"""The endpoints that list webhooks, change their destination and send one again.

===========================================  =========================================================================
request                                      effect
===========================================  =========================================================================
GET /_emulator/webhooks                      as `webhooks`
POST /_emulator/webhooks                     as `send_webhooks_to`, with `url`, which may be null; the reply is the same
POST /_emulator/webhooks/{event_id}/resend   as `resend_webhook`, without a body; the reply is the pending delivery;
                                             404 for an unknown event, 409 while there is no URL
===========================================  =========================================================================
"""

from __future__ import annotations

from attrs import frozen
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tazapay_lightning_emulator.api.bodies import bad_request, read_body, read_only_field
from tazapay_lightning_emulator.api.replies import Code, refusal_because
from tazapay_lightning_emulator.api.responses import value_response
from tazapay_lightning_emulator.errors import EmulatorError, NoSuchWebhookError
from tazapay_lightning_emulator.webhooks.delivery import WebhookSender


def webhook_routes(sender: WebhookSender) -> list[Route]:
    """The routes of the webhooks."""
    control = _Control(sender)
    return [
        Route("/webhooks", control.webhooks, methods=["GET", "POST"]),
        Route("/webhooks/{event_id}/resend", control.resend, methods=["POST"]),
    ]


@frozen
class _Control:
    sender: WebhookSender

    async def webhooks(self, request: Request) -> Response:
        if request.method != "POST":
            return value_response([delivery.to_dict() for delivery in self.sender.deliveries()])
        url = await read_only_field(request, "url", refusal="the URL is not accepted")
        try:
            self.sender.send_to(url)
        except ValueError as error:
            raise bad_request("the URL is not accepted", f"{error}; or null") from None
        return value_response({"url": self.sender.url})

    async def resend(self, request: Request) -> Response:
        if await read_body(request):
            raise bad_request("the body is not empty", "body: none")
        try:
            return value_response(self.sender.resend(request.path_params["event_id"]).to_dict())
        except NoSuchWebhookError as error:
            raise refusal_because(error, 404, Code.ABSENT, "not found") from None
        except EmulatorError as error:
            raise refusal_because(error, 409, Code.BAD_JSON, "the event cannot be sent") from None
