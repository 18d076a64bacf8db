"""Mapped: a block of rows as a batch of images and views, by a mapping."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from manyview.corpus.sources.block import Block, plain
from manyview.corpus.sources.cells import as_ids, as_numbers, as_texts, exploded, fault_of
from manyview.corpus.sources.contract import IMAGES, VIEWS, Batch
from manyview.corpus.sources.language_tags import language_tags
from manyview.corpus.sources.mapping import Column, Constant, RowMapping, ViewMapping
from manyview.corpus.sources.pictures import Places, pictures

__all__ = ["mapped", "weights_of"]

MAX_ID_BYTES = 4096
MAX_WEIGHT = 1e30  # finite as float32


def mapped(block: Block, mapping: RowMapping, places: Places) -> Batch:
    """What a mapping with views says about the rows of a block.

    A row needs an id and at least an image or a text. A cell that cannot be used is counted and leaves the
    rest of its row. A column that is not there counts as empty; `require_names` has looked before.
    """
    skipped = Counter(block.skipped)
    found = _images(block, mapping, places, skipped)
    ids, good = _ids(block, mapping, found, skipped)
    views = [_views(block, kind, view, ids, good, skipped) for kind, view in mapping.all_views()]
    texts = pa.concat_tables([VIEWS.empty_table(), *(table for table, _ in views)])
    speaking = pa.chunked_array([rows for _, rows in views], pa.int64())
    has_image = pc.or_(pc.or_(found["bytes"].is_valid(), found["path"].is_valid()), found["url"].is_valid())
    silent = pc.and_(good, pc.invert(pc.or_(has_image, pc.is_in(pa.array(range(len(block)), pa.int64()), speaking))))
    skipped["row: neither image nor text"] += pc.sum(silent).as_py() or 0
    columns = {
        **found,
        "id": ids,
        "group": _prefixed(mapping.prefix, _scalar(block, mapping.group, "group", skipped)),
        "license": _scalar(block, mapping.license, "license", skipped),
        "attribution": _scalar(block, mapping.attribution, "attribution", skipped),
    }
    images = pa.table([columns[field.name].cast(field.type) for field in IMAGES], schema=IMAGES)
    if mapping.texts_only:
        return Batch(IMAGES.empty_table(), texts, +skipped, texts_only=images.filter(pc.and_(good, pc.invert(silent))))
    pictured = pc.and_(good, has_image)
    numbers = pc.subtract(pc.cumulative_sum(pictured.cast(pa.int64())), 1)
    beside = pc.if_else(pictured, numbers, pa.scalar(None, pa.int64())).take(speaking.combine_chunks())
    return Batch(images.filter(pictured), texts, +skipped, beside)


def _images(block: Block, mapping: RowMapping, places: Places, skipped: Counter[str]) -> dict[str, pa.Array]:
    found = {field.name: pa.nulls(len(block), field.type) for field in IMAGES} | dict(block.images)
    if mapping.image is not None and (column := block.column(mapping.image.column)) is not None:
        where, why = pictures(column, mapping.image.form, places)
        skipped.update(why)
        found |= where
    return found


def _ids(
    block: Block, mapping: RowMapping, found: dict[str, pa.Array], skipped: Counter[str]
) -> tuple[pa.Array, pa.Array]:
    """Ids, and which rows have one that can be used."""
    if mapping.id is None:
        ids, wrong = _default_ids(block, mapping, found), pa.array([False] * len(block), pa.bool_())
    else:
        column = _column(block, mapping.id)
        ids, wrong = as_ids(column)
        skipped[f"id: {fault_of(column)}"] += pc.sum(wrong).as_py() or 0
    empty = pc.and_(ids.is_null(), pc.invert(wrong))
    skipped["id: empty"] += pc.sum(empty).as_py() or 0
    ids = _prefixed(mapping.prefix, ids)
    long = pc.fill_null(pc.greater(pc.binary_length(ids), MAX_ID_BYTES), False)
    skipped["id: longer than 4096 bytes"] += pc.sum(long).as_py() or 0
    return ids, pc.and_(ids.is_valid(), pc.invert(long))


def _default_ids(block: Block, mapping: RowMapping, found: dict[str, pa.Array]) -> pa.Array:
    """The image's path below that of the table, or its URL, both as written; else the file and the row."""
    if block.ids is not None:
        return block.ids
    ids = block.places
    if mapping.image is None:
        return ids
    column = _column(block, mapping.image.column)
    if pa.types.is_struct(column.type) and column.type.get_field_index("path") >= 0:
        column = plain(pc.struct_field(column, "path"))
    written, _ = as_texts(column)
    paths = pc.binary_join_element_wise(block.folder, written, "/") if block.folder else written
    ids = pc.if_else(found["path"].is_valid(), paths, ids)
    return pc.if_else(found["url"].is_valid(), written, ids)


def _views(
    block: Block, kind: str, view: ViewMapping, ids: pa.Array, good: pa.Array, skipped: Counter[str]
) -> tuple[pa.Table, pa.Array]:
    """The texts of one column as rows of VIEWS, and the row of the block that each stands in."""
    column = block.column(view.column)
    if column is None:
        return VIEWS.empty_table(), pa.array([], pa.int64())
    texts = exploded(column, view.split)
    skipped.update(texts.skipped)
    weights, wrong = weights_of(block, view)
    kept = pc.and_(good, pc.invert(wrong)).take(texts.rows)
    skipped["weight: not a number of at least 0"] += pc.sum(pc.and_(good, wrong).take(texts.rows)).as_py() or 0
    rows = texts.rows.filter(kept)
    origins = pc.binary_join_element_wise(block.places, view.column, ":")
    columns = [
        ids.take(rows),
        pa.repeat(pa.scalar(kind), len(rows)),
        texts.texts.filter(kept),
        _languages(block, view).take(rows),
        weights.take(rows),
        origins.take(rows),
    ]
    return pa.Table.from_arrays(columns, schema=VIEWS), rows


def weights_of(block: Block, view: ViewMapping) -> tuple[pa.Array, pa.Array]:
    """Weights, and which cells hold none. An empty cell and a NaN are 1, as for a text nobody judged."""
    if not isinstance(view.weight, Column):
        fixed = pa.repeat(pa.scalar(view.weight, pa.float32()), len(block))
        return fixed, pa.array([False] * len(block), pa.bool_())
    numbers, wrong = as_numbers(_column(block, view.weight.column))
    numbers = pc.if_else(pc.fill_null(pc.is_nan(numbers), True), 1.0, numbers)
    usable = pc.and_(pc.greater_equal(numbers, 0.0), pc.less(numbers, MAX_WEIGHT))
    return numbers.cast(pa.float32(), safe=False), pc.or_(wrong, pc.invert(usable))


def _languages(block: Block, view: ViewMapping) -> pa.Array:
    if not isinstance(view.lang, Column):
        return pa.repeat(pa.scalar(view.lang), len(block))
    return language_tags(as_texts(_column(block, view.lang.column))[0])


def _scalar(block: Block, said: str | Constant | None, name: str, skipped: Counter[str]) -> pa.Array:
    if isinstance(said, Constant):
        return pa.repeat(pa.scalar(said.constant), len(block))
    if said is None:
        return pa.nulls(len(block), pa.string())
    column = _column(block, said)
    texts, wrong = as_ids(column) if name in {"id", "group"} else as_texts(column)
    skipped[f"{name}: {fault_of(column)}"] += pc.sum(wrong).as_py() or 0
    return texts


def _prefixed(prefix: str, texts: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(prefix, texts, "") if prefix else texts


def _column(block: Block, name: str) -> pa.Array:
    column = block.column(name)
    return pa.nulls(len(block), pa.string()) if column is None else column
