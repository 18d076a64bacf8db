"""Laws of boilerplate: what a dictionary of all texts counts, in any batches, in any number of processes."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from tests.corpus.cleaning.said import views

from manyview.corpus.cleaning import boilerplate
from manyview.corpus.cleaning.boilerplate import (
    BOILERPLATE,
    BoilerplateRules,
    BucketCounts,
    TextCounts,
    find_boilerplate,
)

RULES = BoilerplateRules(kinds=("title", "alt"), min_images=5, max_share=0.02)


@pytest.fixture(params=[3, 22], ids=["eight buckets", "as it is"], autouse=True)
def buckets(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also with so few buckets that all texts collide."""
    monkeypatch.setattr(boilerplate, "_BUCKET_BITS", request.param)


def some_views(count: int = 600) -> pa.Table:
    """Zipf's law."""
    rng = np.random.default_rng(0)
    words = rng.zipf(1.3, count).clip(max=80)
    kinds = rng.choice(["title", "alt", "tags"], count)
    return views(
        *((str(i // 3), kind, f"Text {word}") for i, (kind, word) in enumerate(zip(kinds, words, strict=True)))
    )


def in_batches(table: pa.Table, size: int) -> list[pa.Table]:
    return [table.slice(at, size) for at in range(0, table.num_rows, size)]


def by_dictionary(table: pa.Table) -> list[bool]:
    """Whether each row stays."""
    rows = [(row["kind"], row["text"].lower(), row["id"]) for row in table.to_pylist()]
    distinct = set(rows)
    images = Counter(row[:2] for row in distinct)
    of_kind = Counter(row[0] for row in distinct)
    limit = {kind: max(5, int(0.02 * total)) if kind != "tags" else 10**9 for kind, total in of_kind.items()}
    return [images[row[:2]] <= limit[row[0]] for row in rows]


@pytest.mark.parametrize("size", [30, 600])
def test_what_stands_with_too_many_images_goes(size: int) -> None:
    table = some_views()
    found = find_boilerplate(in_batches(table, size), in_batches(table, size), RULES)
    kept, reasons = found.drop(table)
    stays = by_dictionary(table)
    assert 0 < sum(stays) < len(stays)
    assert kept.equals(table.filter(pa.array(stays)))
    assert reasons == {BOILERPLATE: len(stays) - sum(stays)}


def test_counts_of_processes_add_up() -> None:
    table = some_views()
    firsts = [BucketCounts(RULES), BucketCounts(RULES)]
    for index, batch in enumerate(in_batches(table, 60)):
        firsts[index % 2].add(batch)
    firsts[0].merge(firsts[1])
    seconds = [TextCounts(firsts[0]), TextCounts(firsts[0])]
    for index, batch in enumerate(in_batches(table, 60)):
        seconds[index % 2].add(batch)
    seconds[1].merge(seconds[0])
    assert seconds[1].boilerplate().drop(table)[0].equals(table.filter(pa.array(by_dictionary(table))))


def test_an_image_that_says_it_often_says_it_once() -> None:
    table = views(*(("same", "title", "Hello") for _ in range(50)))
    assert find_boilerplate([table], [table], RULES).drop(table) == (table, {})


def test_nothing_is_found_in_nothing() -> None:
    assert find_boilerplate([views()], [views()], RULES).drop(views())[0].num_rows == 0
