"""Laws of the order: every row once an epoch, the position is the whole state."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from manyview.data.order import Order

orders = st.builds(
    Order,
    st.lists(st.integers(1, 9), min_size=1, max_size=7).map(tuple),
    st.integers(0, 10**6),
    st.integers(1, 8),
)


@given(orders, st.integers(0, 3))
def test_every_row_comes_once_an_epoch(order, epoch):
    length = order.epoch_length
    places = [order.place(epoch * length + i) for i in range(length)]
    assert Counter((p.block, p.row) for p in places) == Counter(
        (b, r) for b, rows in enumerate(order.rows) for r in range(rows)
    )
    assert {p.epoch for p in places} == {epoch}


@given(orders, st.integers(1, 6), st.integers(0, 20))
def test_batches_are_the_stream_cut_in_pieces(order, batch_size, step):
    stream = [order.place(i) for i in range((step + 1) * batch_size)]
    assert order.batch(step, batch_size) == stream[step * batch_size :]
    halves = [order.batch(2 * step + half, batch_size) for half in (0, 1)]
    assert halves[0] + halves[1] == order.batch(step, 2 * batch_size)


@given(orders)
def test_only_a_window_of_blocks_is_open_at_a_time(order):
    places = [order.place(i) for i in range(order.epoch_length)]
    seen: list[int] = []
    for place in places:
        if place.block not in seen:
            seen.append(place.block)
    for start in range(0, len(seen), order.window):
        window = set(seen[start : start + order.window])
        positions = [i for i, p in enumerate(places) if p.block in window]
        assert positions == list(range(positions[0], positions[0] + len(positions)))


def test_epochs_and_seeds_differ():
    def of(seed, epoch):
        order = Order((50, 50), seed)
        return [(p.block, p.row) for p in (order.place(epoch * 100 + i) for i in range(100))]

    assert of(0, 0) != of(0, 1)
    assert of(0, 0) != of(1, 0)
