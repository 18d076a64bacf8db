"""Laws of the correction for position and of the weight."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.corpus.clicks.logs import built

from manyview.corpus.clicks import ClickLog
from manyview.corpus.clicks.examination import Sample, estimated, examination, prior_strength, weights

LOOKS = np.array([1.0, 0.6, 0.4, 0.3, 0.25, 0.2, 0.15, 0.12, 0.1, 0.08])  # the chance that a position is looked at


def simulated(
    rng: np.random.Generator, queries: int = 60, pages: int = 400
) -> tuple[pa.Table, dict[tuple[str, str], float]]:
    """A log of a ranker that is fairly good and a little restless, and how much each image is truly liked."""
    counts = dict[tuple[str, str, int], list[int]]()
    liked = dict[tuple[str, str], float]()
    for q in range(queries):
        truth = rng.beta(1, 3, len(LOOKS))
        ranker = truth + rng.normal(0, 0.3, len(truth))
        for image, of in enumerate(truth):
            liked[f"query {q}", f"image {q}-{image}"] = of
        for _ in range(int(pages * rng.pareto(1.5)) + 20):
            order = np.argsort(-(ranker + rng.normal(0, 0.15, len(truth))))
            clicked = rng.random(len(truth)) < LOOKS * truth[order]
            for place, image in enumerate(order.tolist()):
                row = counts.setdefault((f"query {q}", f"image {q}-{image}", place + 1), [0, 0])
                row[0] += 1
                row[1] += int(clicked[place])
    names = ("query", "id", "position", "impressions", "clicks")
    columns = zip(*[(*key, *value) for key, value in counts.items()], strict=True)
    return pa.table(dict(zip(names, map(list, columns), strict=True))), liked


def right_orders(scores: dict[tuple[str, str], float], truth: dict[tuple[str, str], float]) -> float:
    """The share of pairs of images of one query that the scores order as the truth does."""
    right = total = 0
    for query in {query for query, _ in scores}:
        some = [pair for pair in scores if pair[0] == query]
        better = np.subtract.outer([truth[pair] for pair in some], [truth[pair] for pair in some])
        higher = np.subtract.outer([scores[pair] for pair in some], [scores[pair] for pair in some])
        right += int(((better > 0) & (higher > 0)).sum())
        total += int((better > 0).sum())
    return right / total


def corrected(table: pa.Table, folder: Path, **settings: Any) -> tuple[dict[tuple[str, str], float], dict[int, float]]:
    folder.mkdir()
    pq.write_table(table, folder / "log.parquet")
    log = ClickLog(
        path=str(folder / "log.parquet"), position="position", min_clicks=1, min_query_clicks=1, top_k=100, **settings
    )
    views, report = built(log, folder)
    return {(view["text"], view["id"]): view["weight"] for view in views}, report.examination


def test_corrected_weights_order_images_more_truly_than_the_click_rate(tmp_path: Path) -> None:
    table, truth = simulated(np.random.default_rng(0))
    totals = table.group_by(["query", "id"]).aggregate([("impressions", "sum"), ("clicks", "sum")]).to_pylist()
    ours, curve = corrected(table, tmp_path / "estimated")
    raw = {(row["query"], row["id"]): row["clicks_sum"] / row["impressions_sum"] for row in totals}
    raw = {pair: raw[pair] for pair in ours}
    plain = right_orders(raw, truth)
    assert right_orders(ours, truth) > plain + 0.03
    given, _ = corrected(table, tmp_path / "given", examination=tuple(LOOKS.tolist()))
    assert right_orders(given, truth) > plain + 0.03
    assert right_orders(corrected(table, tmp_path / "none", examination="none")[0], truth) < plain + 0.02
    looks = np.array([curve[place] for place in range(1, 11)])
    np.testing.assert_allclose(looks / looks[0], LOOKS, rtol=0.15)


def test_the_plain_rate_overstates_what_position_does_and_the_estimate_does_not(tmp_path: Path) -> None:
    table, _ = simulated(np.random.default_rng(1))
    _, rate = corrected(table, tmp_path / "rate", examination="rate")
    _, fitted = corrected(table, tmp_path / "estimated")
    assert rate[10] / rate[1] < 0.7 * LOOKS[-1]
    assert fitted[10] / fitted[1] == pytest.approx(LOOKS[-1], rel=0.2)


def test_the_estimate_is_a_fixed_point_of_the_likelihood() -> None:
    """At the greatest likelihood each position has as many clicks as expected clicks, the anchor included."""
    rng = np.random.default_rng(2)
    pair, position = np.repeat(np.arange(300), 4), np.tile(np.arange(1, 5), 300)
    shown = rng.integers(50, 400, 1200).astype(float)
    rho = rng.gamma(2, 0.5, 300)
    clicked = rng.poisson(np.minimum(rho[pair] * LOOKS[position] * 0.3, 1) * shown).astype(float)
    rate = np.full(5, clicked.sum() / shown.sum())
    theta = estimated(Sample(pair, position, shown, clicked), rate)
    of_pair = np.bincount(pair, clicked) / np.bincount(pair, shown * theta[position])
    expected = np.bincount(position, shown * of_pair[pair]) * theta + 10 * theta
    observed = np.bincount(position, clicked) + 10 * rate
    np.testing.assert_allclose(expected[1:], observed[1:], rtol=1e-3)


@pytest.mark.parametrize("choice", ["estimated", "rate", "none", (1.0, 0.5)])
def test_the_log_has_as_many_clicks_as_expected_clicks(choice: Any) -> None:
    rng = np.random.default_rng(3)
    shown = rng.integers(0, 1000, 12).astype(float)
    clicked = np.floor(shown * rng.random(12))
    log = ClickLog(path="log.parquet", position="position", examination=choice)
    none = np.zeros(0, np.int64)
    theta = examination(log, shown, clicked, Sample(none, none, none.astype(float), none.astype(float)))
    assert (theta * shown).sum() == pytest.approx(clicked.sum())
    assert (theta > 0).all()


def test_a_given_curve_is_kept_up_to_scale_and_its_last_figure_holds_below() -> None:
    log = ClickLog(path="log.parquet", position="position", examination=(1.0, 0.5, 0.25), first_position=0)
    none = np.zeros(0, np.int64)
    theta = examination(log, np.ones(6), np.ones(6), Sample(none, none, none.astype(float), none.astype(float)))
    np.testing.assert_allclose(theta[1:] / theta[1], [1, 0.5, 0.25, 0.25, 0.25])


@pytest.mark.parametrize("strength", [0.5, 2.0, 10.0])
def test_the_strength_of_the_prior_is_found_again(strength: float) -> None:
    rng = np.random.default_rng(4)
    number = 40_000
    expected = rng.gamma(0.5, 4, number) + 0.05
    clicked = rng.poisson(rng.gamma(strength, 1 / strength, number) * expected).astype(float)
    pair = np.arange(number)
    found = prior_strength(Sample(pair, np.ones(number, np.int64), expected, clicked), np.ones(3))
    assert found == pytest.approx(strength, rel=0.15)


def test_a_weight_is_a_half_for_the_average_and_grows_with_clicks_and_with_evidence() -> None:
    assert weights(np.array([7.0]), np.array([7.0]), 3.0).item() == 0.5
    clicks = np.arange(20.0)
    assert (np.diff(weights(clicks, np.full(20, 5.0), 2.0)) > 0).all()
    more = np.arange(1.0, 20)
    surer = weights(3 * more, more, 2.0)
    assert (np.diff(surer) > 0).all() and surer[-1] < 3 / 4
    assert weights(np.array([0.0, 1e12]), np.array([1e9, 1e-9]), 0.1).tolist() == pytest.approx([0, 1], abs=1e-6)
