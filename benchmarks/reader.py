"""Records a second that the reader gives in the order of training, without decoding, in one process.

    python benchmarks/reader.py [--corpus starter] [--batch-size 256] [--repeat 3]

Parquet row groups are read, parsed and shuffled in windows as in training; images stay encoded. Beside it the whole
loader: decoded, cropped, with texts drawn and tokenized, as the small recipes have it.

    python benchmarks/reader.py --records 100000000 [--batch-size 8192]

CPU time to open a corpus of so many records and to plan its batches, and the memory it takes. The corpus is
simulated: its manifest is whole (records of 40 kB, 200 to a row group, 62 row groups to a shard, eight sources), its
shards are empty files of the right size, of which nothing is read. Each row of the table is a process of its own.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from manyview.corpus import Corpus, Manifest, Shard
from manyview.corpus.blocks import Blocks
from manyview.data import BatchSource
from manyview.data.order import MixedOrder, Order
from manyview.data.reader import Reader
from manyview.distributed import World
from manyview.model.ngrams import NgramTokenizer
from manyview.train import batch_source, recipe
from manyview.train.metrics import peak_memory_mb

_SECONDS = 5.0
_ROW_GROUP, _ROW_GROUPS, _RECORD_BYTES = 200, 62, 40_000
_SOURCES = (0.4, 0.25, 0.15, 0.1, 0.05, 0.03, 0.015, 0.005)  # shares of the records
_PLANS: dict[str, dict[str, Any]] = {
    "one stream": {},
    "8 sources": {"source_exponent": 0.5},
    "8 lanes": {"lanes": 8},
    "8 sources in 8 lanes": {"source_exponent": 0.5, "lanes": 8},
    "one stream, rank 3 of 8": {"world": 8},
    "8 sources in 8 lanes, rank 3 of 8": {"source_exponent": 0.5, "lanes": 8, "world": 8},
}


def main() -> None:
    """Either, in CPU seconds, medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", default="starter")
    parser.add_argument("--records", type=int, help="plan batches of a simulated corpus of so many records")
    parser.add_argument("--plan", choices=_PLANS, help="one row of that table, as JSON")
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    if given.plan:
        print(json.dumps(planned(given.corpus, given.batch_size, **_PLANS[given.plan])))
    elif given.records:
        planning(given.records, given.batch_size or 8192)
    else:
        reading(given.corpus, given.batch_size or 256, given.repeat)


def reading(folder: str, batch_size: int, repeat: int) -> None:
    """The table of records a second."""
    corpus = Corpus.open(folder)
    config = recipe("many-view").model_copy(update={"batch_size": batch_size})
    reader = Reader(Blocks.joined([corpus.blocks("train")]), cached=config.window + 1)
    order = Order(reader.blocks.rows, seed=0, window=config.window)
    source = batch_source(config, [corpus], NgramTokenizer(2**16))

    def raw(step: int) -> None:
        places = order.batch(step, batch_size)
        for block, row in zip(places.block.tolist(), places.row.tolist(), strict=True):
            reader.row(block, row)

    table = Table(title=f"one process, batches of {batch_size}, medians of {repeat}")
    table.add_column("work")
    table.add_column("records a CPU second", justify="right")
    for name, work in (("read, raw", raw), ("read, decoded, augmented, tokenized", source.__getitem__)):
        rates = [rate(work, batch_size) for _ in range(repeat)]
        table.add_row(name, f"{statistics.median(rates):,.0f}")
    Console(width=100).print(table)


def rate(work: Callable[[int], object], batch_size: int) -> float:
    """Records a CPU second over a few seconds of consecutive steps."""
    start, step = time.process_time(), 0
    while time.process_time() - start < _SECONDS:
        work(step)
        step += 1
    return step * batch_size / (time.process_time() - start)


def planning(records: int, batch_size: int) -> None:
    """The table of what it takes to plan batches of a large corpus."""
    table = Table(title=f"{records:,} records, batches of {batch_size:,} planned")
    table.add_column("read as", no_wrap=True)
    for column in (
        "start, s",
        "first batch, ms",
        "first of an epoch, ms",
        "median batch, ms",
        "peak memory, MB",
        "of it imports, MB",
    ):
        table.add_column(column, justify="right")
    with tempfile.TemporaryDirectory() as folder:
        simulated = get_context("spawn").Process(target=simulate, args=(Path(folder), records))
        simulated.start()  # in a process of its own, whose memory would count as that of its children
        simulated.join()
        for plan in _PLANS:
            command = [sys.executable, __file__, "--plan", plan, "--corpus", folder, "--batch-size", str(batch_size)]
            told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            names = ("start_s", "first_ms", "epoch_ms", "median_ms", "memory_mb", "imports_mb")
            table.add_row(plan, *(f"{told[name]:,.1f}" for name in names))
    Console(width=150).print(table)


def simulate(folder: Path, records: int) -> None:
    """A corpus folder whose shards are holes."""
    (folder / "data").mkdir()
    rng = np.random.default_rng(0)
    shards = []
    for first in range(0, records, _ROW_GROUP * _ROW_GROUPS):
        here = min(records - first, _ROW_GROUP * _ROW_GROUPS)
        rows = np.full(-(-here // _ROW_GROUP), _ROW_GROUP)
        rows[-1] = here - _ROW_GROUP * (len(rows) - 1)
        of_source = rng.multinomial(rows, _SOURCES).T.tolist()
        file = f"data/train-{len(shards):05d}.parquet"
        with (folder / file).open("wb") as handle:
            handle.truncate(here * _RECORD_BYTES)
        shards.append(
            Shard(
                file=file,
                records=here,
                bytes=here * _RECORD_BYTES,
                sha256=f"{len(shards):064x}",
                row_groups=rows.tolist(),
                texts={kind: {"en": here // 2, "zh": here // 2} for kind in ("title", "tags", "caption")},
                sources={f"source-{number}": counts for number, counts in enumerate(of_source)},
            )
        )
    manifest = Manifest(name="simulated", splits={"train": shards})
    (folder / "manifest.json").write_text(manifest.to_json(), encoding="utf-8")


def planned(folder: str, batch_size: int, world: int = 1, **settings: Any) -> dict[str, float]:
    """Seconds and memory of one plan, in this process."""
    imports_mb = peak_memory_mb()
    config = recipe("many-view").model_copy(update={"batch_size": batch_size, **settings})
    began = time.process_time()
    corpus = Corpus.open(folder)
    source = batch_source(config, [corpus], NgramTokenizer(2**16), World(3 if world > 1 else 0, world))
    start_s = time.process_time() - began
    first_ms = milliseconds(source.places, 0)
    epoch_ms = statistics.median(milliseconds(source.places, step) for step in epoch_starts(source, batch_size, 5))
    median_ms = statistics.median(milliseconds(source.places, 1000 + step) for step in range(101))
    return {
        "start_s": start_s,
        "first_ms": first_ms,
        "epoch_ms": epoch_ms,
        "median_ms": median_ms,
        "memory_mb": peak_memory_mb(),
        "imports_mb": imports_mb,
    }


def epoch_starts(source: BatchSource, batch_size: int, epochs: int) -> Iterator[int]:
    """The steps at which the first stream of this process begins an epoch; the step before each is planned."""
    places = source.places(0)
    order, stream = source.order, int(places.stream[0])
    own = order.streams[stream] if isinstance(order, MixedOrder) else order
    whole = order.batch(0, batch_size).stream == stream
    for epoch in range(1, epochs + 1):
        step = epoch * own.epoch_length // int(whole.sum())
        source.places(step - 1)
        yield step


def milliseconds(work: Callable[[int], object], step: int) -> float:
    """CPU time of one call."""
    began = time.process_time()
    work(step)
    return 1000 * (time.process_time() - began)


if __name__ == "__main__":
    main()
