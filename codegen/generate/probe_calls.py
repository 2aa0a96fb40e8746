"""Call the wrapper, each operation and each model of a new package: `python -I probe_calls.py`, see `probe`.

A script, in a process of its own: it must import the new package and never the committed one. What to try is JSON on
stdin; what is broken is JSON on the last line of stdout. It reaches nothing but this machine: replies of the document
come from a transport in place of the network, the emulator is a server on a loopback address.
"""

import asyncio
import datetime
import enum
import importlib
import inspect
import json
import pkgutil
import re
import sys
import traceback
import typing
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import ModuleType, NoneType
from typing import Any

ADDRESS = "http://127.0.0.1:1"  # where nothing listens: what answers is a transport
AMOUNT = {"amount_sats": 123456}
ORDER = {"amount_btc": "0.00123456", "memo": "Order #7890", "expires_in": 600, "metadata": {"order": "7890"}}
DEEPEST = 20  # models within models
SAMPLES = {Any: "any", str: "sample", bool: True, int: 1, float: 1.5, NoneType: None, uuid.UUID: uuid.UUID(int=7)} | {
    datetime.datetime: datetime.datetime(2025, 9, 28, 8, 15, tzinfo=datetime.UTC),
    datetime.date: datetime.date(2025, 9, 28),
}


class NoSampleError(Exception):
    """There is no value of such a type that travels as JSON."""


class SeenError(Exception):
    """Ends the wait for a payment, since an example stays as it is."""


METHODS: dict[str, Callable[[Any, str, Any], Any]] = {
    "create_invoice(amount_sats)": lambda client, *_: client.create_invoice(**AMOUNT),
    "create_invoice(memo_as_hash)": lambda client, *_: client.create_invoice(**AMOUNT, memo="Order", memo_as_hash=True),
    "create_invoice(all else)": lambda client, *_: client.create_invoice(**ORDER),
    "create_invoice(metadata as an object)": lambda client, *_: client.with_options(
        metadata_format="object"
    ).create_invoice(**ORDER),
    "get_invoice": lambda client, invoice_id, _: client.get_invoice(invoice_id),
    "update_invoice": lambda client, invoice_id, _: client.update_invoice(invoice_id, metadata={"order": "7891"}),
    "wait_for_payment": lambda client, invoice_id, on_poll: client.wait_for_payment(
        invoice_id, timeout=5, poll_interval=0.01, on_poll=on_poll
    ),
}
"""Our public methods that send something, with each kind of their arguments."""

MODELS: dict[str, Any] = {}
"""Those of the new package, by name: modules import only those that they do not name in annotations alone."""

NOT_TRIED = {"call", "with_options", "close", "aclose", *(name.partition("(")[0] for name in METHODS)}
"""Of a client: `call` is tried with each operation. Any other method, which a team has added, is tried with samples."""


async def _done(result: Any) -> Any:
    return await result if inspect.isawaitable(result) else result


class Examples:
    """The transport that answers as the document shows, about the invoice that was asked for."""

    def __init__(self, operations: list[Any], turn: int) -> None:
        self._operations, self._turn, self.asked = operations, turn, None

    def answer(self, request: Any) -> Any:
        """Take the example whose turn it is, with the id in the path, or one that belongs to the key."""
        import httpx

        self.asked = request
        for method, pattern, replies in self._operations:
            if method == request.method.lower() and re.fullmatch(pattern, request.url.path):
                status, body = replies[self._turn % len(replies)]
                invoice_id = request.headers.get("Idempotency-Key") or request.url.path.rpartition("/")[2]
                body = re.sub(r'(\\?"id\\?": \\?")[^"\\]*', rf"\g<1>{invoice_id}", body)
                return httpx.Response(status, stream=httpx.ByteStream(body.encode()))
        return httpx.Response(404, stream=httpx.ByteStream(b'{"message": "the document has no such operation"}'))

    def check(self, arguments: dict[str, Any]) -> None:
        """Refuse a request that does not send each text that was given, or asks in its query for what was not."""
        request, self.asked = self.asked, None
        if request is not None:
            sent = {*request.url.params.values(), *request.url.path.split("/"), *request.headers.values()}
            is_all_sent = sent.issuperset(each for each in arguments.values() if isinstance(each, str))
            if not is_all_sent or (request.url.params and not arguments):
                raise AssertionError(f"{request.url.raw_path.decode()} and its headers are not what the arguments say")


class Probe:
    """What is tried, and what of it is broken: the calls, by reason."""

    def __init__(self, operations: list[ModuleType]) -> None:
        self._operations = operations
        self.broken: dict[str, list[str]] = defaultdict(list)

    async def run(self, client: Any, invoice_id: str, on_poll: Any, accepted: Any, shown: Examples | None) -> None:
        """Call every method and every operation; the emulator answers, unless something is `shown`."""
        from tazapay_lightning import APIStatusError

        who, where = type(client).__name__, "the document's examples" if shown else "the emulator"
        for name, call in METHODS.items():
            await self._try(
                f"{who}.{name} against {where}", partial(call, client, invoice_id, on_poll), {}, accepted, shown
            )
        functions = [(name, partial(method, client), method) for name, method in _added_methods(type(client))]
        for module in self._operations:
            name = f"call({module.__name__.rpartition('.')[2]})"
            functions.append((name, partial(client.call, module), module._get_kwargs))  # noqa: SLF001 - as the wrapper does
        for name, call, function in functions:
            with suppress(NoSampleError):  # a file
                needed = _needed(function)
                # what a method of a team makes of its arguments is its own affair; an operation sends them as they are
                is_sent = call.func is not function
                given = {argument: value for argument, value in needed.items() if is_sent and argument != "body"}
                # the emulator may refuse what is only a sample
                may_end = accepted if shown else APIStatusError
                await self._try(f"{who}.{name} against {where}", partial(call, **needed), given, may_end, shown)
        await _done(client.close() if hasattr(client, "close") else client.aclose())

    async def _try(self, name: str, call: Any, given: dict[str, Any], accepted: Any, shown: Examples | None) -> None:
        try:
            await _done(call())
            if shown:
                shown.check(given)
        except accepted:
            pass
        except Exception as error:  # noqa: BLE001 - whatever it is, the call is broken
            self.broken[_last_line(error)].append(name)


def _added_methods(client: type) -> list[tuple[str, Any]]:
    methods = inspect.getmembers(client, inspect.isfunction)
    return [(name, method) for name, method in methods if not name.startswith("_") and name not in NOT_TRIED]


def _needed(function: Any) -> dict[str, Any]:
    """Make samples of the arguments that a function has to be given; a text names its argument, to be found again."""
    hints, parameters = typing.get_type_hints(function, localns=MODELS), inspect.signature(function).parameters.values()
    names = [each.name for each in parameters if each.default is each.empty and each.kind is not each.VAR_KEYWORD]
    needed = {name: sample(hints[name]) for name in names if name != "self"}
    return {name: f"a-{name}" if type(value) is str else value for name, value in needed.items()}


def _end_wait(_: object) -> None:
    raise SeenError


def _last_line(error: BaseException) -> str:
    """Return the last line of a traceback, without the advice to call again with the same key."""
    return traceback.format_exception_only(error)[-1].strip().partition("; an invoice may exist")[0]


def sample(hint: Any, depth: int = 0) -> Any:
    """Make a value of a type as generated code writes them; a model has all fields at the top, below what it needs.

    Raises:
        NoSampleError: There is none, such as of a file.
    """
    import attrs

    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {list, dict}:
        value = sample(arguments[-1], depth + 1)
        return [value] if origin is list else {"any key": value}
    if origin is not None:  # a union
        return sample(next((each for each in arguments if each.__name__ not in {"Unset", "NoneType"}), NoneType), depth)
    if hint in SAMPLES:
        return SAMPLES[hint]
    if issubclass(hint, enum.Enum):
        return next(iter(hint))
    if not hasattr(hint, "from_dict") or depth > DEEPEST:
        raise NoSampleError(hint)
    types = typing.get_type_hints(hint, localns=MODELS)
    fields = [each for each in attrs.fields(hint) if each.init and (not depth or each.default is attrs.NOTHING)]
    made = hint(**{each.alias: sample(types[each.name], depth + 1) for each in fields})
    if not depth and "additional_properties" in types:
        made.additional_properties = sample(types["additional_properties"], depth + 1)
    return made


def broken_models() -> Iterator[tuple[str, list[str], str]]:
    """Yield each model that does not read what it wrote, the fields that differ, and why."""
    import attrs

    for name, model in MODELS.items():
        if not hasattr(model, "from_dict"):
            continue
        try:
            made = sample(model)
            again = model.from_dict(json.loads(json.dumps(made.to_dict())))
        except NoSampleError:
            continue
        except Exception as error:  # noqa: BLE001 - whatever it is, the model is broken
            yield name, [], _last_line(error)
        else:
            fields = [each.name for each in attrs.fields(model)]
            differ = [field for field in fields if getattr(made, field) != getattr(again, field)]
            if differ:
                yield name, differ, f"{', '.join(differ)}: another value is read than was written"


def main() -> None:
    """Read what to try, and print what is broken."""
    asked = json.load(sys.stdin)
    sys.path[:0] = asked["path"]
    package = importlib.import_module(Path(asked["package"]).name)
    if Path(str(package.__file__)).parent != Path(asked["package"]):
        raise AssertionError(f"{package.__file__} is imported in place of the new package")
    names = [each.name for each in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
    modules = [importlib.import_module(name) for name in names]
    MODELS.update({name: getattr(package.models, name) for name in getattr(package.models, "__all__", ())})
    probe, models = Probe([each for each in modules if hasattr(each, "_get_kwargs")]), [*broken_models()]

    import httpx

    from tazapay_lightning import AsyncLightningClient, InvoiceExpiredError, LightningClient, RequestFailedError
    from tazapay_lightning_emulator import running_emulator

    as_shown = (SeenError, InvoiceExpiredError, RequestFailedError)  # an example may show an invoice like that
    kinds: Any = ((LightningClient, httpx.Client), (AsyncLightningClient, httpx.AsyncClient))
    with running_emulator() as emulator, httpx.Client(auth=(emulator.api_key, emulator.api_secret)) as direct:
        made = direct.post(f"{emulator.base_url}/v3/lightning_invoice_bolt11", json={"amount": 123456}).json()["data"]
        for kind, http in kinds:
            for turn in range(max(len(replies) for *_, replies in asked["operations"])):
                shown = Examples(asked["operations"], turn)
                http_client = http(transport=httpx.MockTransport(shown.answer))
                options = {"base_url": ADDRESS, "check_echo": False, "http_client": http_client, "max_retries": 0}
                asyncio.run(probe.run(kind("key", "secret", **options), made["id"], _end_wait, as_shown, shown))
            client = kind(emulator.api_key, emulator.api_secret, base_url=emulator.base_url, max_retries=0)
            asyncio.run(probe.run(client, made["id"], lambda seen: seen.is_paid or emulator.pay(seen.id), (), None))
    told = [(", ".join(dict.fromkeys(calls)), reason) for reason, calls in probe.broken.items()]
    print(json.dumps({"broken": told, "models": models}))


if __name__ == "__main__":
    main()
