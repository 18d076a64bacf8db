"""Hit: one thing found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from manyview.corpus import Text

__all__ = ["Hit", "shown_texts", "shown_titles"]

_TITLE_KINDS = ("title", "caption", "description", "query", "category")
_SHOWN_CHARACTERS = 240


@dataclass(frozen=True)
class Hit:
    """A record of the index with its place among the found, counted from 1.

    `score` is the inner product with the query of what ranks: the record's vector, or one view. `views` holds that
    of every view that the record has: why it was found. `titles` holds at most one text a language, `texts` one
    (kind, language, text) for each other kind and language. `thumbnail` is a WebP file, empty without a picture.
    """

    rank: int
    score: float
    id: str
    titles: tuple[tuple[str, str], ...]
    split: str
    source: str
    license: str
    attribution: str
    thumbnail: bytes
    views: Mapping[str, float] = field(default_factory=dict)
    texts: tuple[tuple[str, str, str], ...] = ()

    @property
    def title(self) -> str:
        """The first title, or the id of what has none."""
        return self.titles[0][1] if self.titles else self.id

    def as_json(self) -> dict[str, Any]:
        """Everything but the picture, for machines."""
        return {
            "rank": self.rank,
            "score": round(self.score, 6),
            "views": {name: round(score, 6) for name, score in self.views.items()},
            "id": self.id,
            "title": self.title,
            "titles": [{"lang": lang, "text": text} for lang, text in self.titles],
            "texts": [{"kind": kind, "lang": lang, "text": text} for kind, lang, text in self.texts],
            "split": self.split,
            "source": self.source,
            "license": self.license,
            "attribution": self.attribution,
        }


def shown_titles(texts: Sequence[Text]) -> dict[str, str]:
    """language -> what stands under the picture: the first text a language of the most title-like kind."""
    kind = _title_kind(texts)
    titles: dict[str, str] = {}
    for text in texts:
        if text.kind == kind:
            titles.setdefault(text.lang, text.text)
    return titles


def shown_texts(texts: Sequence[Text]) -> dict[tuple[str, str], str]:
    """(kind, language) -> the texts of every kind that is not the title, one line each, cut when it is long."""
    title = _title_kind(texts)
    lines: dict[tuple[str, str], list[str]] = {}
    for text in texts:
        if text.kind != title:
            lines.setdefault((text.kind, text.lang), []).append(text.text)
    return {key: _cut(" · ".join(dict.fromkeys(entries))) for key, entries in lines.items()}


def _title_kind(texts: Sequence[Text]) -> str:
    kinds = [kind for kind in _TITLE_KINDS if any(text.kind == kind for text in texts)]
    return kinds[0] if kinds else texts[0].kind if texts else ""


def _cut(line: str) -> str:
    return line if len(line) <= _SHOWN_CHARACTERS else line[: _SHOWN_CHARACTERS - 1].rstrip() + "…"
