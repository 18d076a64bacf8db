"""Identity: what equal ids of several sources, or equal keys of several tars, mean.

An id names an image within its scope: a tar whose keys are the ids, one source, or everything where ids are addresses.
Equal ids of two scopes are one record unless their images differ; then each scope keeps an image of its own, called
SCOPE/ID, with the texts of that scope. Where a source does not name its ids they are names of files, several of which
may be equal within a scope: then each image is a record, a later one called ID#CONTENT. Of named ids the first image
stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pyarrow as pa

from manyview.corpus.builder.staged import PART_BITS, VIEWS
from manyview.corpus.sources.config import AnySource
from manyview.corpus.sources.mapping import RowMapping
from manyview.corpus.sources.webdataset import WebDatasetConfig
from manyview.corpus.web.source import WarcConfig

__all__ = ["EVERYWHERE", "IDENTITY", "TEXT_APART", "Identities", "Scope", "meaning_of_equal_ids", "scope_of"]

EVERYWHERE = ""  # the scope of ids that are addresses
KEYS = ("__key__", "key")  # of a sample, unique in its tar; img2dataset numbers the samples of each crawl from 0
TEXT_APART = "text: its id has another image in its own source or several sources"
IDENTITY = (
    "equal ids of several sources, and equal keys of several tars, are one record if their images are equal, else "
    "SOURCE/ID each (equal_ids=by_image)",
    "equal ids are one record of the first image, with the texts of all (equal_ids=same)",
)

Write = Callable[[str, Any], Any]


class Scope(NamedTuple):
    """What the ids of a part are unique in; `named` if the source names the column of its ids."""

    name: str
    named: bool


def scope_of(source: AnySource | None, label: str, part: str) -> Scope:
    """The scope of a part of a source; a source of None is a click log."""
    if isinstance(source, WarcConfig):
        return Scope(EVERYWHERE, True)
    if isinstance(source, WebDatasetConfig) and source.id in KEYS:
        return Scope(f"{label}/{part}", False)
    return Scope(label, not isinstance(source, RowMapping) or source.id is not None)


@dataclass
class Identities:
    """Tells images with equal ids apart, and finds the image of each text; all frames are Daft's.

    `scopes` holds the scope of each part by the part's number; `write` keeps a frame in files and gives it back.
    """

    daft: Any
    scopes: Mapping[int, Scope]
    write: Write
    apart: int = 0
    _tables: dict[str, Any] = field(default_factory=dict)

    def images(self, found: Any, disputed: Any) -> Any:
        """The images, with names of their own where their ids are among the disputed ones, which have several."""
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
        is_disputed, has_image = col("several").not_null(), col("name").not_null()
        unbound = col("beside").is_null() & (~col("mixed").fill_null(False) | (col("scope") == EVERYWHERE))
        of_scope = is_disputed & has_image & (unbound | col("own_name").not_null())
        of_others = is_disputed & ~has_image & ~col("several").fill_null(True)
        agreed = ~is_disputed & (col("is_apart").is_null() | col("is_owned").not_null())
        kept = views.where(of_scope | of_others | agreed)
        called = col("own_name").fill_null(col("name")).fill_null(col("id"))
        return kept.with_column("called", called).exclude("id").with_column_renamed("called", "id").select(*VIEWS.names)

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
        renamed, when = col("several") & (col("scope") != EVERYWHERE), self.daft.functions.when
        name = when(renamed, col("scope") + lit("/") + col("id")).otherwise(col("id"))
        firsts = self.write("first-names", firsts.join(ids, on="id").with_column("name", name))
        bound = self.write("own-names", self._own_names(rows, firsts))
        self.apart = bound.select("own_name", "id").distinct().where(col("own_name") != col("id")).count_rows()
        apart = firsts.where(renamed).select("scope").distinct().with_column("is_apart", lit(True))
        apart = self.write("scopes-apart", apart)
        owned = self._scoped(found).join(apart.select("scope"), on="scope", how="semi").select(*keys).distinct()
        return {
            "ids": ids,
            "firsts": firsts.select(*keys, "mixed", "name"),
            "bound": bound.select(col("place").alias("beside"), "own_name"),
            "apart": apart,
            "owned": self.write("owned", owned.with_column("is_owned", lit(True))),
        }

    def _own_names(self, rows: Any, firsts: Any) -> Any:
        """The name of each image of a disputed id; none for those that its scope leaves out."""
        col, lit, when = self.daft.col, self.daft.lit, self.daft.functions.when
        parts = self._parts().select("scope", "named").distinct()
        joined = rows.join(firsts, on=["id", "scope"]).join(parts, on="scope")
        later = col("name") + lit("#") + col("content").cast(self.daft.DataType.string())
        is_first = col("content") == col("first_content")
        name = when(is_first, col("name")).when(~col("named"), later).otherwise(lit(None))
        return joined.select("id", "place", name.alias("own_name"))

    def _named(self, found: Any) -> Any:
        """The images with their names; the group of an image that stands for itself is the name of its id."""
        col, when = self.daft.col, self.daft.functions.when
        own = self._tables["bound"].select(col("beside").alias("place"), "own_name")
        names = self._tables["firsts"].select("id", "scope", "name")
        joined = self._scoped(found).join(own, on="place", how="left").join(names, on=["id", "scope"], how="left")
        name = col("name").fill_null(col("id"))
        group = when(col("group") == col("id"), name).otherwise(col("group"))
        called = col("own_name").fill_null(name)
        named = joined.with_columns({"group": group, "called": called}).exclude("id")
        return named.with_column("id", col("called")).select(*found.column_names)

    def _scoped(self, frame: Any) -> Any:
        """The rows of staged tables with their scopes, by where they stand."""
        col = self.daft.col
        frame = frame.with_column("part", col("place") >> PART_BITS)
        return frame.join(self._parts().select("part", "scope"), on="part").exclude("part")

    def _parts(self) -> Any:
        """The scope of each part."""
        names, named = zip(*self.scopes.values(), strict=True)
        columns = pa.array(self.scopes, pa.int64()), pa.array(names, pa.string()), pa.array(named, pa.bool_())
        return self.daft.from_arrow(pa.table(dict(zip(("part", "scope", "named"), columns, strict=True))))


def meaning_of_equal_ids(sources: Sequence[AnySource], mode: str) -> str:
    """What equal ids mean in a build of these sources; empty where the question does not arise."""
    if len(sources) < 2 and not any(isinstance(source, WebDatasetConfig) for source in sources):
        return ""
    return IDENTITY[mode == "same"]
