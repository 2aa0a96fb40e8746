"""Run `./generate.sh`'s program without starting it: a process that has imported everything and forks for each run.

Half a second of every `./generate.sh` goes into bash, the look at the environment and imports. Tests whose point is
what the program does with the files, and not how it is started, run it from here: what is run is what follows the
script's last line, the same `main`, in a process of its own with its own folder, standard streams and signals, in the
process group that a kill ends. The code is that of the repository; the files are those of the checkout.

What the generator made of a document and its settings is kept, and copied when a later run asks for the same, which
most of them do, and so is what the probe found of it: that it makes the same again, in spite of hash seeds and of what
the caller has set, is shown by test_generate_sh.py. A run that is going to be killed has the generator run, as one
more place to be killed in.

Started by `tests.codegen.warm` with the number of the socket to listen on; ends when that is closed.
"""

import hashlib
import importlib
import json
import os
import shutil
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import codegen.__main__ as program
import codegen.generate.regeneration
import codegen.importing
from codegen.generate.document_checks import Operation
from codegen.generate.generator import Configuration, generate
from codegen.generate.probe import Broken, probe
from codegen.read.documents import JsonObject

LONGEST = 1 << 16  # bytes of one message
PRELOADED = (  # what a run imports only when it comes to that; the first is not where these tests run
    "openapi_python_client.config",
    *(
        f"codegen.{name}"
        for name in (
            "drift.coverage",
            "drift.report",
            "importing",
            "read.sources",
            "drift.states",
            "write.placing",
        )
    ),
)


def generate_once(kept: Path, document: JsonObject, configuration: Configuration, output: Path) -> None:
    """Generate as the generator does, or copy what it made of the same; a failure is not kept."""
    asked = json.dumps(document).encode() + b"\0" + configuration.path.read_bytes()
    same = kept / hashlib.sha256(asked).hexdigest()
    if same.exists():
        shutil.copytree(same, output)
        return
    generate(document, configuration, output)
    shutil.copytree(output, kept / "unfinished")
    (kept / "unfinished").rename(same)


def probe_once(
    kept: Path,
    root: Path,
    package: Path,
    document: JsonObject,
    operations: Sequence[Operation],
    at: Callable[[str], str] = str,
) -> tuple[Broken, ...]:
    """Probe as a run does, or tell again what was found of the same; a failure is not kept."""
    same = kept / f"{hashlib.sha256(json.dumps(document).encode()).hexdigest()}.broken"
    if not same.exists():
        broken = probe(root, package, document, operations, at)
        same.with_suffix(".unfinished").write_text(json.dumps(broken))
        same.with_suffix(".unfinished").rename(same)
    return tuple(Broken(*each) for each in json.loads(same.read_text()))


def run(request: dict[str, object], streams: list[int]) -> int:
    """Be one run, in a child process, and return its exit code."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(str(request["cwd"]))
    program.ROOT = Path(str(request["root"]))
    if request["kept"]:
        kept = Path(str(request["kept"]))
        codegen.generate.regeneration.generate = partial(generate_once, kept)
        codegen.generate.regeneration.probe = codegen.importing.probe = partial(probe_once, kept)
    arguments = request["arguments"]
    assert isinstance(arguments, list)
    try:
        return program.main(arguments)
    except SystemExit as end:  # argparse's way to end
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def serve(channel: socket.socket) -> None:
    """Import everything, say so, and fork for each request; answer with the number of the process and how it ended."""
    for name in PRELOADED:
        importlib.import_module(name)
    channel.send(b"ready")
    while True:
        message, streams, _, _ = socket.recv_fds(channel, LONGEST, 3)
        if not message:
            return
        child = os.fork()
        if not child:
            code = 99
            try:
                channel.close()
                os.setpgid(0, 0)
                code = run(json.loads(message), streams)
            except BaseException:  # noqa: BLE001 - whatever it is, the child must not come back into the loop
                traceback.print_exc()
            finally:
                os._exit(code)
        os.setpgid(child, child)  # here too: whoever learns the number may kill the group at once
        for stream in streams:
            os.close(stream)
        channel.send(str(child).encode())
        channel.send(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])).encode())


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with socket.socket(fileno=int(sys.argv[1])) as listening:
        serve(listening)
