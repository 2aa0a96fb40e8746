"""The faults, one function for each kind; the table in `kinds` describes them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from tazapay_lightning_emulator.faults.exchange import Exchange
from tazapay_lightning_emulator.faults.kinds import FaultKind
from tazapay_lightning_emulator.faults.replies import (
    Reply,
    amount_in,
    cut_short,
    error_reply,
    gzipped,
    half,
    html_reply,
    padded,
    with_another_amount,
    with_bad_gzip,
    with_fields,
)
from tazapay_lightning_emulator.serving.connections import Connection

_GO_ZERO = "0001-01-01T00:00:00Z"


async def _refuse(exchange: Exchange, connection: Connection) -> None:
    await connection.refuse(exchange.fault["seconds"])
    await connection.reset()


async def _reset_before_commit(exchange: Exchange, connection: Connection) -> None:
    await connection.reset()


async def _reset_after_commit(exchange: Exchange, connection: Connection) -> None:
    await exchange.carry_out()
    await connection.reset()


async def _close_mid_body(exchange: Exchange, connection: Connection) -> None:
    reply = await exchange.carry_out()
    connection.write(exchange.head(reply) + half(reply.body))
    await connection.finish()


async def _wrong_content_length(exchange: Exchange, connection: Connection) -> None:
    reply = await exchange.carry_out()
    length = 2 * len(reply.body) if exchange.fault["declared"] == "too_long" else len(half(reply.body))
    connection.write(exchange.head(reply.with_length(length)) + reply.body)
    await connection.finish()


async def _drip_from_the_head(exchange: Exchange, connection: Connection) -> None:
    reply = (await exchange.carry_out()).with_header("connection", "close")
    for byte in exchange.head(reply) + reply.body:
        if connection.lost.is_set():
            return
        connection.write(bytes([byte]))
        await connection.pause(exchange.fault["pause"])
    await connection.finish()


async def _answer_twice(exchange: Exchange, connection: Connection) -> None:
    reply = await exchange.carry_out()
    await exchange.reply(reply)
    await connection.pause(exchange.fault["pause"])
    connection.write(exchange.head(reply) + reply.body)


BELOW_HTTP: Mapping[FaultKind, Callable[[Exchange, Connection], Awaitable[None]]] = {
    "refuse": _refuse,
    "reset_before_commit": _reset_before_commit,
    "reset_after_commit": _reset_after_commit,
    "close_mid_body": _close_mid_body,
    "wrong_content_length": _wrong_content_length,
    "drip": _drip_from_the_head,
    "answer_twice": _answer_twice,
}
"""Faults that need a connection of the emulator's own server."""


async def _delay_before_commit(exchange: Exchange) -> None:
    await exchange.pause(exchange.fault["seconds"])
    await exchange.forward()


async def _delay_after_commit(exchange: Exchange) -> None:
    reply = await exchange.carry_out()
    await exchange.pause(exchange.fault["seconds"])
    await exchange.reply(reply)


async def _drip(exchange: Exchange) -> None:
    reply = await exchange.carry_out()
    await exchange.start(reply)
    for byte in reply.body:
        if exchange.connection is not None and exchange.connection.lost.is_set():
            return
        await exchange.send({"type": "http.response.body", "body": bytes([byte]), "more_body": True})
        await exchange.pause(exchange.fault["pause"])
    await exchange.send({"type": "http.response.body", "body": b""})


async def _status_before_commit(exchange: Exchange) -> None:
    fault = exchange.fault
    reply = error_reply(
        fault["status"],
        retry_after=fault["retry_after"],
        as_date=fault["retry_after_as_date"],
        epoch_seconds=exchange.epoch_seconds,
    )
    await exchange.reply(reply)


async def _status_after_commit(exchange: Exchange) -> None:
    await exchange.carry_out()
    await _status_before_commit(exchange)


async def _html_before_commit(exchange: Exchange) -> None:
    await exchange.reply(html_reply(exchange.fault["status"]))


async def _html_after_commit(exchange: Exchange) -> None:
    await exchange.carry_out()
    await _html_before_commit(exchange)


async def _truncated_json(exchange: Exchange) -> None:
    await exchange.reply(cut_short(await exchange.carry_out()))


async def _bad_gzip(exchange: Exchange) -> None:
    await exchange.reply(with_bad_gzip(await exchange.carry_out(), exchange.fault["form"]))


async def _huge_body(exchange: Exchange) -> None:
    reply = await exchange.carry_out()
    await exchange.stream(reply, padded(reply.body, exchange.fault["size"]))


async def _gzip_bomb(exchange: Exchange) -> None:
    reply = await exchange.carry_out()
    bomb = gzipped(padded(reply.body, exchange.fault["size"]))
    await exchange.stream(reply.with_header("content-encoding", "gzip"), bomb)


async def _stale_reply(exchange: Exchange) -> None:
    reply = await exchange.carry_out()
    await exchange.reply(_stale(exchange, reply) or with_another_amount(reply, 1))


async def _foreign_reply(exchange: Exchange) -> None:
    reply = await exchange.carry_out()
    stale = _stale(exchange, reply)
    await exchange.reply(reply if stale is None else with_fields(stale, amount=amount_in(reply.body)))


def _stale(exchange: Exchange, reply: Reply) -> Reply | None:
    """Return the reply of another invoice with another amount, in place of this one; None where there is none."""
    amount = amount_in(reply.body)
    other = None if amount is None else exchange.other_reply(amount, exchange.scope["method"])
    return None if other is None else reply.with_body(other)


async def _wrong_amount(exchange: Exchange) -> None:
    await exchange.reply(with_another_amount(await exchange.carry_out(), exchange.fault["difference"]))


async def _zero_times(exchange: Exchange) -> None:
    await exchange.reply(with_fields(await exchange.carry_out(), created_at=_GO_ZERO, updated_at=_GO_ZERO))


async def _odd_encoding(exchange: Exchange) -> None:
    await exchange.reply((await exchange.carry_out()).with_header("content-encoding", exchange.fault["value"]))


IN_HTTP: Mapping[FaultKind, Callable[[Exchange], Awaitable[None]]] = {
    "delay_before_commit": _delay_before_commit,
    "delay_after_commit": _delay_after_commit,
    "drip": _drip,
    "status_before_commit": _status_before_commit,
    "status_after_commit": _status_after_commit,
    "html_before_commit": _html_before_commit,
    "html_after_commit": _html_after_commit,
    "truncated_json": _truncated_json,
    "bad_gzip": _bad_gzip,
    "huge_body": _huge_body,
    "gzip_bomb": _gzip_bomb,
    "stale_reply": _stale_reply,
    "foreign_reply": _foreign_reply,
    "wrong_amount": _wrong_amount,
    "zero_times": _zero_times,
    "odd_encoding": _odd_encoding,
}
"""Faults that ASGI can express, under any server."""
