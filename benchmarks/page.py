"""docs/performance.md, written whole from what was measured. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.emulator import FIXTURE, IN_PROCESS, STUB
from benchmarks.limits import SMALLEST
from benchmarks.peers import HTTP_CLIENT, OURS
from benchmarks.rounds import Measured, Verdict
from benchmarks.tables import (
    Group,
    Row,
    as_markdown,
    group_rows,
    level_rows,
    limit_rows,
    value_rows,
    verdict_rows,
    with_shares,
)

__all__ = ["GROUPS", "performance_page"]

START = Group("start", "import httpx", "ms", 1000)
FIRST = Group("first, CPU", "httpx", "ms", 1000)
FIRST_WALL = Group("first, wall", "httpx", "ms", 1000)
FIRST_HTTPS = Group("first-https, CPU", "httpx", "ms", 1000)
CALLS = Group("calls", "httpx", "us")
DECODE = Group("decode_bolt11", "bolt11", "us")
VERIFY = Group("verify_webhook", "hmac + json.loads", "us")
RESIDENT = Group("resident", "httpx", "MiB", 1 / 1024)
IDLE = Group("idle", "httpx", "KiB")
INVOICES = Group(IN_PROCESS, STUB, "per second")
FIXTURES = [Group(step, STUB, "ms", 1000) for step in FIXTURE]
ROW = Group("a row, clock", "create_invoices", "us")
ROW_CPU = Group("a row, CPU", "create_invoices", "us")
SIZE = Group("bytes of a row", "orders", "bytes")
GROUPS = (
    *(START, FIRST, FIRST_WALL, FIRST_HTTPS, CALLS, DECODE, VERIFY, RESIDENT, IDLE, INVOICES, *FIXTURES),
    *(ROW, ROW_CPU, SIZE),
)

_INTRODUCTION = """\
# How fast it is, and how small

Everything here was measured by `make bench`, in one run on one machine, against what you would take instead, and is
told as ratios: seconds differ from machine to machine, ratios much less. This page is written by the same command;
nothing in it is edited, and a limit that was missed is shown as missed, which is an error of `make bench-check`.
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

_LIMIT = """\
## How far from the limit

No client can be faster than what it is made of. The least that Python's own library needs for a blocking call is
`http.client` with a kept connection, the bytes of the body ready made and `json.loads`; for asynchronous calls it is
bare aiohttp. Here each client's processor time for a request is divided by theirs. The server's share is its part of
what client and server need of the processor together. It has a core of its own, so a share below half means that the
server waits for the client, and that the client's cost alone decides how many requests there are in a second.

Blocking calls, in units of http.client (part B):
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
Generated code is made of attrs, so that no client around it starts sooner than httpx with attrs loaded.
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

_THREADS = """\
Blocking calls from threads that share one client: requests per second, {rounds} rounds of 1,500 calls. Bare httpx has
its default limits, http.client a connection for each thread. Python's threads take turns, and the more of them wait for
theirs, the more often the system switches between them during one call: from 100 threads a call costs more than from
32, also one of http.client.
"""

_FAILED = """\
Of these calls, {httpx} of bare httpx, {ours} of this client and {least} of http.client failed and were made again:
httpx, which keeps 20 connections, now and then closes one that another thread was given just before (`ReadError`).
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

_IDLE = """\
KiB that each of 100 clients holds in one process, over https, six seconds after it was constructed and made a call, and
right after the call. Clients of one process share the certificates of all authorities, 700 KiB. While a connection is
open, asyncio's TLS holds 256 KiB for it, of aiohttp too, which closes it after 5 seconds without a call; what the
allocator holds without need was given back to the system (`malloc_trim`) before each look.
"""

_GROWTH = """\
KiB by which a process grows over 10,000 clients made and closed, over https, each hundredth of which makes a call,
after 10,000 others; "at first" are those others, after 200. The smallest block that Python gives out has 16 bytes: if
each client left one behind, it would be 156 KiB, so that a growth below {smallest} KiB is none.
"""

_EMULATOR = """\
## F. The emulator

What a test suite pays for a Tazapay of its own, beside a stub as one would write it with Starlette: it reads the JSON,
inserts a row into SQLite in memory and replies the documented example, and it knows no credentials, no idempotency
keys, no checks of fields, no faults and no signatures. Both run as their users run them.

Invoices per second of this process's processor, {rounds} rounds of 100: the application is called as a server calls it,
without a socket, and every invoice has all fields, an idempotency key of its own, a row in SQLite and a signed BOLT11
payment request. In the last row, httpx asks the same application (`httpx.ASGITransport`), and its own time counts too.
"""

_FIXTURE = """\
Milliseconds by the clock of a test that starts one, with everything imported, {rounds} rounds: until it accepts
connections (`running_emulator`, which the fixture `tazapay_emulator` uses, and the stub under uvicorn in a thread);
"""

_CREATE = "of one invoice by HTTP through a new client, which connects first;"

_SHUTDOWN = "until it has stopped and its thread has ended, for which uvicorn by itself looks ten times a second;"

_WHOLE_TEST = "and milliseconds of the processor of all that, with the client:"

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

    def shown(rows: Sequence[Row]) -> str:
        return as_markdown(rows) if rows else "Not measured."

    def table(group: Group) -> str:
        return shown(group_rows(group, measured))

    def levels(group: str, base: str | None = None) -> str:
        return shown(level_rows(group, measured, base=base))

    def failures(client: str) -> str:
        of_all = measured.get("failed calls, threads", {}).items()
        return f"{sum(sum(series) for name, series in of_all if name.rpartition(' at ')[0] == client):.0f}"

    measured = with_shares(measured)

    facts = "\n".join(f"- {name}: {about[name]}" for name in ("machine", "system", "python", "versions", "date"))
    blocks = [
        _INTRODUCTION,
        as_markdown(verdict_rows(verdicts)),
        facts,
        _RUNNING.format(minutes=about["minutes"]),
        _HOW.format(server=about["server"]),
        _LIMIT,
        shown(limit_rows("calls", HTTP_CLIENT, measured)),
        "With many in flight, in units of bare aiohttp (part C):",
        levels("CPU of a request", "aiohttp"),
        "The server's share, in percent:",
        levels("CPU of a request, the server's share"),
        "From threads, in units of http.client (part C):",
        levels("CPU of a request, threads", HTTP_CLIENT),
        "The server's share, in percent:",
        levels("CPU of a request, threads, the server's share"),
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
        _THREADS.format(rounds=rounds["C"]),
        levels("requests per second, threads"),
        "In units of bare httpx:",
        levels("requests per second, threads", "httpx"),
        _FAILED.format(httpx=failures("httpx"), ours=failures(OURS), least=failures(HTTP_CLIENT)),
        _PURE,
        table(DECODE),
        table(VERIFY),
        _MEMORY,
        table(RESIDENT),
        _IDLE,
        table(IDLE),
        _GROWTH.format(smallest=SMALLEST),
        shown(value_rows("growth", "KiB", measured)),
        _EMULATOR.format(rounds=rounds["F"]),
        table(INVOICES),
        _FIXTURE.format(rounds=rounds["F"]),
        table(FIXTURES[0]),
        _CREATE,
        table(FIXTURES[1]),
        _SHUTDOWN,
        table(FIXTURES[2]),
        _WHOLE_TEST,
        table(FIXTURES[3]),
        _BULK.format(rounds=rounds["G"]),
        table(ROW),
        "Of the processor:",
        table(ROW_CPU),
        _RESUME,
        table(SIZE),
    ]
    return "\n\n".join(block.strip() for block in blocks) + "\n"
