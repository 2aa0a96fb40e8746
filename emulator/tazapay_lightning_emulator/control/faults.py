"""The endpoints that plan faults, and list the requests with the faults that were injected.

==========================  ==========================================================================================
request                     effect
==========================  ==========================================================================================
POST /_emulator/faults      with `kind`: as `fail_next`; the other fields are its arguments and the kind's parameters
POST /_emulator/faults      with `probability`: as `fail_randomly`; `seed` (default 0) and `kinds` are optional, a
                            list of objects with `kind`, parameters and an optional `weight`
GET /_emulator/faults       the plan, which is also the reply to the other two
DELETE /_emulator/faults    as `stop_failing`
POST /_emulator/refusals    as `refuse_connections`, with `seconds`
GET /_emulator/requests     as `requests`; `fault` is null for a request without a fault
==========================  ==========================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tazapay_lightning_emulator.api.bodies import bad_request, read_object, read_only_field
from tazapay_lightning_emulator.api.responses import value_response
from tazapay_lightning_emulator.faults.chance import DEFAULT_KINDS
from tazapay_lightning_emulator.faults.injection import OWN_SERVER_NEEDED
from tazapay_lightning_emulator.faults.kinds import Fault
from tazapay_lightning_emulator.faults.plan import FaultPlan
from tazapay_lightning_emulator.serving.connections import connection_of


def fault_routes(plan: FaultPlan) -> list[Route]:
    """The routes that change and show a plan of faults."""
    control = _Control(plan)
    return [
        Route("/faults", control.faults, methods=["GET", "POST", "DELETE"]),
        Route("/refusals", control.refuse, methods=["POST"]),
        Route("/requests", control.requests, methods=["GET"]),
    ]


@frozen
class _Control:
    plan: FaultPlan

    async def faults(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.plan.stop_failing()
        elif request.method == "POST":
            fields = await read_object(request)
            try:
                _add_to_plan(self.plan, fields, own_server=connection_of(request.scope) is not None)
            except ValueError as error:
                raise bad_request("the fault is not accepted", str(error)) from None
        return value_response(self.plan.to_dict())

    async def refuse(self, request: Request) -> Response:
        value = await read_only_field(request, "seconds", refusal="the refusal is not accepted")
        connection = connection_of(request.scope)
        if connection is None:
            raise bad_request("connections cannot be refused", OWN_SERVER_NEEDED)
        try:
            seconds = Fault("refuse", seconds=value)["seconds"]
        except ValueError as error:
            raise bad_request("the refusal is not accepted", str(error)) from None
        await connection.refuse(seconds)
        return value_response({"seconds": seconds})

    async def requests(self, request: Request) -> Response:
        return value_response([record.to_dict() for record in self.plan.requests()])


def _add_to_plan(plan: FaultPlan, fields: Mapping[str, Any], *, own_server: bool) -> None:
    """Add the entry of one request to the plan.

    Raises:
        ValueError: it is not accepted. The message says what is, and repeats no value of the request.
    """
    if ("kind" in fields) == ("probability" in fields):
        raise ValueError(
            "body: a JSON object with `kind` (for the next requests) or with `probability` (for faults at random)"
        )
    if "kind" in fields:
        fault = possible_fault(_without(fields, "times", "idempotency_key"), own_server=own_server)
        plan.fail_next(fault, times=fields.get("times", 1), idempotency_key=fields.get("idempotency_key"))
        return
    if not fields.keys() <= {"probability", "seed", "kinds"}:
        raise ValueError("fields besides `probability`: seed, kinds")
    kinds = fields.get("kinds", [{**Fault.of(kind).to_dict(), "weight": it} for kind, it in DEFAULT_KINDS.items()])
    if not isinstance(kinds, list) or not all(isinstance(kind, dict) for kind in kinds):
        raise ValueError("kinds: a list of objects, each with `kind`")
    weights = {possible_fault(_without(kind, "weight"), own_server=own_server): kind.get("weight", 1) for kind in kinds}
    if len(weights) < len(kinds):
        raise ValueError("kinds: each of them once")
    plan.fail_randomly(fields["probability"], seed=fields.get("seed", 0), kinds=weights)


def possible_fault(fields: Mapping[str, Any], *, own_server: bool) -> Fault:
    """The fault that these fields describe.

    Raises:
        ValueError: there is none, or it needs the emulator's own server, and this is another one.
    """
    fault = Fault.from_dict(fields)
    if fault.is_below_http and not own_server:
        raise ValueError(OWN_SERVER_NEEDED)
    return fault


def _without(fields: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in names}
