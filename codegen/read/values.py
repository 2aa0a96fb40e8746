"""The values of a document: those of JSON, how messages show them, and which of them no document has."""

import re
from typing import TypeAlias

JsonValue: TypeAlias = "dict[str, JsonValue] | list[JsonValue] | str | int | float | bool | None"
JsonObject: TypeAlias = dict[str, JsonValue]

Steps: TypeAlias = tuple[str | int, ...]
"""The way from the root of a document to a value: keys, and indexes of lists."""

MAX_LEVELS = 64
"""No document of an API nests half as deep; what reads and checks it recurses, and Python ends that at a thousand."""

MAX_NAME = 500
"""Characters of a key: a name longer than this is no name, and every message would repeat it."""

MOST_BITS = 1024
"""Of an integer: one that is greater is infinite for everybody who reads numbers as doubles."""
NO_NUMBER = "the number is infinite or not a number, or has hundreds of digits: JSON cannot carry it"
_HALF_PAIR = "a text holds half of a surrogate pair, which UTF-8 cannot express"
_HALF = re.compile("[\ud800-\udfff]")
TOO_DEEP = f"the document is nested too deeply: more than {MAX_LEVELS} objects and lists in one another"


def describe(value: JsonValue) -> str:
    """Say in one word or two what a value is, for messages.

    Examples:
        >>> describe([1]), describe(None), describe("x" * 100)
        ('a list', 'null', "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...")
    """
    names = {dict: "an object", list: "a list", type(None): "null"}
    return names.get(type(value)) or shown(repr(value), 61)


def shown(text: str, longest: int = 160) -> str:
    r"""Return foreign text as part of one line that cannot steer a terminal.

    Examples:
        >>> shown("GET /v3/ü"), shown("\x1b[31m\n\u202e"), len(shown("x" * 1000))
        ('GET /v3/ü', '\\x1b[31m\\n\\u202e', 160)
    """
    start = text[: longest + 1]
    line = "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in start)
    return line if len(line) <= longest else line[: longest - 3] + "..."


def first_fault(value: JsonValue) -> tuple[Steps, str] | None:
    """Find something that JSON cannot carry, or that is beyond a limit of this module.

    Returns:
        The steps that lead to it, and what is wrong with it.

    Examples:
        >>> first_fault({"a": [1, float("inf")]})
        (('a', 1), 'the number is infinite or not a number, or has hundreds of digits: JSON cannot carry it')
    """
    waiting: list[tuple[Steps, JsonValue]] = [((), value)]
    while waiting:
        steps, each = waiting.pop()
        if isinstance(each, dict | list):
            if len(steps) >= MAX_LEVELS:
                return steps, TOO_DEEP
            inner = each.items() if isinstance(each, dict) else enumerate(each)
            waiting += [((*steps, step), member) for step, member in inner]
            for key in each if isinstance(each, dict) else ():
                if len(key) > MAX_NAME:
                    return (*steps, key), f"the key has more than {MAX_NAME} characters"
                if _HALF.search(key):
                    return (*steps, key), _HALF_PAIR
        elif isinstance(each, str) and _HALF.search(each):
            return steps, _HALF_PAIR
        elif isinstance(each, int | float) and not -(2**MOST_BITS) < each < 2**MOST_BITS:  # also what is not a number
            return steps, NO_NUMBER
    return None
