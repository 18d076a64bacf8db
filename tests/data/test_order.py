"""Laws of the order: every row once an epoch, the position is the whole state."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyview.data.order import MixedOrder, Order, batch_shares
from manyview.errors import UsageError

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


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=6), st.integers(6, 300), st.sampled_from([0.0, 0.5, 1.0]))
def test_shares_of_sources_fill_the_batch_and_follow_the_power_of_their_size(sizes, batch_size, exponent):
    shares = batch_shares([size**exponent for size in sizes], batch_size)
    total = sum(size**exponent for size in sizes)
    assert sum(shares) == batch_size
    assert all(share >= 1 for share in shares)
    for size, share in zip(sizes, shares, strict=True):
        assert abs(share - 1 - size**exponent / total * (batch_size - len(sizes))) < 1


def test_more_sources_than_places_are_refused():
    with pytest.raises(UsageError, match="3 sources do not fit in batch_size=2"):
        batch_shares([1, 1, 1], 2)


@given(st.lists(st.lists(st.booleans(), min_size=1, max_size=9), min_size=1, max_size=5), st.integers(0, 9))
def test_a_mixed_order_takes_every_row_of_a_source_once_before_any_twice(blocks, seed):
    sources = {
        name: [[row for row, small in enumerate(block) if small == is_small] for block in blocks]
        for name, is_small in (("small", True), ("large", False))
    }
    sources = {name: rows for name, rows in sources.items() if any(rows)}
    mixed = MixedOrder(list(sources.values()), [1] * len(sources), seed, 2)
    assert mixed.epoch_length == sum(map(len, blocks))
    met = {name: Counter() for name in sources}
    for step in range(12):
        batch = mixed.batch(step, 4)
        assert len(batch) == 4
        for place in batch:
            name = "small" if blocks[place.block][place.row] else "large"
            met[name][place.block, place.row] += 1
            assert place.epoch == met[name][place.block, place.row] - 1
    for name, rows in sources.items():
        assert sum(met[name].values()) == 12 * 4 // len(sources)
        counts = [met[name][b, r] for b, block in enumerate(rows) for r in block]
        assert max(counts) - min(counts) <= 1
