"""Weigh: pairs of a query and an image become views, sorted by image, the best first."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from manyview.corpus.clicks.columns import Ints
from manyview.corpus.clicks.examination import Floats, weights
from manyview.corpus.clicks.groups import starts_of
from manyview.corpus.clicks.log import ClickLog
from manyview.corpus.clicks.spill import read_part, read_whole, write_spill
from manyview.corpus.clicks.stages import Result
from manyview.corpus.sources.contract import VIEWS

__all__ = ["boundaries", "finish", "weigh"]

_WEIGHED = pa.schema([(name, VIEWS.field(name).type) for name in ("id", "text", "weight", "origin")])


def boundaries(ids: Sequence[str], parts: int) -> list[str]:
    """At most `parts` - 1 ids that cut the ids into ranges of about equal size."""
    ordered = sorted(set(ids))
    return sorted({ordered[len(ordered) * i // parts] for i in range(1, parts)}) if ordered else []


def weigh(
    log: ClickLog, folder: Path, part: int, unit: int, theta: list[float], strength: float, cuts: list[str]
) -> Result:
    """A spill of the weighed pairs of a part of the queries, by range of ids."""
    table = read_whole(folder / f"merged-{part:06d}.arrow")
    text, ids = (table[name].combine_chunks() for name in ("text", "id"))
    starts = _pair_starts(text, ids)
    pair = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(ids))))
    shown, clicked = (table[name].to_numpy() / unit for name in ("shown", "clicked"))
    looked_at: Floats = shown * np.array(theta)[table["position"].to_numpy()]
    expected: Floats = np.bincount(pair, weights=looked_at, minlength=len(starts)).astype(np.float64)
    clicks: Floats = np.bincount(pair, weights=clicked, minlength=len(starts)).astype(np.float64)
    found = weights(clicks, expected, strength)
    rows = pa.array(starts)
    origins = _origins(log, table, pair, len(starts))
    columns = [ids.take(rows), text.take(rows), pa.array(found.astype(np.float32)), origins]
    weighed = pa.Table.from_arrays(columns, schema=_WEIGHED)
    write_spill(folder / f"weighed-{part:06d}.arrow", weighed, _range(weighed["id"], cuts), len(cuts) + 1)
    return {}


def _pair_starts(text: pa.Array, ids: pa.Array) -> Ints:
    return starts_of([column.dictionary_encode().indices.to_numpy() for column in (text, ids)])


def _origins(log: ClickLog, table: pa.Table, pair: Ints, number: int) -> pa.Array:
    """What speaks for the view: "clicks:12/340", clicks of impressions before any correction."""
    counted = [np.zeros(number, np.int64) for _ in range(2)]
    for total, name in zip(counted, ("clicks", "impressions"), strict=True):
        np.add.at(total, pair, table[name].to_numpy())
    clicks, impressions = (pa.array(total).cast(pa.string()) for total in counted)
    counts = clicks if log.only_clicks else pc.binary_join_element_wise(clicks, impressions, "/")
    return pc.binary_join_element_wise(pa.scalar(log.name), counts, ":")


def _range(ids: pa.ChunkedArray, cuts: list[str]) -> Ints:
    coded = ids.combine_chunks().dictionary_encode()
    ranges = np.array([bisect_right(cuts, of) for of in coded.dictionary.to_pylist()], np.int64)
    of_rows: Ints = ranges[coded.indices.to_numpy()]
    return of_rows


def finish(log: ClickLog, spills: list[Path], part: int, out: Path) -> Result:
    """The views of a range of ids, in a Parquet file."""
    table = read_part(spills, part, _WEIGHED)
    ids, text, weight = (np.asarray(_ranks(table[name])) for name in ("id", "text", "weight"))
    order = np.lexsort((text, -weight, ids))
    starts = starts_of([ids[order]])
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    kept = table.take(pa.array(order[rank < log.top_k]))
    columns = {
        "kind": pa.repeat(pa.scalar("query"), kept.num_rows),
        "lang": pa.repeat(pa.scalar(""), kept.num_rows),
        **{name: kept[name] for name in _WEIGHED.names},
    }
    views = pa.table({name: columns[name] for name in VIEWS.names}, schema=VIEWS)
    _write(out / f"views-{part:06d}.parquet", views)
    below = int(np.count_nonzero(rank >= log.top_k))
    return {"views": views.num_rows, "skipped": Counter({f"pair: below the best {log.top_k} of its image": below})}


def _ranks(column: pa.ChunkedArray) -> pa.Array:
    return pc.rank(column, tiebreaker="dense").cast(pa.int64())


def _write(path: Path, table: pa.Table) -> None:
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
    pq.write_table(table, unfinished, compression="zstd")
    unfinished.replace(path)
