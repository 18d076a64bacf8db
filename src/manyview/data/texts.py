"""Text views: what is said about a record becomes one sentence a view."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from statistics import fmean
from typing import NamedTuple

import numpy as np

from manyview.corpus.record import Text
from manyview.data.languages import LanguageWeights
from manyview.data.randomness import uniforms
from manyview.data.views import TextView

__all__ = ["RenderedText", "render_texts"]

Numbers = Callable[[str, int], list[float]]
"""So many numbers in [0, 1) of one sample; a name separates them from others."""

_SEPARATOR = ", "
_DRAWS = 64  # kind, language, entry, then one number a tag for its place, then one a tag for staying
_TAGS = 30  # whose numbers are among these; further tags have numbers of their own


class RenderedText(NamedTuple):
    """What a view says of one record, and the weight of it: the mean over the entries it was made of."""

    text: str
    weight: float


def render_texts(
    view: TextView,
    name: str,
    lists: Sequence[str],
    texts: Sequence[Sequence[Text]],
    seed: int,
    epochs: np.ndarray,
    samples: np.ndarray,
    langs: LanguageWeights | None = None,
) -> list[RenderedText | None]:
    """The view's text of n records, None where there is none; `name` separates its random draws.

    `langs`: how often each language is drawn, by default as `view.langs` says.
    """
    draws = uniforms(seed, epochs, samples, f"text:{name}", _DRAWS)
    langs, kinds = langs or LanguageWeights(view.langs), view.named_kinds()

    def numbers_of(row: int) -> Numbers:
        def numbers(purpose: str, count: int) -> list[float]:
            sample = slice(row, row + 1)
            drawn = uniforms(seed, epochs[sample], samples[sample], f"text:{name}{purpose}", count)
            return [float(number) for number in drawn[0]]

        return numbers

    return [
        _render(view, lists, langs, [text for text in of if text.kind in kinds], first, numbers_of(row))
        for row, (of, first) in enumerate(zip(texts, draws.tolist(), strict=True))
    ]


def _render(
    view: TextView,
    lists: Sequence[str],
    langs: LanguageWeights,
    texts: Sequence[Text],
    draws: Sequence[float],
    numbers: Numbers,
) -> RenderedText | None:
    shares = langs.shares({text.lang for text in texts})
    by_kind: dict[str, list[Text]] = {}
    for text in texts:
        if text.lang in shares:
            by_kind.setdefault(text.kind, []).append(text)
    kind = _draw_kind(view.kinds, by_kind, draws[0])
    if kind is None:
        return None
    parts = [part for part in kind.split("+") if part in by_kind]
    there = sorted({text.lang for part in parts for text in by_kind[part]})
    lang = there[_weighted([shares[of] for of in there], draws[1])]
    rendered, weights = list[str](), list[float]()
    drawn = Counter[bool]()  # parts so far, apart for lists and others: each has numbers of its own
    for part in parts:
        is_list = part in lists
        entries = [text for text in by_kind[part] if text.lang == lang]
        if entries and is_list:
            drop = _draw_drop(view, drawn[True], numbers)
            part_texts = _draw_list(view, entries, drop, *_list_draws(len(entries), drawn[True], draws, numbers))
        elif entries:
            draw = draws[2] if not drawn[False] else numbers(f":entry {drawn[False]}", 1)[0]
            part_texts = [_draw_entry(view, entries, draw)]
        else:
            part_texts = []
        rendered += [text.text for text in part_texts]
        weights += [max(0.0, text.weight) for text in part_texts]
        drawn[is_list] += 1
    return RenderedText(view.template.replace("{text}", _SEPARATOR.join(rendered)), fmean(weights))


def _draw_kind(
    kinds: tuple[str, ...] | Mapping[str, float], by_kind: Mapping[str, list[Text]], draw: float
) -> str | None:
    there = [kind for kind in kinds if any(part in by_kind for part in kind.split("+"))]
    if isinstance(kinds, Mapping):
        there = [kind for kind in there if kinds[kind]]
    if not there or not isinstance(kinds, Mapping):
        return next(iter(there), None)
    return there[_weighted([kinds[kind] for kind in there], draw)]


def _draw_entry(view: TextView, entries: Sequence[Text], draw: float) -> Text:
    """By weight, unless that counts in the loss: there it would count twice."""
    return entries[_weighted([1.0 if view.weighted else max(0.0, t.weight) for t in entries], draw)]


def _weighted(shares: Sequence[float], draw: float) -> int:
    """A place drawn by its share, from one number in [0, 1); evenly when all shares are zero."""
    reached = list(accumulate(shares))
    if not reached[-1]:
        return int(draw * len(shares))
    return bisect_right(reached, draw * reached[-1])


def _list_draws(
    count: int, number: int, draws: Sequence[float], numbers: Numbers
) -> tuple[Sequence[float], Sequence[float]]:
    """For each entry of the list of this number in a joined kind, what decides its place and whether it stays."""
    if number:
        own = numbers(f":list {number}", 2 * count)
        return own[:count], own[count:]
    more = numbers(":more tags", 2 * (count - _TAGS)) if count > _TAGS else []
    half = len(more) // 2
    return [*draws[3 : 3 + _TAGS], *more[:half]], [*draws[3 + _TAGS : 3 + 2 * _TAGS], *more[half:]]


def _draw_drop(view: TextView, number: int, numbers: Numbers) -> float:
    """The probability that an entry of the list of this number is left out, drawn where the view gives a range."""
    if isinstance(view.drop, float):
        return view.drop
    low, high = view.drop
    return low + (high - low) * numbers(f":drop {number}", 1)[0]


def _draw_list(
    view: TextView, entries: Sequence[Text], drop: float, places: Sequence[float], staying: Sequence[float]
) -> list[Text]:
    """The entries of a list, in random order and without those dropped; one always stays."""
    order = sorted(range(len(entries)), key=places.__getitem__) if view.shuffle else range(len(entries))
    keep = [i for i in order if staying[i] >= drop] or [max(order, key=staying.__getitem__)]
    return [entries[i] for i in keep]
