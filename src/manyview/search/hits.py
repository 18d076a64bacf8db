"""Hit: one thing found."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from manyview.corpus import Text

__all__ = ["Hit", "shown_titles"]

_TITLE_KINDS = ("title", "caption", "description", "query", "category")


@dataclass(frozen=True)
class Hit:
    """A record of the index with its place among the found, counted from 1.

    `score` is the inner product with the query; `titles` holds at most one text a language;
    `thumbnail` is a WebP file.
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

    @property
    def title(self) -> str:
        """The first title, or the id of what has none."""
        return self.titles[0][1] if self.titles else self.id

    def as_json(self) -> dict[str, Any]:
        """Everything but the picture, for machines."""
        return {
            "rank": self.rank,
            "score": round(self.score, 6),
            "id": self.id,
            "title": self.title,
            "titles": [{"lang": lang, "text": text} for lang, text in self.titles],
            "split": self.split,
            "source": self.source,
            "license": self.license,
            "attribution": self.attribution,
        }


def shown_titles(texts: Sequence[Text]) -> dict[str, str]:
    """language -> what stands under the picture: the first text a language of the most title-like kind."""
    kinds = [kind for kind in _TITLE_KINDS if any(text.kind == kind for text in texts)]
    kind = kinds[0] if kinds else texts[0].kind if texts else ""
    titles: dict[str, str] = {}
    for text in texts:
        if text.kind == kind:
            titles.setdefault(text.lang, text.text)
    return titles
