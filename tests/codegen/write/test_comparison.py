import pytest

from codegen.write.comparison import tree_differences


@pytest.fixture
def committed(tmp_path):
    return make(tmp_path / "committed")


@pytest.fixture
def regenerated(tmp_path):
    return make(tmp_path / "regenerated")


def make(folder):
    (folder / "models").mkdir(parents=True)
    (folder / "client.py").write_text("a = 1\nb = 2\n")
    (folder / "models" / "invoice.py").write_text("c = 3\n")
    (folder / "py.typed").touch()
    return folder


def test_equal_trees_have_no_differences(committed, regenerated):
    assert tree_differences(committed, regenerated, "client") == []


def test_what_python_leaves_does_not_count(committed, regenerated):
    (committed / "models/__pycache__").mkdir()
    (committed / "models/__pycache__/invoice.cpython-311.pyc").write_bytes(b"\0")
    assert tree_differences(committed, regenerated, "client") == []


def test_a_changed_line_is_shown_as_a_unified_diff(committed, regenerated):
    (committed / "client.py").write_text("a = 1\nb = 20\n")
    assert tree_differences(committed, regenerated, "client") == [
        "--- client/client.py (committed)\n+++ client/client.py (regenerated)\n@@ -1,2 +1,2 @@\n a = 1\n-b = 20\n+b = 2"
    ]


def test_a_file_that_only_the_committed_tree_has_is_named(committed, regenerated):
    (committed / "models/stale.py").touch()
    assert tree_differences(committed, regenerated, "client") == ["only in the committed tree: client/models/stale.py"]


def test_a_file_that_only_the_regenerated_tree_has_is_named(committed, regenerated):
    (committed / "py.typed").unlink()
    assert tree_differences(committed, regenerated, "client") == ["only in the regenerated tree: client/py.typed"]


def test_a_committed_tree_that_is_missing_lacks_every_file(tmp_path, regenerated):
    differences = tree_differences(tmp_path / "nothing", regenerated, "client")
    assert [difference.rpartition("/")[2] for difference in differences] == ["client.py", "invoice.py", "py.typed"]


@pytest.mark.parametrize(
    ("content", "sign"),
    [
        pytest.param(b"a = 1\nb = 2", "\\ no newline at the end", id="no newline at the end"),
        pytest.param(b"a = 1\r\nb = 2\n", "-a = 1\\r", id="other line ends"),
        pytest.param(b"a = 1\nb = 2\n\n", "\n-", id="a blank line more"),
        pytest.param(b"a = 1\nb = 2 \n", "-b = 2 ", id="a space more"),
        pytest.param(b"a = \xff\nb = 2\n", "-a = \\xff", id="not text"),
        pytest.param(b"", "+b = 2", id="nothing"),
    ],
)
def test_every_single_byte_counts_and_shows(committed, regenerated, content, sign):
    (committed / "client.py").write_bytes(content)
    (difference,) = tree_differences(committed, regenerated, "client")
    assert sign in difference


def test_a_link_to_an_equal_file_is_a_difference(committed, regenerated):
    (committed / "client.py").unlink()
    (committed / "client.py").symlink_to(regenerated / "client.py")
    assert tree_differences(committed, regenerated, "client") == ["a symbolic link and not a file: client/client.py"]


def test_a_link_to_an_equal_folder_is_a_difference(committed, regenerated, tmp_path):
    (committed / "models").rename(tmp_path / "moved")
    (committed / "models").symlink_to(tmp_path / "moved")
    assert tree_differences(committed, regenerated, "client") == [
        "only in the committed tree: client/models",
        "only in the regenerated tree: client/models/invoice.py",
    ]


def test_differences_come_in_the_order_of_the_names(committed, regenerated):
    for name in ("z.py", "a.py", "m.py"):
        (committed / name).touch()
    names = [difference.rpartition("/")[2] for difference in tree_differences(committed, regenerated, "client")]
    assert names == ["a.py", "m.py", "z.py"]
