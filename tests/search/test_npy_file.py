from pathlib import Path

import numpy as np
import pytest

from manyview.search.npy_file import NpyFile


@pytest.mark.parametrize("sizes", [[], [0], [3], [1, 0, 70_000, 2]])
@pytest.mark.parametrize(("dtype", "row_shape"), [(np.float32, (5,)), (np.int64, ())])
def test_what_was_appended_is_what_numpy_reads(
    tmp_path: Path, sizes: list[int], dtype: type[np.generic], row_shape: tuple[int, ...]
) -> None:
    random = np.random.default_rng(0)
    parts = [random.integers(0, 1000, (size, *row_shape)).astype(dtype) for size in sizes]
    file = NpyFile(tmp_path / "rows.npy", dtype, row_shape)
    for part in parts:
        file.append(part)
    file.finish()
    expected = np.concatenate([np.empty((0, *row_shape), dtype), *parts])
    for mode in (None, "r"):
        read = np.load(tmp_path / "rows.npy", mmap_mode=mode)
        assert (read.dtype, read.shape) == (expected.dtype, expected.shape)
        assert np.array_equal(read, expected)
