"""Checks of records: what is damaged, what stands twice or in two splits, and where things come from."""

from __future__ import annotations

from collections.abc import Iterator

from manyview.corpus.doctor.measures import Examination, Finding
from manyview.corpus.doctor.spoken import percent

__all__ = ["RECORD_CHECKS"]

Found = Iterator[Finding]


def _shards(e: Examination) -> Found:
    for sentence, _ in e.unreadable:
        yield Finding(
            "fail",
            "damaged shards",
            f"{sentence}. Its rows are missing from everything on this page.",
            "Copy the corpus again, or run the same `manyview build` once more: it writes what is missing.",
        )


def _leaks(e: Examination) -> Found:
    repeats = e.repeats
    if repeats.groups_across:
        yield Finding(
            "fail",
            "groups in several splits",
            f"{repeats.groups_across:,} groups stand in more than one split ({repeats.group_records_across:,} "
            "records): what is tested was partly learned.",
            "Split by the column group: build again instead of moving rows between splits.",
        )
    if repeats.images_across:
        yield Finding(
            "fail",
            "images in several splits",
            f"{repeats.images_across:,} images stand byte for byte in more than one split "
            f"({repeats.image_records_across:,} records).",
            "Give records of one image one group (or merge them into one record) and build again; against a foreign "
            "test set, decontaminate by image hash.",
        )
    if repeats.near_across:
        share = repeats.near_across / repeats.near_checked
        yield Finding(
            "warn" if share > e.limits.max_near_across else "note",
            "look-alikes in several splits",
            f"Among {repeats.near_checked:,} sampled images, {_sets(repeats.near_across)} more than one split.",
            "Look at them below; if they are one thing, build with clean.near_duplicates.action=group.",
        )


def _sets(count: int) -> str:
    return "1 set of look-alikes stands in" if count == 1 else f"{count:,} sets of look-alikes stand in"


def _leaked_texts(e: Examination) -> Found:
    for kind in e.kinds:
        if kind.name not in e.limits.leak_kinds:
            continue
        for split, texts, shared in kind.leaked:
            if split != e.batch_split and texts and shared / texts > e.limits.max_leaked_texts:
                yield Finding(
                    "warn",
                    "texts in several splits",
                    f"{percent(shared / texts)} of the {kind.name} texts of {split} stand in another split too "
                    f"({shared:,} of {texts:,}).",
                    "Records that share such a text belong in one group; or take the kind out of leak_kinds.",
                )


def _identifiers(e: Examination) -> Found:
    if e.repeats.ids:
        yield Finding(
            "fail",
            "repeated ids",
            f"{e.repeats.ids:,} records have the id of an earlier one.",
            "Ids must be unique: build from the sources again, so that rows about one image become one record.",
        )
    if e.images.wrong_hash:
        yield Finding(
            "fail",
            "wrong image hashes",
            f"{e.images.wrong_hash:,} of {e.images.sampled:,} sampled images are not the ones image_hash speaks of.",
            "Whoever rewrote the images must write image_hash, the XXH3-64 of the new bytes, too; "
            "training tells by it which pictures are the same.",
        )


def _splits(e: Examination) -> Found:
    for split in e.splits:
        if not split.records:
            yield Finding(
                "warn",
                "an empty split",
                f"The split {split.name} has no records.",
                "Give it a larger share in the build, or leave it out.",
            )
    if len([split for split in e.splits if split.records]) == 1:
        yield Finding(
            "note",
            "one split",
            f"All records are in {e.splits[0].name}: nothing is held out, so nothing can be judged.",
            "Let the build split by group, or keep another corpus for `manyview evaluate MODEL --on CORPUS`.",
        )


def _provenance(e: Examination) -> Found:
    if e.unlicensed > e.limits.max_unlicensed * e.records:
        yield Finding(
            "note",
            "license unknown",
            f"{e.unlicensed:,} records ({percent(e.unlicensed / e.records)}) name no license.",
            "Map a license column, or give the source one license; the model card quotes them.",
        )
    skipped = sum(n for _, n in e.skipped)
    if skipped > e.limits.max_skipped * (skipped + e.records):
        yield Finding(
            "warn",
            "rows left out",
            f"The build left out {skipped:,} rows, {percent(skipped / (skipped + e.records))} of what it read; most "
            f"often: {e.skipped[0][0]}.",
            "Look at the reasons below: a wrong mapping or a blocked host shows as one large number.",
        )


RECORD_CHECKS = (_shards, _leaks, _identifiers, _leaked_texts, _provenance, _splits)
