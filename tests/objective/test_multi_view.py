"""Laws of the objective over views: missing entries, false negatives, weights, order."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import normalize

from manyview.errors import UsageError
from manyview.objective import PRESETS, Pair, both_ways, info_nce, multi_view_loss

VIEWS = ("image", "title", "tags")
PAIRS = (*both_ways("image", "title"), *both_ways("image", "tags", 0.5), Pair("title", "tags", 0.25))
SCALE = torch.tensor(9.0, dtype=torch.float64)


def batch(n, seed):
    generator = torch.Generator().manual_seed(seed)
    features = {v: normalize(torch.randn(n, 6, dtype=torch.float64, generator=generator), dim=-1) for v in VIEWS}
    present = {v: torch.rand(n, generator=generator) < 0.7 for v in VIEWS}
    identities = {v: torch.randint(0, 4, (n,), generator=generator) for v in VIEWS}
    return features, present, identities


def loops(features, present, identities, pair, mode):
    """DESIGN's definition of one pair, an entry at a time, through the plain InfoNCE of a row."""
    q, k = pair.query, pair.key
    n = len(features[q])
    terms, masked, negatives = [], 0, 0
    for i in range(n):
        if not (present[q][i] and present[k][i]):
            continue
        keys, same, target = [], [], None
        for j in range(n):
            if not present[k][j]:
                continue
            target = len(keys) if i == j else target
            equal_key = identities[k][j] == identities[k][i]
            equal_query = present[q][j] and identities[q][j] == identities[q][i]
            keys.append(features[k][j])
            same.append(bool(equal_key or equal_query))
            masked += same[-1] and i != j
            negatives += i != j
        terms.append(
            info_nce(
                features[q][i : i + 1],
                torch.stack(keys),
                SCALE,
                targets=torch.tensor([target]),
                same=torch.tensor([same]),
                false_negatives=mode,
            )
        )
    share = masked / negatives if negatives and mode != "off" else 0.0
    return (torch.stack(terms).mean() if terms else torch.zeros((), dtype=torch.float64)), share


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 8), st.integers(0, 10_000), st.sampled_from(["ignore", "positive", "off"]))
def test_the_loss_is_the_weighted_sum_of_the_definition(n, seed, mode):
    features, present, identities = batch(n, seed)
    result = multi_view_loss(features, PAIRS, SCALE, present=present, identities=identities, false_negatives=mode)
    expected = 0.0
    for pair in PAIRS:
        term, share = loops(features, present, identities, pair, mode)
        torch.testing.assert_close(result.terms[pair], term, atol=1e-10, rtol=1e-10)
        assert result.masked[pair].item() == pytest.approx(share)
        expected += pair.weight * term
    torch.testing.assert_close(result.loss, expected, atol=1e-10, rtol=1e-10)


@settings(deadline=None, max_examples=20)
@given(st.integers(2, 8), st.integers(0, 10_000))
def test_the_order_of_the_batch_does_not_matter(n, seed):
    features, present, identities = batch(n, seed)
    shuffle = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    straight = multi_view_loss(features, PAIRS, SCALE, present=present, identities=identities)
    turned = multi_view_loss(
        *({v: of[shuffle] for v, of in features.items()}, PAIRS, SCALE),
        present={v: of[shuffle] for v, of in present.items()},
        identities={v: of[shuffle] for v, of in identities.items()},
    )
    torch.testing.assert_close(straight.loss, turned.loss, atol=1e-12, rtol=1e-12)


def test_absent_entries_get_no_gradient_whatever_they_hold():
    features, present, identities = batch(8, 3)
    for v in VIEWS:
        features[v] = torch.where(present[v][:, None], features[v], torch.full_like(features[v], 7.0)).requires_grad_()
    multi_view_loss(features, PAIRS, SCALE, present=present, identities=identities).loss.backward()
    for v in VIEWS:
        assert not features[v].grad[~present[v]].any()
        assert features[v].grad.isfinite().all()


def test_a_pair_present_nowhere_is_zero_and_harms_nobody():
    features, _, _ = batch(5, 0)
    features = {v: of.requires_grad_() for v, of in features.items()}
    nobody = {"tags": torch.zeros(5, dtype=torch.bool)}
    result = multi_view_loss(features, PAIRS, SCALE, present=nobody)
    result.loss.backward()
    assert [term.item() for pair, term in result.terms.items() if "tags" in str(pair)] == [0.0] * 3
    assert not features["tags"].grad.any()
    assert features["image"].grad.any()


def test_two_samples_with_one_caption_do_not_push_each_other_away():
    features, _, _ = batch(4, 1)
    ids = {"title": torch.tensor([1, 1, 2, 3])}
    keys = features["title"].requires_grad_()
    loss = multi_view_loss({**features, "title": keys}, [Pair("image", "title")], SCALE, identities=ids)
    lonely = multi_view_loss({v: of[[0, 2, 3]] for v, of in features.items()}, [Pair("image", "title")], SCALE)
    first_row = info_nce(features["image"][:1], keys[[0, 2, 3]], SCALE, targets=torch.tensor([0]))
    assert loss.masked[Pair("image", "title")] == pytest.approx(2 / 12)
    assert lonely.masked[Pair("image", "title")] == 0
    all_rows = [
        first_row,
        info_nce(features["image"][1:2], keys[[1, 2, 3]], SCALE, targets=torch.tensor([0])),
    ]
    all_rows += [info_nce(features["image"][i : i + 1], keys, SCALE, targets=torch.tensor([i])) for i in (2, 3)]
    torch.testing.assert_close(loss.loss, torch.stack(all_rows).mean())


def test_a_pair_over_a_view_without_features_is_refused():
    features, _, _ = batch(3, 0)
    with pytest.raises(UsageError, match="query"):
        multi_view_loss(features, [Pair("image", "query")], SCALE)


def test_ernie_vil_2_is_equation_1_1_to_the_letter():
    assert {str(p): p.weight for p in PRESETS["ernie-vil-2"]} == {
        "image->image.2": 1,
        "caption->tags": 1,
        "image->caption": 1,
        "caption->image": 1,
    }
    more = set(PRESETS["ernie-vil-2-objects"]) - set(PRESETS["ernie-vil-2"])
    assert {str(p) for p in more} == {"image->tags", "tags->image"}
