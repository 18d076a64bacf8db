"""Laws of the sigmoid loss: SigLIP's own, its definition in loops, and the whole batch over processes."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from open_clip.loss import SigLipLoss
from tests.objective.test_tiled import OBJECTIVES, batch, row_weights
from tests.objective.worlds import in_world

from manyview.objective import Pair, both_ways, multi_view_sigmoid_loss, plain_multi_view_sigmoid_loss

MODES = ["ignore", "positive", "off"]
PAIRS = OBJECTIVES["every pair"]


def values_and_gradients(loss, features, pairs, scale, bias, **arguments):
    leaves = {v: of.detach().clone().requires_grad_() for v, of in features.items()}
    scale, bias = (torch.tensor(of, dtype=features["image"].dtype, requires_grad=True) for of in (scale, bias))
    result = loss(leaves, pairs, scale, bias, **arguments)
    result.loss.backward()
    gradients = [torch.zeros_like(of) if of.grad is None else of.grad for of in (*leaves.values(), scale, bias)]
    return [result.loss.detach(), *result.terms.values(), *result.masked.values()], gradients


@pytest.mark.parametrize("bias", [-10.0, 0.5])
def test_the_clip_tuple_is_open_clips_siglip_loss_in_value_and_gradients(bias):
    features, _, _ = batch(33, 16, 0, torch.float32)
    arguments = (features, both_ways("image", "title", 0.5), 10.0, bias)
    values, gradients = values_and_gradients(multi_view_sigmoid_loss, *arguments, tile=8)
    leaves = {v: features[v].clone().requires_grad_() for v in ("image", "title")}
    scale, shift = torch.tensor(10.0, requires_grad=True), torch.tensor(bias, requires_grad=True)
    theirs = SigLipLoss()(leaves["image"], leaves["title"], scale, shift)
    theirs.backward()
    torch.testing.assert_close(values[0], theirs.detach(), atol=1e-6, rtol=1e-6)
    ours = [gradients[0], gradients[2], *gradients[-2:]]
    expected = [leaves["image"].grad, leaves["title"].grad, scale.grad, shift.grad]
    torch.testing.assert_close(ours, expected, atol=1e-6, rtol=1e-5)


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 7), st.integers(0, 1000), st.sampled_from(MODES), st.booleans())
def test_the_definition_is_its_loops(n, seed, mode, weighted):
    features, present, identities = batch(n, 3, seed, things=1)
    weights = row_weights(present, seed) if weighted else {}
    weight = weights.get("image", torch.ones(n, dtype=torch.float64))
    pair = Pair("image", "tags")
    result = plain_multi_view_sigmoid_loss(
        *(features, [pair], torch.tensor(4.0, dtype=torch.float64), torch.tensor(-1.0, dtype=torch.float64)),
        present=present,
        identities=identities,
        false_negatives=mode,
        weights=weights,
    )
    total, masked, negatives = 0.0, 0, 0
    of_both = float(weight[present["image"] & present["tags"]].sum())
    for i in range(n):
        for j in range(n):
            if not (present["image"][i] and present["tags"][j]):
                continue
            by_key = present["tags"][i] and identities["tags"][i] == identities["tags"][j]
            by_query = present["image"][j] and identities["image"][i] == identities["image"][j]
            same = bool(mode != "off" and i != j and (by_key or by_query))
            masked += same
            negatives += i != j
            if same and mode == "ignore":
                continue
            z = 4 * float(features["image"][i] @ features["tags"][j]) - 1
            total += float(weight[i]) * math.log1p(math.exp(-z if same or i == j else z))
    assert result.loss.item() == pytest.approx(total / of_both if of_both else 0.0)
    assert result.masked[pair].item() == pytest.approx(masked / max(1, negatives))


@settings(deadline=None, max_examples=40)
@given(
    n=st.integers(1, 23),
    tile=st.sampled_from([1, 3, 8, 64]),
    seed=st.integers(0, 10_000),
    share=st.sampled_from([0.0, 0.3, 0.7, 1.0]),
    mode=st.sampled_from(MODES),
    objective=st.sampled_from(sorted(OBJECTIVES)),
    weighted=st.booleans(),
)
def test_the_tiled_loss_is_its_definition(n, tile, seed, share, mode, objective, weighted):
    features, present, identities = batch(n, 5, seed, share=share)
    given_ = {"present": present, "identities": identities, "false_negatives": mode}
    given_["weights"] = row_weights(present, seed) if weighted else None
    arguments = (features, OBJECTIVES[objective], 10.0, -3.0)
    plain = values_and_gradients(plain_multi_view_sigmoid_loss, *arguments, **given_)
    tiled = values_and_gradients(multi_view_sigmoid_loss, *arguments, tile=tile, **given_)
    torch.testing.assert_close(tiled, plain, atol=1e-10, rtol=1e-10)


def on_one_process(world, mode):
    features, present, identities = batch(5 * world.size, 4, 1)
    mine = slice(5 * world.rank, 5 * (world.rank + 1))
    features, present, identities = ({v: x[mine] for v, x in of.items()} for of in (features, present, identities))
    given_ = {"present": present, "identities": identities, "false_negatives": mode, "world": world, "tile": 3}
    return values_and_gradients(multi_view_sigmoid_loss, features, PAIRS, 10.0, -3.0, **given_)


def every_mode(world):
    return {mode: on_one_process(world, mode) for mode in MODES}


def test_the_mean_gradient_over_processes_is_that_of_the_whole_batch():
    size = 3
    by_process = in_world(size, every_mode)
    for mode in MODES:
        features, present, identities = batch(5 * size, 4, 1)
        given_ = {"present": present, "identities": identities, "false_negatives": mode}
        values, gradients = values_and_gradients(plain_multi_view_sigmoid_loss, features, PAIRS, 10.0, -3.0, **given_)
        found = [of[mode] for of in by_process]
        for there, _ in found:
            torch.testing.assert_close(there, values, atol=1e-10, rtol=1e-10)
        for place, expected in enumerate(gradients):
            of_all = [of[place] / size for _, of in found]
            together = torch.cat(of_all) if expected.ndim else torch.stack(of_all).sum()
            torch.testing.assert_close(together, expected, atol=1e-10, rtol=1e-10)
