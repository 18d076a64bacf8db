"""Laws of reading ranges: each is what a slice of its file is, in any order; and a file that was touched shows it."""

import os
import random
from pathlib import Path

import fsspec
import pytest

from manyview.corpus.builder.pointed import PointedBytes
from manyview.errors import DataError


def test_all_ranges_are_slices_of_their_files_here_and_elsewhere(tmp_path: Path) -> None:
    rng = random.Random(0)
    contents = {str(tmp_path / name): rng.randbytes(500) for name in "ab"} | {"memory://pointed/c": rng.randbytes(500)}
    for path, content in contents.items():
        with fsspec.open(path, "wb") as handle:
            handle.write(content)
    ranges = [
        (rng.choice(sorted(contents)), start, rng.randrange(60)) for start in (rng.randrange(440) for _ in range(80))
    ]
    with PointedBytes() as pointed:
        found = pointed.read_all(ranges)
        found.validate(full=True)
        assert found.to_pylist() == [contents[path][start : start + length] for path, start, length in ranges]
        assert found.to_pylist() == [pointed.read(*one) for one in ranges]
        with pytest.raises(DataError, match="ends before byte 501"):
            pointed.read_all([*ranges, (str(tmp_path / "a"), 490, 11)])


def test_a_stamp_differs_once_a_file_was_written_to_or_replaced(tmp_path: Path) -> None:
    file, other = tmp_path / "a", tmp_path / "b"
    file.write_bytes(b"abc")
    with PointedBytes() as pointed:
        stamps = [pointed.stamp(str(file))]
        assert pointed.stamp(str(file)) == stamps[0]
        times = file.stat()
        file.write_bytes(b"xyz")
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns + 1))
        stamps.append(pointed.stamp(str(file)))
        other.write_bytes(b"123")
        os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
        other.replace(file)
        stamps.append(pointed.stamp(str(file)))
        assert len(set(stamps)) == 3
        assert pointed.stamp("memory://pointed/c") is None
