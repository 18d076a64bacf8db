"""Records a second that the reader gives in the order of training, without decoding, in one process.

    python benchmarks/reader.py [--corpus starter] [--batch-size 256] [--repeat 3]

Parquet row groups are read, parsed and shuffled in windows as in training; images stay encoded. Beside it the whole
loader: decoded, cropped, with texts drawn and tokenized, as the small recipes have it.
"""

import argparse
import statistics
import time
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from manyview.corpus import Corpus
from manyview.data.order import Order
from manyview.data.reader import Reader
from manyview.model.ngrams import NgramTokenizer
from manyview.train import batch_source, recipe

_SECONDS = 5.0


def main() -> None:
    """Both, in CPU seconds, medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", default="starter")
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    corpus = Corpus.open(given.corpus)
    config = recipe("many-view").model_copy(update={"batch_size": given.batch_size})
    reader = Reader([corpus], "train", cached=config.window + 1)
    order = Order(reader.lengths, seed=0, window=config.window)
    source = batch_source(config, [corpus], NgramTokenizer(2**16))

    def raw(step: int) -> None:
        for place in order.batch(step, given.batch_size):
            reader.rows(place.block)[place.row]

    table = Table(title=f"one process, batches of {given.batch_size}, medians of {given.repeat}")
    table.add_column("work")
    table.add_column("records a CPU second", justify="right")
    for name, work in (("read, raw", raw), ("read, decoded, augmented, tokenized", source.__getitem__)):
        rates = [rate(work, given.batch_size) for _ in range(given.repeat)]
        table.add_row(name, f"{statistics.median(rates):,.0f}")
    Console(width=100).print(table)


def rate(work: Callable[[int], object], batch_size: int) -> float:
    """Records a CPU second over a few seconds of consecutive steps."""
    start, step = time.process_time(), 0
    while time.process_time() - start < _SECONDS:
        work(step)
        step += 1
    return step * batch_size / (time.process_time() - start)


if __name__ == "__main__":
    main()
