"""Run: from sources to a corpus, in steps that are not done again when a killed build is started once more.

parts -> staged tables -> (images fetched) -> plan -> shards -> manifest
"""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manyview.corpus.builder.archived import ArchivedTask, archive_of, stage_archived
from manyview.corpus.builder.boilerplate import boilerplate_of
from manyview.corpus.builder.claim import Mode, check_not_within, claim, clear
from manyview.corpus.builder.config import BuildConfig
from manyview.corpus.builder.counts import ordered, spoken, summed
from manyview.corpus.builder.earlier import NOTHING, Earlier, read_earlier
from manyview.corpus.builder.fetching import fetch_named
from manyview.corpus.builder.identity import TEXT_APART, scope_of
from manyview.corpus.builder.labels import labels
from manyview.corpus.builder.landing import landing, read_json, remove, write_json
from manyview.corpus.builder.plan import make_plan
from manyview.corpus.builder.report import BuildReport
from manyview.corpus.builder.score_filter import score_filter_of
from manyview.corpus.builder.scores import StagedScores, score_tasks, stage_scores
from manyview.corpus.builder.shard_plan import Plan
from manyview.corpus.builder.shared_cleaner import write_cleaner
from manyview.corpus.builder.stage import FetchedTask, PartTask, Staged, digest, stage_fetched, stage_part
from manyview.corpus.builder.staged import first_place, part_number
from manyview.corpus.builder.write import ShardTask, WrittenShard, write_shard
from manyview.corpus.clicks import ClickLog, query_views
from manyview.corpus.corpus import Corpus
from manyview.corpus.engine import Engine
from manyview.corpus.location import locate
from manyview.corpus.manifest import MANIFEST, UNFINISHED, Manifest, Shard
from manyview.corpus.sources.config import open_source
from manyview.corpus.sources.contract import Source
from manyview.corpus.sources.images_views import ImagesViewsConfig
from manyview.errors import DataError, ManyviewError, UsageError

if TYPE_CHECKING:
    from manyview.corpus.location import Location

__all__ = ["Progress", "build"]

Progress = Callable[[str, int, int], None]  # what is done, how much of it, of how much

ALL = "all sources"
NOT_ARCHIVED = "image: in no archive, and fetch.user_agent is not set"
NO_IMAGE, NOT_NEW = "text: there is no image of its id", "text: no new image has its id"
_JUDGED_AFTER = 1000  # images


def build(
    config: BuildConfig,
    out: str | Path,
    *,
    engine: Engine | None = None,
    mode: Mode = "new",
    work: str | Path | None = None,
    keep_work: bool = False,
    progress: Progress = lambda what, done, of: None,
) -> BuildReport:
    """Write the corpus that a config describes into the folder `out`, here or under scheme://.

    The same input leaves the same bytes, whatever the engine and however often the build was killed; the same call
    continues a killed one. `work` holds what is under way (default: `out`/.build) and goes away in the end. Raises
    UsageError for a config or a folder that cannot be, DataError when too many images are left out or a source
    changes meanwhile, ManyviewError when the disk refuses.
    """
    corpus = locate(out)
    if not config.sources:
        raise UsageError("a build needs at least one source")
    if mode == "overwrite":
        check_not_within(_paths([*config.sources, *config.clicks, config.clean.scores]), corpus)
    try:
        folder = claim(corpus, mode, None if work is None else Path(work))
        earlier = read_earlier(corpus) if mode == "append" else NOTHING
        report = _Build(config, corpus, folder, engine or Engine(), earlier, mode, progress).run()
        if not keep_work:
            remove(folder)
    except OSError as error:
        raise ManyviewError(f"cannot write the corpus to {out}: {error.strerror or error}") from error
    return report


@dataclass
class _Build:
    """The steps of one build."""

    config: BuildConfig
    corpus: Location
    folder: Path
    engine: Engine
    earlier: Earlier
    mode: Mode
    progress: Progress
    skipped: dict[str, Counter[str]] = field(default_factory=dict)
    usable: int = 0  # images of the parts so far
    lost: Counter[str] = field(default_factory=Counter)  # images left out of them, by reason

    def run(self) -> BuildReport:
        """All of them."""
        scores = self._scores()  # first: it fails sooner than sources do
        tasks = list(self._part_tasks())
        staged = self._stage(tasks)
        staged += self._fetched(staged, tasks)
        if not any(part.images or part.texts_only for part in staged):
            if not self._reasons():
                raise UsageError(
                    "the sources hold no image: say which column names them, as in sources.0.image=COLUMN, or "
                    "that they are texts only, as in sources.0.texts_only=true, or look whether a source is empty"
                )
            raise DataError(f"no image can be used: {spoken(self._reasons())}")
        plan = self._plan(staged, scores, tasks)
        if self.mode == "overwrite" and (self.corpus / MANIFEST).is_file():
            clear(self.corpus)  # not sooner: a build that fails before leaves it as it was
        written = self._write(plan, sum(part.counts.get("texts", 0) for part in staged))
        return self._finish(written, plan.ids_apart)

    def _scores(self) -> list[StagedScores]:
        """All tables of scores, in order."""
        clean = self.config.clean
        if clean.scores is None:
            return []
        tasks = score_tasks(clean.scores.table, clean.texts, self.folder / "scores")
        found = dict(self._mapped("reading scores", stage_scores, tasks))
        for one in found.values():
            self._count("scores", one.skipped)
        return [found[task.key] for task in tasks]

    def _stage(self, tasks: Sequence[PartTask]) -> list[Staged]:
        """The tables of all parts of all sources."""
        found = dict[str, Staged]()
        with closing(self._mapped("reading", stage_part, tasks)) as results:
            for key, staged in results:
                found[key] = staged
                self._judge([staged])
        for task in tasks:
            self._count(task.source, found[task.key].skipped)
        return [found[task.key] for task in tasks]

    def _part_tasks(self) -> Iterator[PartTask]:
        cleaner, configs = write_cleaner(self.config.clean, self.folder), self.config.sources
        for number, (label, source) in enumerate(self._sources()):
            for place, part in enumerate(source.parts()):
                yield PartTask(
                    part=part,
                    source=label,
                    scope=scope_of(configs[number] if number < len(configs) else None, label, part.name),
                    first_place=first_place(number, place),
                    license=self.config.license,
                    seed=self.config.seed,
                    cleaner=cleaner,
                    folder=self.folder / "staged",
                )

    def _sources(self) -> Iterator[tuple[str, Source]]:
        """Each source with its name; click logs as the views they become."""
        yield from zip(labels(self.config.sources), map(open_source, self.config.sources), strict=True)
        for number, log in enumerate(self.config.clicks):
            self.progress("reading clicks", number, len(self.config.clicks))
            label = log.name if len(self.config.clicks) == 1 else f"{log.name}-{number + 1}"
            views = self._query_views(log, self.folder / f"clicks-{number}", label)
            yield label, open_source(ImagesViewsConfig(views=str(views)))

    def _query_views(self, log: ClickLog, folder: Path, label: str) -> Path:
        """The folder of a log's views, made once."""
        done = folder / f"{digest(log)}.json"
        found = read_json(done)
        if found is None:
            report = query_views(log, folder / "views", folder / "work", self.engine.run)
            found = dict(report.skipped)
            write_json(done, found)
        self._count(label, found)
        return folder / "views"

    def _fetched(self, staged: Sequence[Staged], tasks: Sequence[PartTask]) -> list[Staged]:
        """What became of the images that are named by URL."""
        named = [(part.urls, task) for part, task in zip(staged, tasks, strict=True) if part.urls]
        held = self._archived(named, archive_of(staged, tasks, self.folder))
        if held:
            named = [(one.urls, task) for one, (_, task) in zip(held, named, strict=True) if one.urls]
        if not named:
            return held
        total = sum(part.counts.get("urls", 0) for part in held or staged)
        if self.config.fetch is None and any(one.images for one in held):
            self._count(ALL, {NOT_ARCHIVED: total})
            return held
        files = [urls for urls, _ in named]
        store = fetch_named(files, total, self.config.fetch, self.folder / "fetched", self.progress)
        state = digest(store.counts())
        looks = [FetchedTask(urls, task, store, state) for urls, task in named]
        found = dict(self._mapped("looking at images", stage_fetched, looks))
        for look in looks:
            self._count(look.part.source, found[look.key].skipped)
        self._judge([*held, *found.values()])
        return [*held, *(found[look.key] for look in looks)]

    def _archived(self, named: Sequence[tuple[str, PartTask]], archive: Path | None) -> list[Staged]:
        """What archives hold of the images that are named by URL; nothing where there is no archive."""
        looks = [ArchivedTask(urls, task, archive) for urls, task in named if archive is not None]
        found = dict(self._mapped("looking into archives", stage_archived, looks)) if looks else {}
        for look in looks:
            self._count(look.part.source, found[look.key].skipped)
        return [found[look.key] for look in looks]

    def _plan(self, staged: Sequence[Staged], scores: Sequence[StagedScores], tasks: Sequence[PartTask]) -> Plan:
        """The plan, made once: it is kept with all that it was made from."""
        self.progress("planning", 0, 1)
        of = [(part.images, part.views, part.texts_only) for part in staged]
        earlier = len(self.earlier.records), sorted(self.earlier.shards.items())
        folder = self.folder / f"plan-{digest(self.config, of, earlier, [one.file for one in scores])}"
        done = folder / "plan.pickle"
        scopes = {part_number(task.first_place): task.scope for task in tasks}

        def make() -> Plan:
            remove(folder)
            return make_plan(self.engine, staged, scores, self.config, folder, self.earlier, scopes)

        if not done.is_file():
            plan = self.engine.insist(make)
            with landing(done) as handle:
                pickle.dump(plan, handle)
        found: Plan = pickle.loads(done.read_bytes())
        self.progress("planning", 1, 1)
        self._count(ALL, found.skipped)
        return found

    def _write(self, plan: Plan, texts: int) -> list[WrittenShard]:
        """All shards, in order."""
        rules = self.config.clean.boilerplate
        boilerplate = None if rules is None else boilerplate_of(self.engine, plan, rules, texts)
        scores = self.config.clean.scores
        judge = None if scores is None else score_filter_of(self.engine, plan, scores, boilerplate, texts)
        before = self.earlier.shards
        tasks = [
            ShardTask(
                plan=shard,
                number=before.get(shard.split, 0) + shard.number,
                corpus=self.corpus,
                encoding=self.config.images,
                row_group_bytes=self.config.shards.row_group_bytes,
                min_texts=self.config.min_texts,
                boilerplate=boilerplate,
                scores=judge,
                done=plan.folder / f"{shard.split}-{shard.number:05d}.json",
            )
            for shard in plan.shards
        ]
        found = dict(self._mapped("writing shards", write_shard, tasks))
        written = [found[task.key] for task in tasks]
        for one in written:
            self._count(ALL, one.skipped)
        self._count(
            ALL,
            {
                NOT_NEW if before else NO_IMAGE: texts
                - sum(one.listed for one in written)
                - plan.skipped.get(TEXT_APART, 0)
            },
        )
        return written

    def _finish(self, written: Sequence[WrittenShard], ids_apart: int) -> BuildReport:
        """The manifest, which makes the folder a corpus."""
        old = Corpus.open(self.corpus).manifest if self.earlier.shards else None
        splits = {name: [*shards] for name, shards in old.splits.items()} if old else {}
        for one in written:
            if one.shard:
                splits.setdefault(one.split, []).append(Shard.model_validate(one.shard))
        order = [*self.config.split.shares, *sorted(set(splits) - set(self.config.split.shares))]
        splits = {name: splits[name] for name in order if name in splits}
        if not splits:
            raise DataError(f"no record is left: {spoken(self._reasons())}")
        report = BuildReport(
            records={name: sum(shard.records for shard in shards) for name, shards in splits.items()},
            shards=sum(len(shards) for shards in splits.values()),
            texts=summed(one.texts for one in written),
            languages=summed(one.languages for one in written),
            licenses=summed(one.licenses for one in written),
            skipped={label: ordered(counts) for label, counts in self.skipped.items() if +counts},
            ids_apart=ids_apart,
            texts_only=sum(
                shard.records - shard.images for of in splits.values() for shard in of if shard.images is not None
            ),
        )
        builds = [
            *(old.about.get("builds", []) if old else []),
            {**report.as_json(), "config": self.config.model_dump(mode="json")},
        ]
        skipped = summed(of for one in builds for of in one["skipped"].values())
        manifest = Manifest(name=self.config.name, splits=splits, about={"skipped": skipped, "builds": builds})
        with landing(self.corpus / MANIFEST) as handle:
            handle.write(manifest.to_json().encode())
        remove(self.corpus / UNFINISHED)
        return report

    def _mapped(
        self, what: str, function: Callable[[Any], Any], tasks: Sequence[Any]
    ) -> Generator[tuple[str, Any], None, None]:
        """Each task's key and result, as they come."""
        self.progress(what, 0, len(tasks))
        for done, (key, result) in enumerate(self.engine.map(_Keyed(function), tasks), 1):
            yield key, result
            self.progress(what, done, len(tasks))

    def _judge(self, parts: Iterable[Staged]) -> None:
        """Stop in time when nearly nothing can be used of these parts and those judged before."""
        lost = self.lost
        for part in parts:
            self.usable += part.counts.get("images", 0)
            lost.update(
                {reason: count for reason, count in part.skipped.items() if reason.startswith(("image:", "fetch:"))}
            )
        share = lost.total() / max(1, self.usable + lost.total())
        if self.usable + lost.total() >= _JUDGED_AFTER and share > self.config.max_skipped_share:
            raise DataError(
                f"{share:.0%} of {self.usable + lost.total():,} images are left out, allowed: max_skipped_share="
                f"{self.config.max_skipped_share:g}: {spoken(lost)}"
            )

    def _count(self, label: str, skipped: Mapping[str, int]) -> None:
        self.skipped.setdefault(label, Counter()).update(skipped)

    def _reasons(self) -> Counter[str]:
        return sum(self.skipped.values(), Counter[str]())


@dataclass(frozen=True)
class _Keyed:
    """A function of tasks that says which task its result belongs to."""

    function: Callable[[Any], Any]

    def __call__(self, task: Any) -> tuple[str, Any]:
        return task.key, self.function(task)


def _paths(sources: Iterable[Any]) -> Iterator[str]:
    """All that sources, click logs and scores are read from."""
    for source in sources:
        for path in (getattr(source, name, None) for name in ("path", "images", "views", "table")):
            yield from [path] if isinstance(path, str) else path or ()
