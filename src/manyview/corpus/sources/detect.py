"""Detect: what the columns of data that others have made say, by their names and first rows."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from typing import TypeVar

import pyarrow as pa

from manyview.corpus.sources.block import Block, path_in
from manyview.corpus.sources.cells import WRITTEN_LIST, as_texts
from manyview.corpus.sources.column_names import (
    ATTRIBUTIONS,
    GROUPS,
    IDS,
    IMAGES,
    KINDS,
    LANGUAGES,
    LICENSES,
    first_named,
)
from manyview.corpus.sources.mapping import Column, ImageMapping, RowMapping, ViewMapping, with_fields
from manyview.corpus.sources.written_lists import separator_of, written_list
from manyview.errors import UsageError

__all__ = ["completed", "require_names"]

SEPARATED = {"tags": ","}
SAMPLED_CELLS = 1000
SHOWN = 40

MappingT = TypeVar("MappingT", bound=RowMapping)


Sample = Callable[[Sequence[str]], Block | None]


def completed(
    mapping: MappingT, schema: pa.Schema, where: str, *, has_image: bool = False, sample: Sample | None = None
) -> MappingT:
    """The mapping with what it leaves open read off the names of the columns, if it has no views.

    `sample` reads the first rows of some columns, which show how several texts stand in one cell. Raises UsageError for
    a column that is not there, and when neither an image (unless the source itself `has_image`) nor a text is found, or
    texts that belong to nothing.
    """
    if mapping.texts_only and has_image:
        raise UsageError(f"{where} holds images: texts_only is for tables and data sets of texts")
    if mapping.views is None:
        mapping = with_fields(mapping, _guessed(mapping, schema, has_image))
        mapping = mapping if sample is None else _with_splits(mapping, sample)
    if not mapping.views and mapping.image is None and not has_image:
        raise UsageError(
            f"{where} has no column whose name tells what it holds: say `views: {{title: COLUMN}}` or "
            f"`image: COLUMN` with one of {_listed(schema.names)}"
        )
    require_names(mapping.columns(optional=False), schema.names, where)
    if mapping.id is None and mapping.image is None and not has_image and not mapping.texts_only:
        raise UsageError(
            f"{where} has texts of no image: name an `id` or `image` column, of {_listed(schema.names)}, or say "
            "`texts_only: true` for records without an image"
        )
    return mapping


def require_names(needed: Sequence[str], names: Sequence[str], where: str) -> None:
    """Raise UsageError for the first (dotted) column that is needed and not there."""
    for column in needed:
        if path_in(column, names) is None:
            close = difflib.get_close_matches(column, names, 1)
            hint = f", did you mean {close[0]!r}?" if close else ";"
            raise UsageError(f"{where} has no column {column!r}{hint} it has {_listed(names) or 'none at all'}")


def _guessed(mapping: RowMapping, schema: pa.Schema, has_image: bool) -> dict[str, object]:
    names = schema.names
    image = None if has_image or mapping.texts_only else _image_struct(schema) or _first(IMAGES, names)
    found = {
        "id": mapping.id or _first(IDS, names),
        "group": mapping.group or _first(GROUPS, names),
        "license": mapping.license or _first(LICENSES, names),
        "attribution": mapping.attribution or _first(ATTRIBUTIONS, names),
    }
    if mapping.image is not None:
        image = mapping.image.column
    views = _views(schema, {image, *found.values()})
    return {**found, "image": mapping.image or (ImageMapping(column=image) if image else None), "views": views}


def _views(schema: pa.Schema, taken: set[object]) -> dict[str, tuple[ViewMapping, ...]]:
    lang = _first(LANGUAGES, schema.names)
    views: dict[str, tuple[ViewMapping, ...]] = {}
    for kind, known in KINDS.items():
        there = [name for name in first_named(known, schema.names) if name not in taken]
        found = [_view(name, kind, schema.field(schema.names.index(name)).type, lang) for name in there]
        if found:
            views[kind] = tuple(found)
    return views


def _view(name: str, kind: str, dtype: pa.DataType, lang: str | None) -> ViewMapping:
    is_text = pa.types.is_string(dtype) or pa.types.is_large_string(dtype) or pa.types.is_binary(dtype)
    return ViewMapping(
        column=name,
        split=SEPARATED.get(kind, "") if is_text else "",
        lang="" if lang is None else Column(column=lang),
    )


def _with_splits(mapping: MappingT, sample: Sample) -> MappingT:
    """The mapping with the separators that the first rows show."""
    views = dict(mapping.views or {})
    block = sample([view.column for _, view in mapping.all_views()]) if views else None
    if block is None:
        return mapping
    for kind, several in views.items():
        splits = [_split_of(block.column(view.column), view.split) for view in several]
        views[kind] = tuple(with_fields(view, {"split": split}) for view, split in zip(several, splits, strict=True))
    return with_fields(mapping, {"views": views})


def _split_of(column: pa.Array | None, split: str) -> str:
    """How several texts in a cell are kept apart: as lists where most cells are, else at a separator if at any."""
    if column is None or not pa.types.is_string(column.type):
        return split
    texts, _ = as_texts(column[:SAMPLED_CELLS])
    cells = texts.drop_null().to_pylist()
    if 2 * sum(cell[0] in "[{" and bool(written_list(cell)) for cell in cells) > len(cells):
        return WRITTEN_LIST
    return separator_of(cells, split) if split else ""


def _first(known: Sequence[str], names: Sequence[str]) -> str | None:
    return next(iter(first_named(known, names)), None)


def _image_struct(schema: pa.Schema) -> str | None:
    """The column in the Hugging Face image layout, whatever it is called."""
    for field in schema:
        if pa.types.is_struct(field.type) and {"bytes", "path"} == {inner.name for inner in field.type}:
            return str(field.name)
    return None


def _listed(names: Sequence[str]) -> str:
    more = [f"and {len(names) - SHOWN} more"] if len(names) > SHOWN else []
    return ", ".join([*map(str, names[:SHOWN]), *more])
