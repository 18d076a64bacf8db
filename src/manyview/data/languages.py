"""LanguageWeights: how often a text view draws each language of a record."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from manyview.corpus.record import language_code

__all__ = ["OTHERS", "LanguageWeights"]

OTHERS = "*"


class LanguageWeights:
    """The meaning of `langs`, see TextView: nothing draws evenly, a mapping prefers, a list allows.

    A key stands for a language and all its regions and scripts ("zh" for zh-Hans, "en" for en_US); the longest
    key that fits counts. "" stands for texts of no stated language, "*" for all languages without a key of their own.
    """

    def __init__(self, langs: Sequence[str] | Mapping[str, float]) -> None:
        weights = langs if isinstance(langs, Mapping) else dict.fromkeys(langs, 1.0)
        self._weights = {lang if lang == OTHERS else language_code(lang): float(of) for lang, of in weights.items()}
        self._prefers = isinstance(langs, Mapping) and OTHERS not in self._weights
        if not langs:
            self._weights = {}
        elif not isinstance(langs, Mapping):
            self._weights.setdefault(OTHERS, 0.0)
        self._known = dict[tuple[str, ...], dict[str, float]]()

    @property
    def preferred(self) -> frozenset[str] | None:
        """The keys of the languages that are drawn wherever a record has them; None when these are all languages."""
        if not self._weights or self._weights.get(OTHERS):
            return None
        return frozenset(key for key, weight in self._weights.items() if weight)

    def key(self, lang: str) -> str | None:
        """The key that stands for a language: itself, else the longest part of it, else "*"; None for none."""
        parts = language_code(lang).split("-")
        for count in range(len(parts), 0, -1):
            if (key := "-".join(parts[:count])) in self._weights:
                return key
        return OTHERS if OTHERS in self._weights else None

    def shares(self, langs: Collection[str]) -> Mapping[str, float]:
        """The share of each language that may be drawn, of those that the texts of a record are in.

        The weight of a key is divided among the languages it stands for. Under a mapping without "*", languages
        without a key are drawn evenly where the record has none with a weight above 0.
        """
        asked = tuple(sorted(langs))
        if asked not in self._known:
            self._known[asked] = self._shares(asked)
        return self._known[asked]

    def _shares(self, langs: Sequence[str]) -> dict[str, float]:
        if not self._weights:
            return dict.fromkeys(langs, 1.0)
        keys = {lang: self.key(lang) for lang in langs}
        many = Counter(keys.values())
        shares = {lang: self._weights[key] / many[key] for lang, key in keys.items() if key is not None}
        drawn = {lang: share for lang, share in shares.items() if share}
        if drawn or not self._prefers:
            return drawn
        return {lang: 1.0 for lang, key in keys.items() if key is None}
