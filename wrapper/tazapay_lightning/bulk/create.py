"""Bill many orders in one run: bounded concurrency, constant memory, a failure of one row is the result of that row."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Mapping
from functools import partial

from tazapay_lightning.async_client import AsyncLightningClient
from tazapay_lightning.bulk.orders import Result, check_rate
from tazapay_lightning.bulk.workers import Row, Run, results_of
from tazapay_lightning.transport.backends.connections import MAX_CONNECTIONS
from tazapay_lightning.values.refusals import check_int, refused


def create_invoices(
    client: AsyncLightningClient,
    rows: Iterable[Row] | AsyncIterable[Row],
    *,
    key: Callable[[str], str],
    concurrency: int = 16,
    rate: float | None = None,
) -> AsyncGenerator[Result, None]:
    """Create an invoice for each row, several at a time, and yield the results as they come.

    Rows are taken one by one, never more than `concurrency` ahead of the results that were fetched, so memory stays
    constant however many there are, and a slow consumer slows the run. The order of results is not that of the rows.

    One row's failure is its result. So is an exception that this package does not raise on purpose (a bug, something
    that was cancelled within the call): an `UnexpectedResponseError` whose cause it is, with the key, and `unknown`
    unless it came before there was a key.

    A row that was refused by 429 is put back, with its key, and the whole run slows down (`pacing`). The run ends early
    when every further row would fail too: the credentials are refused (401), the client is closed, the certificate is
    not trusted, 429 has lasted for 10 minutes, or 50 rows in a row (twice `concurrency`, if that is more) failed
    without a reason of their own: no connection, 403, 404, 5xx, no readable reply, another amount than was asked for.
    It ends as well when `rows` or `key` raises. Then no further row is sent, what is in flight is finished, every row
    that was taken is yielded ("not sent" if it was waiting for its turn), and the error is raised.

    Leaving the loop early (``break``, an exception, cancellation) abandons what is in flight: resume it with the same
    keys. Wrap the call in `contextlib.aclosing` to have that done before the next line runs.

    Args:
        client: what to create them with.
        rows: orders, or mappings with their names; an iterable, a generator, or an asynchronous one of either.
            Duplicates are not looked for: the second gets the key of the first, and so, says Tazapay, its invoice.
        key: given an order id, returns the idempotency key. Derive it from the order, or a row that is billed again
            after a crash is billed twice: ``key=partial(bulk.idempotency_key, "shop-1")``.
        concurrency: how many rows are in flight, 1 to 100, which is how many connections a client has. With a rate no
            more than get their turn within 5 seconds: what is taken is soon sent, and a run that is stopped soon ends.
        rate: requests per second at most, attempts counted; None for as many as come.

    Raises:
        InvalidArgumentError: an argument cannot be used; raised at once.
        TazapayError: while iterating, as told above.

    Example:
        >>> import asyncio
        >>> from functools import partial
        >>> from tazapay_lightning import AsyncLightningClient, bulk
        >>> from tazapay_lightning_emulator import running_emulator
        >>> async def bill(tazapay, rows):
        ...     async with AsyncLightningClient(
        ...         tazapay.api_key, tazapay.api_secret, base_url=tazapay.base_url
        ...     ) as client:
        ...         results = bulk.create_invoices(client, rows, key=partial(bulk.idempotency_key, "shop-1"))
        ...         return sorted([(result.order.order_id, result.state) async for result in results])
        >>> with running_emulator() as tazapay:
        ...     asyncio.run(
        ...         bill(tazapay, [{"order_id": "1", "amount_sats": 5000}, {"order_id": "2", "amount_sats": 0}])
        ...     )
        [('1', 'created'), ('2', 'refused')]
    """
    if not isinstance(client, AsyncLightningClient):
        raise refused("client", "an AsyncLightningClient", type(client).__name__)
    if isinstance(rows, str | bytes | Mapping) or not isinstance(rows, Iterable | AsyncIterable):
        raise refused("rows", "an iterable of orders, plain or asynchronous", type(rows).__name__)
    if not callable(key):
        raise refused("key", 'a function such as partial(bulk.idempotency_key, "shop-1")', type(key).__name__)
    # a call that waits for a connection uses up the time of its attempt
    concurrency = check_int(concurrency, argument="concurrency", least=1, most=MAX_CONNECTIONS)
    check_rate(rate)
    return results_of(partial(Run, client, rows, key, concurrency, rate))
