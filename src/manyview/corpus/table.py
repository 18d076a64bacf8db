"""Table: records as rows in the Hugging Face image layout."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pyarrow as pa

from manyview.corpus.fingerprint import image_identity
from manyview.corpus.record import Record, Text


def _string() -> dict[str, str]:
    return {"dtype": "string", "_type": "Value"}


HUGGINGFACE_FEATURES: dict[str, Any] = {
    "id": _string(),
    "group": _string(),
    "source": _string(),
    "license": _string(),
    "attribution": _string(),
    "image": {"_type": "Image"},
    "image_hash": {"dtype": "int64", "_type": "Value"},
    "texts": [
        {
            "kind": _string(),
            "text": _string(),
            "lang": _string(),
            "weight": {"dtype": "float32", "_type": "Value"},
        }
    ],
}

TEXT_TYPE = pa.struct([("kind", pa.string()), ("text", pa.string()), ("lang", pa.string()), ("weight", pa.float32())])
IMAGE_TYPE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("group", pa.string()),
        ("source", pa.string()),
        ("license", pa.string()),
        ("attribution", pa.string()),
        ("image", IMAGE_TYPE),
        ("image_hash", pa.int64()),
        ("texts", pa.list_(TEXT_TYPE)),
    ],
    metadata={"huggingface": json.dumps({"info": {"features": HUGGINGFACE_FEATURES}})},
)

NO_IMAGE_HASH: Final = 0
"""`image_hash` of a record without an image."""

DICTIONARY_COLUMNS = [
    "group",
    "source",
    "license",
    "attribution",
    *(f"texts.list.element.{field.name}" for field in TEXT_TYPE),
]


def table_from_records(records: Sequence[Record]) -> pa.Table:
    """One row per record, in the schema of a shard."""
    texts = [text for record in records for text in record.texts]
    offsets = [0]
    for record in records:
        offsets.append(offsets[-1] + len(record.texts))
    said = pa.StructArray.from_arrays(
        [
            pa.array([text.kind for text in texts], pa.string()),
            pa.array([text.text for text in texts], pa.string()),
            pa.array([text.lang for text in texts], pa.string()),
            pa.array([text.weight for text in texts], pa.float32()),
        ],
        fields=list(TEXT_TYPE),
    )
    images = pa.StructArray.from_arrays(
        [pa.array([record.image for record in records], pa.binary()), pa.nulls(len(records), pa.string())],
        fields=list(IMAGE_TYPE),
        mask=pa.array([record.image is None for record in records], pa.bool_()),
    )
    hashes = [NO_IMAGE_HASH if record.image is None else image_identity(record.image) for record in records]
    columns = [
        pa.array([record.id for record in records], pa.string()),
        pa.array([record.group for record in records], pa.string()),
        pa.array([record.source for record in records], pa.string()),
        pa.array([record.license for record in records], pa.string()),
        pa.array([record.attribution for record in records], pa.string()),
        images,
        pa.array(hashes, pa.int64()),
        pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), said).cast(pa.list_(TEXT_TYPE)),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def records_from_table(table: pa.Table) -> Iterator[Record]:
    """The inverse of `table_from_records`."""
    for row in table.to_pylist():
        yield Record(
            id=row["id"],
            group=row["group"],
            image=encoded_image(row["image"]),
            texts=tuple(Text(text["kind"], text["text"], text["lang"], text["weight"]) for text in row["texts"]),
            source=row["source"],
            license=row["license"],
            attribution=row["attribution"],
        )


def encoded_image(cell: Mapping[str, Any] | None) -> bytes | None:
    """The encoded image in a cell of the column `image`; None for a record without one.

    A cell with a path and no bytes has an image that this corpus does not hold: b"", which nothing decodes.
    """
    if cell is None or (cell["bytes"] is None and cell["path"] is None):
        return None
    return cell["bytes"] or b""
