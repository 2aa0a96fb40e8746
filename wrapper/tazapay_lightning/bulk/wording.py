"""Messages of this package in the words of the command line and its files: options, variables and columns."""

from __future__ import annotations

import re
from collections.abc import Callable

from tazapay_lightning.errors import APIConnectionError

# What others wrote stands in quotes, or is an address.
_THEIRS = r"(?<!\w)'(?:[^'\\]|\\.)*(?:'|$)|(?<!\w)\"(?:[^\"\\]|\\.)*(?:\"|$)|\w+://\S+"
_PYTHON = r"(?:pass api_key and \w+,|allow_http=True) or |, or raise max_retries|, or None(?=;)"
_PYTHON += r"| \(an? [\w ]+\)| as a [\w, ]+(?= such|,)|, or a [\w. ]+(?=[,;])"
_NAMES = r"^(?:backend|environment|host|memo|metadata|namespace|orders|rate|text|timeout|url)\b"
_NAMES += r"|\b(?:amount|api|base|expires|idempotency|invoice|memo|poll|webhook)_[a-z_]+"
_WORDS = re.compile(f"({_THEIRS})|{_PYTHON}|({_NAMES})(?:=True)?")
_ADVISED = {404, 429, *range(300, 400)}  # statuses whose messages end with advice, after the service's own words


def worded(problem: BaseException, name: Callable[[str], str] = str) -> str:
    """Return the message of an error without what is Python's in it, and with all that others wrote as it is.

    Args:
        problem: the error: of an argument, which is rewritten; or of a call, of which the advice at the end is.
        name: given an argument, returns what it is called here.

    Example:
        >>> from tazapay_lightning import InvalidArgumentError
        >>> worded(InvalidArgumentError("memo_hash must be hex; got 'memo_hash'", argument="memo_hash"), "--{}".format)
        "--memo_hash must be hex; got 'memo_hash'"
    """
    text = str(*problem.args[:1])
    if getattr(problem, "argument", ""):
        return reworded(text, name)
    others, end, advice = text.rpartition("; ")
    is_advised = isinstance(problem, APIConnectionError) or getattr(problem, "status_code", 0) in _ADVISED
    return others + end + reworded(advice, name) if end and is_advised else text


def reworded(text: str, name: Callable[[str], str]) -> str:
    """Return a text of this package likewise."""
    return _WORDS.sub(lambda found: found[1] or (name(found[2]) if found[2] else ""), text)
