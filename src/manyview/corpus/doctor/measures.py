"""Measures: everything the doctor finds out about a corpus, as data that JSON can carry there and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import TypeAdapter

from manyview.corpus.doctor.agreement import Agreement
from manyview.corpus.doctor.coverage import Combination
from manyview.corpus.doctor.limits import Limits
from manyview.corpus.doctor.quantiles import Quantiles
from manyview.corpus.doctor.tally import Shares

__all__ = [
    "Examination",
    "Example",
    "Examples",
    "FalseNegatives",
    "Finding",
    "Frequent",
    "ImageMeasures",
    "KindMeasures",
    "Repeats",
    "Severity",
    "SplitCounts",
]

Severity = Literal["fail", "warn", "note"]


@dataclass(frozen=True)
class SplitCounts:
    """A split; `groups` and `images` count different ones, `bytes` what its shards take on disk."""

    name: str
    records: int
    groups: int
    images: int
    bytes: int


@dataclass(frozen=True)
class Frequent:
    """A text and at how many records it stands, as one of them writes it."""

    text: str
    records: int


@dataclass(frozen=True)
class KindMeasures:
    """A kind of text at `records` records, in `texts` entries, `empty` ones besides.

    `different` counts different texts, `leaked` says of each split how many it
    has and how many of these stand in another split too (a text of a record counts once). Quantiles of
    tokens, and `cut` (token limit, share of texts beyond it), are of sampled texts as training renders them.
    `scripts` are those of sampled texts that name no language.
    """

    name: str
    records: int
    texts: int
    empty: int
    different: int
    leaked: tuple[tuple[str, int, int], ...]
    characters: Quantiles | None
    tokens: Quantiles | None
    cut: tuple[tuple[int, float], ...]
    languages: Shares
    scripts: Shares
    frequent: tuple[Frequent, ...]

    @property
    def places(self) -> int:
        """Records times the different texts each has of this kind."""
        return sum(texts for _, texts, _ in self.leaked)

    @property
    def shared(self) -> int:
        return sum(shared for _, _, shared in self.leaked)


@dataclass(frozen=True)
class Repeats:
    """What stands more than once.

    `ids` counts the records whose id an earlier one has, `images` those whose image an earlier one has, byte for
    byte, and `near` the sampled ones that look like an earlier one of the sample, `near_checked` being compared.
    `*_across` count groups and images in several splits, and the records these concern.
    """

    ids: int
    images: int
    near: int
    near_checked: int
    near_across: int
    groups_across: int
    group_records_across: int
    images_across: int
    image_records_across: int


@dataclass(frozen=True)
class FalseNegatives:
    """A view of a split, and for each batch size the expected share of its rows with a twin in the batch.

    `view` is a kind of text, "image" or "group"; `different` counts its different contents; `equal` is the share of
    two of its rows that are the same.
    """

    view: str
    rows: int
    different: int
    shares: tuple[tuple[int, float], ...]
    equal: float = 0.0


@dataclass(frozen=True)
class ImageMeasures:
    """The `sampled` images: what is inside, how large they are, and what is wrong with them, by reason.

    Sides are pixels, `aspect` is the long side over the short one in hundredths, `size` bytes.
    `wrong_hash` counts images that are not the ones the column image_hash speaks of.
    """

    sampled: int
    broken: Shares
    formats: Shares
    modes: Shares
    short_side: Quantiles | None
    long_side: Quantiles | None
    aspect: Quantiles | None
    size: Quantiles | None
    sides: Shares
    shapes: Shares
    small: int
    strips: int
    wrong_hash: int

    @property
    def broken_count(self) -> int:
        return sum(times for _, times in self.broken)


@dataclass(frozen=True)
class Example:
    """A record to look at; `row` counts over all splits in their order."""

    row: int
    id: str
    split: str
    remark: str
    text: str


@dataclass(frozen=True)
class Examples:
    """Records that show one kind of trouble, the worst first."""

    title: str
    about: str
    records: tuple[Example, ...]


@dataclass(frozen=True)
class Finding:
    """Something to know or to change: `what` is measured, `change` says what to do about it."""

    severity: Severity
    check: str
    what: str
    change: str


@dataclass(frozen=True)
class Examination:
    """The whole result. `tokenizer` says what counted the tokens, `near_method` what compared the images.

    `without_image` counts records of texts only.
    """

    corpus: str
    limits: Limits
    splits: tuple[SplitCounts, ...]
    sources: Shares
    licenses: Shares
    unlicensed: int
    grouped: int
    skipped: Shares
    unreadable: Shares
    textless: int
    texts_a_record: Quantiles | None
    combinations: tuple[Combination, ...]
    kinds: tuple[KindMeasures, ...]
    repeats: Repeats
    batch_split: str
    false_negatives: tuple[FalseNegatives, ...]
    agreements: tuple[Agreement, ...]
    sampled: int
    images: ImageMeasures
    examples: tuple[Examples, ...]
    tokenizer: str
    near_method: str
    findings: tuple[Finding, ...] = ()
    without_image: int = 0

    @property
    def records(self) -> int:
        return sum(split.records for split in self.splits)

    @property
    def failed(self) -> bool:
        return any(finding.severity == "fail" for finding in self.findings)

    def to_json(self) -> bytes:
        return _ADAPTER.dump_json(self, indent=1)

    @classmethod
    def from_json(cls, data: bytes) -> Examination:
        return _ADAPTER.validate_json(data)


_ADAPTER = TypeAdapter(Examination)
