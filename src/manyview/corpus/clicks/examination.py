"""Examination: what is looked at, how many clicks are to be expected of it, and what more clicks are worth.

A click takes a look and a liking (Richardson et al. 2007; the position-based model of Craswell et al., WSDM
2008, and Chapelle and Zhang, WWW 2009): the clicks of a pair, a query and an image, are Poisson of mean

    rho * e,    e = sum over positions p of n[p] * theta[p]

with n[p] the times it was shown at p, theta[p] the click rate of an average pair there and rho how much better
than average it is. c / e is "clicks over expected clicks" (Zhang and Jones, WWW 2007). rho has the prior
Gamma(a, a), of mean 1, so that its posterior mean is (c + a) / (e + a): a pair of which nothing is known is
average. The weight of the view is

    rho / (1 + rho),    rho = (c + a) / (e + a)

in (0, 1): the chance that a click on one of two pictures, this one and an average one shown in the same places
as often, is on this one. It is 1/2 for what is average, and neither position nor popularity moves it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from manyview.corpus.clicks.columns import Ints
from manyview.corpus.clicks.log import ClickLog

__all__ = ["Floats", "Sample", "estimated", "examination", "prior_strength", "weights"]

Floats = npt.NDArray[np.float64]

_ROUNDS = 50
_ANCHOR = 10.0  # impressions for which the plain click rate of a position speaks
_STRENGTHS = (0.1, 1000.0)


@dataclass(frozen=True)
class Sample:
    """Some queries with all their pairs: counts by pair and position, sorted by pair."""

    pair: Ints
    position: Ints
    shown: Floats
    clicked: Floats


def examination(log: ClickLog, shown: Floats, clicked: Floats, sample: Sample) -> Floats:
    """Theta of each position, scaled so that the log has as many clicks as expected clicks.

    `shown` and `clicked` are totals by position: place 0 is of what has no position, place 1 + p of position p.
    """
    mean = clicked.sum() / max(shown.sum(), 1.0)
    rate = (clicked + _ANCHOR * mean) / (shown + _ANCHOR)
    if isinstance(log.examination, tuple):
        theta = _given(log.examination, log.first_position, shown)
    elif log.examination == "none" or log.position is None:
        theta = np.ones(len(shown))
    elif log.examination == "rate":
        theta = rate
    else:
        theta = estimated(sample, rate)
    expected = (shown * theta).sum()
    return theta * (clicked.sum() / expected) if clicked.sum() > 0 else np.full(len(shown), 1.0)


def _given(curve: tuple[float, ...], first_position: int, shown: Floats) -> Floats:
    place = np.clip(np.arange(len(shown)) - 1 - first_position, 0, len(curve) - 1)
    theta = np.array(curve)[place]
    known = shown[1:].sum()
    theta[0] = (shown[1:] * theta[1:]).sum() / known if known else np.mean(curve)
    return theta


def estimated(sample: Sample, rate: Floats) -> Floats:
    """Theta of greatest likelihood, by turns with the rho of each pair, starting at the plain click rate.

    Only a pair seen in several positions says how these differ: what is better stands higher, so that the
    plain rate overstates the difference. (Such pairs are the natural experiments of Agarwal et al., WSDM 2019.)
    """
    _, pair = np.unique(sample.pair, return_inverse=True)
    clicks = np.bincount(pair, weights=sample.clicked)
    telling = (np.bincount(pair) > 1)[pair] & (clicks > 0)[pair]
    pair, position = pair[telling], sample.position[telling]
    shown, clicked = sample.shown[telling], sample.clicked[telling]
    of_position = np.bincount(position, weights=clicked, minlength=len(rate))
    theta = rate
    for _ in range(_ROUNDS):
        expected = np.bincount(pair, weights=shown * theta[position], minlength=len(clicks))
        rho = clicks / np.maximum(expected, 1e-12)
        seen = np.bincount(position, weights=shown * rho[pair], minlength=len(rate))
        theta = (of_position + _ANCHOR * rate) / (seen + _ANCHOR)
    return theta


def prior_strength(sample: Sample, theta: Floats) -> float:
    """The a of the Gamma prior by moments: E (c - e)^2 = e + e^2 / a, each pair counting 1 / (1 + e)."""
    _, pair = np.unique(sample.pair, return_inverse=True)
    clicked = np.bincount(pair, weights=sample.clicked)
    expected = np.bincount(pair, weights=sample.shown * theta[sample.position])
    weight = 1 / (1 + expected)
    excess = (weight * ((clicked - expected) ** 2 - expected)).sum()
    square = (weight * expected**2).sum()
    low, high = _STRENGTHS
    return float(np.clip(square / excess, low, high)) if excess > 0 else high


def weights(clicked: Floats, expected: Floats, strength: float) -> Floats:
    """The formula above."""
    rho: Floats = (clicked + strength) / (expected + strength)
    return rho / (1 + rho)
