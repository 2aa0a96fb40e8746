"""What an error has left is emptied; what still runs, or was there before, is left alone."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tazapay_lightning import APIConnectionError, LightningClient
from tazapay_lightning.transport.redaction import Redaction
from tazapay_lightning.transport.tracebacks import chain, clean, frames_emptied


def failing(text: str) -> None:
    local = f"local {text}"
    raise ValueError(local)


def caught_from(text: str) -> ValueError:
    try:
        failing(text)
    except ValueError as error:
        return error
    raise AssertionError


def shown(error: BaseException) -> str:
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


def test_files_lines_and_names_of_emptied_frames_stay() -> None:
    error = caught_from("a")
    before = traceback.extract_tb(error.__traceback__)
    clean(error, Redaction(), before=None)
    assert traceback.extract_tb(error.__traceback__) == before
    assert before[-1].name == "failing"
    assert "text = " not in shown(error)


def test_causes_contexts_and_groups_are_emptied_and_redacted_in_the_whole_chain() -> None:
    group = ExceptionGroup("several", [caught_from("Dr Jekyll"), ExceptionGroup("inner", [caught_from("Dr Jekyll")])])
    error = caught_from("Dr Jekyll")
    error.__cause__, error.__context__ = group, caught_from("Dr Jekyll")
    clean(error, Redaction(submitted=["Dr Jekyll"]), before=None)
    assert "Jekyll" not in shown(error)
    assert len(list(chain(error))) == 6


def test_errors_that_are_the_causes_of_each_other_are_emptied_once() -> None:
    one, other = caught_from("a"), caught_from("b")
    one.__context__, other.__context__ = other, one
    clean(one, Redaction(), before=None)
    assert "local" in str(one)
    assert "text = " not in shown(one)


def test_what_the_caller_handled_before_is_not_touched() -> None:
    def fail() -> None:
        with frames_emptied():
            raise KeyError from caught_from("ours")

    check_that_the_callers_error_stays(fail, KeyError)


def test_nor_is_it_by_a_call_that_fails() -> None:
    with LightningClient("k", "s", base_url="http://127.0.0.1:1", max_retries=0) as client:
        check_that_the_callers_error_stays(lambda: client.create_invoice(amount_sats=1), APIConnectionError)


def check_that_the_callers_error_stays(fail: Callable[[], object], kind: type[Exception]) -> None:
    before = caught_from("of the caller")
    try:
        raise before
    except ValueError:
        with pytest.raises(kind) as caught:
            fail()
    assert before in list(chain(caught.value))
    assert "text = 'of the caller'" in shown(before)
    assert before.args == ("local of the caller",)


def test_a_generator_that_waits_in_the_handler_of_the_same_error_goes_on() -> None:
    def handling() -> Iterator[Any]:
        try:
            failing("shared")
        except ValueError as error:
            yield error
        yield "went on"

    generator = handling()
    clean(next(generator), Redaction(), before=None)
    assert next(generator) == "went on"


def test_a_task_that_waits_in_the_handler_of_the_same_error_goes_on() -> None:
    async def handling(shared: asyncio.Future[None], released: asyncio.Event) -> str:
        try:
            await shared
        except ValueError:
            await released.wait()
        return "went on"

    async def both() -> str:
        shared, released = asyncio.get_running_loop().create_future(), asyncio.Event()
        task = asyncio.create_task(handling(shared, released))
        shared.set_exception(error := caught_from("shared"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        clean(error, Redaction(), before=None)
        released.set()
        return await task

    assert asyncio.run(both()) == "went on"


def test_the_request_of_a_librarys_error_is_let_go() -> None:
    request = httpx.Request("GET", "https://service.example", headers={"Authorization": "Basic c2VjcmV0"})
    failure = httpx.ReadError("the connection broke", request=request)
    clean(failure, Redaction(), before=None)
    assert "c2VjcmV0" not in repr(vars(failure))
    assert "_request" not in vars(failure)
