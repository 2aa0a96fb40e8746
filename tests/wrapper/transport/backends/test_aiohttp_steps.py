"""A request takes the steps that aiohttp's own session takes: they are documented by its source alone."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import FrameType
from typing import Any

import aiohttp

from tazapay_lightning.transport.backends import aiohttp as backend
from tests.support.clients import async_client
from tests.support.service import Listener
from tests.support.wire import Recorder, reply

Listen = Callable[[Callable[[socket.socket], None]], Listener]


def steps_of(module: Any, work: Coroutine[Any, Any, object]) -> dict[str, dict[str, Any]]:
    """Return which of aiohttp's functions a module calls, from the making of a request on, and with what."""
    found: dict[str, dict[str, Any]] = {}
    folder = Path(aiohttp.__file__).parent

    def note(frame: FrameType, event: str, _: object) -> None:
        code, caller = frame.f_code, frame.f_back
        is_its = event == "call" and caller is not None and caller.f_code.co_filename == module.__file__
        if is_its and Path(code.co_filename).parent == folder and code.co_filename != module.__file__:
            found.setdefault(code.co_qualname, dict(frame.f_locals))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        asyncio.run(work)
    finally:
        sys.setprofile(before)
    names = list(found)
    return {name: found[name] for name in names[names.index("ClientRequest.__init__") :]}


def test_a_request_takes_the_steps_of_a_session(listen: Listen) -> None:
    url = f"http://127.0.0.1:{listen(Recorder(reply())).port}"

    async def by_session() -> None:
        limits: dict[str, Any] = {"auto_decompress": False, "max_line_size": 102400, "max_field_size": 102400}
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(), **limits) as session,
            session.post(url, data=b"{}") as response,
        ):
            await response.read()

    async def by_client() -> None:
        async with async_client("aiohttp", url) as client:
            await client.create_invoice(amount_sats=1)

    theirs, ours = steps_of(aiohttp.client, by_session()), steps_of(backend, by_client())
    names = list(theirs)
    until_the_head = names[: names.index("ClientResponse.start") + 1]
    assert [name for name in ours if name in until_the_head] == until_the_head
    reading = [steps["ResponseHandler.set_response_params"] for steps in (theirs, ours)]
    for arguments in reading:
        del arguments["self"], arguments["timer"]  # neither has a time limit of its own
    assert reading[0] == reading[1]
