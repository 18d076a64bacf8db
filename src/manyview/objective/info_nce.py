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
) -> Tensor:
    """The mean cross-entropy of finding each query's own key among all keys: ERNIE-ViL 2.0, eq. (1-2).

    `queries` [n, d] and `keys` [m, d] are L2-normalised, `scale` is exp(logit_scale); query i belongs to
    key `targets[i]` (i itself by default). `same` [n, m] is true where a key is the same thing as the
    query's own: such keys leave the denominator ("ignore"), share the target evenly with the query's own
    ("positive"), or stay negatives as in the paper ("off"). Without queries the loss and its gradients
    are zero. In loops, for "ignore":

        L = mean_i [ -s q_i·k_t(i) + log sum_{j: j = t(i) or not same(i, j)} exp(s q_i·k_j) ]
    """
    if not len(queries):
        return queries.sum() * scale
    targets = torch.arange(len(queries), device=queries.device) if targets is None else targets
    logits = scale * (queries @ keys.T)
    if same is None or false_negatives == "off":
        return torch.nn.functional.cross_entropy(logits, targets)
    own = torch.nn.functional.one_hot(targets, len(keys)).bool()
    if false_negatives == "ignore":
        logits = logits.masked_fill(same & ~own, -torch.inf)
        return torch.nn.functional.cross_entropy(logits, targets)
    spread = (same | own).to(logits.dtype)
    return torch.nn.functional.cross_entropy(logits, spread / spread.sum(1, keepdim=True))
