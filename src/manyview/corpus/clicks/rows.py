"""Rows: the rows of a batch that can be believed, and how many cannot, by reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from manyview.corpus.clicks.columns import Bools, Ints, Texts, ids, texts, user_keys, whole_numbers
from manyview.corpus.clicks.log import ClickLog
from manyview.corpus.clicks.queries import query_key, tidy
from manyview.corpus.clicks.times import seconds

__all__ = ["DEEPEST", "Counts", "Said", "counts", "said"]

DEEPEST = 1000  # positions below are one


class _Sieve:
    """Which rows are left; the first reason that meets a row is the one it is counted under."""

    def __init__(self, rows: int, skipped: Counter[str]) -> None:
        self.left = np.ones(rows, bool)
        self.skipped = skipped

    def drop(self, bad: Bools, reason: str) -> None:
        number = int(np.count_nonzero(bad & self.left))
        if number:
            self.skipped[reason] += number
            self.left &= ~bad


@dataclass(frozen=True)
class Counts:
    """The numbers of each row of a batch; `good` says which rows to believe.

    `position` is 0 where it is not known, else 1 + what the log says; `known_user` says where `user` means
    something.
    """

    good: Bools
    impressions: Ints
    clicks: Ints
    position: Ints
    time_s: Ints
    user: Ints
    known_user: Bools


def counts(batch: pa.RecordBatch, log: ClickLog, skipped: Counter[str]) -> Counts:
    """The columns of numbers that the batch has; those it lacks are the number that its form implies."""
    sieve = _Sieve(batch.num_rows, skipped)
    ones, zeros = np.ones(batch.num_rows, np.int64), np.zeros(batch.num_rows, np.int64)
    clicks = impressions = ones
    if "clicks" in batch.schema.names:
        clicks = _counted(batch, "clicks", log, sieve)
    if "impressions" in batch.schema.names:
        impressions = _counted(batch, "impressions", log, sieve)
    sieve.drop((clicks > impressions) & (impressions > 0), "row: more clicks than impressions")
    position = zeros
    if "position" in batch.schema.names:
        found, missing, bad = whole_numbers(batch.column("position"), log.columns["position"])
        sieve.drop(bad, "row: position is no whole number")
        position = np.where(missing, 0, 1 + np.minimum(found, DEEPEST))
    time_s = zeros
    if "time" in batch.schema.names:
        time_s, bad = seconds(batch.column("time"), log.columns["time"])
        sieve.drop(bad, "row: time is missing or cannot be read")
    user, nobody = zeros, np.ones(batch.num_rows, bool)
    if "user" in batch.schema.names:
        user, nobody = user_keys(batch.column("user"), log.columns["user"])
    return Counts(sieve.left, impressions, clicks, position, time_s, user, ~nobody)


def _counted(batch: pa.RecordBatch, role: str, log: ClickLog, sieve: _Sieve) -> Ints:
    numbers, missing, bad = whole_numbers(batch.column(role), log.columns[role])
    sieve.drop(missing, f"row: no {role}")
    sieve.drop(bad, f"row: {role} is no whole number")
    return numbers


@dataclass(frozen=True)
class Said:
    """What each row says of which image: codes into arrays of texts.

    `surface` is the query as it may be shown, `query_of` leads from a surface to its query.
    """

    good: Bools
    surface: Ints
    surfaces: pa.StringArray
    query_of: Ints
    queries: pa.StringArray
    image: Ints
    images: pa.StringArray


def said(batch: pa.RecordBatch, log: ClickLog, good: Bools, skipped: Counter[str]) -> Said:
    """The columns of texts; a row that is not `good` is not counted again."""
    sieve = _Sieve(batch.num_rows, skipped)
    sieve.left &= good
    raw = texts(batch.column("query"), log.query)
    written, keys, wrong = _cleaned(raw, log.max_query_chars)
    _drop_wrong(sieve, raw, wrong, "query")
    surface_of, surfaces = _numbered(written)
    key_of, queries = _numbered(keys)
    query_of = np.zeros(len(surfaces), np.int64)
    query_of[surface_of] = key_of
    images = ids(batch.column("id"), log.id)
    _drop_wrong(sieve, images, _wrong_ids(images), "image id")
    surface = np.append(surface_of, 0)[raw.codes]
    return Said(sieve.left, surface, surfaces, query_of, queries, images.codes, images.values)


_REASONS = ("", "is not UTF-8", "is empty", "is too long")
_NOT_UTF8, _EMPTY, _TOO_LONG = 1, 2, 3
_MAX_ID_BYTES = 8192
_PLAIN = "^[!-~]+( [!-~]+)*$"  # such a text is tidy, and lower case is all its key needs


def _drop_wrong(sieve: _Sieve, column: Texts, wrong: Ints, what: str) -> None:
    sieve.drop(column.codes < 0, f"row: no {what}")
    reason = np.append(wrong, 0)[column.codes]
    for number in np.unique(wrong[wrong > 0]).tolist():
        sieve.drop(reason == number, f"row: {what} {_REASONS[number]}")


def _cleaned(raw: Texts, max_chars: int) -> tuple[pa.Array, pa.Array, Ints]:
    """Of each value how it may be shown, its key, and what is wrong with it."""
    values = pc.ascii_trim_whitespace(raw.values)
    short = pc.less_equal(pc.binary_length(values), max_chars)
    plain = pc.and_(pc.match_substring_regex(values, _PLAIN), short).to_numpy(zero_copy_only=False)
    wrong = np.where(raw.broken, _NOT_UTF8, 0)
    rest = np.flatnonzero(~plain & ~raw.broken)
    found = [_shown_and_key(text, max_chars) for text in values.take(pa.array(rest)).to_pylist()]
    wrong[rest] = [number for _, _, number in found]
    where = np.zeros(len(plain), bool)
    where[rest] = True
    mask = pa.array(where)
    written = pc.replace_with_mask(values, mask, pa.array([text for text, _, _ in found], pa.string()))
    keys = pc.replace_with_mask(pc.ascii_lower(values), mask, pa.array([key for _, key, _ in found], pa.string()))
    return written, keys, wrong


def _shown_and_key(text: str, max_chars: int) -> tuple[str, str, int]:
    """The text as it may be shown, what it is merged by, and what is wrong with it."""
    text = text if len(text) > 16 * max_chars else tidy(text)  # nobody types so much that is not seen
    if len(text) > max_chars:
        return "", "", _TOO_LONG
    key = query_key(text)
    return (text, key, 0) if key else ("", "", _EMPTY)


def _wrong_ids(images: Texts) -> Ints:
    length = pc.binary_length(images.values).to_numpy(zero_copy_only=False)
    conditions = [images.broken, length == 0, length > _MAX_ID_BYTES]
    return np.select(conditions, [_NOT_UTF8, _EMPTY, _TOO_LONG], 0)


def _numbered(values: pa.Array) -> tuple[Ints, pa.Array]:
    coded = values.dictionary_encode()
    return coded.indices.to_numpy().astype(np.int64), coded.dictionary
