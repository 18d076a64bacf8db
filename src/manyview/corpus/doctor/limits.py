"""DoctorLimits: from where on a measure of a corpus is worth a word, a warning or a stop."""

from pydantic import Field

from manyview.config import Config

__all__ = ["DoctorLimits"]


class DoctorLimits(Config):
    """Thresholds of the doctor; shares lie between 0 and 1."""

    lists: tuple[str, ...] = Field(
        ("tags", "objects"), description="Kinds whose entries are joined by commas before training sees them."
    )
    labels: tuple[str, ...] = Field(
        ("tags", "objects", "category"), description="Kinds whose texts are meant to repeat from record to record."
    )
    leak_kinds: tuple[str, ...] = Field(
        ("title", "caption"), description="Kinds of text that should not stand in two splits."
    )
    batch_sizes: tuple[int, ...] = Field(
        (256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536),
        description="Batch sizes for which repeats inside a batch are reckoned; those above the split are left out.",
    )
    context_lengths: tuple[int, ...] = Field(
        (48, 64, 77), description="Token limits for which the share of texts that would be cut is given."
    )
    max_kinds: int = Field(
        64, ge=1, le=64, description="Kinds that are examined one by one; further ones are counted together."
    )
    min_coverage: float = Field(0.7, ge=0, le=1, description="Note a kind that fewer records have.")
    max_textless: float = Field(0.05, ge=0, le=1, description="Warn when more records have no text at all.")
    max_cut: float = Field(0.05, ge=0, le=1, description="Warn when more texts of a kind exceed every token limit.")
    max_untagged: float = Field(0.5, ge=0, le=1, description="Note a kind more of whose texts name no language.")
    max_repeated_text: float = Field(
        0.01, ge=0, le=1, description="Warn when one text of a kind that is no label stands at more records."
    )
    min_repeated_text: int = Field(20, ge=2, description="Texts at fewer records are never called boilerplate.")
    max_repeated_images: float = Field(
        0.02, ge=0, le=1, description="Warn when more records show the very bytes of an earlier one."
    )
    max_near_duplicates: float = Field(
        0.05, ge=0, le=1, description="Warn when more sampled images look like another one of the sample."
    )
    max_same_in_batch: float = Field(
        0.2, ge=0, le=1, description="Note a view that repeats for more rows of a batch of 4096 (or the largest)."
    )
    max_broken: float = Field(0.01, ge=0, le=1, description="Fail when more sampled images cannot be decoded.")
    min_side_px: int = Field(64, ge=1, description="Images whose short side has fewer pixels are small.")
    max_small: float = Field(0.05, ge=0, le=1, description="Warn when more sampled images are small.")
    max_aspect: float = Field(4.0, gt=1, description="Long side over short side above which an image is a strip.")
    max_strips: float = Field(0.05, ge=0, le=1, description="Warn when more sampled images are strips.")
    max_leaked_texts: float = Field(
        0.01,
        ge=0,
        le=1,
        description="Fail when more records of the smaller split repeat a text of the larger; fewer are a warning. "
        "A group or an image in two splits always fails.",
    )
    min_agreement_records: int = Field(
        100, ge=20, description="Two kinds are compared when so many sampled records have both."
    )
    chance_margin: float = Field(
        0.02, ge=0, le=0.5, description="Two kinds agree by chance when their win rate exceeds 1/2 by no more than this."
    )
