import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.errors import CodegenError
from codegen.read.sources import extract_document
from tests.support.tables import each_row

DOCUMENT = b"openapi: 3.1.0\ninfo: {}\n"


def page(opening: bytes, closing: bytes, content: bytes = DOCUMENT) -> bytes:
    return b"# Create\n\nSome words.\n\n" + opening + b"\n" + content + closing + b"\n\nMore words.\n"


def test_the_committed_document_has_the_published_operation_byte_for_byte(repository):
    published = (repository / "tests/pages/create-a-lightning-invoice.md").read_bytes()
    operation, _, rest = extract_document(published, "page.md").partition(b"components:\n")
    committed = (repository / "openapi.yaml").read_bytes()
    assert committed.startswith(operation)
    assert committed.endswith(rest)


def test_the_blank_line_before_the_closing_fence_belongs_to_the_document(repository):
    assert (repository / "openapi.yaml").read_bytes().endswith(b"scheme: basic\n\n")


@each_row(
    ("opening", "closing"),
    [
        pytest.param(b"```", b"```", id="without an info string"),
        pytest.param(b"```yaml", b"```", id="with an info string"),
        pytest.param(b"````yaml post /v3/lightning_invoice_bolt11", b"````", id="with a long info string"),
        pytest.param(b"``````````json", b"``````````", id="ten backticks"),
        pytest.param(b"```", b"``````", id="a closing fence that is longer"),
        pytest.param(b"```", b"   ```  \t", id="a closing fence with spaces around it"),
        pytest.param(b"~~~", b"~~~", id="tildes"),
        pytest.param(b"~~~~ yaml `quoted` ~", b"~~~~~", id="tildes with backticks in the info string"),
    ],
)
def test_any_fence_of_commonmark_is_read(opening, closing):
    assert extract_document(page(opening, closing), "page.md") == DOCUMENT


@each_row(
    ("opening", "closing", "content"),
    [
        pytest.param(b"````", b"````", DOCUMENT + b"x: |\n```\ncurl\n```\n", id="shorter fences of the same kind"),
        pytest.param(b"```", b"```", DOCUMENT + b"x: |\n~~~~\ncurl\n~~~~\n", id="longer fences of the other kind"),
        pytest.param(b"```", b"```", DOCUMENT + b"```yaml\n", id="a fence with an info string closes nothing"),
        pytest.param(b"```", b"```", DOCUMENT + b"    ```\n", id="a fence that is indented as code closes nothing"),
    ],
)
def test_what_looks_like_a_fence_inside_is_content(opening, closing, content):
    assert extract_document(page(opening, closing, content), "page.md") == content


@each_row(
    "content",
    [
        pytest.param(b"openapi: 3.1.0\r\ninfo: {}\r\n\r\n", id="CRLF"),
        pytest.param(b"openapi: 3.1.0\n\n\n\n", id="trailing blank lines"),
        pytest.param(b"# comment \t\n\n'openapi': 3.1.0\n\ttab\n", id="a comment first, a quoted key, odd spacing"),
        pytest.param('openapi: 3.1.0\nx: "ü\u2028\x85\u00a0"\n'.encode(), id="line separators of Unicode"),
        pytest.param(b'{\n  "openapi": "3.1.0"\n}\n', id="JSON"),
    ],
)
def test_the_content_is_kept_byte_for_byte(content):
    assert extract_document(page(b"```", b"```", content), "page.md") == content


@given(st.text(alphabet=st.characters(exclude_characters="\0\r\ufeff", exclude_categories=["Cs"]), max_size=200))
def test_whatever_is_between_longer_fences_comes_out_as_it_is(text):
    content = f"openapi: 3.1.0\n{text}\n".encode()
    fence = b"`" * (text.count("`") + 3)
    assert extract_document(page(fence, fence, content), "page.md") == content


def test_the_indentation_of_the_fence_is_not_content():
    indented = b"  ```yaml\n  openapi: 3.1.0\n    info:\n servers:\n  ```\n"
    assert extract_document(indented, "page.md") == b"openapi: 3.1.0\n  info:\nservers:\n"


def test_a_page_may_end_with_the_closing_fence():
    assert extract_document(b"```\n" + DOCUMENT + b"```", "page.md") == DOCUMENT


def test_a_byte_order_mark_is_not_content():
    assert extract_document(b"\xef\xbb\xbf```\n" + DOCUMENT + b"```\n", "page.md") == DOCUMENT


def test_other_blocks_are_passed_over():
    other = b"```bash\ncurl https://service-sandbox.tazapay.com\n```\n\n    openapi: 3.1.0\n\n"
    assert extract_document(other + page(b"```", b"```"), "page.md") == DOCUMENT


@each_row(
    ("source", "message"),
    [
        pytest.param(b"", "no fenced block holds", id="an empty page"),
        pytest.param(b"# Title\n\nopenapi: 3.1.0\n", "no fenced block holds", id="no block"),
        pytest.param(page(b"```", b"```", b"{}\n"), "no fenced block holds", id="a block without a document"),
        pytest.param(page(b"``", b"``"), "no fenced block holds", id="two backticks are not a fence"),
        pytest.param(b"``` `yaml`\n" + DOCUMENT + b"x\n", "no fenced block holds", id="a backtick in the info string"),
        pytest.param(b"<!--\n```\n" + DOCUMENT + b"```\n-->\n", "no fenced block holds", id="a comment"),
        pytest.param(
            page(b"```", b"```") * 2, "start on lines 5 and 15; a page must hold exactly one", id="two documents"
        ),
        pytest.param(b"# T\n\n```\n" + DOCUMENT, "line 3: the block is never closed", id="cut short"),
        pytest.param(page(b"````", b"```"), "line 5: the block is never closed", id="a closing fence too short"),
        pytest.param(page(b"```", b"~~~"), "line 5: the block is never closed", id="a closing fence of the other kind"),
        pytest.param(b"> ```\n> openapi: 3.1.0\n> ```\n", "line 1: the block stands in a list", id="a quotation"),
        pytest.param(b"- ```\n  openapi: 3.1.0\n  ```\n", "line 1: the block stands in a list", id="a list"),
        pytest.param(b"```\nopenapi: \xff\n```\n", "the text is not UTF-8", id="not UTF-8"),
    ],
)
def test_a_page_without_exactly_one_whole_document_is_refused_by_name_and_line(source, message):
    with pytest.raises(CodegenError) as caught:
        extract_document(source, "folder/page.md")
    assert str(caught.value).startswith("folder/page.md")
    assert message in str(caught.value)
