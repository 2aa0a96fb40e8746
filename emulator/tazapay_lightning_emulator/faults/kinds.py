"""The kinds of faults and their parameters. What each does is in `actions`, where a new kind needs a function too.

"Committed" means that the request was carried out: the invoice and its reply are stored, as without the fault. A client
may conclude only what holds for every service that could have sent the same.

====================  ===================================================  =========  ==================================
kind                  what goes over the wire                              committed  what a client may conclude
====================  ===================================================  =========  ==================================
refuse                RST to the request that meets it; then, for          no         of the request that was reset:
                      `seconds`, no connection is accepted                            nothing; of refused connections:
                                                                                      nothing was sent
reset_before_commit   RST after the request, no reply                      no         nothing: it cannot tell the two
reset_after_commit    RST after the request, no reply                      yes        apart
close_mid_body        head, half of the body, FIN                          yes        as little, whatever the head says
delay_before_commit   nothing for `seconds`, then the reply                yes, late  nothing when it stops waiting: the
                                                                                      commit comes even if it has left
delay_after_commit    nothing for `seconds`, then the reply                yes        nothing when it stops waiting
drip                  the body a byte at a time, with a `pause` after      yes        nothing when it stops waiting; no
                      each; with `drip_head`, the head too                            single read ever times out
status_before_commit  `status`, an error as JSON; Retry-After if           no         4xx: refused, apart from 408; 408
                      `retry_after` is given, in seconds or with                      and 5xx: nothing
                      `retry_after_as_date`
status_after_commit   the same: a gateway that lost the reply              yes        the same, which is wrong for 4xx:
                                                                                      no client can detect that
html_before_commit    `status`, a page of HTML                             no         nothing, not even from 200
html_after_commit     `status`, a page of HTML                             yes        nothing, not even from 200
truncated_json        half of the body, with the Content-Length of it      yes        nothing
bad_gzip              Content-Encoding: gzip; the body is plain            yes        nothing
                      (`form` not_gzip) or half of a gzip (truncated)
wrong_content_length  the whole body and FIN; the length `declared` is     yes        nothing
                      twice as much (too_long) or half (too_short)
huge_body             `size` bytes or more: blanks, then the true reply    yes        nothing, unless it reads it all
gzip_bomb             a small gzip of `size` bytes or more, as above       yes        nothing, unless it unpacks it all
stale_reply           the reply of another invoice with another amount;    yes        that this is not what it asked for
                      until one is stored, as wrong_amount
foreign_reply         the same, but over the amount that was asked for;    yes        that this is not what it asked
                      until one is stored, the true reply                             for, by all but the amount
answer_twice          the true reply, and after a `pause` the same once    yes        all, and that what comes next on
                      more, unasked, on the connection that stays open                the connection may be foreign
wrong_amount          the true reply, its amount changed by `difference`   yes        that this is not what it asked for
zero_times            the true reply, its times as Go writes those that    yes        all but when it expires
                      are not set (0001-01-01T00:00:00Z)
odd_encoding          the true reply, with a Content-Encoding that is      yes        all: the body is plain JSON
                      none: `value`
====================  ===================================================  =========  ==================================

Faults apply to GET and PUT of an invoice as well: with `wrong_amount` and `stale_reply` the amount of an invoice that a
client polls seems to change.

A request that the emulator refuses (400, 401) commits nothing under any fault, and keeps its status unless the fault
has a status of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, cast, get_args

from attrs import frozen

FaultKind = Literal[
    "refuse",
    "reset_before_commit",
    "reset_after_commit",
    "close_mid_body",
    "delay_before_commit",
    "delay_after_commit",
    "drip",
    "status_before_commit",
    "status_after_commit",
    "html_before_commit",
    "html_after_commit",
    "truncated_json",
    "bad_gzip",
    "wrong_content_length",
    "huge_body",
    "gzip_bomb",
    "stale_reply",
    "foreign_reply",
    "answer_twice",
    "wrong_amount",
    "zero_times",
    "odd_encoding",
]
"""The name of a kind; the table of the module describes each."""

FAULT_KINDS: tuple[FaultKind, ...] = get_args(FaultKind)

_MAX_SECONDS = 3600
_MAX_SIZE_BYTES = 100_000_000_000
_BELOW_HTTP = {
    "refuse",
    "reset_before_commit",
    "reset_after_commit",
    "close_mid_body",
    "wrong_content_length",
    "answer_twice",
}


@frozen
class _Parameter:
    default: Any
    accepts: Callable[[Any], bool]
    accepted: str


def integer(value: object, least: int, most: int) -> bool:
    """Whether the value is an integer within bounds, which a bool is not."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def number(value: object, least: float, most: float) -> bool:
    """Whether the value is a number within bounds, which neither a bool nor NaN is."""
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


def _seconds(default: float) -> _Parameter:
    return _Parameter(default, lambda it: number(it, 0, _MAX_SECONDS), f"a number from 0 to {_MAX_SECONDS}")


def _one_of(*names: str) -> _Parameter:
    return _Parameter(names[0], lambda it: isinstance(it, str) and it in names, f"one of {', '.join(names)}")


_FLAG = _Parameter(False, lambda it: isinstance(it, bool), "true or false")
_SIZE = _Parameter(
    100_000_000, lambda it: integer(it, 1, _MAX_SIZE_BYTES), f"bytes, an integer from 1 to {_MAX_SIZE_BYTES}"
)
_STATUS = _Parameter(503, lambda it: integer(it, 400, 599), "an integer from 400 to 599")
_HTML_STATUS = _Parameter(502, lambda it: integer(it, 400, 599) or integer(it, 200, 200), "200, or 400 to 599")
_RETRY_AFTER = _Parameter(
    None,
    lambda it: it is None or integer(it, 0, _MAX_SECONDS),
    f"seconds, an integer from 0 to {_MAX_SECONDS}, or null for no such header",
)
_DIFFERENCE = _Parameter(1, lambda it: integer(it, -(2**53), 2**53) and it != 0, "satoshi, an integer other than 0")

_STATUS_PARAMETERS = {"status": _STATUS, "retry_after": _RETRY_AFTER, "retry_after_as_date": _FLAG}
_PARAMETERS: Mapping[str, Mapping[str, _Parameter]] = {
    "refuse": {"seconds": _seconds(1.0)},
    "delay_before_commit": {"seconds": _seconds(1.0)},
    "delay_after_commit": {"seconds": _seconds(1.0)},
    "drip": {"pause": _seconds(0.01), "drip_head": _FLAG},
    "status_before_commit": _STATUS_PARAMETERS,
    "status_after_commit": _STATUS_PARAMETERS,
    "html_before_commit": {"status": _HTML_STATUS},
    "html_after_commit": {"status": _HTML_STATUS},
    "bad_gzip": {"form": _one_of("not_gzip", "truncated")},
    "wrong_content_length": {"declared": _one_of("too_long", "too_short")},
    "huge_body": {"size": _SIZE},
    "gzip_bomb": {"size": _SIZE},
    "answer_twice": {"pause": _seconds(0.001)},
    "wrong_amount": {"difference": _DIFFERENCE},
    "odd_encoding": {"value": _one_of("UTF-8", "none", "gzip, identity")},
}


@frozen(init=False)
class Fault:
    """A kind of fault with validated parameters.

    Args:
        kind: `tazapay_lightning_emulator.faults.kinds` has a table of all kinds.
        **parameters: those of the kind, by name; the others keep their defaults. Times are in seconds, sizes in bytes.

    Raises:
        ValueError: there is no such kind, the kind has no such parameter, or a value is not accepted.

    Example:
        >>> fault = Fault("status_before_commit", status=429, retry_after=2)
        >>> fault["retry_after"]
        2
        >>> print(fault)
        status_before_commit(retry_after=2, status=429)
        >>> Fault("drip", pause=-1)
        Traceback (most recent call last):
        ...
        ValueError: pause: a number from 0 to 3600
    """

    kind: FaultKind
    _values: tuple[tuple[str, Any], ...]

    def __init__(self, /, kind: FaultKind, **parameters: object) -> None:
        if not isinstance(kind, str) or kind not in FAULT_KINDS:
            raise ValueError(f"kind: one of {', '.join(FAULT_KINDS)}")
        known = _PARAMETERS.get(kind, {})
        if not parameters.keys() <= known.keys():
            raise ValueError(f"parameters of {kind}: {', '.join(known) or 'none'}")
        for name, value in parameters.items():
            if not known[name].accepts(value):
                raise ValueError(f"{name}: {known[name].accepted}")
        values = {name: parameters.get(name, parameter.default) for name, parameter in known.items()}
        self.__attrs_init__(kind, tuple(sorted(values.items())))

    @classmethod
    def of(cls, kind: FaultKind | Fault, **parameters: object) -> Fault:
        """The fault itself, or the fault of this kind with these parameters."""
        if not isinstance(kind, Fault):
            return cls(kind, **parameters)
        if parameters:
            raise ValueError("parameters: none, because a whole fault has its own")
        return kind

    @classmethod
    def from_dict(cls, fields: Mapping[str, object]) -> Fault:
        """The fault that `to_dict` writes; fields may be missing, apart from `kind`."""
        parameters = {name: value for name, value in fields.items() if name != "kind"}
        return cls(cast(FaultKind, fields.get("kind")), **parameters)

    def to_dict(self) -> dict[str, Any]:
        """The kind and every parameter, JSON-ready."""
        return {"kind": self.kind, **dict(self._values)}

    def __getitem__(self, parameter: str) -> Any:
        return dict(self._values)[parameter]

    def __str__(self) -> str:
        parameters = ", ".join(
            f"{name}={value}" for name, value in self._values if value is not None and value is not False
        )
        return f"{self.kind}({parameters})" if parameters else self.kind

    @property
    def is_below_http(self) -> bool:
        """Whether it needs the emulator's own server, because ASGI cannot express it."""
        if self.kind == "drip":
            return bool(self["drip_head"])
        return self.kind in _BELOW_HTTP
