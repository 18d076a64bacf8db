"""Identity: what equal ids of several sources, or equal keys of several tars, mean.

An id names an image within its scope: a tar whose keys are the ids, one source, or everything where ids are addresses.
Equal ids of two scopes are one record unless their images differ; then each scope keeps an image of its own, called
SCOPE/ID, with the texts of that scope.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from manyview.corpus.builder.staged import PART_BITS, VIEWS
from manyview.corpus.sources.config import AnySource
from manyview.corpus.sources.webdataset import WebDatasetConfig
from manyview.corpus.web.source import WarcConfig

__all__ = ["EVERYWHERE", "IDENTITY", "TEXT_APART", "Identities", "meaning_of_equal_ids", "scope_of"]

EVERYWHERE = ""  # the scope of ids that are addresses
KEYS = ("__key__", "key")  # of a sample, unique in its tar; img2dataset numbers the samples of each crawl from 0
TEXT_APART = "text: its id has another image in its own source or several sources"
IDENTITY = (
    "equal ids of several sources, and equal keys of several tars, are one record if their images are equal, else "
    "SOURCE/ID each (equal_ids=by_image)",
    "equal ids are one record of the first image, with the texts of all (equal_ids=same)",
)

Write = Callable[[str, Any], Any]


def scope_of(source: AnySource | None, label: str, part: str) -> str:
    """The name of what the ids of a part of a source are unique in; a source of None is a click log."""
    if isinstance(source, WarcConfig):
        return EVERYWHERE
    if isinstance(source, WebDatasetConfig) and source.id in KEYS:
        return f"{label}/{part}"
    return label


@dataclass
class Identities:
    """Tells images with equal ids apart, and finds the image of each text; all frames are Daft's.

    `scopes` holds the scope of each part by the part's number; `write` keeps a frame in files and gives it back.
    """

    daft: Any
    scopes: Mapping[int, str]
    write: Write
    apart: int = 0
    _tables: dict[str, Any] = field(default_factory=dict)

    def images(self, found: Any) -> Any:
        """The images, those called SCOPE/ID whose ids have different images in several scopes."""
        col = self.daft.col
        spread = found.groupby("id").agg(col("content").min().alias("least"), col("content").max().alias("most"))
        disputed = spread.where(col("least") != col("most")).select("id")
        if not disputed.count_rows():
            return found
        self._tables = self._disputes(found, self.write("disputed", disputed))
        return self.write("named", self._named(found))

    @property
    def disputed(self) -> bool:
        """Whether any id has several images."""
        return bool(self._tables)

    def views(self, found: Any) -> Any:
        """The texts whose image is known, with its name."""
        col, tables = self.daft.col, self._tables
        views = self._scoped(found)
        for name, keys in (
            ("ids", ["id"]),
            ("firsts", ["id", "scope"]),
            ("bound", ["beside"]),
            ("apart", ["scope"]),
            ("owned", ["id", "scope"]),
        ):
            views = views.join(tables[name], on=keys, how="left")
        is_disputed, has_image = col("several").not_null(), col("first_content").not_null()
        unbound = col("beside").is_null() & (~col("mixed").fill_null(False) | (col("scope") == EVERYWHERE))
        beside_first = (col("content") == col("first_content")).fill_null(False)
        of_scope = is_disputed & has_image & (unbound | beside_first)
        of_others = is_disputed & ~has_image & ~col("several").fill_null(True)
        agreed = ~is_disputed & (col("is_apart").is_null() | col("is_owned").not_null())
        kept = views.where(of_scope | of_others | agreed)
        return kept.with_column("id", col("name").fill_null(col("id"))).select(*VIEWS.names)

    def _disputes(self, found: Any, disputed: Any) -> dict[str, Any]:
        """What is known of the ids that have several images, and of the scopes that differ about one."""
        col, lit = self.daft.col, self.daft.lit
        rows = self.write("disputed-images", self._scoped(found.join(disputed, on="id", how="semi")))
        keys = ["id", "scope"]
        earliest = rows.groupby(*keys).agg(
            col("place").min().alias("first"),
            (col("content").min() != col("content").max()).alias("mixed"),
        )
        firsts = rows.join(earliest, on=keys).where(col("place") == col("first"))
        firsts = self.write("firsts", firsts.select(*keys, col("content").alias("first_content"), "mixed"))
        spread = firsts.groupby("id").agg((col("first_content").min() != col("first_content").max()).alias("several"))
        ids = self.write("disputed-ids", spread)
        firsts = firsts.join(ids, on="id")
        renamed = col("several") & (col("scope") != EVERYWHERE)
        self.apart = firsts.where(renamed).count_rows()
        when = self.daft.functions.when
        name = when(renamed, col("scope") + lit("/") + col("id")).otherwise(col("id"))
        apart = firsts.where(renamed).select("scope").distinct().with_column("is_apart", lit(True))
        apart = self.write("scopes-apart", apart)
        owned = self._scoped(found).join(apart.select("scope"), on="scope", how="semi").select(*keys).distinct()
        return {
            "ids": ids,
            "firsts": self.write("first-names", firsts.with_column("name", name).exclude("several")),
            "bound": rows.select(col("place").alias("beside"), "content"),
            "apart": apart,
            "owned": self.write("owned", owned.with_column("is_owned", lit(True))),
        }

    def _named(self, found: Any) -> Any:
        """The images with their names; the group of an image that stands for itself is its name."""
        col = self.daft.col
        names = self._tables["firsts"].select("id", "scope", "name")
        joined = self._scoped(found).join(names, on=["id", "scope"], how="left")
        name = col("name").fill_null(col("id"))
        when = self.daft.functions.when
        group = when(col("group") == col("id"), name).otherwise(col("group"))
        named = joined.with_columns({"group": group, "called": name}).exclude("id", "name", "scope")
        return named.with_column("id", col("called")).select(*found.column_names)

    def _scoped(self, frame: Any) -> Any:
        """The rows of staged tables with their scopes, by where they stand."""
        col = self.daft.col
        parts = pa.table(
            {"part": pa.array(self.scopes, pa.int64()), "scope": pa.array(self.scopes.values(), pa.string())}
        )
        frame = frame.with_column("part", col("place") >> PART_BITS)
        return frame.join(self.daft.from_arrow(parts), on="part").exclude("part")


def meaning_of_equal_ids(sources: Sequence[AnySource], mode: str) -> str:
    """What equal ids mean in a build of these sources; empty where the question does not arise."""
    if len(sources) < 2 and not any(isinstance(source, WebDatasetConfig) for source in sources):
        return ""
    return IDENTITY[mode == "same"]
