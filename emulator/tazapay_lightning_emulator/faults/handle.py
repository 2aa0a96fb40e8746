"""How the program that runs an emulator makes it fail, and sees what it did: one half of the emulator's handle."""

from __future__ import annotations

from types import TracebackType

from attrs import field, frozen

from tazapay_lightning_emulator.faults.chance import DEFAULT_KINDS, Kinds
from tazapay_lightning_emulator.faults.kinds import Fault, FaultKind
from tazapay_lightning_emulator.faults.plan import FaultPlan, RequestRecord
from tazapay_lightning_emulator.serving.uvicorn_thread import ListenerControl


@frozen
class Refusal:
    """The time in which connections are refused; as a context manager, it ends with the block."""

    _listener_control: ListenerControl

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._listener_control.open()


@frozen(kw_only=True)
class FaultHandle:
    """Plans faults, and tells which requests came."""

    _plan: FaultPlan = field(repr=False)
    _listener_control: ListenerControl = field(repr=False)

    def requests(self) -> list[RequestRecord]:
        """The last 100,000 requests in order of arrival, faults and all; those under `/_emulator/` do not count."""
        return self._plan.requests()

    def faults_injected(self) -> list[RequestRecord]:
        """Those of `requests` to which something was done.

        Example:
            >>> from tazapay_lightning_emulator import running_emulator
            >>> import httpx
            >>> with running_emulator() as emulator:
            ...     emulator.fail_next("status_after_commit", status=502)
            ...     reply = httpx.post(
            ...         f"{emulator.base_url}/v3/lightning_invoice_bolt11",
            ...         auth=(emulator.api_key, emulator.api_secret),
            ...         json={"amount": 123456},
            ...     )
            ...     [record] = emulator.faults_injected()
            >>> reply.status_code, str(record.fault), record.committed
            (502, 'status_after_commit(status=502)', True)
        """
        return self._plan.faults_injected()

    def fail_next(
        self, kind: FaultKind | Fault, *, times: int = 1, idempotency_key: str | None = None, **parameters: object
    ) -> None:
        """Do something wrong to the next request, or to the next one with this idempotency key.

        Entries wait in a queue: a request gets the first one that fits it, whatever chance would have done to it.

        Args:
            kind: what to do; `tazapay_lightning_emulator.faults.kinds` has the table of kinds and their parameters.
            times: to how many requests.
            idempotency_key: only to requests with this key.
            **parameters: of the kind; times are in seconds, sizes in bytes.

        Raises:
            ValueError: one of the arguments is not acceptable; the message tells what is.
        """
        self._plan.fail_next(kind, times=times, idempotency_key=idempotency_key, **parameters)

    def fail_randomly(self, probability: float, *, seed: int, kinds: Kinds = DEFAULT_KINDS) -> None:
        """Let each request fail by chance, in the same way in every run, whatever the order of arrival.

        Args:
            probability: 0 (never) to 1 (always).
            seed: together with a request's idempotency key and the number of requests with that key since this call,
                it decides.
            kinds: what to choose among: kinds or faults, equally likely, or a mapping of them to weights. By default
                such as take no time, half of them before the invoice is stored and half of them after it.

        Raises:
            ValueError: one of the arguments is not acceptable; the message tells what is.
        """
        self._plan.fail_randomly(probability, seed=seed, kinds=kinds)

    def stop_failing(self) -> None:
        """Let nothing fail any more: nothing that is queued, nothing by chance, and no connection.

        Raises:
            EmulatorError: the emulator has stopped, or somebody took the port while it refused connections.
        """
        self._plan.stop_failing()
        self._listener_control.open()

    def refuse_connections(self, seconds: float | None = None) -> Refusal:
        """Be away from now on: connections are refused, and those that are open and idle are closed.

        Requests that are under way are still answered. The port is kept: the system gives it to nobody who asks for any
        port, and only somebody who asks for this very one can take it.

        Args:
            seconds: for how long, 0 to 3600; None until the end of the `with` block, or until `stop_failing`.

        Returns:
            A context manager, at whose end connections are accepted again.

        Raises:
            EmulatorError: the emulator has stopped, or somebody took the port.
            ValueError: the seconds are not acceptable.

        Example:
            >>> from tazapay_lightning_emulator import running_emulator
            >>> import httpx
            >>> with running_emulator() as emulator:
            ...     with emulator.refuse_connections():
            ...         try:
            ...             httpx.get(emulator.base_url)
            ...         except httpx.ConnectError:
            ...             print("refused")
            ...     print(httpx.get(emulator.base_url).status_code)
            refused
            404
        """
        if seconds is not None:
            Fault("refuse", seconds=seconds)  # checks them
        self._listener_control.close(seconds)
        return Refusal(self._listener_control)
