import io
from collections.abc import Callable

import pytest
from PIL import Image

from manyview.corpus import Corpus
from manyview.evaluate import encode_split, rank_split, showcase
from manyview.evaluate.showcase import thumbnail

from .conftest import ColorModel, number_in, picture, thing


@pytest.fixture
def corpus(corpus_of: Callable[..., Corpus]) -> Corpus:
    return corpus_of(test=[thing(number, source="abcd"[number % 2]) for number in range(120)])


def test_successes_and_failures_are_shown_per_source_and_kind_with_the_ranks_of_the_evaluation(
    corpus: Corpus,
) -> None:
    encoded = encode_split(ColorModel(number_in, noise=3.0), corpus)
    better = encode_split(ColorModel(number_in), corpus)
    shown = showcase(encoded, corpus, successes=3, failures=2, other=better)
    cells = rank_split(encoded).cells
    assert {(one.source, one.query_kind, one.lang) for one in shown} == {
        (source, kind, lang) for source in "ab" for kind, lang in (("title", "en"), ("title.zh", "zh"))
    }
    for one in shown:
        cell = cells[one.source, one.query_kind, "t2i"]
        assert one.rank == cell.ranks[cell.names.index(one.text)]
        assert one.found == (one.rank == 0)
        assert one.rank == 0 or one.rank >= 10
        assert one.other_rank == 0
        assert one.gallery == 60
    per_cell = [one.found for one in shown if (one.source, one.query_kind) == ("a", "title")]
    assert per_cell == [True, True, True, False, False]


def test_the_right_image_is_marked_where_it_was_found(corpus: Corpus) -> None:
    encoded = encode_split(ColorModel(number_in, noise=3.0), corpus)
    for one in showcase(encoded, corpus, kinds=["title"], top=4):
        assert len(one.hits) == 4
        assert [hit.correct for hit in one.hits] == [place == one.rank for place in range(4)]
        assert one.truth.correct
        assert one.truth.title == one.text
        red, green, _ = Image.open(io.BytesIO(one.truth.thumbnail)).convert("RGB").getpixel((48, 48))
        assert (red, green) == pytest.approx((0, number_in(one.text)), abs=6)


def test_only_the_sources_asked_for_are_shown(corpus: Corpus) -> None:
    encoded = encode_split(ColorModel(number_in), corpus)
    assert {one.source for one in showcase(encoded, corpus, sources=["b"])} == {"b"}
    assert showcase(encoded, corpus, sources=[]) == []


def test_a_thumbnail_fits_its_side_and_stands_on_white() -> None:
    packed = io.BytesIO()
    Image.new("RGBA", (300, 150), (0, 0, 0, 0)).save(packed, "PNG")
    small = Image.open(io.BytesIO(thumbnail(packed.getvalue(), 96)))
    assert small.size == (96, 48)
    assert small.convert("RGB").getpixel((3, 3)) == pytest.approx((255, 255, 255), abs=2)
    assert Image.open(io.BytesIO(thumbnail(picture(1), 96))).size == (96, 96)
