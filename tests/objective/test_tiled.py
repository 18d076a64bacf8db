"""Laws of the tiled loss: equal to its definition in value and gradients, whatever the tile, type or scale."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import normalize

from manyview.errors import ManyviewError, UsageError
from manyview.objective import PRESETS, Pair, both_ways, multi_view_loss, plain_multi_view_loss

VIEWS = ("image", "image.2", "title", "tags")
EVERY_PAIR = tuple(
    pair for i, a in enumerate(VIEWS) for b in VIEWS[i + 1 :] for pair in both_ways(a, b, 0.25 + 0.5 * i)
)
OBJECTIVES = {
    "every pair": EVERY_PAIR,
    "one direction": (Pair("image", "title"), Pair("tags", "image", 0.3)),
    "ernie-vil-2": tuple(
        Pair(*(v.replace("caption", "title") for v in (p.query, p.key)), p.weight) for p in PRESETS["ernie-vil-2"]
    ),
}
MODES = ["ignore", "positive", "off"]


def batch(n, width, seed, dtype=torch.float64, share=0.7, things=4):
    generator = torch.Generator().manual_seed(seed)
    features = {v: normalize(torch.randn(n, width, dtype=dtype, generator=generator), dim=-1) for v in VIEWS}
    present = {v: torch.rand(n, generator=generator) < share for v in VIEWS}
    identities = {v: torch.randint(0, things * n, (n,), generator=generator) // 4 for v in VIEWS}
    return features, present, identities


def row_weights(present, seed):
    """Weights of some views: zeros among them, and a thousand times as much; some present row counts."""
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for view in ("image", "title"):
        choice = torch.randint(0, 4, present[view].shape, generator=generator)
        weights[view] = torch.tensor([0.0, 0.3, 1.0, 1000.0], dtype=torch.float64)[choice]
        if not weights[view][present[view]].any():
            weights[view] += 0.5
    return weights


def values_and_gradients(loss, features, pairs, scale, **arguments):
    leaves = {v: of.detach().clone().requires_grad_() for v, of in features.items()}
    scale = scale.clone().requires_grad_()
    result = loss(leaves, pairs, scale, **arguments)
    result.loss.backward()
    gradients = [torch.zeros_like(of) if of.grad is None else of.grad for of in (*leaves.values(), scale)]
    values = [result.loss.detach(), *result.terms.values(), *result.masked.values()]
    return [of.double() for of in values], [of.double() for of in gradients]


@settings(deadline=None, max_examples=60)
@given(
    n=st.integers(1, 23),
    tile=st.sampled_from([1, 3, 8, 64]),
    seed=st.integers(0, 10_000),
    share=st.sampled_from([0.0, 0.3, 0.7, 1.0]),
    scale=st.sampled_from([1.0, 14.3, 100.0]),
    mode=st.sampled_from(MODES),
    objective=st.sampled_from(sorted(OBJECTIVES)),
    weighted=st.booleans(),
)
def test_the_tiled_loss_is_its_definition(n, tile, seed, share, scale, mode, objective, weighted):
    features, present, identities = batch(n, 5, seed, share=share)
    given_ = {"present": present, "identities": identities, "false_negatives": mode}
    given_["weights"] = row_weights(present, seed) if weighted else None
    scale = torch.tensor(scale, dtype=torch.float64)
    pairs = OBJECTIVES[objective]
    plain = values_and_gradients(plain_multi_view_loss, features, pairs, scale, **given_)
    tiled = values_and_gradients(multi_view_loss, features, pairs, scale, tile=tile, **given_)
    for expected, actual in zip(plain, tiled, strict=True):
        for a, b in zip(actual, expected, strict=True):
            torch.testing.assert_close(a, b, atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_float32_is_as_near_as_its_rounding(mode, weighted):
    features, present, identities = batch(200, 32, 0)
    given_ = {"present": present, "identities": identities, "false_negatives": mode}
    given_["weights"] = row_weights(present, 0) if weighted else None
    scale = torch.tensor(14.3)
    exact = values_and_gradients(plain_multi_view_loss, features, EVERY_PAIR, scale.double(), **given_)
    narrow = {v: of.float() for v, of in features.items()}
    tiled = values_and_gradients(multi_view_loss, narrow, EVERY_PAIR, scale, tile=64, **given_)
    for expected, actual in zip(exact, tiled, strict=True):
        for a, b in zip(actual, expected, strict=True):
            torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)


def test_bfloat16_features_lose_no_more_than_the_rounding_of_their_gradients():
    features, _, _ = batch(256, 64, 0)
    features["title"] = normalize(features["image"] + 0.8 * features["title"], dim=-1)
    narrow = {v: of.bfloat16() for v, of in features.items()}
    pairs, scale = both_ways("image", "title", 0.5), torch.tensor(14.0)
    wide = {v: of.double() for v, of in narrow.items()}
    _, exact = values_and_gradients(plain_multi_view_loss, wide, pairs, scale.double())
    _, plain = values_and_gradients(plain_multi_view_loss, narrow, pairs, scale.bfloat16())
    _, tiled = values_and_gradients(multi_view_loss, narrow, pairs, scale, tile=64)
    worse, better = ((of[0] - exact[0]).norm() / exact[0].norm() for of in (plain, tiled))
    assert better < 2**-9
    assert better < worse


@pytest.mark.parametrize("scale", [100.0, 300.0])
def test_extreme_scales_and_equal_cosines_stay_exact(scale):
    """At scale 100 a float32 exp underflows where all of a row's cosines are low: float64 takes over.

    The rounding of a cosine to float32 moves a gradient by scale² as much: differently on each processor.
    """
    rows = normalize(torch.randn(6, 4, generator=torch.Generator().manual_seed(0)), dim=-1)
    cases = {
        "equal": (rows[:1].expand(6, -1), rows[:1].expand(6, -1)),
        "opposite": (rows[:1].expand(6, -1), -rows[:1].expand(6, -1)),
        "some opposite": (torch.cat([rows[:3], rows[:3]]), torch.cat([-rows[:3], rows[3:]])),
        "own": (rows, rows),
    }
    for images, titles in cases.values():
        features = {"image": images, "title": titles}
        wide = {v: of.double() for v, of in features.items()}
        pairs = both_ways("image", "title")
        exact = values_and_gradients(plain_multi_view_loss, wide, pairs, torch.tensor(scale, dtype=torch.float64))
        tiled = values_and_gradients(multi_view_loss, features, pairs, torch.tensor(scale), tile=4)
        for expected, actual in zip(exact, tiled, strict=True):
            for a, b in zip(actual, expected, strict=True):
                torch.testing.assert_close(a, b, atol=scale**2 * 2**-24, rtol=1e-4)


def test_equal_cosines_cost_the_logarithm_of_the_batch():
    same = {v: torch.ones(50, 1) for v in VIEWS}
    result = multi_view_loss(same, EVERY_PAIR, torch.tensor(100.0), tile=16)
    for term in result.terms.values():
        assert term.item() == pytest.approx(math.log(50), rel=1e-5)


def test_no_matrix_of_the_batch_squared_is_ever_made(monkeypatch):
    n, tile = 300, 32
    features, present, identities = batch(n, 4, 0)
    largest = 0

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            nonlocal largest
            out = function(*args, **(kwargs or {}))
            if isinstance(out, torch.Tensor):
                largest = max(largest, out.numel())
            return out

    leaves = {v: of.requires_grad_() for v, of in features.items()}
    with Watch():
        multi_view_loss(
            *(leaves, EVERY_PAIR, torch.tensor(9.0)), present=present, identities=identities, tile=tile
        ).loss.backward()
    assert largest < n * n / 10


def test_a_second_derivative_is_refused():
    features, _, _ = batch(4, 3, 0)
    leaf = features["image"].requires_grad_()
    result = multi_view_loss(features, both_ways("image", "title"), torch.tensor(9.0, dtype=torch.float64))
    with pytest.raises(ManyviewError, match="no second derivative"):
        torch.autograd.grad(result.loss, leaf, create_graph=True)


def test_wrong_arguments_are_named():
    features, _, _ = batch(4, 3, 0)
    scale = torch.tensor(9.0, dtype=torch.float64)
    clip = both_ways("image", "title")
    for wrong, sentence in (
        (lambda: multi_view_loss(features, [Pair("image", "query")], scale), "the view 'query', which has no features"),
        (lambda: multi_view_loss(features, [], scale), "no pairs"),
        (
            lambda: multi_view_loss({**features, "title": features["title"][:, :2]}, clip, scale),
            r"of one shape and type for all views, got image: \[4, 3\] torch.float64, title: \[4, 2\]",
        ),
        (
            lambda: multi_view_loss(features, clip, scale, present={"title": torch.ones(3, dtype=torch.bool)}),
            r"present\['title'\] must have shape \[4\], got \[3\]",
        ),
    ):
        with pytest.raises(UsageError, match=sentence):
            wrong()


def test_features_that_are_not_finite_are_refused_unless_absent():
    features, _, _ = batch(4, 3, 0)
    features["title"][2] = torch.nan
    scale, pairs = torch.tensor(9.0, dtype=torch.float64), both_ways("image", "title")
    with pytest.raises(ManyviewError, match="features of the view 'title' are not finite"):
        multi_view_loss(features, pairs, scale)
    there = torch.tensor([True, True, False, True])
    assert multi_view_loss(features, pairs, scale, present={"title": there}).loss.isfinite()


def test_features_far_from_unit_length_are_refused():
    features, _, _ = batch(4, 3, 0)
    long = {v: of * 1e3 for v, of in features.items()}
    with pytest.raises(ManyviewError, match="must be L2-normalised"):
        multi_view_loss(long, both_ways("image", "title"), torch.tensor(9.0, dtype=torch.float64))


def test_every_preset_runs():
    for pairs in PRESETS.values():
        features = {view: torch.eye(3) for pair in pairs for view in (pair.query, pair.key)}
        assert multi_view_loss(features, pairs, torch.tensor(5.0)).loss > 0
