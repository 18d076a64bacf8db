"""Limits: how a corpus is examined, and from where on a measure is worth a note, a warning or a stop."""

from pydantic import Field

from manyview.config import Config

__all__ = ["Limits"]


class Limits(Config):
    """Options and thresholds of the doctor; shares lie between 0 and 1."""

    sample: int = Field(
        4000,
        ge=1,
        description="Records whose images are decoded and whose words are read; as many as the corpus has for all.",
    )
    seed: int = Field(0, description="Draws the sample.")
    examples: int = Field(8, ge=0, le=100, description="Pictures shown of each kind of trouble.")
    lists: tuple[str, ...] = Field(
        ("tags", "objects"), description="Kinds whose entries are joined by commas before training sees them."
    )
    labels: tuple[str, ...] = Field(
        ("tags", "objects", "category"), description="Kinds whose texts are meant to repeat from record to record."
    )
    leak_kinds: tuple[str, ...] = Field(
        ("caption",), description="Kinds whose texts should not stand in two splits: those that tests ask for."
    )
    batch_sizes: tuple[int, ...] = Field(
        (256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536),
        description="Batch sizes for which false negatives are reckoned; those above the split are left out.",
    )
    context_lengths: tuple[int, ...] = Field(
        (32, 64, 77), min_length=1, description="Token limits for which the share of texts that would be cut is given."
    )
    max_kinds: int = Field(
        64, ge=2, le=64, description="Kinds that are examined one by one; further ones are counted together."
    )
    min_coverage: float = Field(0.01, ge=0, le=1, description="Note a kind that fewer records have.")
    max_textless: float = Field(0.05, ge=0, le=1, description="Warn when more records have no text at all.")
    max_cut: float = Field(
        0.05, ge=0, le=1, description="Warn when more texts of a kind exceed the greatest of context_lengths."
    )
    max_untagged: float = Field(0.5, ge=0, le=1, description="Note a kind more of whose texts name no language.")
    max_unlicensed: float = Field(0.0, ge=0, le=1, description="Note when more records name no license.")
    max_skipped: float = Field(0.1, ge=0, le=1, description="Warn when the build left out more of what it read.")
    max_repeated_text: float = Field(
        0.001, ge=0, le=1, description="Warn when one text of a kind that is no label stands at more records."
    )
    min_repeated_text: int = Field(20, ge=2, description="Texts at fewer records are never called boilerplate.")
    max_repeated_images: float = Field(
        0.02, ge=0, le=1, description="Warn when more records show the very bytes of an earlier one."
    )
    max_near_duplicates: float = Field(
        0.05, ge=0, le=1, description="Warn when more sampled images look like an earlier one of the sample."
    )
    max_near_across: float = Field(
        0.001,
        ge=0,
        le=1,
        description="Warn when sets of look-alikes in several splits are more than this share of the sampled images; "
        "fewer are a note.",
    )
    near_distance: int = Field(
        4, ge=0, le=16, description="Bits of 64 in which the perceptual hashes of near-duplicates may differ."
    )
    max_false_negatives: float = Field(
        0.2, ge=0, le=1, description="Note a view that repeats for more rows of the batch nearest to 4096."
    )
    max_equal: float = Field(
        0.9,
        ge=0,
        le=1,
        description="Warn when more of two records have the same text of a kind; fail when they do so of every kind, "
        "or have the same image: nothing can be learned.",
    )
    max_broken: float = Field(
        0.01, ge=0, le=1, description="Fail when more sampled images cannot be decoded; fewer are a warning."
    )
    max_pixels: int = Field(
        178_956_970, ge=1, description="Images of more pixels count as broken: no one decodes them."
    )
    min_side_px: int = Field(64, ge=1, description="Images whose short side has fewer pixels are small.")
    max_small: float = Field(0.05, ge=0, le=1, description="Warn when more sampled images are small.")
    max_aspect: float = Field(4.0, gt=1, description="Long side over short side above which an image is a strip.")
    max_strips: float = Field(0.05, ge=0, le=1, description="Warn when more sampled images are strips.")
    max_leaked_texts: float = Field(
        0.01,
        ge=0,
        le=1,
        description="Warn when more records of a split have a text of leak_kinds that stands in another split too. "
        "An image or a group in two splits always fails.",
    )
    min_agreement_records: int = Field(
        100, ge=20, description="Two kinds are compared when so many sampled records have both."
    )
    chance_margin: float = Field(
        0.02, ge=0, le=0.5, description="Two kinds agree by chance when they win at most 1/2 plus this of the trials."
    )
