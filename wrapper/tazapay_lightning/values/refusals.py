"""How an argument is refused: by its name, with what would be accepted and what was given."""

from __future__ import annotations

from tazapay_lightning.errors import InvalidArgumentError
from tazapay_lightning.values.safe_text import shown


def refused(argument: str, accepted: str, got: str) -> InvalidArgumentError:
    """Return the error that refuses an argument.

    Args:
        argument: its name.
        accepted: what it must be.
        got: what it is, without a value that may be secret or long (`shown`).

    Example:
        >>> str(refused("timeout", "seconds", "str"))
        'timeout must be seconds; got str'
    """
    return InvalidArgumentError(f"{argument} must be {accepted}; got {got}", argument=argument)


def check_int(value: object, *, argument: str, least: int, most: int, unit: str = "") -> int:
    """Return an int of a range as a plain int; anything else is refused, a bool too.

    Example:
        >>> check_int(2, argument="max_retries", least=0, most=20)
        2
    """
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise refused(argument, f"an int from {least} to {most}{unit}", shown(value))
    return int(value)


def check_str(value: object, *, argument: str, accepted: str = "a str") -> str:
    """Return a str as it is, and refuse anything else. Not for secrets: this frame would show them."""
    if not isinstance(value, str):
        raise refused(argument, accepted, type(value).__name__)
    return value


def check_unicode(text: str, *, argument: str, path: str | None = None) -> str:
    """Return a text that UTF-8 can write, and refuse one that holds half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        problem = f"holds half of a surrogate pair at position {error.start}, which UTF-8 cannot write"
        raise InvalidArgumentError(f"{path or argument} {problem}", argument=argument) from None
    return text
