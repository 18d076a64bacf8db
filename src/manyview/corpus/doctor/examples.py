"""Examples: the records that show best what is wrong with a corpus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from manyview.corpus.doctor.extremes import Extremes
from manyview.corpus.doctor.limits import Limits
from manyview.corpus.doctor.looks import Looks
from manyview.corpus.doctor.measures import Example, Examples, KindMeasures
from manyview.corpus.doctor.rows import Rows
from manyview.corpus.doctor.spoken import readable_bytes
from manyview.corpus.doctor.summary import Summary
from manyview.corpus.record import Record

__all__ = ["gather_examples"]

_MOST_CHARACTERS = 160


@dataclass(frozen=True)
class _Trouble:
    title: str
    about: str
    remarks: Sequence[tuple[int, str]]


def gather_examples(
    rows: Rows,
    limits: Limits,
    looks: Looks,
    *,
    near: Sequence[Sequence[int]],
    groups: Summary,
    images: Summary,
    kinds: Mapping[str, KindMeasures],
    said: Mapping[str, Summary],
    longest: Extremes,
    textless: Sequence[int],
) -> tuple[Examples, ...]:
    """At most `limits.examples` of each kind of trouble that there is."""
    troubles = [
        *_in_two_splits(groups, images),
        *_of_images(looks),
        *_repeated(images, near, rows),
        *_boilerplate(limits, kinds, said),
        *_of_texts(longest, textless),
    ]
    shown = [(trouble, list(trouble.remarks)[: limits.examples]) for trouble in troubles]
    records = rows.fetch(row for _, remarks in shown for row, _ in remarks)
    return tuple(
        Examples(
            trouble.title,
            trouble.about,
            tuple(_example(row, rows.split_of(row), remark, records[row]) for row, remark in remarks if row in records),
        )
        for trouble, remarks in shown
        if remarks
    )


def _in_two_splits(groups: Summary, images: Summary) -> Iterator[_Trouble]:
    for summary, what in ((groups, "group"), (images, "image")):
        remarks = [(row, f"{what} {number}") for number, pair in enumerate(summary.crossing, 1) for row in pair]
        yield _Trouble(f"The same {what} in two splits", "Neighbors with one number belong together.", remarks)


def _of_images(looks: Looks) -> Iterator[_Trouble]:
    broken = [(row, reason) for row, reason in sorted(looks.broken.items())]
    yield _Trouble("Images that cannot be decoded", "Training would skip them.", broken)
    foreign = [(row, "image_hash differs") for row in looks.wrong_hash]
    yield _Trouble("Images with another image's hash", "Their bytes changed after the build.", foreign)
    small = [(row, f"short side {-value} px") for row, value in looks.small.ranked()]
    yield _Trouble("Smallest images", "Enlarged to the size of the model, little is left to see.", small)
    strips = [(row, f"{value / 100:.1f} : 1") for row, value in looks.strips.ranked()]
    yield _Trouble("Longest strips", "A center crop shows a small part of them.", strips)
    heavy = [(row, readable_bytes(value)) for row, value in looks.heavy.ranked()]
    yield _Trouble("Largest files", "They take the longest to read and to decode.", heavy)


def _repeated(images: Summary, near: Sequence[Sequence[int]], rows: Rows) -> Iterator[_Trouble]:
    often = [(one.rows[0], f"{one.size} times") for one in images.often]
    yield _Trouble("Images that stand more than once", "The same bytes in several records.", often)
    across = sorted(near, key=lambda group: rows.split_of(group[0]) == rows.split_of(group[-1]))
    alike = [(row, f"pair {number}") for number, group in enumerate(across, 1) for row in (group[0], group[-1])]
    yield _Trouble("Near-duplicates in the sample", "Neighbors with one number look alike.", alike)


def _boilerplate(limits: Limits, kinds: Mapping[str, KindMeasures], said: Mapping[str, Summary]) -> Iterator[_Trouble]:
    """The most widespread text of each kind that is no label, at different pictures."""
    for name, summary in said.items():
        if name in limits.labels or not summary.often or summary.often[0].size < limits.min_repeated_text:
            continue
        most = summary.often[0]
        remarks = [(row, name) for row in most.rows]
        text = _shortened(kinds[name].frequent[0].text)
        yield _Trouble(f"The most widespread {name or 'text'}", f"“{text}” stands at {most.size:,} records.", remarks)


def _of_texts(longest: Extremes, textless: Sequence[int]) -> Iterator[_Trouble]:
    long = [(row, f"{value:,} characters") for row, value in longest.ranked()]
    yield _Trouble("Longest texts", "Training sees their beginning only.", long)
    silent = [(row, "no text") for row in textless]
    yield _Trouble("Records without any text", "They take part in pairs of image views only.", silent)


def _example(row: int, split: str, remark: str, record: Record) -> Example:
    text = max(record.texts, key=lambda text: len(text.text)).text if remark.endswith("characters") else ""
    text = text or (record.texts[0].text if record.texts else "")
    return Example(row, record.id, split, remark, _shortened(text))


def _shortened(text: str) -> str:
    one_line = " ".join(text[: 4 * _MOST_CHARACTERS].split())
    return one_line if len(one_line) <= _MOST_CHARACTERS else one_line[: _MOST_CHARACTERS - 1] + "…"
