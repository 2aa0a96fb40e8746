"""What `make generate-next` decides without an environment of its own."""

import pytest

from tools.generate_next import requirements, summary


def test_the_newest_generator_is_tried_with_todays_formatter():
    wanted = requirements(None)
    assert "openapi-python-client" in wanted
    assert not any(each.startswith("openapi-python-client=") for each in wanted)
    assert any(each.startswith("ruff==") for each in wanted)


def test_another_release_can_be_named():
    assert "openapi-python-client==0.28.3" in requirements("0.28.3")


@pytest.mark.parametrize(
    ("difference", "line"),
    [
        ("only in the committed tree: a.py", "only in the committed tree: a.py"),
        ("--- a.py (committed)\n+++ a.py (regenerated)\n@@ -1 +1 @@\n-x\n+y\n+z", "a.py: 2 lines more, 1 less"),
    ],
    ids=["a file that is gone", "a file that changed"],
)
def test_a_file_that_differs_takes_one_line(difference, line):
    assert summary(difference) == line
