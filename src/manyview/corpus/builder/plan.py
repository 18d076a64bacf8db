"""Plan: staged tables become, for each shard, the list of its images and the list of their texts.

Everything here is a query to Daft, so that the same lines run on one machine and on a cluster. Only images that look
alike and groups that are tied to others are reckoned in the memory of one process.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from manyview.corpus.builder.config import BuildConfig
from manyview.corpus.builder.earlier import Earlier
from manyview.corpus.builder.frames import first_rows, looks_hashes, tied_groups
from manyview.corpus.builder.identity import TEXT_APART, Identities, Scope
from manyview.corpus.builder.scores import StagedScores
from manyview.corpus.builder.shard_plan import Plan, ShardPlan
from manyview.corpus.builder.stage import Staged
from manyview.corpus.builder.staged import IMAGES
from manyview.corpus.builder.texts_only import TextsOnly
from manyview.corpus.builder.together import Component, bounds, largest_split, tied_components
from manyview.corpus.cleaning.near_duplicates import components, stand_ins
from manyview.corpus.engine import refusals_as_os_errors
from manyview.corpus.shard import TEXTS_ONLY_BYTES
from manyview.errors import UsageError

if TYPE_CHECKING:
    from manyview.corpus.engine import Engine

__all__ = ["make_plan"]

SAME_ID = "image: another one has its id"
SAME_BYTES = "image: the same bytes as one that is kept"
SAME_LOOKS = "image: looks like one that is kept"
KNOWN = "image: in the corpus already"
OTHER_KNOWN = "image: the corpus has another one of its id"
_ROWS_AT_ONCE = 4_000_000
_RECORD_BYTES = 64
_PATTERN = re.compile(r"[*?\[\]{}\\]")


def make_plan(
    engine: Engine,
    parts: Sequence[Staged],
    scores: Sequence[StagedScores],
    config: BuildConfig,
    folder: Path,
    earlier: Earlier,
    scopes: Mapping[int, Scope],
) -> Plan:
    """Join, group, split and cut into shards; tables are written below `folder`, `scopes` are those of the parts.

    Raises UsageError when there are scores and none is of an image of the plan.
    """
    with refusals_as_os_errors():
        return _Planner(engine.start(), engine.name == "ray", parts, scores, config, folder, earlier, scopes).plan()


@dataclass
class _Planner:
    """The steps, each a query or two."""

    daft: Any
    many_machines: bool
    parts: Sequence[Staged]
    scores: Sequence[StagedScores]
    config: BuildConfig
    folder: Path
    earlier: Earlier
    scopes: Mapping[int, Scope]
    skipped: Counter[str] = field(default_factory=Counter)
    identities: Any = None
    found: Any = None
    views: Sequence[tuple[str, int]] = ()  # files and how many rows they have

    def plan(self) -> Plan:
        """All of them."""
        self.identities = Identities(self.daft, self.scopes, self._written)
        self.found = self._read([part.images for part in self.parts if part.images])
        self.views = [(part.views, part.counts.get("texts", 0)) for part in self.parts if part.views]
        by_id = self._by_id(self.found)
        disputed = by_id.where(self.daft.col("several")).select("id")
        if self.config.equal_ids == "by_image" and disputed.count_rows():
            self.found, by_id = self.identities.images(self.found, disputed), None
            self.views = list(self._identified())
        images, aliases = self._distinct(by_id)
        aliases = self._merged(images, aliases)
        kept = self._kept(images, aliases)
        tied = self._components(kept, aliases)
        placed = self._placed("split", kept, tied)
        if any(part.texts_only for part in self.parts):
            placed = placed.concat(self._texts_only(placed, aliases, tied).select(*placed.column_names))
        return self._cut(placed, aliases)

    def _texts_only(self, placed: Any, aliases: Any, tied: Mapping[str, Component]) -> Any:
        """The records without an image, placed in the split that is trained on."""
        records = first_rows(self.daft, self._read([p.texts_only for p in self.parts if p.texts_only]), ["id"])
        chooser = TextsOnly(self.daft, self._written, self.config.split, self.earlier, self.skipped)
        views = self._kept_ids(self._read([file for file, _ in self.views]), aliases) if self.views else None
        chosen = self._placed("texts-only", chooser.chosen(records, self.found, placed, views), tied)
        return chosen.with_column("split", self.daft.lit(largest_split(self.config.split)))

    def _identified(self) -> Iterator[tuple[str, int]]:
        """The texts whose image is known, in files of their own."""
        for number, files in enumerate(self._batches(self.views)):
            before = self._read(files)
            kept = self._files(f"texts-{number}", self.identities.views(before))
            rows = self._read(kept).count_rows() if kept else 0
            self.skipped[TEXT_APART] += before.count_rows() - rows
            yield from ((file, rows // len(kept)) for file in kept)

    def _by_id(self, found: Any) -> Any:
        """Of the images with one id the first, and whether there are several."""
        col = self.daft.col
        contents = col("content").min().alias("least"), col("content").max().alias("most")
        firsts = first_rows(self.daft, found, ["id"], *contents).with_column("several", col("least") != col("most"))
        return self._written("by-id", firsts.exclude("least", "most"))

    def _distinct(self, by_id: Any) -> tuple[Any, Any]:
        """One row for each id and each content; and which ids stand for the same image as another."""
        col = self.daft.col
        found = self._without_earlier(self.found)
        by_id = (self._by_id(found) if by_id is None or len(self.earlier.records) else by_id).exclude("several")
        if self.identities.disputed or self.config.equal_ids == "same":
            others = found.join(by_id.select(col("id"), col("content").alias("first")), on="id")
            self.skipped[SAME_ID] = others.where(col("content") != col("first")).count_rows()
        images = self._written("by-content", first_rows(self.daft, by_id, ["content", "length"]))
        keepers = images.select(col("content"), col("length"), col("id").alias("keeper"))
        same = by_id.join(keepers, on=["content", "length"]).where(col("id") != col("keeper"))
        aliases = self._written("aliases", same.select("id", "keeper"))
        self.skipped[SAME_BYTES] = aliases.count_rows()
        return images, aliases

    def _without_earlier(self, found: Any) -> Any:
        """Images that an earlier build has not brought."""
        if not len(self.earlier.records):
            return found
        for key, reason in (("content", KNOWN), ("id", OTHER_KNOWN)):
            before = found.count_rows()
            known = self.daft.from_arrow(self.earlier.records.select([key]))
            found = self._written(f"new-{key}", found.join(known, on=key, how="anti"))
            self.skipped[reason] = before - found.count_rows()
        return found

    def _looks(self, images: Any) -> pa.Table:
        """Ids, groups and hashes: those of the earlier build first, then in the order of the sources."""
        new = images.select("id", "group", "looks", "place").sort("place").to_arrow().drop_columns("place")
        old = self.earlier.records.select(["id", "together", "looks"]).rename_columns(new.column_names)
        return pa.concat_tables([old, new.cast(old.schema)])

    def _merged(self, images: Any, aliases: Any) -> Any:
        """The aliases, and those that near-duplicates add where they are merged."""
        if self.config.clean.near_duplicates.action != "merge":
            return aliases
        table = self._looks(images)
        hashes, present = looks_hashes(table["looks"])
        keeper = stand_ins(hashes, self.config.clean.near_duplicates.distance, present)
        gone = np.flatnonzero(keeper != np.arange(len(keeper)))
        gone = gone[gone >= len(self.earlier.records)]
        self.skipped[SAME_LOOKS] = len(gone)
        pairs = pa.table({"id": table["id"].take(gone), "keeper": table["id"].take(keeper[gone])})
        col = self.daft.col
        near = self.daft.from_arrow(pairs)
        moved = aliases.join(
            near.select(col("id").alias("keeper"), col("keeper").alias("nearer")), on="keeper", how="left"
        )
        moved = moved.select(col("id"), col("nearer").fill_null(col("keeper")).alias("keeper"))
        return self._written("merged", moved.concat(near))

    def _kept(self, images: Any, aliases: Any) -> Any:
        """The images that no other stands for."""
        if self.config.clean.near_duplicates.action != "merge":
            return images
        return self._written("kept", images.join(aliases.select("id"), on="id", how="anti"))

    def _components(self, kept: Any, aliases: Any) -> dict[str, Component]:
        """Where the groups go that are not drawn alone."""
        col, bound = self.daft.col, self.config.split.max_held_out
        ties = {*self._ties_of_aliases(kept, aliases), *self._ties_of_looks(kept), *self._ties_of_texts(kept, aliases)}
        sizes = kept.groupby("group").agg(col("id").count().alias("records"))
        tied = self.daft.from_arrow(
            pa.table({"group": pa.array(sorted({name for tie in ties for name in tie}), pa.string())})
        )
        wanted = [sizes.join(tied, on="group", how="semi")]
        if bound is not None:
            wanted.append(sizes.where(col("records") > bound))
        counted = {row["group"]: row["records"] for frame in wanted for row in frame.iter_rows()}
        return tied_components(ties, counted, self.config.split, self.config.seed, self.earlier.settled())

    def _ties_of_aliases(self, kept: Any, aliases: Any) -> Iterator[tuple[str, str]]:
        """Groups that have an image in common."""
        col = self.daft.col
        found = self.found.select("id", "group")
        owners = self._kept_ids(found, aliases).join(kept.select(col("id"), col("group").alias("other")), on="id")
        yield from tied_groups(owners.where(col("group") != col("other")).select("group", "other").distinct())

    def _ties_of_looks(self, kept: Any) -> Iterator[tuple[str, str]]:
        """Groups of images that look the same."""
        if self.config.clean.near_duplicates.action != "group":
            return
        table = self._looks(kept)
        hashes, present = looks_hashes(table["looks"])
        number = components(hashes, self.config.clean.near_duplicates.distance, present)
        _, first, which = np.unique(number, return_index=True, return_inverse=True)
        later = np.flatnonzero(first[which] != np.arange(len(number)))
        groups = table["group"]
        yield from zip(groups.take(later).to_pylist(), groups.take(first[which][later]).to_pylist(), strict=True)

    def _ties_of_texts(self, kept: Any, aliases: Any) -> Iterator[tuple[str, str]]:
        """Groups of images of which the same is said, in the kinds that tie."""
        col, kinds = self.daft.col, list(self.config.split.together)
        if not kinds or not self.views:
            return
        views = (
            self._read([file for file, _ in self.views]).where(col("kind").is_in(kinds)).select("id", "kind", "said")
        )
        said = self._kept_ids(views, aliases).join(kept.select("id", "group"), on="id").select("kind", "said", "group")
        firsts = said.groupby("kind", "said").agg(col("group").min().alias("other"))
        yield from tied_groups(
            said.join(firsts, on=["kind", "said"])
            .where(col("group") != col("other"))
            .select("group", "other")
            .distinct()
        )

    def _placed(self, name: str, kept: Any, tied: Mapping[str, Component]) -> Any:
        """Each image with its component and split."""
        col = self.daft.col
        names, splits = ([getattr(of, name) for of in tied.values()] for name in ("name", "split"))
        columns = {"group": list(tied), "together": names, "tied": splits}
        table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
        joined = kept.join(self.daft.from_arrow(table), on="group", how="left")
        drawn = self._by_range(col("draw"), bounds(self.config.split))
        split = col("tied").fill_null(drawn)
        joined = joined.with_columns({"together": col("together").fill_null(col("group")), "split": split}).exclude(
            "tied", "draw"
        )
        return self._written(name, joined)

    def _by_range(self, value: Any, ends: Sequence[tuple[Any, float]]) -> Any:
        """The name of the range a value falls into."""
        lit, when = self.daft.lit, self.daft.functions.when
        if len(ends) == 1:
            return lit(ends[0][0])
        chosen = when(value < ends[0][1], lit(ends[0][0]))
        for name, end in ends[1:-1]:
            chosen = chosen.when(value < end, lit(name))
        return chosen.otherwise(lit(ends[-1][0]))

    def _cut(self, placed: Any, aliases: Any) -> Plan:
        """The lists of each shard, written where its writer finds them."""
        col, int32 = self.daft.col, self.daft.DataType.int32()
        shards = self._shards(placed)
        table = pa.table({"split": list(shards), "shards": pa.array(list(shards.values()), pa.int64())})
        numbered = placed.join(self.daft.from_arrow(table), on="split")
        numbered = numbered.with_column("shard", (col("order") * col("shards")).floor().cast(int32)).exclude("shards")
        images = self._by_shard("images", numbered)
        homes = numbered.select("id", "split", "shard")
        views = self._laid("views", self.views, homes, aliases)
        scores = self._laid("scores", ((one.file, one.rows) for one in self.scores), homes, aliases)
        if images and self.config.clean.scores is not None and not scores:
            raise UsageError(
                f"no score in {self.config.clean.scores.table} is of an image of this build: "
                "its column 'id' must hold the ids of images"
            )
        plans = [
            ShardPlan(*key, *(tuple(sorted(of.get(key, ()))) for of in (images, views, scores)))
            for key in sorted(images)
        ]
        return Plan(self.folder, tuple(plans), dict(+self.skipped), self.identities.apart)

    def _laid(
        self, name: str, tables: Iterable[tuple[str, int]], homes: Any, aliases: Any
    ) -> dict[tuple[str, int], list[str]]:
        """Of each shard the files with the rows, of tables and how many they have, that speak of its images."""
        files: dict[tuple[str, int], list[str]] = {}
        for some in self._batches(tables):
            rows = self._read(some)
            columns = [column for column in rows.column_names if column != "beside"]
            joined = self._kept_ids(rows.select(*columns), aliases).join(homes, on="id")
            for key, found in self._by_shard(name, joined).items():
                files.setdefault(key, []).extend(found)
        return files

    def _shards(self, placed: Any) -> dict[str, int]:
        """How many shards each split needs."""
        col = self.daft.col
        sizes = col("length").fill_null(TEXTS_ONLY_BYTES).sum().alias("bytes")
        rows = list(placed.groupby("split").agg(sizes, col("id").count().alias("records")).iter_rows())
        texts = sum(part.counts.get("text bytes", 0) for part in self.parts)
        each = _RECORD_BYTES + texts / max(1, sum(row["records"] for row in rows))
        most = self.config.shards.max_bytes
        return {row["split"]: math.ceil((row["bytes"] + each * row["records"]) / most) for row in rows}

    def _by_shard(self, name: str, frame: Any) -> dict[tuple[str, int], list[str]]:
        """The files that were written for each shard."""
        col = self.daft.col
        if self.many_machines:
            frame = frame.repartition(None, col("split"), col("shard"))
        written = frame.write_parquet(str(self.folder / name), partition_cols=[col("split"), col("shard")])
        files: dict[tuple[str, int], list[str]] = {}
        for row in written.iter_rows():
            files.setdefault((row["split"], row["shard"]), []).append(row["path"])
        return files

    def _kept_ids(self, frame: Any, aliases: Any) -> Any:
        """The rows with the id of the image that is kept in place of theirs."""
        col = self.daft.col
        return (
            frame.join(aliases, on="id", how="left")
            .with_column("id", col("keeper").fill_null(col("id")))
            .exclude("keeper")
        )

    def _batches(self, tables: Iterable[tuple[str, int]]) -> Iterator[list[str]]:
        """Files and how many rows they have; on one machine no more at once than memory holds easily."""
        some: list[str] = []
        waiting = 0
        for file, rows in tables:
            some.append(file)
            waiting += rows
            if waiting >= _ROWS_AT_ONCE and not self.many_machines:
                yield some
                some, waiting = [], 0
        if some:
            yield some

    def _read(self, files: Sequence[str]) -> Any:
        """The rows of all the files, images of none; to Daft a path is a pattern, which a folder must not become."""
        if not files:
            return self.daft.from_arrow(IMAGES.empty_table())
        return self.daft.read_parquet([_PATTERN.sub(r"\\\g<0>", file) for file in files])

    def _written(self, name: str, frame: Any) -> Any:
        """The frame, kept in files rather than reckoned again by each query that uses it."""
        files = self._files(name, frame)
        return self._read(files) if files else self.daft.from_arrow(frame.schema().to_pyarrow_schema().empty_table())

    def _files(self, name: str, frame: Any) -> list[str]:
        return [row["path"] for row in frame.write_parquet(str(self.folder / name)).iter_rows()]
