"""Checks of texts: what is missing, too long, repeated, or about something else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from manyview.corpus.doctor.measures import Examination, Finding, KindMeasures
from manyview.corpus.doctor.spoken import percent

__all__ = ["TEXT_CHECKS"]

_REFERENCE_BATCH = 4096
_FEWEST_ALIKE = 10
Found = Iterator[Finding]


def _texts(e: Examination) -> Found:
    if e.textless > e.limits.max_textless * e.records:
        yield Finding(
            "warn",
            "records without text",
            f"{e.textless:,} records ({percent(e.textless / e.records)}) have no text at all.",
            "Check the mapping from columns to views; such records serve image-image pairs only.",
        )
    for kind in e.kinds:
        yield from _languages(e, kind)
        yield from _lengths(e, kind)
        yield from _boilerplate(e, kind)


def _rare(e: Examination) -> Found:
    rare = [kind for kind in e.kinds if kind.records < e.limits.min_coverage * e.records]
    if rare:
        named = ", ".join(f"{kind.name} {percent(kind.records / e.records)}" for kind in rare)
        yield Finding(
            "note",
            "rare kinds",
            f"Few records have {named}.",
            "A view of such a kind alone is nearly always absent; name it beside others in views.texts.NAME.kinds, as "
            f"[{rare[0].name}, {e.kinds[0].name}].",
        )


def _languages(e: Examination, kind: KindMeasures) -> Found:
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
            "Lower clean.boilerplate.min_images and max_share; if the kind is meant to repeat, add it to labels here.",
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


def _alike(e: Examination) -> Found:
    """Kinds, or images, that are the same at nearly all records."""
    views = [view for view in e.false_negatives if view.view != "group" and view.rows >= _FEWEST_ALIKE]
    alike = [view for view in views if view.equal > e.limits.max_equal]
    texts = [view for view in views if view.view != "image"]
    hopeless = all(view in alike for view in texts) or any(view.view == "image" for view in alike)
    for view in alike:
        label = view.view in e.limits.labels
        what = "image" if view.view == "image" else f"{view.view} text"
        yield Finding(
            "fail" if hopeless else "note" if label else "warn",
            "all alike",
            f"{percent(view.equal)} of two records with {_article(what)} {what} have the same ({view.rows:,} records "
            f"of {e.batch_split}, {view.different:,} different).",
            "A view of it teaches nothing, with a loss of 0 from the first step: check the mapping from columns to "
            "views, and take a column that tells records apart.",
        )


def _article(noun: str) -> str:
    return "an" if noun[:1].lower() in "aeiou" else "a"


def _agreement(e: Examination) -> Found:
    """One finding for each kind that is at odds with others, beginning with the one at odds with most."""
    odd = [pair for pair in e.agreements if pair.by_chance(e.limits.chance_margin)]
    while odd:
        times = Counter(kind for pair in odd for kind in (pair.one, pair.other))
        kind = min(times, key=lambda kind: (-times[kind], kind))
        others = [pair.other if pair.one == kind else pair.one for pair in odd if kind in (pair.one, pair.other)]
        yield Finding(
            "warn",
            "kinds that disagree",
            f"{kind} goes with {', '.join(sorted(others))} of the same record no better than with those of other "
            "records.",
            f"If {kind} is meant to describe the image, it stands at the wrong records: check the join by id in the "
            "sources.",
        )
        odd = [pair for pair in odd if kind not in (pair.one, pair.other)]


TEXT_CHECKS = (_texts, _rare, _alike, _agreement, _false_negatives)
