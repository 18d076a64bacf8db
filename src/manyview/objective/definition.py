"""The definition of the objective: a weighted sum of InfoNCE over directed pairs, every similarity in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from manyview.objective.info_nce import FalseNegatives, info_nce
from manyview.objective.pair import Pair

__all__ = ["MultiViewLoss", "plain_multi_view_loss", "plain_multi_view_sigmoid_loss"]


@dataclass(frozen=True)
class MultiViewLoss:
    """The loss to differentiate, and what it is made of, detached, per pair."""

    loss: Tensor
    terms: dict[Pair, Tensor]
    masked: dict[Pair, Tensor]


def plain_multi_view_loss(
    features: Mapping[str, Tensor],
    pairs: Sequence[Pair],
    scale: Tensor,
    *,
    present: Mapping[str, Tensor] | None = None,
    identities: Mapping[str, Tensor] | None = None,
    false_negatives: FalseNegatives = "ignore",
    weights: Mapping[str, Tensor] | None = None,
) -> MultiViewLoss:
    """Σ weight · InfoNCE(query → key) over `pairs`: ERNIE-ViL 2.0, eq. (1-1), for any views, on one process.

    What `multi_view_loss` computes, to be read and to test it by.

    `features` holds [n, d] L2-normalised rows per view, row i of every view from the same sample; `scale`
    is exp(logit_scale). `present` [n] bool per view says which rows exist (all, for a view not named): an
    absent entry is neither query nor key nor negative. `identities` [n] int64 per view are content hashes:
    two samples with equal content on either side of a pair are the same thing for it and are treated as
    `false_negatives` says (see `info_nce`). `weights` [n], 0 or more, per view say how much each row counts where
    that view asks (1, for a view not named): the term of a pair is the mean over the samples with both views,
    weighted by the row of the query view. A row of weight 0 is no query, and still a key. `masked` is the share of
    would-be negatives that are the same thing, whatever the weights; a pair present nowhere, or with weights of 0
    only, has loss and gradient zero.
    Raises KeyError for a pair over a view without features.
    """
    present = present or {}
    identities = {} if false_negatives == "off" else identities or {}
    terms, masked = dict[Pair, Tensor](), dict[Pair, Tensor]()
    total = scale.new_zeros(())
    for pair in pairs:
        everyone = torch.ones(len(features[pair.query]), dtype=torch.bool, device=scale.device)
        has_query, has_key = present.get(pair.query, everyone), present.get(pair.key, everyone)
        query_rows, key_rows = (has_query & has_key).nonzero()[:, 0], has_key.nonzero()[:, 0]
        same = _same(identities, pair, has_query, has_key)[query_rows][:, key_rows]
        targets = torch.searchsorted(key_rows, query_rows)
        term = info_nce(
            features[pair.query][query_rows],
            features[pair.key][key_rows],
            scale,
            targets=targets,
            same=same,
            false_negatives=false_negatives,
            weights=weights[pair.query][query_rows] if weights and pair.query in weights else None,
        )
        total = total + pair.weight * term
        terms[pair] = term.detach()
        negatives = max(1, len(query_rows) * (len(key_rows) - 1))
        masked[pair] = (same.sum() - len(query_rows)).to(scale.dtype) / negatives
    return MultiViewLoss(total, terms, masked)


def plain_multi_view_sigmoid_loss(
    features: Mapping[str, Tensor],
    pairs: Sequence[Pair],
    scale: Tensor,
    bias: Tensor,
    *,
    present: Mapping[str, Tensor] | None = None,
    identities: Mapping[str, Tensor] | None = None,
    false_negatives: FalseNegatives = "ignore",
    weights: Mapping[str, Tensor] | None = None,
) -> MultiViewLoss:
    """Σ weight · SigLIP's loss over `pairs` (Zhai et al. 2023, arXiv 2303.15343), on one process.

    With z_ij = s a_i·b_j + bias over all present entries i of the query view and j of the key view, w_i the weight
    of row i of the query view (1 without `weights`), and W the sum of w_i over the samples with both views:

        L = (1/W) Σ_ij w_i (softplus(-z_ij) if i = j else softplus(z_ij)),  or 0 where W = 0

    So an entry counts by the row that asks, its negatives as much as its own key, and an integer weight is so many
    copies of that row. A pair and its reverse are the same unless the weights of their two views differ: each is
    weighted by its own query view. The same thing (see `plain_multi_view_loss`) leaves the sum ("ignore"), counts
    like i = j ("positive"), or stays a negative ("off"). `masked` is its share of all i ≠ j, whatever the weights.
    """
    present = present or {}
    identities = {} if false_negatives == "off" else identities or {}
    terms, masked = dict[Pair, Tensor](), dict[Pair, Tensor]()
    total = scale.new_zeros(())
    for pair in pairs:
        everyone = torch.ones(len(features[pair.query]), dtype=torch.bool, device=scale.device)
        has_query, has_key = present.get(pair.query, everyone), present.get(pair.key, everyone)
        has_both = has_query & has_key
        query_weights = weights[pair.query] if weights and pair.query in weights else has_query.to(scale.dtype)
        total_weight = query_weights[has_both].sum()
        same = _same(identities, pair, has_query, has_key)[has_query][:, has_key]
        own = torch.eye(len(has_query), dtype=torch.bool, device=scale.device)[has_query][:, has_key]
        logits = scale * features[pair.query][has_query] @ features[pair.key][has_key].T + bias
        target = own | same if false_negatives == "positive" else own
        counted = ~same | own if false_negatives == "ignore" else torch.ones_like(own)
        lost = torch.nn.functional.softplus(torch.where(target, -logits, logits)) * query_weights[has_query][:, None]
        lost = torch.where(counted, lost, torch.zeros_like(lost)).sum()
        term = lost / total_weight if total_weight > 0 else 0 * lost
        total = total + pair.weight * term
        terms[pair] = term.detach()
        masked[pair] = (same & ~own).sum().to(scale.dtype) / max(1, own.numel() - int(has_both.sum()))
    return MultiViewLoss(total, terms, masked)


def _same(identities: Mapping[str, Tensor], pair: Pair, has_query: Tensor, has_key: Tensor) -> Tensor:
    """[n, n] bool: i and j are the same thing for this pair, by a view that both have."""
    same = torch.eye(len(has_query), dtype=torch.bool, device=has_query.device)
    for view, has in ((pair.query, has_query), (pair.key, has_key)):
        if (of := identities.get(view)) is not None:
            same = same | ((of[:, None] == of[None, :]) & has[:, None] & has[None, :])
    return same
