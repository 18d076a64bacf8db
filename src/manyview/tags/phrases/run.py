"""Run: the phrases in text views become views of their own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from manyview.config import load_config
from manyview.corpus.fingerprint import normalized_text
from manyview.corpus.record import language_code
from manyview.tags.phrases.chinese import chinese_phrases
from manyview.tags.phrases.config import PhraseConfig
from manyview.tags.phrases.english import english_phrases
from manyview.tags.phrases.reader import Reader, Words
from manyview.tags.phrases.spacy_pipeline import spacy_reader
from manyview.tags.phrases.texts import views_at
from manyview.tags.sequence import Tag, joined
from manyview.tags.views import view_rows, written_views

__all__ = ["PhraseReport", "phrases", "run"]

_MAX_CHARACTERS = 10_000
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_KANA_OR_HANGUL = re.compile("[\u3040-\u30ff\uac00-\ud7af]")
_BUILT_IN: Mapping[str, Reader] = {"en": english_phrases, "zh": chinese_phrases}


@dataclass(frozen=True)
class PhraseReport:
    """What became of the texts of the kinds asked for: `texts` = those that gave views + the sum of `left_out`."""

    texts: int
    views: int
    left_out: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def phrases(views: str | Path | Iterable[pa.Table], config: PhraseConfig, out: str | Path) -> PhraseReport:
    """Write the phrases in the texts of VIEWS, of a corpus, a Parquet file or tables, as a table of VIEWS.

    Each has the weight of its text, and an origin that ends in the language's reader and its place in the text. Raises
    UsageError for a pipeline that cannot be loaded, DataError for a damaged file.
    """
    readers = {**_BUILT_IN, **{lang: spacy_reader(pipeline) for lang, pipeline in config.spacy.items()}}
    tables: Iterable[pa.Table] = views_at(views) if isinstance(views, str | Path) else views
    texts, left_out = 0, Counter[str]()
    with written_views(Path(out)) as writer:
        for table in tables:
            rows = [row for row in table.to_pylist() if row["kind"] in config.kinds]
            texts += len(rows)
            for made in _read(rows, readers, config, left_out):
                writer.add(made)
    return PhraseReport(texts, writer.rows, {reason: left_out[reason] for reason in sorted(left_out)})


def run(views: str | Path, out: str | Path, config: str | Path | None, overrides: Sequence[str] = ()) -> PhraseReport:
    """`phrases` of the views at a place, as the command line asks for it. Raises UsageError."""
    return phrases(views, load_config(PhraseConfig, config, overrides), out)


def language_of(text: str, lang: str, default: str) -> str:
    """The primary tag of `lang` or, where that is not known, what the characters say."""
    if code := language_code(lang):
        return code.partition("-")[0]
    return "zh" if _HAN.search(text) and not _KANA_OR_HANGUL.search(text) else default


def _read(
    rows: list[dict[str, Any]], readers: Mapping[str, Reader], config: PhraseConfig, left_out: Counter[str]
) -> Iterator[list[dict[str, Any]]]:
    """The views of each text that has phrases, language by language."""
    by_language: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if reason := _unfit(row["text"]):
            left_out[reason] += 1
            continue
        by_language.setdefault(language_of(row["text"], row["lang"] or "", config.default_lang), []).append(row)
    for lang, some in sorted(by_language.items()):
        if lang not in readers:
            left_out[f"text: no reader for the language {lang}"] += len(some)
            continue
        for row, found in zip(some, readers[lang]([row["text"] for row in some]), strict=True):
            tags = _tags(found, config)
            left_out.update(["text: no phrase in it"] * (not tags))
            yield _views(row, tags, lang, config)


def _unfit(text: str | None) -> str | None:
    if not text or not text.strip():
        return "text: empty"
    return "text: too long" if len(text) > _MAX_CHARACTERS else None


def _tags(found: Iterable[Words], config: PhraseConfig) -> list[Tag]:
    """Distinct phrases in their order, cut to their last words."""
    never = {normalized_text(of) for of in config.exclude}
    distinct: dict[str, str] = {}
    for words in found:
        text = joined(words[-config.max_words :]).lstrip("的")
        if text and normalized_text(text) not in never:
            distinct.setdefault(normalized_text(text), text)
    return [Tag(text, 1.0, 1.0) for text in list(distinct.values())[: config.top]]


def _views(row: Mapping[str, Any], tags: list[Tag], lang: str, config: PhraseConfig) -> list[dict[str, Any]]:
    how = "spacy" if lang in config.spacy else {"en": "rules", "zh": "jieba"}[lang]
    origin = f"{row['origin'] or ''}:{how}"
    made = view_rows(row["id"], tags, kind=config.kind, lang=lang, origin=origin, template=config.template)
    weight = 1.0 if row["weight"] is None else row["weight"]
    return [{**of, "weight": weight} for of in made]
