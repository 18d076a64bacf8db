"""Laws of streams: corpora, sources and lanes are cut as their plain definition says."""

from pathlib import Path

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from manyview.corpus import Corpus, Manifest, Shard
from manyview.data.streams import make_streams

NAMES = ("b", "", "a")


@st.composite
def corpora(draw):
    """A corpus of counts alone: nothing of it is opened."""
    shards = []
    for number in range(draw(st.integers(1, 3))):
        groups = draw(st.integers(1, 5))
        counts = {name: draw(st.lists(st.integers(0, 4), min_size=groups, max_size=groups)) for name in NAMES}
        rows = [sum(of) for of in zip(*counts.values(), strict=True)]
        shards.append(
            Shard(file=f"data/{number}", records=sum(rows), bytes=0, sha256="", row_groups=rows, sources=counts)
        )
    assume(sum(shard.records for shard in shards))
    return Corpus(Path("nowhere"), Manifest(name="counts", splits={"train": shards}))


def plain_streams(given, weights, exponent):
    """(rows by block of all corpora, share, source), by the definition."""
    blocks = [
        (number, {name: counts[group] for name, counts in shard.sources.items()})
        for number, corpus in enumerate(given)
        for shard in corpus.manifest.splits["train"]
        for group in range(len(shard.row_groups))
    ]
    keys = [(number, None) for number in range(len(given))]
    if exponent != 1:
        keys = sorted({(number, name) for number, of in blocks for name in of if of[name]})
    streams = []
    for corpus, source in keys:
        rows = [
            (sum(of.values()) if source is None else of[source]) if number == corpus else 0 for number, of in blocks
        ]
        streams.append((corpus, source, rows))
    if exponent == 1:
        return [(rows, weights[corpus], source) for corpus, source, rows in streams]
    parts = [sum(rows) ** exponent for _, _, rows in streams]
    totals = [sum(p for (c, *_), p in zip(streams, parts, strict=True) if c == corpus) for corpus in range(len(given))]
    return [
        (rows, weights[corpus] * part / totals[corpus], source)
        for (corpus, source, rows), part in zip(streams, parts, strict=True)
    ]


def plain_lanes(rows, share, source, lanes):
    """The fullest block goes to the emptiest lane, the first of equals."""
    filled = sorted((n for n, count in enumerate(rows) if count), key=lambda n: -rows[n])
    dealt = [[] for _ in range(max(1, min(lanes, len(filled))))]
    for number in filled:
        min(dealt, key=lambda lane: sum(rows[n] for n in lane)).append(number)
    return [([c if n in lane else 0 for n, c in enumerate(rows)], share / len(dealt), source) for lane in dealt]


@given(st.data(), st.lists(corpora(), min_size=1, max_size=3), st.sampled_from([1.0, 0.5, 0.0]), st.integers(1, 6))
def test_streams_are_their_plain_definition(data, some, exponent, lanes):
    weights = data.draw(st.lists(st.floats(0.1, 9), min_size=len(some), max_size=len(some)))
    blocks = [corpus.blocks("train") for corpus in some]
    streams = make_streams(some, "train", blocks, weights=weights, source_exponent=exponent, lanes=lanes)
    found = []
    for stream in streams:
        rows = np.zeros(sum(map(len, blocks)), int)
        rows[stream.blocks] = stream.rows
        assert sorted(stream.blocks.tolist()) == stream.blocks.tolist()
        found.append((rows.tolist(), stream.share, stream.source))
    expected = [
        lane
        for rows, share, of in plain_streams(some, weights, exponent)
        for lane in plain_lanes(rows, share, of, lanes)
    ]
    assert [of[::2] for of in found] == [of[::2] for of in expected]
    np.testing.assert_allclose([of[1] for of in found], [of[1] for of in expected])
