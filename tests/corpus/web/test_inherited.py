"""Laws of inherited marks: the answers of a climb from each element, asked in any order."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from manyview.corpus.web.answers import Answers
from manyview.corpus.web.inherited import Inherited
from manyview.corpus.web.outline import Outline

pieces = st.sampled_from(("<div>", "<nav>", "</div>", "</nav>", "<p class=nav>", "</p>", "<img src=a>", "text"))


def is_nav(tag: str, raw: str) -> bool:
    """A mark by tag or attribute."""
    return tag == "nav" or "nav" in raw


@given(st.lists(pieces, max_size=30).map("".join), st.randoms())
def test_a_mark_is_on_all_that_its_element_holds(markup: str, order: Random) -> None:
    outline = Outline.parse(markup)
    marked = [of for of, tag in enumerate(outline.tags) if is_nav(tag, outline.raw[of])]
    asked = list(range(len(outline.tags)))
    order.shuffle(asked)
    inherited = Inherited(outline, marked)
    for element in asked:
        assert inherited.marks(element) == any(outline.holds(of, element) for of in marked)


def test_attributes_are_looked_at_once_however_many_elements_and_pages_have_them() -> None:
    looked = list[str]()

    @Answers
    def never(raw: str) -> bool:
        looked.append(raw)
        return False

    for _ in range(3):
        outline = Outline.parse("<main>" + "<p class=a><img src=a></p>" * 50 + "</main>")
        assert outline.marked(("img",), never, frozenset()) == outline.elements("img")
    assert sorted(looked) == sorted(set(filter(None, outline.raw)))
