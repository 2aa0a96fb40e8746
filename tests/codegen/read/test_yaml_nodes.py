"""Texts that would keep a reader of YAML busy are refused at once."""

import pytest

from codegen.errors import CodegenError
from codegen.read.documents import parse_document


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        "[a, " * 50_000,
        "- " * 200_000 + "a\n",
        "a: " + "{a: " * 100_000 + "\n",
        "? " * 50_000,
        "\n".join(" " * i + "a:" for i in range(2000)) + " b\n",
        "".join(f"k{i}: [1, 2]\n" for i in range(60_000)),
    ],
    ids=["brackets", "lists in lists", "dashes", "braces", "question marks", "indentation", "many values"],
)
def test_a_bomb_is_refused_before_it_is_read(text):
    with pytest.raises(CodegenError, match="nested too deeply|more than 100000 values"):
        parse_document(text.encode(), "p.yaml")
