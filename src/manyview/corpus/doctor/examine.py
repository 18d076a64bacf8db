"""Examine: a finished corpus becomes measures, examples and findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from manyview.corpus.corpus import DEFAULT_SPLIT, Corpus
from manyview.corpus.doctor.agreement import agreements
from manyview.corpus.doctor.examples import gather_examples
from manyview.corpus.doctor.false_negatives import equal_share, share_with_twin
from manyview.corpus.doctor.findings import findings
from manyview.corpus.doctor.limits import Limits
from manyview.corpus.doctor.looks import FindNear, Looks, near_groups, same_hash
from manyview.corpus.doctor.measures import (
    Examination,
    FalseNegatives,
    Frequent,
    KindMeasures,
    Repeats,
    SplitCounts,
)
from manyview.corpus.doctor.passes import TextPass, look_at_images
from manyview.corpus.doctor.quantiles import quantiles, share_above
from manyview.corpus.doctor.rows import Rows
from manyview.corpus.doctor.sample import sample_rows
from manyview.corpus.doctor.summary import Often, Summary, summarize
from manyview.corpus.doctor.tally import Shares
from manyview.corpus.doctor.tokens import ESTIMATE, count_tokens
from manyview.corpus.fingerprint import text_identity
from manyview.corpus.manifest import Manifest

__all__ = ["examine"]

MOST_FREQUENT = 12
_MOST_LANGUAGES = 24


def examine(
    corpus: Corpus,
    limits: Limits | None = None,
    *,
    tokenizer: str | Path | None = None,
    find_near: FindNear | None = None,
) -> Examination:
    """Look at every text and at a sample of the images; what is damaged is counted, not fatal.

    `tokenizer` is a tokenizer.json; without one, tokens are estimated. Without `find_near` only images of equal
    perceptual hash count as near-duplicates. Memory is bounded: what must be compared over the whole corpus waits
    in a temporary folder, 16 bytes a text.
    """
    limits, tokenizer = limits or Limits(), None if tokenizer is None else Path(tokenizer)
    rows = Rows.of(corpus)
    sample = sample_rows(rows.total, limits.sample, limits.seed)
    with TemporaryDirectory(prefix="manyview-doctor-") as folder:
        texts = TextPass(limits, Path(folder), count_tokens(tokenizer))
        texts.read(rows, sample)
        looks = look_at_images(rows, sample, limits)
        near = list(near_groups(looks, find_near or same_hash, limits.near_distance))
        examination = _Measuring(rows, limits, texts, looks, near).examination(
            tokenizer=ESTIMATE if tokenizer is None else tokenizer.name, exact_near=find_near is None
        )
    return replace(examination, findings=tuple(findings(examination)))


class _Measuring:
    """Puts together what the passes have seen."""

    def __init__(self, rows: Rows, limits: Limits, texts: TextPass, looks: Looks, near: list[list[int]]) -> None:
        self.rows, self.limits, self.texts, self.looks, self.near = rows, limits, texts, looks, near
        most = max(MOST_FREQUENT, limits.examples)
        self.ids, self.groups, self.images = (
            summarize(occurrences, rows.bounds, most)
            for occurrences in (texts.catalog.ids, texts.catalog.groups, texts.catalog.images)
        )
        self.said = self._by_kind(texts.contents.texts, most)
        self.views = self._by_kind(texts.contents.views, 0)

    def examination(self, tokenizer: str, exact_near: bool) -> Examination:
        texts, catalog = self.texts, self.texts.catalog
        kinds = tuple(self._kinds())
        split = _batch_split(self.rows)
        return Examination(
            corpus=self.rows.corpus.manifest.name,
            limits=self.limits,
            splits=tuple(self._splits()),
            sources=catalog.sources.shares(),
            licenses=catalog.licenses.shares(),
            unlicensed=catalog.licenses.counts[""],
            grouped=catalog.grouped,
            skipped=_skipped(self.rows.corpus.manifest),
            unreadable=tuple((reason, 1) for reason in self.rows.unreadable.values()),
            textless=texts.coverage.texts_a_record[0],
            texts_a_record=quantiles(texts.coverage.texts_a_record),
            combinations=texts.coverage.combinations(),
            kinds=kinds,
            repeats=self._repeats(),
            batch_split=split,
            false_negatives=tuple(self._false_negatives(split)),
            agreements=agreements(texts.words, self.limits.min_agreement_records, self.limits.seed),
            sampled=len(texts.words),
            images=self.looks.measures(),
            examples=gather_examples(
                self.rows,
                self.limits,
                self.looks,
                near=self.near,
                groups=self.groups,
                images=self.images,
                kinds={kind.name: kind for kind in kinds},
                said=self.said,
                longest=texts.longest,
                textless=texts.textless,
            ),
            tokenizer=tokenizer,
            without_image=catalog.without_image,
            near_method="equal perceptual hashes"
            if exact_near
            else f"perceptual hashes that differ in at most {self.limits.near_distance} of 64 bits",
        )

    def _by_kind(self, occurrences: Mapping[int, Any], most: int) -> dict[str, Summary]:
        names = self.texts.kinds.names
        return {
            name: summarize(occurrences[number], self.rows.bounds, most)
            for number, name in enumerate(names)
            if number in occurrences
        }

    def _splits(self) -> Iterator[SplitCounts]:
        for name, shards in self.rows.corpus.manifest.splits.items():
            first, stop = self.rows.bounds[name]
            yield SplitCounts(
                name=name,
                records=stop - first,
                groups=self.groups.distinct[name],
                images=self.images.distinct[name],
                bytes=sum(shard.bytes for shard in shards),
            )

    def _kinds(self) -> Iterator[KindMeasures]:
        """The kinds of most records first."""
        coverage, lengths, languages = self.texts.coverage, self.texts.lengths, self.texts.languages
        names = self.texts.kinds.names
        wording = self._wording()
        for number in sorted(range(len(names)), key=lambda number: (-coverage.records[number], names[number])):
            name = names[number]
            said = self.said.get(name, Summary())
            tokens = lengths.tokens[name]
            yield KindMeasures(
                name=name,
                records=int(coverage.records[number]),
                texts=int(coverage.texts[number]),
                empty=int(coverage.empty[number]),
                different=said.different,
                leaked=tuple((split, said.rows[split], said.shared[split]) for split in self.rows.bounds),
                characters=quantiles(lengths.characters[name]),
                tokens=quantiles(tokens),
                cut=tuple((limit, share_above(tokens, limit)) for limit in sorted(self.limits.context_lengths)),
                languages=languages.tags[name].shares(_MOST_LANGUAGES),
                scripts=languages.scripts[name].shares(),
                frequent=tuple(Frequent(wording[name, one.identity], one.size) for one in _shown(said)),
            )

    def _wording(self) -> dict[tuple[str, int], str]:
        """How the first record that says a frequent text writes it."""
        records = self.rows.fetch(one.rows[0] for said in self.said.values() for one in _shown(said))
        wording: dict[tuple[str, int], str] = {}
        for name, said in self.said.items():
            for one in _shown(said):
                texts = records[one.rows[0]].texts if one.rows[0] in records else ()
                same = (text.text for text in texts if text_identity(text.text) == one.identity)
                wording[name, one.identity] = next(same, "")
        return wording

    def _repeats(self) -> Repeats:
        return Repeats(
            ids=self.ids.repeats,
            images=self.images.repeats,
            near=sum(len(rows) - 1 for rows in self.near),
            near_checked=len(self.looks.seen),
            near_across=sum(len({self.rows.split_of(row) for row in rows}) > 1 for rows in self.near),
            groups_across=self.groups.across,
            group_records_across=self.groups.across_rows,
            images_across=self.images.across,
            image_records_across=self.images.across_rows,
        )

    def _false_negatives(self, split: str) -> Iterator[FalseNegatives]:
        first, stop = self.rows.bounds[split]
        population = stop - first
        sizes = [size for size in sorted(self.limits.batch_sizes) if 1 < size <= population]
        coverage = self.texts.coverage.records
        said = sorted(self.views, key=lambda name: (-coverage[self.texts.kinds[name]], name))
        views = [("image", self.images), ("group", self.groups), *((name, self.views[name]) for name in said)]
        for view, summary in views:
            if rows := summary.rows[split]:
                shares = ((size, share_with_twin(summary.sizes[split], population, size)) for size in sizes)
                equal = equal_share(summary.sizes[split])
                yield FalseNegatives(view, rows, summary.distinct[split], tuple(shares), equal)


def _shown(said: Summary) -> list[Often]:
    return said.often[:MOST_FREQUENT]


def _batch_split(rows: Rows) -> str:
    """The split that training draws its batches from."""
    records = {split: stop - first for split, (first, stop) in rows.bounds.items()}
    return DEFAULT_SPLIT if records.get(DEFAULT_SPLIT) else max(records, key=lambda split: records[split])


def _skipped(manifest: Manifest) -> Shares:
    """What the build left out, by reason; manifests of other hands may not say."""
    skipped = getattr(manifest, "skipped", None) or manifest.about.get("skipped")
    if not isinstance(skipped, Mapping):
        return ()
    counts = [(str(reason), n) for reason, n in skipped.items() if isinstance(n, int) and not isinstance(n, bool)]
    return tuple(sorted(counts, key=lambda entry: (-entry[1], entry[0])))
