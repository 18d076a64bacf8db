"""Laws of repeated texts."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from tests.corpus.cleaning.said import views

from manyview.corpus.cleaning.repeated import REPEATED, drop_repeated
from manyview.corpus.fingerprint import normalized_text

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.sampled_from(["title", "alt"]),
        st.sampled_from(["Dog", "dog ", "ＤＯＧ", "cat"]),
        st.sampled_from([0.5, 1.0, 2.0]),
    ),
    max_size=12,
)


@given(ROWS)
def test_the_weightiest_and_then_the_first_of_equal_texts_stays(rows: list[tuple[str, str, str, float]]) -> None:
    for rule, same in (("drop within a kind", 2), ("drop across kinds", 1)):
        best: dict[tuple[str, ...], int] = {}
        for place, row in enumerate(rows):
            key = (*row[:same], normalized_text(row[2]))
            if key not in best or row[3] > rows[best[key]][3]:
                best[key] = place
        kept, reasons = drop_repeated(views(*rows), rule)
        assert kept.equals(views(*(rows[place] for place in sorted(best.values()))))
        assert reasons[REPEATED] == len(rows) - len(best)


@given(ROWS, st.integers(0, 12))
def test_in_batches_and_then_together_is_the_same_as_at_once(rows: list[tuple[str, str, str, float]], cut: int) -> None:
    parts = [drop_repeated(views(*some))[0] for some in (rows[:cut], rows[cut:])]
    assert drop_repeated(pa.concat_tables(parts))[0].equals(drop_repeated(views(*rows))[0])


def test_repetition_may_be_kept() -> None:
    twice = views(("a", "title", "dog"), ("a", "title", "dog"))
    assert drop_repeated(twice, "keep") == (twice, {})
