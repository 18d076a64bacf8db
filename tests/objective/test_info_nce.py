"""Laws of InfoNCE for one pair: the loops of the paper, and what each mode means."""

import math

import open_clip
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import normalize

from manyview.objective import Pair, both_ways, info_nce, multi_view_loss

SCALES = st.sampled_from([1.0, 14.3, 100.0])


def rows(n, d, seed):
    return normalize(torch.randn(n, d, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)), dim=-1)


def loops(queries, keys, scale, targets, same, mode):
    """The definition, one exponential at a time."""
    total = 0.0
    for i, query in enumerate(queries.tolist()):
        logits = [scale * sum(a * b for a, b in zip(query, key, strict=True)) for key in keys.tolist()]
        own = targets[i]
        if mode == "positive":
            log_sum = math.log(sum(math.exp(x) for x in logits))
            positives = [j for j in range(len(keys)) if j == own or same[i][j]]
            total += sum(log_sum - logits[j] for j in positives) / len(positives)
        else:
            kept = [j for j in range(len(keys)) if mode == "off" or j == own or not same[i][j]]
            total += math.log(sum(math.exp(logits[j]) for j in kept)) - logits[own]
    return total / len(queries)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 6),
    st.integers(0, 3),
    st.integers(0, 1000),
    SCALES,
    st.sampled_from(["ignore", "positive", "off"]),
)
def test_info_nce_is_its_loops(n, more, seed, scale, mode):
    generator = torch.Generator().manual_seed(seed)
    queries, keys = rows(n, 5, seed), rows(n + more, 5, seed + 1)
    targets = torch.randperm(n + more, generator=generator)[:n]
    same = torch.rand(n, n + more, generator=generator) < 0.3
    value = info_nce(
        queries,
        keys,
        torch.tensor(scale, dtype=torch.float64),
        targets=targets,
        same=same,
        false_negatives=mode,
    )
    assert value.item() == pytest.approx(loops(queries, keys, scale, targets.tolist(), same.tolist(), mode), abs=1e-9)


def test_the_clip_tuple_is_open_clips_loss_in_value_and_gradients():
    grads = []
    for ours in (True, False):
        images, texts = (rows(33, 16, seed).float().requires_grad_() for seed in (1, 2))
        scale = torch.tensor(14.3, requires_grad=True)
        if ours:
            loss = multi_view_loss({"image": images, "caption": texts}, both_ways("image", "caption", 0.5), scale).loss
        else:
            loss = open_clip.ClipLoss()(images, texts, scale)
        loss.backward()
        grads.append((loss.detach(), images.grad, texts.grad, scale.grad))
    for a, b in zip(*grads, strict=True):
        torch.testing.assert_close(a, b, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("n", [1, 2, 7, 64])
def test_equal_features_cost_the_logarithm_of_the_batch(n):
    same_row = rows(1, 8, 0).expand(n, -1)
    assert info_nce(same_row, same_row, torch.tensor(100.0, dtype=torch.float64)).item() == pytest.approx(math.log(n))


def test_no_queries_cost_nothing_and_pull_nowhere():
    features = rows(4, 3, 0).requires_grad_()
    scale = torch.tensor(10.0, dtype=torch.float64, requires_grad=True)
    info_nce(features[:0], features, scale).backward()
    assert features.grad is not None
    assert not features.grad.any()
    assert scale.grad == 0


def test_extreme_scales_stay_finite():
    queries, keys = rows(8, 4, 0).float().requires_grad_(), rows(8, 4, 1).float()
    loss = info_nce(queries, keys, torch.tensor(1e4), same=torch.ones(8, 8, dtype=torch.bool))
    loss.backward()
    assert loss.isfinite()
    assert queries.grad.isfinite().all()


def test_a_pair_prints_as_an_arrow():
    assert str(Pair("image", "tags", 0.5)) == "image->tags"
