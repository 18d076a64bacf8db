"""Findings: measures beyond their limits, each with what to change."""

from __future__ import annotations

from collections.abc import Iterator

from manyview.corpus.doctor.measures import Examination, Finding, KindMeasures, Severity
from manyview.corpus.doctor.spoken import percent

__all__ = ["SEVERITIES", "findings", "verdict"]

SEVERITIES: tuple[Severity, ...] = ("fail", "warn", "note")
_REFERENCE_BATCH = 4096
Found = Iterator[Finding]


def findings(examination: Examination) -> list[Finding]:
    """The worst ones first."""
    found = [finding for check in _CHECKS for finding in check(examination)]
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))


def verdict(examination: Examination) -> str:
    """One sentence for the top of the page and the end of the log."""
    counts = {level: sum(f.severity == level for f in examination.findings) for level in SEVERITIES}
    warned = f"{counts['warn']} warning{'s' * (counts['warn'] != 1)}"
    if counts["fail"]:
        checks = ", ".join(dict.fromkeys(f.check for f in examination.findings if f.severity == "fail"))
        return f"Do not train on this yet: {checks}."
    if counts["warn"]:
        return f"Fit to train on, with {warned} to read first."
    return "Fit to train on."


def _shards(e: Examination) -> Found:
    for sentence, _ in e.unreadable:
        yield Finding(
            "fail",
            "damaged shards",
            f"{sentence}. Its rows are missing from everything on this page.",
            "Copy the corpus again, or run the same `manyview build` once more: it writes what is missing.",
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
            "Whoever rewrote the images must write image_hash = blake2b-64 of the new bytes too; training tells by "
            "it which pictures are the same.",
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
            "Look at them below; if they are one thing, build again with near-duplicates in one group.",
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


def _texts(e: Examination) -> Found:
    if e.textless > e.limits.max_textless * e.records:
        yield Finding(
            "warn",
            "records without text",
            f"{e.textless:,} records ({percent(e.textless / e.records)}) have no text at all.",
            "Check the mapping from columns to views; such records serve image-image pairs only.",
        )
    for kind in e.kinds:
        yield from _coverage(e, kind)
        yield from _lengths(e, kind)
        yield from _boilerplate(e, kind)


def _coverage(e: Examination, kind: KindMeasures) -> Found:
    share = kind.records / (e.records or 1)
    if share < e.limits.min_coverage:
        yield Finding(
            "note",
            "a rare kind",
            f"Only {percent(share)} of the records have {kind.name or 'a text without a kind'} ({kind.records:,}).",
            f"A view of this kind alone is nearly always absent; name it beside others in views.texts.NAME.kinds, as "
            f"[{kind.name}, title].",
        )
    tagged = {lang: n for lang, n in kind.languages if lang}
    untagged = dict(kind.languages).get("", 0)
    if untagged > e.limits.max_untagged * kind.texts:
        known = "no" if not tagged else "few"
        yield Finding(
            "note",
            "language unknown",
            f"{percent(untagged / kind.texts)} of the {kind.name} texts name no language ({known} others do).",
            "Name the language in the mapping, or let the build recognize it; without it views.texts.NAME.langs "
            "cannot choose.",
        )


def _lengths(e: Examination, kind: KindMeasures) -> Found:
    limit, share = kind.cut[-1]
    if share > e.limits.max_cut:
        p95 = kind.tokens.p95 if kind.tokens else 0
        yield Finding(
            "warn",
            "texts too long",
            f"{percent(share)} of the {kind.name} texts have more than {limit} tokens.",
            f"Their ends are never seen: set views.texts.NAME.max_tokens={p95:.0f} (95 % fit), or shorten them.",
        )


def _boilerplate(e: Examination, kind: KindMeasures) -> Found:
    if kind.name in e.limits.labels or not kind.frequent:
        return
    most = kind.frequent[0]
    if most.records >= e.limits.min_repeated_text and most.records > e.limits.max_repeated_text * e.records:
        text = most.text if len(most.text) <= 60 else most.text[:59] + "…"
        yield Finding(
            "warn",
            "boilerplate",
            f"The {kind.name} “{text}” stands at {most.records:,} records ({percent(most.records / e.records)}).",
            "Drop it with the build's boilerplate rule; if the kind is meant to repeat, add it to labels here.",
        )


def _repeated_images(e: Examination) -> Found:
    share = e.repeats.images / (e.records or 1)
    if share > e.limits.max_repeated_images:
        yield Finding(
            "warn",
            "repeated images",
            f"{e.repeats.images:,} records ({percent(share)}) show the very bytes of an earlier one.",
            "Merge rows about one image into one record with several texts: build with images matched by content.",
        )
    checked = e.repeats.near_checked
    if checked and e.repeats.near > e.limits.max_near_duplicates * checked:
        yield Finding(
            "warn",
            "near-duplicates",
            f"{e.repeats.near:,} of {checked:,} sampled images ({percent(e.repeats.near / checked)}) look like an "
            "earlier one of the sample; over the whole corpus it is more.",
            "Remove near-duplicates in the build, or let them share a group.",
        )


def _images(e: Examination) -> Found:
    images, limits = e.images, e.limits
    sampled = images.sampled or 1
    if images.broken:
        share = images.broken_count / sampled
        reasons = ", ".join(f"{reason.removeprefix('image: ')} {n:,}" for reason, n in images.broken)
        yield Finding(
            "fail" if share > limits.max_broken else "warn",
            "undecodable images",
            f"{images.broken_count:,} of {images.sampled:,} sampled images ({percent(share)}) cannot be decoded: "
            f"{reasons}.",
            "Build again from the originals, which leaves them out; training skips them one by one and stops "
            "beyond max_bad_share.",
        )
    if images.small > limits.max_small * sampled:
        yield Finding(
            "warn",
            "small images",
            f"{percent(images.small / sampled)} of the images have a side below {limits.min_side_px} pixels.",
            "Fetch larger versions, raise the build's least size, or train with model.image.size no larger.",
        )
    if images.strips > limits.max_strips * sampled:
        yield Finding(
            "warn",
            "strips",
            f"{percent(images.strips / sampled)} of the images are more than {limits.max_aspect:g} times as long as "
            "wide.",
            "Banners and rulers seldom show what is said of them: drop them by aspect ratio in the build.",
        )


def _false_negatives(e: Examination) -> Found:
    shown, at = [], 0
    for view in e.false_negatives:
        if view.view != "group" and view.shares:
            at, share = min(view.shares, key=lambda entry: abs(entry[0] - _REFERENCE_BATCH))
            shown += [f"{view.view} {percent(share)}"] if share > e.limits.max_false_negatives else []
    if shown:
        yield Finding(
            "note",
            "false negatives",
            f"Rows of a batch of {at:,} that have a twin in it: {', '.join(shown)}.",
            "Keep objective.false_negatives=ignore (the default) or positive: with off, as in the paper, twins are "
            "pushed apart.",
        )


def _agreement(e: Examination) -> Found:
    for pair in e.agreements:
        if pair.by_chance(e.limits.chance_margin):
            yield Finding(
                "warn",
                "kinds that disagree",
                f"{pair.one} and {pair.other} of one record go together no better than those of different records "
                f"({percent(pair.wins)} of trials won, 50 % is chance).",
                "One of the two belongs to other images: check the join by id in the sources.",
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


_CHECKS = (
    _shards,
    _leaks,
    _identifiers,
    _images,
    _leaked_texts,
    _texts,
    _repeated_images,
    _false_negatives,
    _agreement,
    _provenance,
    _splits,
)
