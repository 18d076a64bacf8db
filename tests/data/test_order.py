"""Laws of the order: it is its plain definition, every row comes once an epoch, the position is the whole state."""

import pickle
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyview.data.order import MixedOrder, Order, batch_shares
from manyview.data.randomness import permutation
from manyview.errors import UsageError

row_counts = st.lists(st.integers(0, 9), min_size=1, max_size=30).filter(any)
seeds, windows = st.integers(0, 10**6), st.integers(1, 8)
orders = st.builds(Order, row_counts, seeds, windows)


def triples(places) -> list[tuple[int, int, int]]:
    """(epoch, block, row) of each place."""
    return list(zip(places.epoch.tolist(), places.block.tolist(), places.row.tolist(), strict=True))


def plain_epoch(rows: list[int], seed: int, window: int, epoch: int) -> list[tuple[int, int, int]]:
    """The definition: blocks are permuted, and rows are permuted within windows of the permuted blocks."""
    blocks = permutation(seed, epoch, "blocks", len(rows)).tolist()
    stream = []
    for number, start in enumerate(range(0, len(blocks), window)):
        members = [(epoch, b, row) for b in blocks[start : start + window] for row in range(rows[b])]
        stream += [members[i] for i in permutation(seed, epoch, f"rows:{number}", len(members)).tolist()]
    return stream


def plain_stream(rows: list[int], seed: int, window: int, count: int) -> list[tuple[int, int, int]]:
    """The first `count` places: epoch after epoch without a seam."""
    stream, epoch = [], 0
    while len(stream) < count:
        stream += plain_epoch(rows, seed, window, epoch)
        epoch += 1
    return stream[:count]


@given(row_counts, seeds, windows, st.integers(1, 40), st.lists(st.integers(0, 12), min_size=1, max_size=6))
def test_the_order_is_its_plain_definition(rows, seed, window, batch_size, steps):
    """Whatever steps were asked for before: old run folders, and any process, see the same records."""
    plain = plain_stream(rows, seed, window, batch_size * 13)
    order = Order(rows, seed, window)
    for step in steps:
        assert triples(order.batch(step, batch_size)) == plain[step * batch_size : (step + 1) * batch_size]


@given(st.data(), st.lists(row_counts, min_size=1, max_size=4), seeds, windows, st.integers(4, 40), st.integers(0, 9))
def test_streams_side_by_side_are_their_plain_definition(data, sources, seed, window, batch_size, step):
    """Each stream knows its own blocks only, and has the order that it has when it knows of the others' too."""
    num_blocks = max(map(len, sources))
    sources = [data.draw(st.permutations(rows + [0] * (num_blocks - len(rows)))) for rows in sources]
    weights = data.draw(st.lists(st.floats(0.1, 9), min_size=len(sources), max_size=len(sources)))
    streams = []
    for number, rows in enumerate(sources):
        blocks = np.flatnonzero(rows)
        own = np.array(rows)[blocks]
        streams.append(Order(own, seed, window, blocks=blocks, num_blocks=num_blocks, stream=number))
    mixed = MixedOrder(streams, weights)
    expected = []
    for number, (rows, share) in enumerate(zip(sources, batch_shares(weights, batch_size), strict=True)):
        plain = plain_stream(rows, seed, window, (step + 1) * share)[step * share :]
        expected += [(*place, number) for place in plain]
    places = mixed.batch(step, batch_size)
    assert [(*of, s) for of, s in zip(triples(places), places.stream.tolist(), strict=True)] == expected
    assert mixed.epoch_length == sum(map(sum, sources))
    start, stop = data.draw(st.integers(0, batch_size)), data.draw(st.integers(0, batch_size + 5))
    assert triples(mixed.batch(step, batch_size, start, stop)) == [of[:3] for of in expected][start:stop]


@given(orders, st.integers(0, 3))
def test_every_row_comes_once_an_epoch(order, epoch):
    places = triples(order.batch(epoch, order.epoch_length))
    assert Counter((block, row) for _, block, row in places) == Counter(
        (b, r) for b, rows in enumerate(order.rows.tolist()) for r in range(rows)
    )
    assert {of for of, _, _ in places} == {epoch}


@given(orders, st.integers(1, 6), st.integers(0, 20), st.integers(0, 6), st.integers(0, 6))
def test_batches_are_the_stream_cut_in_pieces(order, batch_size, step, start, stop):
    stream = triples(order.batch(0, (step + 1) * batch_size))
    batch = triples(order.batch(step, batch_size))
    assert batch == stream[step * batch_size :]
    assert triples(order.batch(step, batch_size, start, stop)) == batch[start:stop]


@given(orders)
def test_only_a_window_of_blocks_is_open_at_a_time(order):
    blocks = order.batch(0, order.epoch_length).block.tolist()
    nonempty = [block for block in permutation(order._seed, 0, "blocks", len(order.rows)) if order.rows[block]]
    assert set(blocks) == set(nonempty)
    spans = {block: (blocks.index(block), len(blocks) - blocks[::-1].index(block)) for block in nonempty}
    for at in range(len(blocks)):
        assert sum(first <= at < last for first, last in spans.values()) <= order.window


def test_epochs_and_seeds_differ():
    def of(seed, epoch):
        return [place[1:] for place in triples(Order([50, 50], seed).batch(epoch, 100))]

    assert of(0, 0) != of(0, 1)
    assert of(0, 0) != of(1, 0)


def test_an_order_travels_without_what_it_remembers():
    """A loader worker is sent the sizes of blocks and nothing else, however long the run has gone on."""
    order = Order(np.full(100_000, 200), 0)
    fresh = len(pickle.dumps(order))
    order.batch(123, 8192)
    assert len(pickle.dumps(order)) == fresh < 450_000
    assert triples(pickle.loads(pickle.dumps(order)).batch(123, 64)) == triples(order.batch(123, 64))


def test_planning_a_batch_looks_at_no_more_records_in_a_large_corpus(monkeypatch):
    """Counted in numbers drawn: within an epoch, a batch costs what its windows hold, not what the corpus does."""
    drawn: list[int] = []

    def counted(seed, epoch, purpose, count):
        drawn.append(count)
        return permutation(seed, epoch, purpose, count)

    monkeypatch.setattr("manyview.data.order.permutation", counted)
    work = []
    for blocks in (1_000, 50_000):
        order = Order(np.full(blocks, 20), seed=blocks)
        order.batch(0, 64)
        drawn.clear()
        for step in range(1, 200):
            order.batch(step, 64, 0, 8)
        work.append(sum(drawn))
    assert work[0] == work[1] <= 199 * 64 + 320


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
    small = np.array([sum(block) for block in blocks])
    large = np.array([len(block) for block in blocks]) - small
    counts = [of for of in (small, large) if of.any()]
    mixed = MixedOrder([Order(of, seed, 2, stream=i) for i, of in enumerate(counts)], [1] * len(counts))
    met = [Counter() for _ in counts]
    for step in range(12):
        batch = mixed.batch(step, 4)
        assert len(batch) == 4
        for (epoch, block, row), stream in zip(triples(batch), batch.stream.tolist(), strict=True):
            met[stream][block, row] += 1
            assert epoch == met[stream][block, row] - 1
    for stream, of in enumerate(counts):
        assert sum(met[stream].values()) == 12 * 4 // len(counts)
        times = [met[stream][b, r] for b, rows in enumerate(of) for r in range(rows)]
        assert max(times) - min(times) <= 1


@pytest.mark.parametrize(("weights", "groups"), [((1, 2), (0, 1)), ((1, 1, 4), (0, 0, 1)), ((3, 1, 1), (0, 1, 2))])
def test_spread_groups_are_the_same_batch_and_every_part_of_it_has_its_part_of_each(weights, groups):
    streams = [Order([50, 50], 0, 2, stream=number) for number in range(len(weights))]
    plain, spread = MixedOrder(streams, weights), MixedOrder(streams, weights, groups)
    for step in range(4):
        whole = triples(spread.batch(step, 24))
        assert sorted(whole) == sorted(triples(plain.batch(step, 24)))
        parts = [spread.batch(step, 24, start, start + 6) for start in range(0, 24, 6)]
        assert [place for part in parts for place in triples(part)] == whole
        group_of = np.array(groups)
        total = np.bincount(group_of[spread.batch(step, 24).stream])
        for part in parts:
            here = np.bincount(group_of[part.stream], minlength=len(total))
            assert (np.abs(here - total / 4) <= 1).all()
