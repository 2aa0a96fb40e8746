"""The fast parser gives the nodes of the slow one, or steps aside."""

import random
import subprocess
import sys

import pytest
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import ScalarNode

from codegen.read import yaml_nodes
from tests.support.checkout import REPOSITORY
from tests.support.nightly import nightly
from tests.support.tables import each_row
from tests.support.thorough import sample

PIECES = [
    "a",
    "b: ",
    "c:\n",
    "- ",
    "-\n",
    "\n",
    "\n  ",
    "\n    ",
    " ",
    "'x'",
    '"y"',
    '"\\/"',
    '"\\u0041"',
    "[",
    "]",
    "{",
    "}",
    ",",
    ": ",
    ":",
    "? ",
    "#c\n",
    " # d\n",
    "|\n  t\n  u\n",
    ">-\n  f\n  g\n\n",
    "|2\n   z\n",
    "1",
    "0o7",
    "012",
    "no",
    "~",
    "null",
    "1e3",
    ".5",
    "1:2",
    "2025-01-01",
    "'it''s'",
    "*x",
    "<<",
    "=",
    "é",
    "😀",
    "---\n",
    "...\n",
    "@",
    "`",
    "%",
    "!",
    "&",
    "&x ",
    "!!int ",
    "--",
    "\\",
    '"',
    "'",
    "a b",
    "x:y",
    "+1",
    "0x1f",
    "1_000",
    "|+\n  k\n\n",
    "on",
    "y",
    ".inf",
    "?",
    "\r\n",
    "\t",
    "\x85",
    "\u2028",
]


def reader():
    return YAML(typ="safe", pure=True)


def described(node):
    if node is None:
        return None
    marks = [(mark.line, mark.column, mark.index) for mark in (node.start_mark, node.end_mark)]
    value = node.value
    if not isinstance(node, ScalarNode):
        value = [tuple(map(described, each)) if isinstance(each, tuple) else described(each) for each in value]
    return type(node), str(node.tag), marks, value, node.anchor


def outcome(compose, text):
    try:
        return described(compose(text))
    except YAMLError as error:
        return str(error)


@pytest.mark.parametrize("seed", sample(range(20), 5))
@pytest.mark.filterwarnings("ignore::ruamel.yaml.error.ReusedAnchorWarning")  # random texts name an anchor twice
def test_random_texts_give_the_same_nodes_with_the_same_marks_or_the_same_refusal(seed):
    chance = random.Random(seed)
    for _ in range(200):
        text = "".join(chance.choices(PIECES, k=chance.randint(1, 14))) + chance.choice(["\n", "\n", "\n", ""])
        fast, slow = outcome(lambda text: yaml_nodes.compose(reader(), text), text), outcome(reader().compose, text)
        assert fast == slow, text


FILES = ["openapi.yaml", "openapi.overlay.yaml", "codegen/wrapper_coverage.yaml", ".github/workflows/ci.yml"]


@each_row("file", FILES)
def test_files_of_the_repository_give_the_same_nodes(file):
    text = (REPOSITORY / file).read_text()
    assert outcome(lambda text: yaml_nodes.compose(reader(), text), text) == outcome(reader().compose, text)


def test_the_published_document_takes_the_fast_way():
    text = (REPOSITORY / "openapi.yaml").read_text()
    assert yaml_nodes._composed(reader(), text) is not None
    assert yaml_nodes._READ_IN_TWO_WAYS.search(text) is None


def test_line_ends_of_windows_take_the_fast_way_too():
    text = (REPOSITORY / "openapi.yaml").read_text().replace("\n", "\r\n")
    assert yaml_nodes._READ_IN_TWO_WAYS.search(text) is None
    assert outcome(lambda text: yaml_nodes.compose(reader(), text), text) == outcome(reader().compose, text)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        pytest.param("- " * 200_000 + "a\n", marks=nightly),
        pytest.param("{a: " * 100_000 + "\n", marks=nightly),
        "\n".join(" " * i + "a:" for i in range(2000)) + " b\n",
    ],
    ids=["brackets", "dashes", "braces", "indentation"],
)
def test_a_bomb_of_nesting_does_not_reach_the_stack_of_libyaml(text):
    program = (
        "import sys; from ruamel.yaml import YAML; from codegen.read.yaml_nodes import compose\n"
        "try: compose(YAML(typ='safe', pure=True), sys.stdin.read())\n"
        "except Exception as error: print(type(error).__name__)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], input=text, capture_output=True, text=True, cwd=REPOSITORY)
    assert done.returncode == 0, done.stderr
    assert done.stdout
