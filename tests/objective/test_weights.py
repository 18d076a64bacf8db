"""Laws of weighted rows: what a weight of one, of zero, of two and of another unit means, in both losses."""

import pytest
import torch
from tests.objective.test_tiled import EVERY_PAIR, MODES, batch, row_weights

from manyview.errors import UsageError
from manyview.objective import (
    Pair,
    both_ways,
    info_nce,
    multi_view_loss,
    multi_view_sigmoid_loss,
    plain_multi_view_loss,
    plain_multi_view_sigmoid_loss,
)

SCALE = torch.tensor(7.0, dtype=torch.float64)
BIAS = torch.tensor(-2.0, dtype=torch.float64)
EXACT = {"atol": 1e-10, "rtol": 1e-10}


def sigmoid(features, pairs, scale, **given):
    return multi_view_sigmoid_loss(features, pairs, scale, BIAS.to(scale.dtype), **given)


def plain_sigmoid(features, pairs, scale, **given):
    return plain_multi_view_sigmoid_loss(features, pairs, scale, BIAS.to(scale.dtype), **given)


LOSSES = [multi_view_loss, plain_multi_view_loss, sigmoid, plain_sigmoid]


def outcome(loss, features, pairs=EVERY_PAIR, scale=SCALE, **given):
    """The loss, its terms, and the gradients."""
    leaves = {v: of.detach().clone().requires_grad_() for v, of in features.items()}
    scale = scale.clone().requires_grad_()
    result = loss(leaves, pairs, scale, **given)
    result.loss.backward()
    asked = {view for pair in pairs for view in (pair.query, pair.key)}
    gradients = [leaves[view].grad for view in sorted(asked)]
    return [result.loss.detach(), *result.terms.values(), *gradients, scale.grad]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("loss", LOSSES)
def test_weights_of_one_are_no_weights(loss, mode):
    features, present, identities = batch(12, 5, 0)
    given = {"present": present, "identities": identities, "false_negatives": mode}
    ones = {view: torch.ones(12, dtype=torch.float64) for view in features}
    torch.testing.assert_close(
        outcome(loss, features, **given, weights=ones), outcome(loss, features, **given), **EXACT
    )


@pytest.mark.parametrize("mode", MODES)
def test_the_tiles_make_the_same_bits_of_weights_of_one_and_of_none(mode):
    features, present, identities = batch(200, 16, 0, torch.float32)
    given = {"present": present, "identities": identities, "false_negatives": mode, "tile": 64}
    arguments = (multi_view_loss, features, EVERY_PAIR, SCALE.float())
    weighted = outcome(*arguments, **given, weights={view: torch.full((200,), 8.0) for view in features})
    torch.testing.assert_close(weighted, outcome(*arguments, **given), atol=0, rtol=0)


@pytest.mark.parametrize("unit", [1e-30, 0.1, 1e30])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("loss", [multi_view_loss, sigmoid])
def test_the_unit_of_the_weights_does_not_matter(loss, unit, dtype):
    features, present, identities = batch(12, 5, 1, dtype)
    weights = row_weights(present, 1)
    given = {"present": present, "identities": identities}
    expected = outcome(loss, features, scale=SCALE.to(dtype), **given, weights=weights)
    other = {view: of * unit for view, of in weights.items()}
    tolerance = EXACT if dtype == torch.float64 else {"atol": 1e-6, "rtol": 1e-5}
    torch.testing.assert_close(
        outcome(loss, features, scale=SCALE.to(dtype), **given, weights=other), expected, **tolerance
    )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("loss", LOSSES)
def test_a_row_of_weight_zero_is_no_query_but_still_a_key(loss, mode):
    """The pair that asks equals that without the query's gradient; as a key the row is pushed and pulled."""
    features, _, _ = batch(6, 4, 2)
    weights = {"image": torch.tensor([1.0, 0.0, 2.0, 1.0, 0.5, 3.0], dtype=torch.float64)}
    leaves = {view: features[view].clone().requires_grad_() for view in ("image", "title")}
    loss(leaves, [Pair("image", "title")], SCALE, false_negatives=mode, weights=weights).loss.backward()
    assert not leaves["image"].grad[1].any()
    assert leaves["title"].grad[1].any()
    asking_back = outcome(loss, features, [Pair("title", "image")], false_negatives=mode)
    torch.testing.assert_close(
        outcome(loss, features, [Pair("title", "image")], false_negatives=mode, weights=weights), asking_back, **EXACT
    )


@pytest.mark.parametrize("mode", MODES)
def test_a_weight_of_three_is_three_copies_of_the_query(mode):
    features, _, identities = batch(7, 4, 3, things=1)
    weights = torch.tensor([3, 1, 0, 2, 1, 1, 4])
    copies = torch.repeat_interleave(torch.arange(7), weights)
    by_image, by_title = (identities[view] for view in ("image", "title"))
    same = (by_image[:, None] == by_image) | (by_title[:, None] == by_title)
    expected = info_nce(
        *(features["image"][copies], features["title"], SCALE),
        targets=copies,
        same=None if mode == "off" else same[copies],
        false_negatives=mode,
    )
    given = {"identities": identities, "false_negatives": mode, "weights": {"image": weights.double()}}
    for loss in (multi_view_loss, plain_multi_view_loss):
        torch.testing.assert_close(loss(features, [Pair("image", "title")], SCALE, **given).loss, expected, **EXACT)


def test_a_weight_of_three_is_three_copies_of_the_row_in_the_sigmoid_loss():
    features, _, _ = batch(4, 4, 3)
    weights = torch.tensor([3, 1, 0, 2])
    copies = torch.repeat_interleave(torch.arange(4), weights)
    logits = SCALE * features["image"][copies] @ features["title"].T + BIAS
    sign = 1 - 2 * torch.nn.functional.one_hot(copies, 4)
    expected = torch.nn.functional.softplus(sign * logits).sum() / len(copies)
    for loss in (sigmoid, plain_sigmoid):
        weighted = loss(features, [Pair("image", "title")], SCALE, weights={"image": weights.double()})
        torch.testing.assert_close(weighted.loss, expected, **EXACT)


@pytest.mark.parametrize("loss", [multi_view_loss, sigmoid])
def test_a_pair_whose_rows_count_nothing_is_a_pair_that_is_present_nowhere(loss):
    """The view has rows that count, but without the key."""
    features, _, _ = batch(4, 3, 4)
    present = {"title": torch.tensor([True, True, False, False])}
    weights = {"image": torch.tensor([0.0, 0.0, 1.0, 2.0])}
    nothing = outcome(loss, features, [Pair("image", "title")], present=present, weights=weights)
    assert not any(of.any() for of in nothing)
    nowhere = {"image": torch.zeros(4, dtype=torch.bool)}
    assert loss(features, both_ways("image", "title"), SCALE, present=nowhere, weights=weights).loss == 0


@pytest.mark.parametrize("loss", [multi_view_loss, sigmoid])
def test_weights_that_mean_nothing_are_refused_with_a_sentence(loss):
    features, _, _ = batch(3, 3, 0)
    present = {"image": torch.tensor([True, True, False])}
    for weights, sentence in (
        ([1.0, -0.5, 1.0], "weights of the view 'image' must be finite and 0 or more, got -0.5"),
        ([1.0, torch.nan, 1.0], "must be finite and 0 or more, got nan"),
        ([torch.inf, 1.0, 1.0], "must be finite and 0 or more, got inf"),
        ([1.0, 1.0], r"weights\['image'\] must have shape \[3\], got \[2\]"),
        ([0.0, 0.0, 1.0], "weights of the view 'image' are all 0: at least one row must count"),
    ):
        with pytest.raises(UsageError, match=sentence):
            loss(
                features, both_ways("image", "title"), SCALE, present=present, weights={"image": torch.tensor(weights)}
            )


def test_weights_of_absent_rows_and_of_views_that_never_ask_are_not_looked_at():
    features, _, _ = batch(3, 3, 0)
    present = {"image": torch.tensor([True, True, False])}
    pairs = [Pair("image", "title")]
    weights = {"image": torch.tensor([1.0, 2.0, torch.nan]), "title": torch.full((3,), -1.0)}
    expected = outcome(multi_view_loss, features, pairs, present=present, weights={"image": torch.tensor([1.0, 2, 3])})
    torch.testing.assert_close(outcome(multi_view_loss, features, pairs, present=present, weights=weights), expected)
