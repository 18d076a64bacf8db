"""Laws of answers: those of the function, and no more memory than a crawl may cost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyview.corpus.web import answers
from manyview.corpus.web.answers import Answers


@given(st.lists(st.text(max_size=5)))
def test_answers_are_those_of_the_function(asked: list[str]) -> None:
    says = Answers(str.isalpha)
    assert [says[raw] for raw in (*asked, *asked)] == [raw.isalpha() for raw in (*asked, *asked)]


def test_long_attributes_are_not_kept() -> None:
    says = Answers(str.isalpha)
    inline = "data:image/png;base64," + "A" * 100_000
    assert not says[inline]
    assert not says


def test_no_more_are_kept_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_MOST", 10)
    says = Answers(str.isalpha)
    for number in range(100):
        assert not says[str(number)]
        assert len(says) <= 10
