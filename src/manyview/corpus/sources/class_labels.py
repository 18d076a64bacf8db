"""Class labels: numbers that the schema of a data set has names for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from manyview.corpus.sources.block import Block, plain, relisted

__all__ = ["labelled_features", "with_class_names"]

LISTS = ("List", "LargeList", "Sequence")
MAX_DEPTH = 32


def labelled_features(schema: pa.Schema) -> dict[str, Any]:
    """The features with a ClassLabel in them, by column, as the `datasets` library notes them in a file."""
    noted = (schema.metadata or {}).get(b"huggingface", b"{}")
    try:
        features = json.loads(noted)["info"]["features"]
        return {name: feature for name, feature in features.items() if _holds_label(feature)}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def with_class_names(block: Block, features: Mapping[str, Any]) -> Block:
    """The block with names in place of the numbers of ClassLabels; -1 and others without a name are null."""
    named = {
        name: _named(block.columns[name], feature, 0) for name, feature in features.items() if name in block.columns
    }
    return replace(block, columns={**block.columns, **named}) if named else block


def _holds_label(feature: Any) -> bool:
    if isinstance(feature, list):
        return any(map(_holds_label, feature))
    if not isinstance(feature, Mapping):
        return False
    return bool(_names(feature)) or any(map(_holds_label, feature.values()))


def _names(feature: Any) -> list[str] | None:
    is_label = isinstance(feature, Mapping) and feature.get("_type") == "ClassLabel"
    return feature.get("names") if is_label else None


def _named(column: pa.Array, feature: Any, depth: int) -> pa.Array:
    """The column by its feature; of a list the elements, of a struct the fields.

    `Sequence` stands for a list of the feature, and for a struct of lists where the feature has fields.
    """
    if not _holds_label(feature) or depth > MAX_DEPTH:
        return column
    column = plain(column)
    if pa.types.is_list(column.type):
        inner = feature[0] if isinstance(feature, list) else feature
        return relisted(column, _named(pc.list_flatten(column), _element(inner), depth + 1))
    feature = _element(feature[0] if isinstance(feature, list) else feature)
    if pa.types.is_struct(column.type):
        fields = [
            _named(pc.struct_field(column, field.name), feature.get(field.name), depth + 1) for field in column.type
        ]
        names = [field.name for field in column.type]
        return pa.StructArray.from_arrays(fields, names, mask=column.is_null())
    labels = _names(feature)
    return _name_of(column, pa.array(labels, pa.string())) if labels and pa.types.is_integer(column.type) else column


def _element(feature: Any) -> Any:
    return feature.get("feature") if isinstance(feature, Mapping) and feature.get("_type") in LISTS else feature


def _name_of(numbers: pa.Array, names: pa.Array) -> pa.Array:
    known = pc.and_(pc.greater_equal(numbers, 0), pc.less(numbers, len(names)))
    return names.take(pc.if_else(known, numbers, pa.scalar(None, numbers.type)))
