"""What it means that requests are authorised otherwise, or that the service is at another address."""

from collections.abc import Iterator

from codegen.drift.changes import Change, Severity, pointer, printable, quoted
from codegen.drift.coverage import Coverage
from codegen.drift.fields import by_shape, operations_of, shape_of
from codegen.overlay.applier import equal
from codegen.read.documents import JsonObject, JsonValue
from codegen.read.references import Location

_WRAPPER = "wrapper/tazapay_lightning/transport/settings.py"
_NO_WAY = "something that is no way to be authorised"


def security_changes(before: JsonObject, after: JsonObject, coverage: Coverage) -> Iterator[Change]:
    """Yield what changed about servers and security: of the document, and of operations that have their own."""
    yield from _servers(before.get("servers"), after.get("servers"))
    if not equal(_of_document(before), _of_document(after)):
        yield _security("", before, after, before.get("security"), after.get("security"), coverage, ("security",))
    old = {shape: each.said for shape, each in by_shape(before).items()}
    for new in operations_of(after):
        is_called = coverage.operation(new.method, new.path) is not None  # the overlay may have known it already
        said = old.get(shape_of(new), {} if is_called else new.said)
        if "security" in said or "security" in new.said:
            was = said.get("security", before.get("security"))
            now = new.said.get("security", after.get("security"))
            if not equal(said.get("security"), new.said.get("security")) or _ways(before, was) != _ways(after, now):
                place = (*new.location, "security")
                yield _security(printable(new.name), before, after, was, now, coverage, place)


def _of_document(document: JsonObject) -> list[JsonValue]:
    return [document.get("security"), _schemes(document)]


def _security(
    operation: str,
    before: JsonObject,
    after: JsonObject,
    was: JsonValue,
    now: JsonValue,
    coverage: Coverage,
    place: Location,
) -> Change:
    severity: Severity = "breaking"
    if _ways(before, was) == _ways(after, now):
        severity, why = "harmless", "what has to be sent is the same"
    elif coverage.security in _ways(after, now):
        severity, why = "harmless", f"{coverage.security}, which the wrapper sends, is still accepted"
    elif "" in _ways(after, now):
        sent = coverage.security or "what it knows"
        severity, why = "harmless", f"nothing has to be sent; the wrapper goes on sending {sent}, which nobody asks for"
    else:
        why = f"the wrapper sends {coverage.security or 'nothing that fits'}: no request would be accepted"
    what = f"it takes {_said(_ways(after, now))} now; it took {_said(_ways(before, was))}"
    return Change("security", severity, operation, "", "", what, why, _WRAPPER, place=pointer(place))


def _ways(document: JsonObject, security: JsonValue) -> frozenset[str]:
    """Return the ways to be authorised, each in words: schemes that are needed together stand together.

    Empty words mean that nothing is needed: of ways one is enough, and where the document lists none, all may come in.

    Examples:
        >>> _ways({}, []) == _ways({}, None) == _ways({}, [{}]) == {""}
        True
        >>> sorted(_ways({}, [{}, {"key": []}, "key"]))
        ['', 'key, which is not defined', 'something that is no way to be authorised']
    """
    if security is None or security == []:
        return frozenset({""})
    schemes = _schemes(document)
    ways = set()
    for way in security if isinstance(security, list) else [None]:
        words = [_scheme(schemes.get(name), name) for name in sorted(way)] if isinstance(way, dict) else [_NO_WAY]
        ways.add(" and ".join(words))
    return frozenset(ways)


def _scheme(scheme: JsonValue, name: str) -> str:
    """Say in words what a security scheme is.

    Examples:
        >>> _scheme({"type": "http", "scheme": "Basic"}, "sec0"), _scheme({"type": "apiKey", "in": "header"}, "k")
        ('http basic', 'apiKey header')
    """
    if not isinstance(scheme, dict):
        return f"{name}, which is not defined"
    parts = [
        str(scheme.get("type")),
        str(scheme.get("scheme", "")).lower(),
        str(scheme.get("in", "")),
        str(scheme.get("name", "")),
    ]
    return " ".join(filter(None, parts))


def _schemes(document: JsonObject) -> JsonObject:
    components = document.get("components")
    schemes = components.get("securitySchemes") if isinstance(components, dict) else None
    return schemes if isinstance(schemes, dict) else {}


def _said(ways: frozenset[str]) -> str:
    return " or ".join(quoted(way) if way else "nothing" for way in sorted(ways))


def _servers(was: JsonValue, now: JsonValue) -> Iterator[Change]:
    if equal(was, now):
        return
    old, new = _addresses(was), _addresses(now)
    place = pointer(("servers",))
    for address in sorted(old - new):
        why = "the wrapper may call it: see what the environments stand for"
        yield Change("servers", "breaking", "", "", "", f"{quoted(address)} is gone", why, _WRAPPER, place=place)
    for address in sorted(new - old):
        why = "the wrapper goes on calling the addresses that it knows"
        yield Change("servers", "harmless", "", "", "", f"{quoted(address)} is new", why, _WRAPPER, place=place)
    if old == new:
        what, why = "servers are described otherwise", "their addresses are the same"
        yield Change("servers", "harmless", "", "", "", what, why, place=place)


def _addresses(servers: JsonValue) -> set[str]:
    return {_address(each) for each in servers if isinstance(each, dict)} if isinstance(servers, list) else set()


def _address(server: JsonObject) -> str:
    """Return the address of a server, with the default of each variable in its place.

    Examples:
        >>> _address({"url": "https://{host}.example/{v}", "variables": {"host": {"default": "service"}}})
        'https://service.example/{v}'
    """
    address, variables = str(server.get("url")), server.get("variables")
    for name, variable in variables.items() if isinstance(variables, dict) else ():
        if isinstance(variable, dict) and "default" in variable:
            address = address.replace("{" + name + "}", str(variable["default"]))
    return address
