"""How much of a sweep is tried: a sample of it, or with THOROUGH=1, as the nightly workflow has it, all of it.

A sample is fixed, so that a failure comes again: every n-th case with the first and the last, and where the cases are
the moments of a run, besides every moment between two neighbours of the sample that ended differently.
"""

import os
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import TypeVar

THOROUGH = os.environ.get("THOROUGH") == "1"
TOO_MANY = 2000
Case = TypeVar("Case")
End = TypeVar("End")


def sample(cases: Iterable[Case], every: int, *, thorough: bool = THOROUGH) -> list[Case]:
    """Return every n-th case and the last one; all of them if it is to be thorough.

    Examples:
        >>> sample("abcdefgh", 3, thorough=False)
        ['a', 'd', 'g', 'h']
        >>> sample("abcdefgh", 3, thorough=True) == list("abcdefgh")
        True
    """
    found = list(cases)
    step = 1 if thorough else every
    last = len(found) - 1
    return [case for number, case in enumerate(found) if number % step == 0 or number == last]


def sweep(
    attempt: Callable[[int], End],
    kind: Callable[[End], object],
    through: Callable[[End], bool],
    every: int,
    *,
    thorough: bool = THOROUGH,
) -> dict[int, End]:
    """Disturb a run at its moments 1, 1 + n, 1 + 2n, ... until two runs in a row got through, and say how each ended.

    Two, since a disturbance that a run survives, such as one while it cleans up, is not its end yet. Where two
    neighbours are not of one kind, every moment between them is tried too: so none of the moments at which something
    changes is left out.

    Args:
        attempt: Runs once and disturbs it at a moment, counted from 1.
        kind: What two ends must have in common for the moments between them to be like them.
        through: Whether a run got to its end.
        every: n; 1 if it is to be thorough.
        thorough: Whether it is to be.

    Examples:
        A run of 20 moments, of which number 14 is the one at which it is done:

        >>> end = lambda moment: "old" if moment < 14 else "new" if moment < 21 else "end"
        >>> ends = sweep(end, str, "end".__eq__, 8, thorough=False)
        >>> list(ends)
        [1, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 33]
    """
    step = 1 if thorough else every
    ends: dict[int, End] = {}
    for moment in range(1, TOO_MANY, step):
        ends[moment] = attempt(moment)
        if all(map(through, list(ends.values())[-2:])) and len(ends) > 1:
            break
    for one, next_one in list(pairwise(ends)):
        if kind(ends[one]) != kind(ends[next_one]):
            ends |= {moment: attempt(moment) for moment in range(one + 1, next_one)}
    return dict(sorted(ends.items()))
