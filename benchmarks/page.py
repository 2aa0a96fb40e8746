"""docs/performance.md, written whole from what was measured. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.rounds import Measured, Verdict
from benchmarks.tables import Group, as_markdown, group_rows, level_rows, verdict_rows

__all__ = ["GROUPS", "performance_page"]

START = Group("start", "import httpx", "ms", 1000)
FIRST = Group("first, CPU", "httpx", "ms", 1000)
FIRST_WALL = Group("first, wall", "httpx", "ms", 1000)
FIRST_HTTPS = Group("first-https, CPU", "httpx", "ms", 1000)
CALLS = Group("calls", "httpx", "us")
DECODE = Group("decode_bolt11", "bolt11", "us")
VERIFY = Group("verify_webhook", "hmac + json.loads", "us")
RESIDENT = Group("resident", "httpx", "MiB", 1 / 1024)
ROW = Group("a row, clock", "create_invoices", "us")
ROW_CPU = Group("a row, CPU", "create_invoices", "us")
SIZE = Group("bytes of a row", "orders", "bytes")
GROUPS = (START, FIRST, FIRST_WALL, FIRST_HTTPS, CALLS, DECODE, VERIFY, RESIDENT, ROW, ROW_CPU, SIZE)

_INTRODUCTION = """\
# How fast it is, and how small

Everything here was measured by `make bench`, in one run on one machine, against what you would take instead, and is
told as ratios: seconds differ from machine to machine, ratios much less. This page is written by the same command;
nothing in it is edited, and a limit that was missed is shown as missed; "as known" means that `make bench-check` will
only complain if it gets worse.
"""

_RUNNING = """\
## Run it yourself

```text
make bench                      everything (about {minutes} minutes), and this page anew
make bench ARGS="--only A,B"    some parts, on the terminal only
make bench ARGS="--quick"       whether it runs at all: two rounds, figures without worth
make bench-check                everything, and an error for each limit that is missed
```

Both install the peers, hash-locked, into an environment of their own. Close what else runs: when a limit lies between
the quartiles of what was measured, and those are more than 10 % apart, the verdict is "unclear".
"""

_HOW = """\
## How it was measured

- **The server** is a process of its own, pinned to another core: a raw protocol over uvloop that answers from
  ready-made replies and echoes the amount, without delay for acknowledgements (TCP_NODELAY).
  {server}
- **In turns.** Whatever is compared is measured in the same round, one after the other and in changing order, so that
  other work on the machine hits all alike. A ratio is taken within a round; shown are the median over the rounds and
  the quartiles.
- **The call** is one invoice with amount, memo, expiry and metadata, on kept connections. Peers get its body ready
  made, as a constant; the client under test validates the arguments, encodes the metadata, makes a key, and checks
  and reads the reply. Stripe and OpenAI get a body and a reply of the same size at an address of the same server.
- **pyperf** measures each benchmark in processes of its own, one benchmark after the other, by the clock. Here,
  ratios are what counts, so the rounds are our own; what they measured is kept in pyperf's format beside it for
  `pyperf stats` and `pyperf compare_to`.
"""

_COLD_START = """\
## A. Cold start

Seconds of the processor that a whole new interpreter uses until it has ended (`wait4`), {rounds} rounds. From imports
and constructions, what the same interpreter uses for an empty program in the same round is subtracted. httpx imports
click, rich and pygments, for a command line of its own, where it finds them, which nearly doubles what it costs;
every program measured here starts as if they were not installed, which makes the unit small and the limits hard.
Clients are constructed for https. This one loads httpx, and the certificates, with its first call: what it saves until
then, the first invoice below pays.
"""

_FIRST = """\
From the start of the interpreter to the end of the program, one invoice, by http and by https. By http, a bare httpx
client loads the certificates of all authorities although none are needed, and this client does not; by https both do.
"""

_CALLS = """\
## B. One call

Microseconds of this process's processor time (`time.process_time`) for each blocking call on a kept connection,
{rounds} rounds of 100 calls. The documented reply holds no payment request, the service has to return one somewhere,
and with it in the reply the client also decodes it and compares its amount, description and expiry with what was
asked for.
"""

_CONCURRENCY = """\
## C. Many calls in flight

Requests per second by the clock, from one event loop in one process, {rounds} rounds: at least 1,200 calls by a fresh
client with its default limits whose connections were opened before. Bare httpx keeps 20 connections of at most 100.
"""

_SLOW = """\
The same against a service that waits for 50 ms before each reply: what a limit on what is in flight would cost.
Without one, 50 calls in flight cannot be answered faster than 1,000 times a second, and 500 not faster than 10,000
times.
"""

_PURE = """\
## D. Payment requests and webhooks

Microseconds of processor time. PyPI's bolt11 also recovers the payee's key from the signature, which `decode_bolt11`
leaves to wallets. The webhook has about a kilobyte; bare is HMAC, comparison and `json.loads`, with no check of what
they are given.
"""

_MEMORY = """\
## E. Memory

Resident size (`VmRSS`) of a new process that has created one invoice, in MiB; and by how many KiB 10,000 invoices,
one after the other, make a process grow that has created 200 before.
"""

_BULK = """\
## G. Bulk

Microseconds for each row, {rounds} rounds of 10,000, from start to end: by `create_invoices` with the rows in memory;
and by the command `bulk`, which reads and checks a file of the same rows, puts them into its index, writes each down
before and after it is sent, keeps the index, and reports. By the clock:
"""

_RESUME = """\
How many seconds a million rows, half of which had their invoice when the program was killed, take from the start of a
new program to its first reply, is in the first table of this page. Each of these rows has a memo, an expiry and two
entries of metadata, and takes up in each file of the run:
"""


def performance_page(
    measured: Measured,
    verdicts: Sequence[Verdict],
    about: Mapping[str, str],
    rounds: Mapping[str, int],
) -> str:
    """Return the page.

    Args:
        measured: what was measured.
        verdicts: on all limits.
        about: the machine, versions and the date, what the server cost (``server``) and how long it all took.
        rounds: how many, for each part.
    """

    def table(group: Group) -> str:
        rows = group_rows(group, measured)
        return as_markdown(rows) if rows else "Not measured."

    def levels(group: str, base: str | None = None) -> str:
        rows = level_rows(group, measured, base=base)
        return as_markdown(rows) if rows else "Not measured."

    facts = "\n".join(f"- {name}: {about[name]}" for name in ("machine", "system", "python", "versions", "date"))
    blocks = [
        _INTRODUCTION,
        as_markdown(verdict_rows(verdicts)),
        facts,
        _RUNNING.format(minutes=about["minutes"]),
        _HOW.format(server=about["server"]),
        _COLD_START.format(rounds=rounds["A"]),
        table(START),
        _FIRST,
        table(FIRST),
        "By the clock, where other work on the machine counts too:",
        table(FIRST_WALL),
        "By https:",
        table(FIRST_HTTPS),
        _CALLS.format(rounds=rounds["B"]),
        table(CALLS),
        _CONCURRENCY.format(rounds=rounds["C"]),
        levels("requests per second"),
        "In units of bare httpx:",
        levels("requests per second", "httpx"),
        "Microseconds of processor time for each request:",
        levels("CPU of a request"),
        _SLOW,
        levels("requests per second, slow"),
        _PURE,
        table(DECODE),
        table(VERIFY),
        _MEMORY,
        table(RESIDENT),
        _BULK.format(rounds=rounds["G"]),
        table(ROW),
        "Of the processor:",
        table(ROW_CPU),
        _RESUME,
        table(SIZE),
    ]
    return "\n\n".join(block.strip() for block in blocks) + "\n"
