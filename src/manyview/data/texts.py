"""Text views: what is said about a record becomes one sentence a view."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np

from manyview.corpus.record import Text
from manyview.data.randomness import uniforms
from manyview.data.views import TextView

__all__ = ["render_texts"]

_SEPARATOR = ", "
_DRAWS = 64  # kind, language, entry, then one number a tag for its place and one for staying


def render_texts(
    view: TextView,
    name: str,
    lists: Sequence[str],
    texts: Sequence[Sequence[Text]],
    seed: int,
    epochs: np.ndarray,
    samples: np.ndarray,
) -> list[str | None]:
    """The view's text of n records, None where there is none; `name` separates its random draws."""
    draws = uniforms(seed, epochs, samples, f"text:{name}", _DRAWS)
    return [_render(view, lists, of, row) for of, row in zip(texts, draws.tolist(), strict=True)]


def _render(view: TextView, lists: Sequence[str], texts: Sequence[Text], draws: Sequence[float]) -> str | None:
    allowed = [t for t in texts if not view.langs or t.lang in view.langs]
    by_kind: dict[str, list[Text]] = {}
    for text in allowed:
        by_kind.setdefault(text.kind, []).append(text)
    kind = _draw_kind(view.kinds, by_kind, draws[0])
    if kind is None:
        return None
    parts = [part for part in kind.split("+") if part in by_kind]
    langs = sorted({t.lang for part in parts for t in by_kind[part]})
    shares = [view.langs[lang] if isinstance(view.langs, Mapping) else 1.0 for lang in langs]
    lang = langs[_weighted(shares, draws[1])]
    spoken = []
    for part in parts:
        entries = [t for t in by_kind[part] if t.lang == lang]
        if entries:
            spoken.append(_join(view, entries, draws[3:]) if part in lists else _draw_entry(entries, draws[2]))
    return view.template.replace("{text}", _SEPARATOR.join(spoken))


def _draw_kind(
    kinds: tuple[str, ...] | Mapping[str, float], by_kind: Mapping[str, list[Text]], draw: float
) -> str | None:
    there = [kind for kind in kinds if any(part in by_kind for part in kind.split("+"))]
    if not there or not isinstance(kinds, Mapping):
        return next(iter(there), None)
    return there[_weighted([kinds[kind] for kind in there], draw)]


def _draw_entry(entries: Sequence[Text], draw: float) -> str:
    return entries[_weighted([max(0.0, t.weight) for t in entries], draw)].text


def _weighted(shares: Sequence[float], draw: float) -> int:
    """A place drawn by its share, from one number in [0, 1); evenly when all shares are zero."""
    reached = list(accumulate(shares))
    if not reached[-1]:
        return int(draw * len(shares))
    return bisect_right(reached, draw * reached[-1])


def _join(view: TextView, entries: Sequence[Text], draws: Sequence[float]) -> str:
    """The entries as a list, in random order and without those dropped; one always stays."""
    places = draws[: len(draws) // 2]
    staying = draws[len(draws) // 2 :]
    entries = entries[: len(places)]
    order = sorted(range(len(entries)), key=places.__getitem__) if view.shuffle else range(len(entries))
    keep = [i for i in order if staying[i] >= view.drop] or [max(order, key=staying.__getitem__)]
    return _SEPARATOR.join(entries[i].text for i in keep)
