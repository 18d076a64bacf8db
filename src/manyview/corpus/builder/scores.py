"""Scores: tables of how well texts fit their images, staged as everything else and laid to the texts of a shard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyarrow.types as pt

from manyview.corpus.builder.landing import landing, read_json, write_json
from manyview.corpus.builder.stage import digest
from manyview.corpus.builder.staged import SCORES
from manyview.corpus.builder.tables import read_tables
from manyview.corpus.cleaning.score import Scorer, scores_from_table
from manyview.corpus.cleaning.text_columns import clean_column
from manyview.corpus.cleaning.text_keys import text_keys
from manyview.corpus.cleaning.texts import TextRules
from manyview.corpus.sources.files import File, find_files
from manyview.corpus.sources.table_rows import opened_parquet
from manyview.errors import DataError, UsageError

__all__ = ["NO_SCORE", "ScoreTask", "StagedScores", "score_tasks", "scorer_of", "stage_scores"]

NO_SCORE = "score: no id, text or number"
_COLUMNS = ("id", "text", "score", "kind")
_TASK_ROWS = 1 << 20
_BATCH_ROWS, _BATCH_BYTES = 1 << 16, 16 << 20


@dataclass(frozen=True)
class ScoreTask:
    """Some row groups of a file, the first row of which stands at `first_place` among all rows of all files."""

    file: File
    groups: tuple[int, ...]
    first_place: int
    texts: TextRules
    folder: Path

    @property
    def key(self) -> str:
        """Differs when anything differs that the staged table depends on."""
        return digest(self.file.path, self.file.version, self.groups, self.first_place, self.texts)


@dataclass(frozen=True)
class StagedScores:
    """A table of SCORES, and how many rows of the user's were none, by reason."""

    file: str
    rows: int
    skipped: dict[str, int]


def score_tasks(table: str | Sequence[str], texts: TextRules, folder: Path) -> list[ScoreTask]:
    """What there is to stage, about a million rows each. Raises UsageError for a table that holds no scores."""
    tasks, place = list[ScoreTask](), 0
    for file in find_files(table, (".parquet",)):
        with _readable_file(file), opened_parquet(file) as opened:
            _check(file.path, opened.schema_arrow)
            sizes = [opened.metadata.row_group(group).num_rows for group in range(opened.metadata.num_row_groups)]
        for groups in _runs(sizes):
            tasks.append(ScoreTask(file, groups, place, texts, folder))
            place += sum(sizes[group] for group in groups)
    return tasks


def stage_scores(task: ScoreTask) -> StagedScores:
    """Rows with an id, a text and a number, in the schema SCORES; done once, however often it is called.

    Texts are cleaned as those of the sources are, so that a score of a text as it was found is one of what became of
    it. Raises DataError for a damaged file.
    """
    done, table = (task.folder / f"{task.key}.{suffix}" for suffix in ("json", "parquet"))
    found = read_json(done)
    if found is None:
        read, kept = 0, 0
        with landing(table) as handle, pq.ParquetWriter(handle, SCORES) as writer:
            for batch in _batches(task):
                scores = _scores(batch, task.first_place + read, task.texts)
                writer.write_table(scores)
                read, kept = read + batch.num_rows, kept + len(scores)
        found = asdict(StagedScores(str(table), kept, {NO_SCORE: read - kept} if kept < read else {}))
        write_json(done, found)
    return StagedScores(**found)


def scorer_of(files: Sequence[str]) -> Scorer:
    """The scores that staged tables hold."""
    return scores_from_table(read_tables(files, SCORES).sort_by("place"))


def _batches(task: ScoreTask) -> Iterator[pa.RecordBatch]:
    with _readable_file(task.file), opened_parquet(task.file) as opened:
        columns = [name for name in _COLUMNS if name in opened.schema_arrow.names]
        yield from opened.iter_batches(_rows_at_once(opened, task), task.groups, columns, use_threads=False)


@contextmanager
def _readable_file(file: File) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        said = " ".join(str(error).split())
        raise DataError(f"{file.path} is damaged, cannot be read or is no Parquet file: {said}") from error


def _check(file: str, schema: pa.Schema) -> None:
    for name in _COLUMNS[:3]:
        if name not in schema.names:
            raise UsageError(f"{file} has no column {name!r} but {', '.join(schema.names)}: it is no table of scores")
    for name in (name for name in _COLUMNS if name in schema.names):
        of = schema.field(name).type
        fits = _is_number(of) if name == "score" else _is_text(of)
        if not fits:
            raise UsageError(
                f"the column {name!r} of {file} holds {of}, allowed: {'numbers' if name == 'score' else 'texts'}"
            )


def _is_number(of: pa.DataType) -> bool:
    return bool(pt.is_floating(of) or pt.is_integer(of) or pt.is_decimal(of))


def _is_text(of: pa.DataType) -> bool:
    """Integers are as good, for ids; null is a column without a value."""
    inner = of.value_type if pt.is_dictionary(of) else of
    return any(test(inner) for test in (pt.is_string, pt.is_large_string, pt.is_string_view, pt.is_integer, pt.is_null))


def _runs(sizes: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Consecutive row groups, about a million rows together."""
    before = [0, *accumulate(sizes)]
    runs: dict[int, list[int]] = {}
    for group, start in enumerate(before[:-1]):
        runs.setdefault(start // _TASK_ROWS, []).append(group)
    return (tuple(groups) for groups in runs.values())


def _rows_at_once(opened: pq.ParquetFile, task: ScoreTask) -> int:
    """So few that they take 16 MB, as where texts are long."""
    groups = [opened.metadata.row_group(group) for group in task.groups]
    size, rows = (sum(int(getattr(of, name)) for of in groups) for name in ("total_byte_size", "num_rows"))
    return min(_BATCH_ROWS, max(1, rows * _BATCH_BYTES // max(1, size)))


def _scores(batch: pa.RecordBatch, first_place: int, rules: TextRules) -> pa.Table:
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    kinds = columns.get("kind", pa.nulls(len(batch), pa.string()))
    ids, own_kinds = _readable(columns["id"]), _readable(kinds)
    texts, unfit = clean_column(columns["text"].cast(pa.string()), rules)
    score = columns["score"].cast(pa.float32(), safe=False)
    numbers = pc.invert(pc.is_nan(score)).fill_null(False)
    told = pc.and_(numbers, pc.and_(unfit.is_null(), pc.greater(pc.binary_length(ids), 0).fill_null(False)))
    stays = pc.and_(told, pc.equal(own_kinds.is_valid(), kinds.is_valid()))
    table = pa.table(
        {
            "id": ids,
            "place": pa.array(np.arange(first_place, first_place + len(batch))),
            "kind": own_kinds,
            "said": pa.array(text_keys(texts), pa.int64()),
            "score": score,
        },
        schema=SCORES,
    )
    return table.filter(stays)


def _readable(column: pa.Array) -> pa.Array:
    """As strings, null where they are not UTF-8."""
    strings = column.cast(pa.string())
    try:
        strings.validate(full=True)
    except pa.ArrowInvalid:
        strings = pa.array([_decoded(value) for value in strings.cast(pa.binary()).to_pylist()], pa.string())
    return strings


def _decoded(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None
