"""InfoNCE for one directed pair: the plain definition, with every similarity in memory."""

from typing import Literal

import torch
from torch import Tensor

__all__ = ["FalseNegatives", "info_nce"]

FalseNegatives = Literal["ignore", "positive", "off"]


def info_nce(
    queries: Tensor,
    keys: Tensor,
    scale: Tensor,
    *,
    targets: Tensor | None = None,
    same: Tensor | None = None,
    false_negatives: FalseNegatives = "ignore",
    weights: Tensor | None = None,
) -> Tensor:
    """The mean cross-entropy of finding each query's own key among all keys: ERNIE-ViL 2.0, eq. (1-2).

    `queries` [n, d] and `keys` [m, d] are L2-normalised, `scale` is exp(logit_scale); query i belongs to
    key `targets[i]` (i itself by default). `same` [n, m] is true where a key is the same thing as the
    query's own: such keys leave the denominator ("ignore"), share the target evenly with the query's own
    ("positive"), or stay negatives as in the paper ("off"). `weights` [n], 0 or more, make the mean a weighted
    one (1 each by default): an integer weight is so many copies of the query. Without queries, or with weights
    of 0 only, the loss and its gradients are zero. In loops, for "ignore":

        L_i = -s q_i·k_t(i) + log sum_{j: j = t(i) or not same(i, j)} exp(s q_i·k_j)
        L   = sum_i w_i L_i / sum_i w_i
    """
    if not len(queries):
        return queries.sum() * scale
    targets = torch.arange(len(queries), device=queries.device) if targets is None else targets
    logits = scale * (queries @ keys.T)
    if same is not None and false_negatives != "off":
        own = torch.nn.functional.one_hot(targets, len(keys)).bool()
        if false_negatives == "ignore":
            logits = logits.masked_fill(same & ~own, -torch.inf)
        else:
            spread = (same | own).to(logits.dtype)
            targets = spread / spread.sum(1, keepdim=True)
    losses = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
    if weights is None:
        return losses.mean()
    total = weights.sum()
    return (weights * losses).sum() / torch.where(total > 0, total, torch.ones_like(total))
