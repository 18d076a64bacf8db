"""An .npy file that grows at its end, for rows whose number is known only when the last one is written."""

from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

__all__ = ["NpyFile"]


class NpyFile:
    """Rows of one type and shape, appended; the file is open only while it is written to."""

    def __init__(self, path: Path, dtype: type[np.generic], row_shape: tuple[int, ...] = ()) -> None:
        self.path, self.dtype, self.row_shape = path, np.dtype(dtype), row_shape
        self.rows = 0
        with path.open("wb") as file:
            self._write_header(file)

    def append(self, rows: NDArray[np.generic]) -> None:
        """Write rows [n, *row_shape] after those that are there."""
        assert rows.dtype == self.dtype and rows.shape[1:] == self.row_shape
        with self.path.open("ab") as file:
            file.write(np.ascontiguousarray(rows).tobytes())
        self.rows += len(rows)

    def finish(self) -> None:
        """State in the header how many rows there are."""
        with self.path.open("r+b") as file:
            self._write_header(file)

    def _write_header(self, file: BinaryIO) -> None:
        """numpy pads the header, so that the number of rows can grow in place."""
        header = {"descr": self.dtype.str, "fortran_order": False, "shape": (self.rows, *self.row_shape)}
        np.lib.format.write_array_header_1_0(file, header)
