"""Near-duplicates among a million hashes: CPU seconds and peak memory of the banded search, and of brute force.

    python benchmarks/near_duplicates.py [--hashes 1000000] [--distance 4] [--write]

Each set of hashes runs in a process of its own on one thread. Brute force compares each hash with each in tiles by
numpy; it is run on the first hashes of the same set and its time extrapolated by the number of pairs.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

from manyview.corpus.cleaning.near_duplicates import components, distinct_hashes, near_pairs

_FIRST, _TILE = 20_000, 4096


def main() -> None:
    """A row for each set of hashes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hashes", type=int, default=1_000_000)
    parser.add_argument("--distance", type=int, default=4)
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    parser.add_argument("--point", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.point:
        print(json.dumps(measured(_SETS[given.point], given.hashes, given.distance)))
        return
    rows = [row(name, in_own_process(name, given.hashes, given.distance)) for name in _SETS]
    from page import show  # noqa: PLC0415  it loads torch, and a process starts with the peak memory of its parent

    title = f"{given.hashes:,} hashes of 64 bits, Hamming distance {given.distance} at most, exact"
    columns = ["", "near pairs", "groups", "groups, CPU s", "pairs, CPU s", "peak MB", "brute force, CPU s"]
    show("near-duplicates", title, columns, rows, write=given.write)


def row(name: str, point: dict[str, float]) -> list[str]:
    """A point as a line of the table."""
    return [
        name,
        f"{point['pairs']:,}",
        f"{point['groups']:,}",
        f"{point['groups_s']:.1f}",
        f"{point['pairs_s']:.1f}",
        f"{point['peak_mb']:.0f}",
        f"{point['brute_s']:,.0f}",
    ]


def in_own_process(name: str, hashes: int, distance: int) -> dict[str, float]:
    """What `measured` finds there."""
    command = [sys.executable, __file__, "--hashes", str(hashes), "--distance", str(distance), "--point", name]
    told: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return told


def measured(make: Callable[[int, np.random.Generator], np.ndarray], count: int, distance: int) -> dict[str, float]:
    """Seconds and memory of the search, the interpreter and its libraries included; brute force comes last."""
    hashes = make(count, np.random.default_rng(0))
    groups, groups_s = timed(lambda: int(components(hashes, distance).max()) + 1)
    pairs, pairs_s = timed(lambda: len(near_pairs(hashes, distance).left))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    words = distinct_hashes(hashes).words
    some = words[np.linspace(0, len(words) - 1, min(_FIRST, len(words))).astype(np.int64)]
    _, brute_s = timed(lambda: by_brute_force(some, distance))
    brute_s *= len(words) ** 2 / len(some) ** 2
    found = {"groups": groups, "groups_s": groups_s, "pairs": pairs, "pairs_s": pairs_s}
    return {**found, "peak_mb": peak_mb, "brute_s": brute_s}


def by_brute_force(words: np.ndarray, distance: int) -> int:
    """How many pairs of words are near."""
    found = 0
    for top in range(len(words)):
        for left in range(top + 1, len(words), _TILE):
            found += int((np.bitwise_count(words[left : left + _TILE] ^ words[top]) <= distance).sum())
    return found


def timed(what: Callable[[], int]) -> tuple[int, float]:
    """What it returns, and its CPU seconds."""
    start = time.process_time()
    found = what()
    return found, time.process_time() - start


def random_hashes(count: int, rng: np.random.Generator) -> np.ndarray:
    """All pictures differ."""
    return rng.integers(0, 2**64, count, dtype=np.uint64)


def with_copies(count: int, rng: np.random.Generator) -> np.ndarray:
    """One in ten is another with up to six bits changed, one in five has one of a thousand common hashes."""
    hashes = random_hashes(count, rng)
    hashes[: count // 10] = changed(hashes[-(count // 10) :], 6, rng)
    hashes[count // 10 : 3 * count // 10] = rng.choice(random_hashes(1000, rng), 3 * count // 10 - count // 10)
    return rng.permutation(hashes)


def with_crowd(count: int, rng: np.random.Generator) -> np.ndarray:
    """One in a hundred lies within four bits of the same hash, as pages with a stamp, and half are all alike."""
    hashes = with_copies(count, rng)
    hashes[: count // 100] = changed(np.zeros(count // 100, np.uint64), 4, rng)
    hashes[count // 2 :] = hashes[-1]
    return rng.permutation(hashes)


def changed(hashes: np.ndarray, bits: int, rng: np.random.Generator) -> np.ndarray:
    """Up to `bits` bits of each."""
    for _ in range(bits):
        hashes = hashes ^ (np.uint64(1) << rng.integers(0, 64, len(hashes)).astype(np.uint64))
    return hashes


_SETS = {"all different": random_hashes, "copies": with_copies, "copies and a crowd": with_crowd}

if __name__ == "__main__":
    main()
