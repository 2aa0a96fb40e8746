"""The listening socket of the emulator, and the socket that holds its port while it refuses connections."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from tazapay_lightning_emulator.errors import EmulatorError


@contextmanager
def listening(host: str, port: int, *, for_other_machines: bool = False) -> Iterator[socket.socket]:
    """A listening socket, bound here, so that no other process can take the port before the server starts.

    Args:
        host: an address.
        port: 0 takes any free one.
        for_other_machines: take an address that is not a loopback one, too.

    Raises:
        ValueError: the host is not such an address, or the port is not a port.
        EmulatorError: the port is taken.
    """
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        address = None
    if address is None and for_other_machines:
        raise ValueError(f"host must be an address, such as '127.0.0.1' or '0.0.0.0'; not {host!r}")
    if address is None or not (address.is_loopback or for_other_machines):
        raise ValueError(f"host must be a loopback address, such as '127.0.0.1' or '::1'; not {host!r}")
    if not 0 <= port <= 65535:
        raise ValueError(f"port must be 0 (any free one) to 65535; not {port!r}")
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    try:
        listener = socket.create_server((str(address), port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise EmulatorError(f"port {port} of {host} is taken: stop what uses it, or choose another port") from error
        raise EmulatorError(f"cannot listen on port {port} of {host}: {error.strerror}") from error
    with listener:
        yield listener


def base_url(listener: socket.socket) -> str:
    """The base URL of a server with this listening socket, for this machine."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - it listens on every address, and this is one of them
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def hold_port(family: int, address: tuple[str, int]) -> socket.socket:
    """A socket that is bound and does not listen: connections are refused, and the system gives the port to no other.

    Raises:
        EmulatorError: another process took the port before this socket was bound.
    """
    held = socket.socket(family, socket.SOCK_STREAM)
    try:
        # like `socket.create_server`: bind the port even while earlier connections to it are in TIME_WAIT
        if os.name != "nt":
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            held.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        held.bind(address)
    except OSError as error:
        held.close()
        raise EmulatorError(
            f"port {address[1]} of {address[0]} was taken while the emulator refused connections"
        ) from error
    return held
