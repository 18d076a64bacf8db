"""A click log becomes query views beside a table of images: manyview, and the same in pandas.

    python benchmarks/clicks.py [--rows 20000000] [--images 1000000] [--processes 2] [--ways ...] [--write]

Rows of the log are showings with a position, queries and images are drawn from Zipf's law, a third of the queries is
written in another case or with other white space. All ways merge the queries, sum by query, image and position, take
expected clicks by the click rate of the position, weigh, keep ten queries an image, and lay them beside the table;
that they find the same views is checked. Each runs in a process of its own; the peak is of it and its children
together. "file by file" is pandas with sums after each of the twenty files, as somebody short of memory writes it.
"""

import argparse
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from manyview.corpus.clicks.run import run

_FILES = 20
_QUERIES, _SHOWN = 300_000, 50
_WORDS = "red blue green black white small large old new summer winter shoes dress lamp table chair bag".split()  # noqa: SIM905


def main() -> None:
    """Every way on the same files, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--max-peak-mb", type=float, default=float("inf"), help="a way that takes more is stopped")
    parser.add_argument("--folder", type=Path, help="where the files are, or are made and left")
    parser.add_argument("--way", choices=["make", *WAYS], help=argparse.SUPPRESS)
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    given = parser.parse_args()
    if given.way == "make":
        make(given.folder, given.rows, given.images)
    elif given.way:
        start = time.perf_counter()
        views = WAYS[given.way](given.folder, given.processes)
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        print(views, time.perf_counter() - start, sum(of.ru_utime + of.ru_stime for of in used))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            compare(given, given.folder or Path(temporary))


def compare(given: argparse.Namespace, folder: Path) -> None:
    """Prints wall and CPU seconds and the peak of each way, nan where it was stopped; fails if views differ."""
    if not (folder / "log").is_dir():
        measured("make", given, folder)
    rows, found = list[list[str]](), dict[str, tuple[float, ...]]()
    for way in given.ways:
        found[way] = measured(way, given, folder)
        views, wall, cpu, peak = found[way]
        ratio = wall / found["manyview"][1] if "manyview" in found else math.nan
        cells = [f"{wall:.1f}", f"{cpu:.1f}", f"{peak / 1e6:,.0f}", f"{views:,.0f}", f"{ratio:.2f}"]
        stopped = ["stopped", "", f"{peak / 1e6:,.0f}", "", ""]
        rows.append([way, *(stopped if math.isnan(views) else cells)])
    columns = ["", "seconds", "CPU seconds", "peak MB", "views", "times manyview's seconds"]
    from page import show  # noqa: PLC0415  loads torch, which is in nobody's peak here

    title = f"{given.rows:,} rows of a click log, {given.images:,} images, {given.processes} processes"
    show("clicks", title, columns, rows, write=given.write)
    if len({views for views, *_ in found.values() if not math.isnan(views)}) > 1:
        raise SystemExit("the ways do not find the same views")


def measured(way: str, given: argparse.Namespace, folder: Path) -> tuple[float, ...]:
    """Views, wall seconds, CPU seconds and peak bytes of the whole process tree."""
    options = [f"--{name}={getattr(given, name)}" for name in ("rows", "images", "processes")]
    command = [sys.executable, __file__, "--way", way, "--folder", str(folder), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        peak = 0
        for size in sizes(process):
            peak = max(peak, size)
            if peak > given.max_peak_mb * 1e6:
                for worker in psutil.Process(process.pid).children(recursive=True):
                    worker.kill()
                process.kill()
                return (*[math.nan] * 3, float(peak))
        said = process.communicate()[0]
    if process.returncode:
        raise SystemExit(f"{way} ended with {process.returncode}")
    return (*map(float, said.split()), float(peak))


def sizes(process: subprocess.Popen[str]) -> Iterator[int]:
    """Resident bytes of the process and all below it, twenty times a second."""
    root = psutil.Process(process.pid)
    while process.poll() is None:
        total = 0
        for of in (root, *root.children(recursive=True)):
            try:
                total += of.memory_info().rss
            except psutil.Error:
                continue
        yield total
        time.sleep(0.05)


def make(folder: Path, rows: int, images: int) -> None:
    """log/*.parquet and images.parquet."""
    rng = np.random.default_rng(0)
    (folder / "log").mkdir(parents=True)
    words = np.array(_WORDS)
    chosen = words[rng.integers(0, len(words), (2, _QUERIES))]
    names = [f"{a} {b} {i}" for i, (a, b) in enumerate(zip(*chosen.tolist(), strict=True))]
    plain = pa.array(names)
    forms = pa.concat_arrays(
        [plain, pc.utf8_title(plain), pc.utf8_upper(plain), pc.utf8_replace_slice(plain, 0, 0, " ")]
    )
    ids = pa.array([f"image-{i:07d}" for i in range(images)])
    titles = pa.array(
        [f"a {word} thing of shop {i}" for i, word in enumerate(words[rng.integers(0, len(words), images)])]
    )
    pq.write_table(pa.table({"id": ids, "title": titles}), folder / "images.parquet", row_group_size=100_000)
    popular, place = np.cumsum(1 / np.arange(1, _QUERIES + 1) ** 0.9), np.cumsum(1 / np.arange(1, _SHOWN + 1) ** 0.8)
    for file in range(_FILES):
        number = rows // _FILES
        query = np.searchsorted(popular / popular[-1], rng.random(number))
        shown = np.searchsorted(place / place[-1], rng.random(number))
        image = (query * 2_654_435_761 + shown * 1_640_531_527) % images
        position = np.clip(shown + rng.integers(-3, 4, number), 0, _SHOWN - 1)
        liked = ((image * 7919 + query) % 97) / 97 / 2
        form = rng.choice(4, number, p=[0.7, 0.15, 0.05, 0.1])
        columns = {
            "query": forms.take(pa.array(form * _QUERIES + query)),
            "id": ids.take(pa.array(image)),
            "position": pa.array(position + 1, pa.int32()),
            "impressions": pa.array(np.ones(number, np.int32)),
            "clicks": pa.array((rng.random(number) < liked / (position + 1) ** 0.7).astype(np.int32)),
        }
        pq.write_table(pa.table(columns), folder / f"log/{file:03d}.parquet", row_group_size=250_000)
    print(0, 0, 0)


def by_manyview(folder: Path, processes: int) -> int:
    told = ("position=position", "examination=rate", "prior_clicks=2.0")
    images = str(folder / "images.parquet")
    counts = run(str(folder / "log"), folder / "manyview", images, overrides=told, processes=processes)
    views: int = counts["beside"]["views"]
    return views


def by_pandas(folder: Path, processes: int) -> int:
    from clicks_in_pandas import at_once  # noqa: PLC0415  nor is pandas in the peak of manyview

    return at_once(folder)


def by_pandas_in_pieces(folder: Path, processes: int) -> int:
    from clicks_in_pandas import file_by_file  # noqa: PLC0415

    return file_by_file(folder)


WAYS = {"manyview": by_manyview, "pandas": by_pandas, "pandas, file by file": by_pandas_in_pieces}


if __name__ == "__main__":
    main()
