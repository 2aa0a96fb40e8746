"""Change the pure modules of the wrapper, one small thing at a time, and count the changes that no test notices.

    python tools/mutation.py [MODULE ...]

Runs mutmut in a scratch copy, prints each change that survived and the score of each module, and fails below
98 %. The score is `killed / (killed + survived)`: a change that makes the tests hang or crash is killed (and
printed too), one that no test reaches has survived, and one that is listed in EQUIVALENT is in neither number.
mutmut changes the bodies of functions and methods, but not constants, defaults, or what is under a decorator other
than classmethod: properties and context managers are in no number here.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
SCRATCH = ROOT / ".mutation"
PACKAGE = "tazapay_lightning"
LEAST = 98.0

# `transport.backends.guards` is not among them: it is about sockets, as are all tests of it, which are left out below
MODULES = (
    "operations",
    "values.amounts",
    "values.durations",
    "values.json_fields",
    "values.memos",
    "values.moments",
    "values.refusals",
    "values.safe_text",
    "bolt11.bech32",
    "bolt11.decode",
    "bolt11.fields",
    "webhooks.body",
    "webhooks.event",
    "webhooks.signature",
    "webhooks.verify",
    "invoices.echo",
    "invoices.invoice",
    "invoices.payment_request",
    "invoices.qr",
    "invoices.request",
    "invoices.waiting",
    "transport.bodies",
    "transport.exchange",
    "transport.redaction",
    "transport.replies",
    "transport.retries",
    "transport.service_errors",
    "transport.settings",
)
FILES_LEFT_OUT: Mapping[str, str] = {
    "test_against_the_emulator.py": "needs the emulator, and its client is not pure",
    "test_an_invoices_life.py": "needs the emulator, and its client is not pure",
    "test_broken_connections.py": "is about sockets and TLS",
    "test_bulk.py": "is about billing in bulk",
    "test_rows.py": "is about billing in bulk",
    "cli": "is about the command line",
    "test_connections.py": "is about connections, and needs the emulator",
    "test_coverage_contract.py": "reads the document and codegen, which the scratch copy does not have",
    "test_error_reporters.py": "looks at frames, among which are those of mutmut",
    "test_exactly_once.py": "needs the emulator, and takes too long",
    "test_foreign_replies.py": "is about sockets, and starts other Pythons",
    "test_environment.py": "is about sockets and TLS",
    "test_lifecycle.py": "is about sockets",
    "test_loading.py": "starts other Pythons",
    "test_malformed_replies.py": "is about sockets",
    "test_logs.py": "starts other Pythons",
    "test_rooms.py": "reads the sources",
    "test_public_names.py": "lists the names of the package, to which mutmut adds, and starts other Pythons",
    "test_time_limits.py": "waits",
    "test_tracebacks.py": "looks at frames, among which are those of mutmut",
    "test_tls.py": "is about sockets and TLS",
}
TESTS_LEFT_OUT: Mapping[str, str] = {
    "async": "the pure modules are the same for both clients: one of them is enough",
    "socket": "the pure modules are the same whatever the connections are",
    "aiohttp": "the pure modules are the same whatever the connections are",
    "test_no_reply_ends_in_anything_undocumented": "examples of chance for each change take too long",
    "test_an_interruption_at_any_line": "counts lines, to which mutmut adds",
    "test_to_dict_holds_every_public_attribute": "mutmut adds attributes to the class",
    "test_other_tasks_go_on_while_a_call_waits": "waits, and is about the asynchronous client",
    "test_a_client_that_is_closed_during_a_wait": "waits, and is about the closing of the client",
    "test_the_wait_that_the_service_asks_for_is_kept": "waits; the policy is tested without waiting",
    "random_texts_ends_in_anything": "takes too long for each change",
    "test_openssl_on_this_machine_agrees": "starts processes for each change",
}

NAMES_OF_CODECS = "the names of codecs are read without regard to case"
WORDS_THAT_ARE_CAUGHT = "`optional` catches the error and says in its own words that the field cannot be read"
NO_DATE = "it is as little a date as nothing"
AS_FALSE = "None is as false as False"
IN_SMALL_LETTERS = "a host is read in small letters"

# function -> the line as changed -> why no test can tell it from the original
EQUIVALENT: Mapping[str, Mapping[str, str]] = {
    "values.amounts._exact_sats": {
        "if isinstance(btc, int) and abs(btc) >= MAX_SATS:  # a number of a million digits is slow to convert": "so "
        "many whole BTC are refused below as well, with the same words",
        "if number.adjusted() > DECIMALS:  # judged by the exponent: 1E+999999999 must not be multiplied out": "from "
        "10**8 to 10**9 BTC are refused below as well, with the same words",
    },
    "bolt11.decode._check_signature": dict.fromkeys(
        (
            "signature = to_bytes(words, field=None)",
            'signature = to_bytes(words, field="XXsignatureXX")',
            'signature = to_bytes(words, field="SIGNATURE")',
        ),
        "104 words are 65 bytes without padding, so this word is never said",
    ),
    "transport.settings._checked_url": {
        'may_be_plain = allow_http and not f".{host.rstrip(\'XX.XX\')}".endswith(".tazapay.com")': IN_SMALL_LETTERS,
    },
    "transport.settings._check_labels": {
        'if label.startswith("xn--") and not label.removeprefix("xn--").encode().decode("PUNYCODE"):': NAMES_OF_CODECS,
    },
    "transport.settings.Credentials.__init__": {
        'self._key, self._secret, self._token = key, secret, "XXXX"': "`complete` makes it before anything reads it",
    },
    "transport.bodies.Body.__init__": {"self._is_decoded = None": AS_FALSE},
    "transport.bodies.without_gzip": {
        "plain = members.read(most + 2)": "what counts is whether there is more than `most`, and not how much more",
    },
    "transport.exchange.Call.__init__": {
        "self._may_exist = self._existed_before = None  # an invoice: always while an attempt is under way": AS_FALSE,
    },
    "transport.exchange.Call.left_by": {
        "self.failed(error, None)": "an error of this kind is final, whatever the time is",
    },
    "transport.redaction.Redaction.__init__": {"self._shows_nothing = None": AS_FALSE},
    "transport.redaction.Redaction._hidden": {
        "begins = range(end)": "no beginning of a secret is as long as `_RUN`: that bounds only the time",
    },
    "transport.redaction._shown": dict.fromkeys(
        (
            'return printable(text.encode("UTF-16", "surrogatepass").decode("utf-16", "replace"))',
            'return printable(text.encode("utf-16", "surrogatepass").decode("UTF-16", "replace"))',
        ),
        NAMES_OF_CODECS,
    ),
    "operations._parse": {"client = SimpleNamespace(raise_on_unexpected_status=None)": AS_FALSE},
    "invoices.echo.read_created": {"known.popitem(last=None)": AS_FALSE},
    "invoices.echo.read_fetched": {
        "known.popitem(last=None)": AS_FALSE,
        "known.setdefault(invoice.id, )": "None is what it sets where nothing is said",
    },
    "invoices.invoice.Invoice._payable": {
        "if self.is_expired or (request is not None and request.expires_at < self._service_now()):": "the clock has "
        "gone on by more than nothing when it is read",
    },
    "invoices.payment_request.find_payment_request": {
        'own = " ".join(["XXXX", *re.findall(_WITHIN, "\\n".join(_texts(by_caller)).lower())])': "what is looked for "
        "begins with the blank after that",
        'own = " ".join(["", *re.findall(_WITHIN, "XX\\nXX".join(_texts(by_caller)).lower())])': "what is looked for "
        "may go on in what was written, and begin within it",
    },
    "values.json_fields.text": dict.fromkeys(
        ("raise ValueError(None)", 'raise ValueError("XXnot a textXX")', 'raise ValueError("NOT A TEXT")'),
        WORDS_THAT_ARE_CAUGHT,
    ),
    "values.json_fields.whole_number": {"raise ValueError(None)": WORDS_THAT_ARE_CAUGHT},
    "values.json_fields._plain": {
        "return value if (value.isascii()) and False else check_unicode(value, argument=str(place[0]), "
        "path=_path(place))": "only the time that it takes"
    },
    "values.memos.verify_memo": {
        'return hmac.compare_digest(hash_memo(memo).encode(), given.encode("UTF-8", "replace"))': NAMES_OF_CODECS,
    },
    "values.moments.service_time": {'date = read_http_date(headers.get("date", "XXXX"))': NO_DATE},
    "webhooks.verify._check_age": {
        "age = f\"{abs(late):.0f} s {'old' if late >= 0 else 'in the future'}\"": "no age of 0 s is beyond a tolerance"
    },
    "invoices.qr.png": {
        '_code(payment_request).save(image, kind="PNG", scale=pixels)': "segno reads kinds without regard to case"
    },
    "invoices.qr.svg": {
        'light="#FFF", omitsize=True, svgclass=None, lineclass=None, title="QR code of the Lightning payment '
        'request"': "segno writes colours in lower case"
    },
    "webhooks.signature._text": {
        'return value if isinstance(value, str) else bytes.decode(value, "LATIN-1")': NAMES_OF_CODECS,
    },
    "transport.service_errors.status_error": {
        'body="" if parsed is None '
        "else json.dumps(redaction.value(parsed), ensure_ascii=None)[:_MAX_BODY_CHARACTERS],": AS_FALSE,
    },
    "transport.replies.read_reply": dict.fromkeys(
        (
            f'says_failed = str(envelope.get("status", {default})).lower() in _FAILURES and not (is_object and '
            '"object" in envelope)'
            for default in ("None", "", '"XXXX"')
        ),
        "none of these words says that a request failed either",
    ),
    "transport.retries.seconds_to_wait": {
        'asked = lower.get("retry-after", "XXXX")': NO_DATE,
        'now = read_http_date(lower.get("date", "XXXX")) or now': NO_DATE,
    },
}

PYPROJECT = """\
[tool.mutmut]
source_paths = ["src"]
only_mutate = {only_mutate}
also_copy = ["conftest.py"]
timeout_constant = 2.0
timeout_multiplier = 5.0
track_dependencies = false
use_git_change_detection = false
pytest_add_cli_args_test_selection = ["tests"]
pytest_add_cli_args = ["-p", "anyio", "-p", "_hypothesis_pytestplugin", "-p", "no:cacheprovider", "-k", "{left_out}"]

[tool.pytest.ini_options]
pythonpath = ["src", "."]
addopts = ["--import-mode=importlib"]
filterwarnings = ["error"]
"""
CONFTEST = '''\
"""Few examples, always the same ones, and the quick tests first: most changes are noticed by many tests."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "mutation",
    max_examples=15,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("mutation")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: ("create" in item.fixturenames, hasattr(item.obj, "hypothesis")))
'''


class Mutant(NamedTuple):
    """One change: where it is, and what became of it."""

    name: str
    status: str

    @property
    def module(self) -> str:
        """The module's name without the package's."""
        return self.name.removeprefix(f"{PACKAGE}.").rpartition(".")[0]

    @property
    def function(self) -> str:
        """Module and function, as EQUIVALENT names them."""
        mangled = self.name.rpartition(".")[2].partition("__mutmut_")[0]
        return f"{self.module}.{mangled.removeprefix('x_').removeprefix('xǁ').replace('ǁ', '.')}"

    @property
    def is_killed(self) -> bool:
        """True if a test failed, or ended in no other way than by force."""
        return self.status in {"killed", "timeout", "segfault"}


def main() -> None:
    """Make the copy, run mutmut in it, and report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="only these (default: all pure ones)")
    modules = parser.parse_args().modules or MODULES
    if unknown := sorted(set(modules) - set(MODULES)):
        parser.error(f"not among the pure modules: {', '.join(unknown)}")
    copy(modules)
    done = subprocess.run([mutmut(), "run"], cwd=SCRATCH, env=environment(), check=False)
    if done.returncode:
        sys.exit(f"mutmut ended with {done.returncode}")
    mutants = list(results())
    if untouched := sorted(set(modules) - {mutant.module for mutant in mutants}):
        sys.exit(f"mutmut changed nothing in {', '.join(untouched)}")
    report(mutants)


def copy(modules: Iterable[str]) -> None:
    """Lay out the scratch copy: mutmut takes only a package in a folder `src` by its right name."""
    shutil.rmtree(SCRATCH, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "wrapper" / PACKAGE, SCRATCH / "src" / PACKAGE, ignore=ignored)
    shutil.copytree(ROOT / "tests/support", SCRATCH / "tests/support", ignore=ignored)
    left_out = shutil.ignore_patterns("__pycache__", *FILES_LEFT_OUT)
    for tests in ("tests/wrapper", "tests/journeys"):
        shutil.copytree(ROOT / tests, SCRATCH / tests, ignore=left_out)
    only_mutate = [f"src/{PACKAGE}/{module.replace('.', '/')}.py" for module in modules]
    selection = " and ".join(f"not {name}" for name in TESTS_LEFT_OUT)
    (SCRATCH / "pyproject.toml").write_text(PYPROJECT.format(only_mutate=only_mutate, left_out=selection))
    (SCRATCH / "conftest.py").write_text(CONFTEST)


def mutmut() -> str:
    """Return the path of mutmut in the environment of this Python."""
    return str(Path(sys.executable).with_name("mutmut"))


def environment() -> dict[str, str]:
    """No plugins but those named: the emulator's would import the package that is not mutated."""
    return {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def results() -> Iterator[Mutant]:
    """Ask mutmut what became of each change."""
    for line in ask("results", "--all", "true").splitlines():
        name, colon, status = line.strip().partition(": ")
        if colon:
            yield Mutant(name, status)


def ask(*arguments: str) -> str:
    """Return what mutmut prints."""
    done = subprocess.run(
        [mutmut(), *arguments], cwd=SCRATCH, env=environment(), check=True, capture_output=True, text=True
    )
    return done.stdout


def difference(mutant: Mutant) -> tuple[str, str]:
    """Return the lines that a change touches, before and after it."""
    lines = [line for line in ask("show", mutant.name).splitlines() if not line.startswith(("---", "+++"))]
    before, after = (" ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+")
    return before, after


def report(mutants: list[Mutant]) -> None:
    """Print the survivors and the scores, and fail if the score is too low."""
    killed: Counter[str] = Counter()
    survived: Counter[str] = Counter()
    equivalent: Counter[str] = Counter()
    used: set[tuple[str, str]] = set()
    for mutant in mutants:
        if mutant.is_killed:
            killed[mutant.module] += 1
            if mutant.status != "killed":
                print(f"\n{mutant.function} ({mutant.status}, counts as killed)\n+ {difference(mutant)[1]}")
            continue
        before, line = difference(mutant)
        if line in EQUIVALENT.get(mutant.function, {}):
            equivalent[mutant.module] += 1
            used.add((mutant.function, line))
            continue
        survived[mutant.module] += 1
        print(f"\n{mutant.function} ({mutant.status})\n- {before}\n+ {line}")
    print(f"\n{'module':<36}{'killed':>8}{'survived':>10}{'equivalent':>12}{'score':>9}")
    for module in sorted({mutant.module for mutant in mutants}):
        print(row(module, killed[module], survived[module], equivalent[module]))
    print(row("all", killed.total(), survived.total(), equivalent.total()))
    for function in EQUIVALENT:
        for line in EQUIVALENT[function]:
            if (function, line) not in used and any(function.startswith(f"{module}.") for module in killed):
                print(f"not needed in EQUIVALENT, or no longer made by mutmut: {function}: {line}")
    if score(killed.total(), survived.total()) < LEAST:
        sys.exit(f"the score is below {LEAST:.0f} %")


def row(name: str, killed: int, survived: int, equivalent: int) -> str:
    """Write one line of the table."""
    return f"{name:<36}{killed:>8}{survived:>10}{equivalent:>12}{score(killed, survived):>7.1f} %"


def score(killed: int, survived: int) -> float:
    """Return how many of the changes were noticed, in percent."""
    return 100.0 * killed / (killed + survived) if killed else 0.0


if __name__ == "__main__":
    main()
