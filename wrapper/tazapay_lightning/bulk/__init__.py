"""Many invoices in one run: bounded concurrency, constant memory, a failure of one row is the result of that row.

    from functools import partial
    from tazapay_lightning import AsyncLightningClient, bulk

    async with AsyncLightningClient() as client:
        async for result in bulk.create_invoices(client, rows, key=partial(bulk.idempotency_key, "shop-1")):
            ...

See docs/bulk.md; the command ``tazapay-lightning bulk`` does the same for files.
"""

from tazapay_lightning.bulk.create import create_invoices
from tazapay_lightning.bulk.orders import Order, Result, State, idempotency_key

__all__ = ["Order", "Result", "State", "create_invoices", "idempotency_key"]
