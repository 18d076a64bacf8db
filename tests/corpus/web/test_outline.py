"""Laws of the outline: it is the parser's tree, read from its serialization."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from resiliparse.parse.html import ElementNode, HTMLTree, TextNode

from manyview.corpus.web.charset import page_text
from manyview.corpus.web.outline import Outline

FILES = sorted((Path(__file__).parent / "pages").glob("*.html"))
TAGS = ("a", "b", "p", "div", "table", "tr", "td", "ul", "li", "img", "br", "h1", "h2", "i", "figure", "select", "x<y")
UNSEEN = ("script", "style", "iframe", "xmp", "noembed", "noframes", "plaintext", "svg", "math", "template")
Seen = tuple[str, tuple[tuple[str, str], ...], str]

pieces = st.one_of(
    st.sampled_from(TAGS).map(lambda tag: f"<{tag}>"),
    st.sampled_from(TAGS).map(lambda tag: f"</{tag}>"),
    st.builds(
        lambda tag, value: f'<{tag} title="{value}" b<c=1>', st.sampled_from(TAGS), st.text("<>&\"'= a;", max_size=6)
    ),
    st.text("ab &<>;\n", max_size=8),
    st.sampled_from(("<!-- <p> -->", "<script>'<p>'</script>", "&amp;lt;", "<!-->", "</", "<?x ?>", "<svg><p>")),
)


def walked(markup: str) -> list[Seen]:
    """Tag, attributes and text of each element, by walking the DOM."""
    found = list[Seen]()

    def text_of(node: object) -> str:
        if isinstance(node, TextNode):
            return node.value or ""
        if isinstance(node, ElementNode) and node.tag not in UNSEEN:
            return "".join(map(text_of, node.child_nodes))
        return ""

    def walk(node: ElementNode) -> None:
        if node.tag in UNSEEN:
            return
        attributes = tuple((name, node.getattr(name) or "") for name in node.attrs)
        found.append((node.tag or "", attributes, "".join(text_of(node).split())))
        for child in node.child_nodes:
            if isinstance(child, ElementNode):
                walk(child)

    document = HTMLTree.parse(markup).document
    if document is not None and document.document_element is not None:
        walk(document.document_element)
    return found


def outlined(markup: str) -> list[Seen]:
    """The same from the outline; white space is where they may differ."""
    outline = Outline.parse(markup)
    return [
        (outline.tags[of], tuple(outline.attributes(of).items()), "".join(outline.text(of).split()))
        for of in range(len(outline.tags))
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_outline_is_the_tree_of_the_parser(file: Path) -> None:
    markup = page_text(file.read_bytes())
    assert outlined(markup) == walked(markup)


@given(st.lists(pieces, max_size=25).map("".join))
def test_outline_is_the_tree_of_the_parser_for_any_markup(markup: str) -> None:
    if "<svg" not in markup:
        assert outlined(markup) == walked(markup)
    else:
        Outline.parse(markup)


@given(st.lists(pieces, max_size=25).map("".join))
def test_parents_hold_their_children(markup: str) -> None:
    outline = Outline.parse(markup)
    for element, parent in enumerate(outline.parents):
        if parent >= 0:
            assert parent < element < outline.lasts[element] <= outline.lasts[parent]
            assert outline.begins[parent] <= outline.begins[element] <= outline.ends[element] <= outline.ends[parent]


def test_no_run_of_text_crosses_the_border_of_a_block() -> None:
    outline = Outline.parse("<div>a<p>b <i>c</i></p>d<ul><li>e<li>f</ul>g<br>h</div>")
    assert [outline.between(begin, end) for begin, end, _ in outline.runs] == ["a", "b c", "d", "e", "f", "g", "h"]


def test_words_of_two_blocks_do_not_grow_together() -> None:
    outline = Outline.parse("<figcaption><p>one</p><p>two</p>three<br>four</figcaption>")
    assert outline.text(outline.elements("figcaption")[0]) == "one two three four"


def test_time_is_linear_in_depth_and_size() -> None:
    start = time.process_time()
    Outline.parse("<div>" * 50_000 + "<p>x <img src=a>" * 50_000)
    assert time.process_time() - start < 10
