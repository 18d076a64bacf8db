"""Tables: Parquet files that steps of a build hand to one another."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["read_tables"]


def read_tables(files: Sequence[str], schema: pa.Schema) -> pa.Table:
    """The columns of the schema from all the files; what the name of a file's folder says is no column."""
    tables = [schema.empty_table()]
    for file in files:
        with pq.ParquetFile(file) as opened:
            tables.append(opened.read(columns=schema.names).select(schema.names).cast(schema))
    return pa.concat_tables(tables)
