import httpx

from tazapay_lightning import LightningClient
from tazapay_lightning_api.api.default import post_checkout
from tazapay_lightning_api.models import PostCheckoutRequest


def stub(request: httpx.Request) -> httpx.Response:
    """Stands in for Tazapay: without `http_client` the client calls the sandbox."""
    data = {"id": "chk_1", "url": "https://checkout.example/chk_1"}
    return httpx.Response(200, json={"status": "success", "message": "created", "data": data})


with (
    httpx.Client(transport=httpx.MockTransport(stub)) as service,
    LightningClient("key", "secret", http_client=service) as client,
):
    body = PostCheckoutRequest(invoice_currency="USD", amount=1012, transaction_description="Order #7890")
    reply = client.call(post_checkout, body=body, idempotency_key="order-7890")
print(reply.data["url"], reply.idempotency_key)
