"""The part of the emulator's handle that plans faults and lists requests."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack

from attrs import field, frozen

from tazapay_lightning_emulator.faults.chance import DEFAULT_KINDS, Kinds
from tazapay_lightning_emulator.faults.kinds import Fault, FaultKind
from tazapay_lightning_emulator.faults.plan import FaultPlan, RequestRecord
from tazapay_lightning_emulator.serving.uvicorn_thread import ListenerControl


@frozen(kw_only=True)
class FaultHandle:
    """Plans faults, and lists the requests that arrived."""

    _plan: FaultPlan = field(repr=False)
    _listener_control: ListenerControl = field(repr=False)

    def requests(self) -> list[RequestRecord]:
        """The last 100,000 requests with their faults, in order of arrival, except those under `/_emulator/`."""
        return self._plan.requests()

    def faults_injected(self) -> list[RequestRecord]:
        """Those of `requests` that got a fault.

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
        """Inject a fault into the next request, or into the next one with this idempotency key.

        Faults wait in a queue: a request gets the first one that fits it, and then none at random.

        Args:
            kind: a kind or a fault; `tazapay_lightning_emulator.faults.kinds` has the table of kinds and parameters.
            times: the number of requests that get it.
            idempotency_key: only requests with this key get it.
            **parameters: of the kind; times are in seconds, sizes in bytes.

        Raises:
            ValueError: an argument is not accepted; the message says what is.
        """
        self._plan.fail_next(kind, times=times, idempotency_key=idempotency_key, **parameters)

    def fail_randomly(self, probability: float, *, seed: int, kinds: Kinds = DEFAULT_KINDS) -> None:
        """Inject faults at random, the same in every run and independent of the order of arrival.

        Args:
            probability: 0 (never) to 1 (always).
            seed: together with a request's idempotency key and the number of requests with that key since this call,
                it determines the fault.
            kinds: kinds or faults to choose from, equally likely, or a mapping of them to weights. By default faults
                without delay, half of them before the invoice is stored and half of them after it.

        Raises:
            ValueError: an argument is not accepted; the message says what is.
        """
        self._plan.fail_randomly(probability, seed=seed, kinds=kinds)

    def stop_failing(self) -> None:
        """End all faults: empty the queue, inject none at random, and accept connections.

        Raises:
            EmulatorError: the emulator has stopped, or another process took the port while connections were refused.
        """
        self._plan.stop_failing()
        self._listener_control.accept()

    def refuse_connections(self, seconds: float | None = None) -> AbstractContextManager[object]:
        """Refuse connections from now on, and close those that are idle.

        Requests in flight still get their replies. The port stays bound, so the system assigns it to no process that
        asks for any free port; only one that asks for this very port can take it.

        Args:
            seconds: for how long, 0 to 3600; None until the end of the `with` block, or until `stop_failing`.

        Returns:
            A context manager, at whose end connections are accepted again.

        Raises:
            EmulatorError: the emulator has stopped, or another process took the port.
            ValueError: `seconds` is not accepted.

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
            200
        """
        if seconds is not None:
            Fault("refuse", seconds=seconds)  # validates them
        self._listener_control.refuse(seconds)
        at_exit = ExitStack()
        at_exit.callback(self._listener_control.accept)
        return at_exit
