"""Spill: tables on disk cut into parts by key, so that each part fits in memory.

A spill is an Arrow file whose i-th record batch is part i. Many writers leave a spill each, and whoever works
on part i reads the i-th batch of all of them: no file is open for long, none is shared, none is appended to.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import ipc

from manyview.corpus.clicks.columns import Ints

__all__ = ["hashes", "part_of_texts", "read_part", "read_whole", "write_spill", "write_whole"]

_BASE = 0x9E3779B97F4A7C15
_INVERSE = pow(_BASE, -1, 2**64)
_TABLE = 1 << 20
_AT_ONCE = 1 << 14  # texts: what is under way stays in the processor's cache
_OPTIONS = ipc.IpcWriteOptions(compression="lz4", use_threads=False)


def hashes(texts: pa.StringArray) -> npt.NDArray[np.uint64]:
    """32 bits for each text, none of which is null; the same on every machine."""
    slices = [texts[at : at + _AT_ONCE] for at in range(0, max(len(texts), 1), _AT_ONCE)]
    return np.concatenate([_hashes(some) for some in slices])


def _hashes(texts: pa.StringArray) -> npt.NDArray[np.uint64]:
    """A polynomial in an odd number, modulo 2**64, over the bytes.

    One running sum serves all texts: each is a difference of two of its places, divided by the power at which
    the text begins.
    """
    wide = texts.cast(pa.large_string())
    _, offsets, data = wide.buffers()
    ends = np.frombuffer(offsets or bytes(8), np.int64)[wide.offset : wide.offset + len(wide) + 1]
    of_bytes = np.frombuffer(data or b"", np.uint8)[ends[0] : ends[-1]].astype(np.uint64)
    of_bytes += np.uint64(1)  # or a zero byte at the end would be no byte
    places = ends - ends[0]
    of_bytes *= _powers(_BASE, len(of_bytes))
    sums = np.append(np.uint64(0), np.cumsum(of_bytes, dtype=np.uint64))
    begin = _powers(_INVERSE, len(of_bytes) + 1)[places[:-1]]
    mixed: npt.NDArray[np.uint64] = (sums[places[1:]] - sums[places[:-1]]) * begin
    for shift in (32, 29):
        mixed ^= mixed >> np.uint64(shift)
        mixed *= np.uint64(_BASE)
    mixed >>= np.uint64(32)
    return mixed


def _powers(base: int, number: int) -> npt.NDArray[np.uint64]:
    """Modulo 2**64, from the power 0."""
    return _table(base, _TABLE)[:number] if number <= _TABLE else _table.__wrapped__(base, number)


@cache
def _table(base: int, number: int) -> npt.NDArray[np.uint64]:
    powers = np.full(number, base, np.uint64)
    powers[0] = 1
    return powers.cumprod()


def part_of_texts(texts: pa.StringArray, parts: int) -> Ints:
    """The part each text belongs to."""
    return (hashes(texts) % np.uint64(parts)).astype(np.int64)


def write_spill(path: Path, table: pa.Table, part: Ints, parts: int) -> None:
    """`part[i]` says where row i belongs."""
    order = np.argsort(part, kind="stable")
    sizes = np.bincount(part, minlength=parts)
    batch = table.take(pa.array(order)).combine_chunks()
    ends = np.cumsum(sizes)
    pieces = [batch.slice(int(end - size), int(size)) for end, size in zip(ends, sizes, strict=True)]
    _write(path, table.schema, pieces)


def read_part(paths: Sequence[Path], part: int, schema: pa.Schema) -> pa.Table:
    """Part `part` of all the spills, in their order."""
    batches = list[pa.RecordBatch]()
    for path in paths:
        with pa.memory_map(str(path)) as source:
            batches.append(ipc.open_file(source).get_batch(part))
    return pa.Table.from_batches(batches, schema)


def write_whole(path: Path, table: pa.Table) -> None:
    _write(path, table.schema, [table])


def read_whole(path: Path) -> pa.Table:
    with pa.memory_map(str(path)) as source:
        return ipc.open_file(source).read_all()


def _write(path: Path, schema: pa.Schema, pieces: Sequence[pa.Table]) -> None:
    """One record batch a piece, also for an empty one; nobody sees half a file."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
    with pa.OSFile(str(unfinished), "wb") as sink, ipc.new_file(sink, schema, options=_OPTIONS) as writer:
        for piece in pieces:
            batches = piece.combine_chunks().to_batches()
            writer.write_batch(batches[0] if batches else pa.RecordBatch.from_pylist([], schema))
    unfinished.replace(path)
