"""A package index on loopback, made of a lock: each distribution as it is locked, and a newer one of each."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

NEWER = "99999.1"
EXTRA = "trap"
PIN = re.compile(r"^(?P<requirement>[^\s#][^\\\n]*?) *\\$(?P<hashes>(?:\n    --hash=\S+(?: \\)?)+)", re.MULTILINE)

Answer = tuple[int, bytes, str]
"""Status, body and media type."""


@dataclass(frozen=True)
class LockedIndex:
    """Wheels by file name, and a lock with the hashes of these instead of the real ones."""

    wheels: dict[str, bytes]
    lock: str
    installed: dict[str, str]
    """What the lock installs here: name -> version."""


def wheel(name: str, version: str, *needs: str, extras: tuple[str, ...] = ()) -> tuple[str, bytes]:
    """Return the file name and the bytes of a wheel that holds nothing but its metadata."""
    file_name = name.replace("-", "_")
    info = f"{file_name}-{version}.dist-info"
    lines = [f"Name: {name}", f"Version: {version}", *(f"Provides-Extra: {extra}" for extra in extras)]
    metadata = "\n".join(["Metadata-Version: 2.1", *lines, *(f"Requires-Dist: {need}" for need in needs), ""])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return f"{file_name}-{version}-py3-none-any.whl", packed.getvalue()


def index_of(lock: str) -> LockedIndex:
    """Make the index in which every distribution is required with an extra by another, and a newer one exists."""
    pins = [Requirement(match["requirement"]) for match in PIN.finditer(lock)]
    here = [pin for pin in pins if pin.marker is None or pin.marker.evaluate()]
    wheels: dict[str, bytes] = {}
    hashes: dict[str, str] = {}
    for pin, following in zip(here, [*here[1:], *here[:1]], strict=True):
        name, version = canonicalize_name(pin.name), version_of(pin)
        need = f"{following.name}[{EXTRA}]>={version_of(following)}"
        extras = (EXTRA, *pin.extras)
        file, content = wheel(name, version, need, extras=extras)
        wheels |= {file: content, **dict([wheel(name, NEWER, extras=extras)])}
        hashes[pin.name] = hashlib.sha256(content).hexdigest()

    def with_hash(match: re.Match[str]) -> str:
        name = Requirement(match["requirement"]).name
        return f"{match['requirement']} \\\n    --hash=sha256:{hashes.get(name, '0' * 64)}"

    installed = {canonicalize_name(pin.name): version_of(pin) for pin in here}
    return LockedIndex(wheels, PIN.sub(with_hash, lock), installed)


def version_of(pin: Requirement) -> str:
    (specifier,) = pin.specifier
    return specifier.version


@contextmanager
def served(wheels: dict[str, bytes]) -> Iterator[str]:
    """Serve wheels as a package index; yields the address for PIP_INDEX_URL."""

    def answer(path: str) -> Answer:
        name = path.strip("/").split("/")[-1]
        if name in wheels:
            return 200, wheels[name], "application/octet-stream"
        found = [file for file in wheels if file.startswith(name.replace("-", "_") + "-")]
        links = "".join(f'<a href="/files/{file}">{file}</a>' for file in found)
        return 200, f"<!DOCTYPE html><html><body>{links}</body></html>".encode(), "text/html"

    with answering(answer) as address:
        yield f"{address}/simple/"


@contextmanager
def answering(answer: Callable[[str], Answer]) -> Iterator[str]:
    """Answer HTTP requests on loopback, those to open a tunnel too; yields the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body, media_type = answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_CONNECT = do_GET  # noqa: N815 - the name that the base class looks for

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the base class gave it
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
