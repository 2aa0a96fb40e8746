from __future__ import annotations

import gc
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tazapay_lightning_emulator import Emulator, EmulatorError, create_app, running_emulator
from tests.support.plain_http import NO_TLS


def create(base_url: str, key: str | None = None) -> httpx.Response:
    return httpx.post(
        f"{base_url}/v3/lightning_invoice_bolt11",
        auth=("emulator-api-key", "emulator-api-secret"),
        headers={} if key is None else {"Idempotency-Key": key},
        json={"amount": 21, "d_tag_memo": "Zürich", "metadata": {"order": "1"}},
        trust_env=False,
        verify=NO_TLS,
    )


def test_a_file_outlives_the_emulator_with_invoices_and_replies(tmp_path: Path) -> None:
    database = tmp_path / "emulator.db"
    with running_emulator(database=database) as emulator:
        first = create(emulator.base_url, "order-1")
        before = emulator.invoices()
    with running_emulator(database=str(database), data_as_string=True) as emulator:
        assert emulator.invoices() == before
        assert create(emulator.base_url, "order-1").content == first.content
        assert len(emulator.invoices()) == 1
    assert list(tmp_path.iterdir()) == [database]  # no journal beside it


def test_a_memory_database_is_empty_every_time() -> None:
    with running_emulator() as emulator:
        create(emulator.base_url)
    with running_emulator() as emulator:
        assert emulator.invoices() == []


SERVE = """
import sys
from tazapay_lightning_emulator import serve
serve(port=0, database=sys.argv[1], on_ready=lambda base_url: print(base_url, flush=True))
"""


def test_what_was_replied_survives_that_the_emulator_is_killed(tmp_path: Path) -> None:
    database = tmp_path / "emulator.db"
    command = [sys.executable, "-c", SERVE, str(database)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        base_url = process.stdout.readline().strip()
        replies = {key: create(base_url, key).content for key in ("order-1", "order-2")}
        process.send_signal(signal.SIGKILL)
    with running_emulator(database=database) as emulator:
        assert {key: create(emulator.base_url, key).content for key in replies} == replies
        assert len(emulator.invoices()) == 2


def test_two_processes_on_one_file_share_it_and_make_one_invoice_for_a_key(tmp_path: Path) -> None:
    database = str(tmp_path / "emulator.db")
    requests = """
import ssl, sys, httpx
from tazapay_lightning_emulator import running_emulator
with running_emulator(database=sys.argv[1]) as emulator:
    for number in range(25):
        reply = httpx.post(
            f"{emulator.base_url}/v3/lightning_invoice_bolt11",
            auth=(emulator.api_key, emulator.api_secret),
            headers={"Idempotency-Key": f"order-{number}"},
            json={"amount": 1 + number},
            trust_env=False,
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        )
        print(reply.status_code, reply.text)
"""
    processes = [
        subprocess.Popen([sys.executable, "-c", requests, database], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert outputs[0] == outputs[1] == outputs[2]
    assert outputs[0].count("200 ") == 25
    with running_emulator(database=database) as emulator:
        stored = emulator.invoices()
    assert len(stored) == 25
    assert {(each["amount"], each["replays"]) for each in stored} == {(1 + number, 2) for number in range(25)}
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def not_sqlite(path: Path) -> None:
    path.write_bytes(b"these are the accounts of the last ten years\n" * 100)


def of_somebody_else(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE accounts (balance)")
        connection.commit()


def of_somebody_else_with_the_same_version(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE invoices (id)")
        connection.execute("PRAGMA user_version = 2")
        connection.commit()


def of_another_version(path: Path) -> None:
    with running_emulator(database=path):
        pass
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 1")


def a_folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (not_sqlite, "file is not a database"),
        (of_somebody_else, "not an emulator's: name another file"),
        (of_somebody_else_with_the_same_version, "not an emulator's: name another file"),
        (of_another_version, "schema 1, this one reads 2"),
        (a_folder, "unable to open"),
    ],
)
@pytest.mark.parametrize("start", [running_emulator, create_app])
def test_a_file_that_is_not_an_emulators_is_refused_and_left_as_it_is(
    tmp_path: Path,
    prepare: Callable[[Path], None],
    message: str,
    start: Callable[..., Any],
) -> None:
    path = tmp_path / "emulator.db"
    prepare(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(EmulatorError, match=message) as refusal, ExitStack() as stack:
        stack.enter_context(start(database=path))  # create_app raises before it returns what is no context
    assert str(path) in str(refusal.value)
    assert (path.read_bytes() if path.is_file() else None) == before


@pytest.mark.parametrize(("database", "message"), [("", "has no name"), ("/no/such/folder/x.db", "unable to open")])
def test_a_path_that_cannot_be_opened_is_refused(database: str, message: str) -> None:
    with pytest.raises(EmulatorError, match=message), running_emulator(database=database):
        pass


def test_an_application_that_is_dropped_closes_its_database(tmp_path: Path) -> None:
    gc.collect()  # what earlier tests dropped must not count in one of the two sums only
    before = open_files()
    app = create_app(database=tmp_path / "emulator.db")
    assert open_files() > before
    del app
    gc.collect()  # on Python 3.13 and newer a connection left open is a ResourceWarning, and so a failure
    assert open_files() == before


def open_files() -> int:
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        pytest.skip("only Linux lists the descriptors of a process")
    return len(list(descriptors.iterdir()))


def test_a_stopped_emulator_says_so(emulator: Emulator) -> None:
    with running_emulator() as stopped:
        pass
    with pytest.raises(EmulatorError, match="has stopped"):
        stopped.invoices()
