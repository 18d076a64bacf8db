"""img2dataset's tars become shards, JPEG bytes passed through, against Python's tarfile and SHA-256 of the same bytes.

    python benchmarks/build.py [--samples 20000] [--repeat 3] [--folder KEPT] [--write]

Tars of a .jpg of 40 to 100 kB, a .txt and a .json each are made first, and kept in the folder for the next time. A
build is a process of its own on one thread, with nothing of an earlier one left; CPU seconds are of all its threads,
user and system, without the imports. The ways take turns; medians.
"""

import argparse
import io
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["ARROW_IO_THREADS"] = "1"

import cv2
import numpy as np

_SAMPLES_A_TAR = 5000
_SIDES = (512, 576, 640)


def main() -> None:
    """A row for each way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=20_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the tars are kept; default: nowhere")
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    parser.add_argument("--point", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.point:
        print(json.dumps(measured(_WAYS[given.point[0]], Path(given.point[1]))))
        return
    with tempfile.TemporaryDirectory() as passing:
        folder = (given.folder or Path(passing)) / f"{given.samples}-samples"
        megabytes = made(folder, given.samples) / 1e6
        found: dict[str, list[dict[str, float]]] = {way: [] for way in _WAYS}
        for _ in range(given.repeat):
            for way in _WAYS:
                found[way].append(in_own_process(way, folder))
    rows = [row(way, points, found[next(iter(_WAYS))], megabytes, given.samples) for way, points in found.items()]
    from page import show  # noqa: PLC0415  it loads torch, and a process starts with the peak memory of its parent

    title = f"{given.samples:,} samples, {megabytes:,.0f} MB of JPEG, medians of {given.repeat}"
    columns = ["", "CPU s", "MB/CPU s", "images/CPU s", "speed of tarfile + SHA-256", "wall s", "peak MB"]
    show("build", title, columns, rows, write=given.write)


def row(way: str, points: list[dict[str, float]], first: list[dict[str, float]], megabytes: float, n: int) -> list[str]:
    """A way as a line of the table; ratios are taken turn by turn."""
    cpu, wall, peak = (statistics.median(point[name] for point in points) for name in ("cpu_s", "wall_s", "peak_mb"))
    ratios = [base["cpu_s"] / own["cpu_s"] for base, own in zip(first, points, strict=True)]
    ratio = f"{statistics.median(ratios):.0%} ({min(ratios):.0%} to {max(ratios):.0%})"
    return [way, f"{cpu:.2f}", f"{megabytes / cpu:,.0f}", f"{n / cpu:,.0f}", ratio, f"{wall:.2f}", f"{peak:,.0f}"]


def in_own_process(way: str, folder: Path) -> dict[str, float]:
    """What `measured` finds there."""
    command = [sys.executable, __file__, "--point", way, str(folder)]
    found: dict[str, float] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return found


def measured(way: Callable[[Path], Callable[[], object]], folder: Path) -> dict[str, float]:
    """CPU and wall seconds of one run, and the peak memory of the process."""
    run = way(folder)
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"cpu_s": cpu, "wall_s": wall, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def tarfile_and_digest(folder: Path) -> Callable[[], object]:
    """The yardstick: every byte of every member, read and digested."""

    def run() -> None:
        for file in sorted(folder.glob("*.tar")):
            digest = sha256()
            with tarfile.open(file) as opened:
                for member in opened:
                    data = opened.extractfile(member)
                    digest.update(data.read() if data else b"")

    return run


def built(look: str, *, detect: bool = True) -> Callable[[Path], Callable[[], object]]:
    """`manyview build` on those tars, with all that it does by default but for how images are looked at."""

    def prepared(folder: Path) -> Callable[[], object]:
        import pyarrow as pa  # noqa: PLC0415  the yardstick does not need it

        from manyview.corpus.builder import BuildConfig, build  # noqa: PLC0415
        from manyview.corpus.engine import Engine, daft_module  # noqa: PLC0415
        from manyview.corpus.sources.webdataset import WebDatasetConfig, WebDatasetSource  # noqa: PLC0415

        pa.set_cpu_count(1)
        cv2.setNumThreads(1)
        daft_module()
        source = WebDatasetSource(WebDatasetConfig(path=str(folder / "*.tar"))).completed()
        clean = {"images": {"look": look}, "languages": {"detect": detect}}
        told = {"sources": [source.model_dump()], "clean": clean}
        out = folder / "corpus"
        shutil.rmtree(out, ignore_errors=True)
        return lambda: build(BuildConfig.model_validate(told), out, engine=Engine(processes=1))

    return prepared


_WAYS = {
    "tarfile + SHA-256": tarfile_and_digest,
    "build, look: header": built("header"),
    "build, look: header, no languages": built("header", detect=False),
    "build, look: pixels": built("pixels"),
}


def made(folder: Path, samples: int) -> int:
    """The bytes of all images, after the tars have been written unless they are there."""
    told = folder / "made.json"
    if not told.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(0)
        scene = landscape(rng)
        starts = range(0, samples, _SAMPLES_A_TAR)
        sizes = [
            write_tar(folder / f"{n:05d}.tar", start, min(samples, start + _SAMPLES_A_TAR), scene, rng)
            for n, start in enumerate(starts)
        ]
        told.write_text(json.dumps(sum(sizes)))
    size: int = json.loads(told.read_text())
    return size


def landscape(rng: np.random.Generator, side: int = 4096) -> np.ndarray:
    """[side, side, 3] uint8: noise at all scales, of which any two crops look different."""
    scene = np.zeros((side, side, 3), np.float32)
    for octave in range(2, 12):
        noise = rng.normal(size=(2**octave, 2**octave, 3)).astype(np.float32)
        scene += cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC) * (40 * 0.82**octave)
    return np.clip(scene + 128, 0, 255).astype(np.uint8)


def write_tar(file: Path, start: int, stop: int, scene: np.ndarray, rng: np.random.Generator) -> int:
    """Samples as img2dataset writes them; the bytes of their images."""
    total = 0
    with tarfile.open(file, "w") as opened:
        for number in range(start, stop):
            key, image = f"{number:09d}", photograph(scene, rng)
            total += len(image)
            caption = sentence(number, rng)
            about = {
                "url": f"https://img{number % 97}.example.org/photos/{number:x}.jpg",
                "caption": caption,
                "key": key,
                "status": "success",
                "error_message": None,
                "width": 640,
                "height": 480,
                "original_width": 1600,
                "original_height": 1200,
                "exif": json.dumps({"Image Make": "Camera", "Image Orientation": "Horizontal (normal)"}),
                "sha256": sha256(image).hexdigest(),
            }
            for suffix, data in (("jpg", image), ("json", json.dumps(about).encode()), ("txt", caption.encode())):
                member = tarfile.TarInfo(f"{key}.{suffix}")
                member.size = len(data)
                opened.addfile(member, io.BytesIO(data))
    return total


def photograph(scene: np.ndarray, rng: np.random.Generator) -> bytes:
    """A JPEG of some crop."""
    height, width = rng.choice(_SIDES, 2)
    top, left = rng.integers(scene.shape[0] - height), rng.integers(scene.shape[1] - width)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(70, 92))]
    _, data = cv2.imencode(".jpg", scene[top : top + height, left : left + width], quality)
    return data.tobytes()


def sentence(number: int, rng: np.random.Generator) -> str:
    """A caption that no other image has."""
    words = [
        "a",
        "red",
        "old",
        "boat",
        "on",
        "the",
        "quiet",
        "lake",
        "near",
        "green",
        "hills",
        "under",
        "evening",
        "light",
    ]
    return " ".join([*rng.choice(words, 9), f"number {number}"])


if __name__ == "__main__":
    main()
