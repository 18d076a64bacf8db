"""Contract: the two tables that every source gives and that any engine may write, images and views."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

__all__ = ["IMAGES", "LINKS", "VIEWS", "Batch", "Part", "Source"]

IMAGES = pa.schema(
    [
        ("id", pa.string()),  # what the user calls the image; rows with one id are about one image
        ("group", pa.string()),  # what must not be split between train and test; null: the image alone
        ("license", pa.string()),
        ("attribution", pa.string()),
        ("bytes", pa.binary()),  # the encoded image, or null when one of the next three finds it
        ("path", pa.string()),  # a file, local or scheme://
        ("offset", pa.int64()),  # where in that file the image begins; null: the whole file
        ("length", pa.int64()),
        ("url", pa.string()),  # an address it must be fetched from
    ]
)

VIEWS = pa.schema(
    [
        ("id", pa.string()),  # of the image
        ("kind", pa.string()),  # title, tags, caption, ...: a free name
        ("text", pa.string()),
        ("lang", pa.string()),  # BCP-47, "" when unknown
        ("weight", pa.float32()),  # 1 unless something is known of its worth
        ("origin", pa.string()),  # where it stands: "products.parquet:17:title"
    ]
)


LINKS = pa.schema([("url", pa.string()), ("target", pa.string())])


@dataclass(frozen=True)
class Batch:
    """Some rows of both tables, and how many rows, cells or members of archives were left out, by reason.

    Text views of an image may stand in another batch than the image, in any part of any source. `beside` says of each
    view which row of `images` stands in the same row of the source, null for none: such a text is of that image alone.
    Without it views belong to images by their ids. `links` are addresses under which an image of another address may be
    found, in rows (url, target), the best first. `texts_only` are records that have no image: rows of IMAGES that name
    none.
    """

    images: pa.Table
    views: pa.Table
    skipped: Counter[str] = field(default_factory=Counter)
    beside: pa.Array | None = None
    links: pa.Table | None = None
    texts_only: pa.Table | None = None


class Part(Protocol):
    """A piece of a source that one process reads in one go: a file, a row group, a tar.

    Parts can be pickled; reading one twice gives the same batches.
    """

    @property
    def name(self) -> str:
        """What the part is called in messages and in the record's source; unique within the source."""

    @property
    def version(self) -> str:
        """Changes when the content changes: size and time of the file."""

    def read(self) -> Iterator[Batch]:
        """The batches of the part, each of bounded size; a bad row is skipped and counted, never fatal."""


class Source(Protocol):
    """Something people have: a table, a folder, tars, pages."""

    def parts(self) -> Sequence[Part]:
        """The parts, in an order that depends on nothing but the data.

        Raises UsageError for what is not there or lacks a column that the mapping names.
        """
