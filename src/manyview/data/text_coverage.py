"""Text coverage: which views find texts in a corpus, by kind and language."""

from collections.abc import Mapping

from manyview.data.languages import LanguageWeights
from manyview.data.views import ViewsConfig

__all__ = ["described_counts", "views_without_texts"]

TextCounts = Mapping[str, Mapping[str, int]]
"""Number of texts by kind, then by language, see Corpus.text_counts."""
_SHOWN = 8


def views_without_texts(views: ViewsConfig, counts: TextCounts) -> dict[str, str]:
    """The text views that no text of a corpus can serve: for each, a sentence with what there is and what to set."""
    sentences = {}
    for name, view in views.texts.items():
        kinds, langs = view.named_kinds(), LanguageWeights(views.langs_of(name))
        spoken = {lang for kind in kinds for lang in counts.get(kind, {})}
        if not spoken:
            setting = f"views.texts.{name}.kinds=[{', '.join(_most_frequent(counts)[:_SHOWN])}]"
            sentences[name] = (
                f"the view {name!r} draws from {sorted(kinds)}, of which the corpus has none: it has "
                f"{described_counts(counts)}" + (f"; {setting} would use them" if counts else "")
            )
        elif not langs.shares(spoken):
            own = f"views.texts.{name}.langs" if view.langs else "views.langs"
            allowed = views.langs_of(name)
            shown = dict(allowed) if isinstance(allowed, Mapping) else list(allowed)
            found = {kind: counts[kind] for kind in kinds if kind in counts}
            sentences[name] = (
                f"the view {name!r} draws from the languages {shown} only, of which the corpus has none: it has "
                f"{described_counts(found)}; name some of these in {own}, or leave it empty for every language"
            )
    return sentences


def described_counts(counts: TextCounts) -> str:
    """For a sentence: "caption (de 1,200, none stated 30), tags (de 5,000)"; the most frequent ones first."""
    if not counts:
        return "no text at all"
    kinds = _most_frequent(counts)
    return ", ".join(f"{kind} ({_languages(counts[kind])})" for kind in kinds[:_SHOWN]) + _more(len(kinds), "kind")


def _most_frequent(counts: TextCounts) -> list[str]:
    return sorted(counts, key=lambda kind: (-sum(counts[kind].values()), kind))


def _languages(langs: Mapping[str, int]) -> str:
    ordered = sorted(langs.items(), key=lambda entry: (-entry[1], entry[0]))
    told = ", ".join(f"{lang or 'no language stated'} {count:,}" for lang, count in ordered[:_SHOWN])
    return told + _more(len(ordered), "language")


def _more(count: int, what: str) -> str:
    more = count - _SHOWN
    return f" and {more} more {what}{'s' * (more > 1)}" if more > 0 else ""
