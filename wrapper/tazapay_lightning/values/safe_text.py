"""How values from outside appear in messages: short, on one line, and harmless to a terminal."""

from __future__ import annotations

_MAX_CHARACTERS = 60


def shown(value: object) -> str:
    """Describe a value that was refused as Python writes it, never more than a line of it.

    Example:
        >>> shown("live"), shown(-1), shown(10**5000)
        ("'live'", '-1', 'a number of 16610 bits')
        >>> shown("x" * 1000)
        "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx... (1002 characters)"
    """
    if isinstance(value, int) and value.bit_length() > 256:
        return f"a number of {value.bit_length()} bits"  # its digits are slow to make, and refused by Python itself
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - a foreign repr may do anything, and must not hide that the value was refused
        text = f"a value of type {type(value).__name__}"
    return text if len(text) <= _MAX_CHARACTERS else f"{text[:40]}... ({len(text)} characters)"


def kind(value: object) -> str:
    """Name the kind of a value without repeating it: it may be long, or not fit for a log.

    Example:
        >>> kind("order 7890"), kind([7890]), kind(None)
        ('a text of 10 characters', 'a value of type list', 'missing or null')
    """
    if isinstance(value, str):
        return f"a text of {len(value)} characters"
    return "missing or null" if value is None else f"a value of type {type(value).__name__}"


def printable(text: str, *, most: int | None = None) -> str:
    r"""Return a text with each character that does not print as a blank, cut to `most` characters.

    Example:
        >>> printable("\x1b[2Jl11_1\r\n"), printable("abcdef", most=3)
        (' [2Jl11_1  ', 'abc...')
    """
    # by the set of its characters: an error's body may have millions, but few different ones
    blanks = {} if text.isprintable() else {ord(each): " " for each in set(text) if not each.isprintable()}
    plain = text.translate(blanks) if blanks else text
    return plain if most is None or len(plain) <= most else plain[:most] + "..."
