"""Rules: everything that cleaning does, in one config, and the rules that need to see only one batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from manyview.config import Config
from manyview.corpus.cleaning.boilerplate import BoilerplateRules
from manyview.corpus.cleaning.decontaminate import DecontaminationRules
from manyview.corpus.cleaning.image_rules import ImageRules
from manyview.corpus.cleaning.language import LanguageRules, languages
from manyview.corpus.cleaning.near_duplicates import FARTHEST
from manyview.corpus.cleaning.repeated import Repeated
from manyview.corpus.cleaning.score import ScoreRules
from manyview.corpus.cleaning.text_columns import clean_column
from manyview.corpus.cleaning.texts import TextRules
from manyview.corpus.record import language_code
from manyview.corpus.sources.contract import VIEWS

__all__ = ["CleaningRules", "NearDuplicateRules", "clean_views"]

BROKEN = "view: broken UTF-8 in its id, kind, language or origin"
NO_ID, NO_KIND = "view: no image id", "view: no kind"
NO_WEIGHT = "view: weight is no positive number"
OTHER_LANGUAGE, UNKNOWN_LANGUAGE = "text: language not wanted", "text: language unknown"


class NearDuplicateRules(Config):
    """What becomes of images that look alike."""

    distance: int = Field(4, ge=0, le=FARTHEST, description="bits of 64 in which their perceptual hashes may differ")
    action: Literal["keep", "group", "merge"] = Field(
        "group",
        description="group: on one side of every split; merge: the first stays, with the texts of all; keep: nothing",
    )


class CleaningRules(Config):
    """What is left out of a corpus; every rule counts what it takes, by reason."""

    images: ImageRules = Field(ImageRules(), description="bounds that an image must keep")
    texts: TextRules = Field(TextRules(), description="what a text has to be")
    languages: LanguageRules = Field(LanguageRules(), description="languages found and wanted")
    repeated: Repeated = Field("drop within a kind", description="texts said twice about one image")
    boilerplate: BoilerplateRules | None = Field(BoilerplateRules(), description="texts of too many images; null: off")
    near_duplicates: NearDuplicateRules = Field(NearDuplicateRules(), description="images that look alike")
    decontamination: DecontaminationRules = Field(DecontaminationRules(), description="evaluation sets to keep apart")
    opt_out: tuple[str, ...] = Field((), description="text files of ids, addresses, domains and hashes to leave out")
    scores: ScoreRules | None = Field(None, description="bounds on image-text scores; null: off")

    @model_validator(mode="after")
    def _looks_known(self) -> CleaningRules:
        if self.images.look == "header":
            if self.near_duplicates.action == "merge":
                raise ValueError("near_duplicates.action: merge needs images.look: pixels")
            if self.decontamination.against and self.decontamination.distance is not None:
                raise ValueError("decontamination.distance needs images.look: pixels; null holds equal files only")
        return self


def clean_views(views: pa.Table, rules: CleaningRules) -> tuple[pa.Table, Counter[str]]:
    """The views of a batch with clean texts and languages, in the types of VIEWS, and how many are left out and why."""
    reasons = Counter[str]()
    views = _whole_rows(views, reasons)
    texts, why = clean_column(views["text"], rules.texts)
    reasons.update(why.drop_null().to_pylist())
    views = _with(views, "text", texts).filter(pc.is_null(why))
    return _of_wanted_languages(views, rules.languages, reasons), reasons


def _whole_rows(views: pa.Table, reasons: Counter[str]) -> pa.Table:
    """Rows with a readable id and kind and a positive weight, 1 where none is told."""
    views = _with(views, "weight", views["weight"].cast(pa.float32()).fill_null(1.0))
    for reason, wrong in _WRONG.items():
        found = wrong(views)
        if count := int(found.sum()):
            reasons[reason] += count
            views = views.filter(pa.array(~found))
    return views


def _broken(views: pa.Table) -> np.ndarray:
    found = np.zeros(views.num_rows, bool)
    for name in ("id", "kind", "lang", "origin"):
        try:
            views[name].validate(full=True)
        except pa.ArrowInvalid:
            found |= [_is_broken(value) for value in views[name].cast(pa.binary()).to_pylist()]
    return found


def _is_broken(value: bytes | None) -> bool:
    try:
        (value or b"").decode()
    except UnicodeDecodeError:
        return True
    return False


def _empty(views: pa.Table, name: str) -> np.ndarray:
    empty: np.ndarray = pc.equal(pc.binary_length(views[name]).fill_null(0), 0).to_numpy()
    return empty


def _weightless(views: pa.Table) -> np.ndarray:
    weight = views["weight"].to_numpy()
    weightless: np.ndarray = ~((weight > 0) & np.isfinite(weight))
    return weightless


_WRONG: dict[str, Callable[[pa.Table], np.ndarray]] = {
    BROKEN: _broken,
    NO_ID: lambda views: _empty(views, "id"),
    NO_KIND: lambda views: _empty(views, "kind"),
    NO_WEIGHT: _weightless,
}


def _of_wanted_languages(views: pa.Table, rules: LanguageRules, reasons: Counter[str]) -> pa.Table:
    told = views["lang"].cast(pa.string()).fill_null("")
    told = pc.if_else(pc.equal(pc.utf8_lower(told), "und"), "", told)
    unknown = pc.equal(told, "").to_numpy()
    if rules.detect and unknown.any():
        mask = pa.array(unknown)
        found = pa.array(_recognized(views.filter(mask), rules), pa.string())
        told = pc.replace_with_mask(told.combine_chunks(), mask, found)
    views = _typed(_with(views, "lang", told))
    if not rules.only:
        return views
    codes = views["lang"].to_pylist()
    without = np.array([code == "" and not rules.keep_unknown for code in codes], bool)
    other = np.array([code != "" and not _is_one_of(code, rules.only) for code in codes], bool)
    reasons.update(+Counter({UNKNOWN_LANGUAGE: int(without.sum()), OTHER_LANGUAGE: int(other.sum())}))
    return views.filter(pa.array(~(without | other)))


def _recognized(views: pa.Table, rules: LanguageRules) -> list[str]:
    """The language of each text; entries of a list, which follow one another, are read as one text."""
    texts = views["text"].to_pylist()
    in_list = pc.is_in(views["kind"], pa.array(rules.lists, views["kind"].type)).to_numpy()
    if not in_list.any():
        return languages(texts, rules)
    codes = [pc.dictionary_encode(views[name]).combine_chunks().indices.to_numpy() for name in ("id", "kind")]
    same = np.logical_and.reduce([in_list[1:], *(code[1:] == code[:-1] for code in codes)])
    starts = np.flatnonzero(np.concatenate(([True], ~same)))
    sizes = np.diff([*starts, len(texts)])
    parts = [", ".join(texts[start : start + size]) for start, size in zip(starts, sizes, strict=True)]
    return np.repeat(np.array(languages(parts, rules), object), sizes).tolist()


def _typed(views: pa.Table) -> pa.Table:
    """The columns of VIEWS in its types, others as they are."""
    fields = [VIEWS.field(field.name) if field.name in VIEWS.names else field for field in views.schema]
    return views.cast(pa.schema(fields))


def _is_one_of(code: str, wanted: tuple[str, ...]) -> bool:
    """ "zh-Hans" is a "zh"; a "zh" may or may not be a "zh-Hans", and is none."""
    return any(f"{language_code(code)}-".startswith(f"{language_code(language)}-") for language in wanted)


def _with(views: pa.Table, name: str, column: pa.Array | pa.ChunkedArray) -> pa.Table:
    return views.set_column(views.schema.get_field_index(name), name, column)
