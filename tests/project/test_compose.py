"""compose.yaml and its image, where there is no engine for containers: their commands, run on this machine.

Names of containers become 127.0.0.1, ports free ones, /data a folder of the test, and nobody else is let in.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML

from tazapay_lightning_emulator import DEFAULT_API_KEY, DEFAULT_API_SECRET, DEFAULT_WEBHOOK_SECRET
from tests.support.plain_http import NO_TLS
from tests.support.shop import Customer, eventually

REPOSITORY = Path(__file__).resolve().parents[2]
SERVICES: dict[str, Any] = YAML(typ="safe").load((REPOSITORY / "compose.yaml").read_text())["services"]
DOCKERFILE = (REPOSITORY / "Dockerfile").read_text()
PORTS = {"emulator": "8787", "shop": "8000"}


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return str(listener.getsockname()[1])


class Containers:
    """The services of compose.yaml as processes of this machine."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.ports = {port: free_port() for port in PORTS.values()}
        self._folder, self._stack = folder, stack

    def here(self, service: str, text: str) -> str:
        """Write for this machine what is written for a container."""
        text = re.sub(rf"\b(?:{'|'.join(SERVICES)})(?=:\d)", "127.0.0.1", text)
        text = re.sub(rf"\b(?:{'|'.join(self.ports)})\b", lambda port: self.ports[port[0]], text)
        return text.replace("/data/", f"{self._folder}/{service}-")

    def command(self, service: str, words: list[str]) -> list[str]:
        programs = {"python": [sys.executable], "tazapay-lightning": [sys.executable, "-m", "tazapay_lightning"]}
        words = [word.replace("0.0.0.0", "127.0.0.1") for word in words]  # noqa: S104 - so that other machines reach nothing
        arguments = [self.here(service, word) for word in words[1:]]
        return [*programs[words[0]], *arguments]

    def start(self, service: str) -> None:
        variables = SERVICES[service].get("environment", {})
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("TAZAPAY_")}
        process = subprocess.Popen(
            self.command(service, SERVICES[service]["command"]),
            cwd=REPOSITORY,
            env=inherited | {name: self.here(service, value) for name, value in variables.items()},
            stdout=subprocess.DEVNULL,
        )
        self._stack.enter_context(process)
        self._stack.callback(process.terminate)

    def is_healthy(self, service: str) -> bool:
        kind, *words = SERVICES[service]["healthcheck"]["test"]
        assert kind == "CMD"
        done = subprocess.run(self.command(service, words), capture_output=True, timeout=30, check=False)
        return done.returncode == 0

    def client(self, service: str) -> httpx.Client:
        url = f"http://127.0.0.1:{self.ports[PORTS[service]]}"
        return httpx.Client(base_url=url, trust_env=False, verify=NO_TLS, follow_redirects=True, timeout=30)


@pytest.fixture
def containers(tmp_path: Path) -> Iterator[Containers]:
    with ExitStack() as stack:
        yield Containers(tmp_path, stack)


def attempts(emulator: httpx.Client) -> list[int | None]:
    """The statuses that webhooks were answered with."""
    return [attempt["status"] for sent in emulator.get("/_emulator/webhooks").json() for attempt in sent["attempts"]]


def test_an_order_is_paid_at_the_emulator_and_the_shop_told_by_webhook(containers: Containers) -> None:
    assert not containers.is_healthy("emulator")
    containers.start("emulator")
    eventually(lambda: containers.is_healthy("emulator"), "the emulator is healthy")
    assert not containers.is_healthy("shop")
    containers.start("shop")
    eventually(lambda: containers.is_healthy("shop"), "the shop is healthy")
    with containers.client("shop") as http, containers.client("emulator") as emulator:
        customer = Customer(http)
        order = customer.order()
        [invoice] = emulator.get("/_emulator/invoices").json()
        emulator.post(f"/_emulator/invoices/{invoice['id']}/pay").raise_for_status()
        customer.wait_until(order, "paid")
        assert eventually(lambda: attempts(emulator), "a webhook was answered") == [200]


def test_the_shop_starts_when_the_emulator_is_healthy_and_both_speak_by_the_names_of_their_containers() -> None:
    shop, emulator = SERVICES["shop"], SERVICES["emulator"]
    assert shop["depends_on"] == {"emulator": {"condition": "service_healthy"}}
    assert shop["environment"]["TAZAPAY_BASE_URL"] == f"http://emulator:{PORTS['emulator']}"
    assert f"--webhook-url=http://shop:{PORTS['shop']}/webhooks/tazapay" in emulator["command"]


def test_credentials_are_those_that_the_emulator_publishes() -> None:
    variables = SERVICES["shop"]["environment"]
    assert (variables["TAZAPAY_API_KEY"], variables["TAZAPAY_API_SECRET"]) == (DEFAULT_API_KEY, DEFAULT_API_SECRET)
    assert variables["TAZAPAY_WEBHOOK_SECRET"] == DEFAULT_WEBHOOK_SECRET
    assert f"--webhook-secret={DEFAULT_WEBHOOK_SECRET}" in SERVICES["emulator"]["command"]


@pytest.mark.parametrize("service", ["emulator", "shop"])
def test_a_container_listens_to_this_machine_only_and_may_do_little(service: str) -> None:
    settings = SERVICES[service]
    port = PORTS[service]
    assert settings["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert {"--host=0.0.0.0", f"--port={port}"} <= set(settings["command"])
    assert settings["read_only"] is True
    assert settings["cap_drop"] == ["ALL"]
    assert settings["volumes"] == [f"{service}:/data"]


def test_the_image_installs_what_is_locked_and_runs_as_a_user_of_its_own() -> None:
    assert re.search(r"^RUN pip install --no-deps --require-hashes .*container\.txt$", DOCKERFILE, re.MULTILINE)
    assert re.search(r"^RUN pip install --no-deps --no-build-isolation --no-index \.$", DOCKERFILE, re.MULTILINE)
    users = re.findall(r"^USER (\w+)$", DOCKERFILE, re.MULTILINE)
    assert users == ["app"]
    assert "useradd --no-create-home --uid 10001 app" in DOCKERFILE


def test_whatever_the_image_copies_is_there_and_is_sent_to_the_engine() -> None:
    sources = [source for line in re.findall(r"^COPY (.*) \S+$", DOCKERFILE, re.MULTILINE) for source in line.split()]
    assert len(sources) == 8
    assert [source for source in sources if not (REPOSITORY / source).exists()] == []
    sent = re.findall(r"^!(.*)$", (REPOSITORY / ".dockerignore").read_text(), re.MULTILINE)
    assert set(sources) == set(sent)


def test_the_python_of_the_image_is_one_that_is_supported() -> None:
    version = re.search(r"^FROM python:(3\.\d+)-slim$", DOCKERFILE, re.MULTILINE)
    assert version is not None
    assert f'"Programming Language :: Python :: {version[1]}"' in (REPOSITORY / "pyproject.toml").read_text()
