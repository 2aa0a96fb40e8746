"""The work grows with the size of the documents and no faster: counted in calls, so that no clock decides."""

import io
import sys
from collections import Counter

import pytest
from ruamel.yaml import YAML

from benchmarks.codegen_scale import changed, document_of
from codegen.drift.compare import compare
from codegen.drift.coverage import Coverage
from codegen.drift.report import FORMATS, render
from codegen.merge.merging import merge, rewritten
from codegen.read.documents import Source
from tests.support.nightly import nightly

FEW, MANY = 15, 60


def calls_of(work):
    """How many functions a piece of work calls, those of C included."""
    count: Counter[str] = Counter()

    def note(_frame, event, _argument):
        count[event] += 1

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count["call"] + count["c_call"]


def yaml_of(document):
    stream = io.StringIO()
    YAML().dump(document, stream)
    return stream.getvalue().encode()


def compared(size):
    before = document_of(range(size))
    after = changed(before)
    return lambda: compare(before, after, Coverage())


def compared_without_a_change(size):
    before, after = document_of(range(size)), document_of(range(size))
    after["info"]["version"] = "4"
    return lambda: compare(before, after, Coverage())


def reported(size):
    drift = compared(size)()
    return lambda: [render(drift, form) for form in FORMATS]


def merged(size):
    current = Source("openapi.yaml", yaml_of(document_of(range(1))))
    pages = [(f"page-{number}", yaml_of(document_of(range(number, number + 1)))) for number in range(1, size)]

    def work():
        rewritten(current, merge(current, [Source(name, content) for name, content in pages]))

    return work


def composed(size):
    text = yaml_of(document_of(range(size)))
    return lambda: Source("openapi.yaml", text)


@pytest.mark.parametrize(
    "prepare",
    [
        compared,
        *(pytest.param(each, marks=nightly) for each in (compared_without_a_change, reported, merged, composed)),
    ],
)
def test_four_times_the_operations_are_four_times_the_work(prepare):
    few, many = (calls_of(prepare(size)) for size in (FEW, MANY))
    assert many / few < 1.1 * MANY / FEW
