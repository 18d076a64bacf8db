from hypothesis import given
from hypothesis import strategies as st

from manyview.evaluate.relation import Relation

rows = st.lists(st.sets(st.integers(0, 6), max_size=5), min_size=1, max_size=8)


@given(rows)
def test_rows_are_kept_in_ascending_order(sets: list[set[int]]) -> None:
    relation = Relation.from_rows(sets)
    assert [relation.row(index).tolist() for index in range(len(relation))] == [sorted(one) for one in sets]
    assert relation.counts.tolist() == [len(one) for one in sets]


@given(rows)
def test_the_transpose_holds_the_same_pairs_the_other_way_round(sets: list[set[int]]) -> None:
    turned = Relation.from_rows(sets).transpose(7)
    assert [set(turned.row(column).tolist()) for column in range(7)] == [
        {index for index, one in enumerate(sets) if column in one} for column in range(7)
    ]


@given(rows, st.data())
def test_a_selection_is_the_relation_of_those_rows(sets: list[set[int]], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(sets)))
    stop = data.draw(st.integers(start, len(sets)))
    selected = Relation.from_rows(sets).select(start, stop)
    expected = Relation.from_rows(sets[start:stop])
    assert selected.columns.tolist() == expected.columns.tolist()
    assert selected.offsets.tolist() == expected.offsets.tolist()
