"""Tower probe: what a text tower does with tokens, measured on a few of them: no configuration says it for all."""

from collections.abc import Callable

from torch import Tensor

__all__ = ["depends_on", "is_causal", "longest_text"]

_ROUNDING = 1e-6


def is_causal(states: Callable[[Tensor], Tensor], tokens: Tensor, other: int) -> bool:
    """Whether the first state does not depend on the last token, while the last state depends on the first token.

    `states` maps ids [1, length] to [1, length, width]; `tokens` [length] and `other` are different ids.
    """
    forward = depends_on(lambda ids: states(ids)[:, 0], tokens, -1, other)
    backward = depends_on(lambda ids: states(ids)[:, -1], tokens, 0, other)
    return backward and not forward


def depends_on(output: Callable[[Tensor], Tensor], tokens: Tensor, place: int, other: int) -> bool:
    """Whether the output for `tokens` [length] changes when the token at `place` becomes `other`."""
    changed = tokens.clone()
    changed[place] = other
    before, after = output(tokens[None]), output(changed[None])
    return bool((before - after).abs().max() > _ROUNDING * before.abs().max())


def longest_text(takes: Callable[[int], bool], at_most: int) -> int:
    """The most tokens up to `at_most` that `takes` accepts, when it accepts all smaller numbers; 0 for none."""
    if takes(at_most):
        return at_most
    least, most = 0, at_most
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (middle, most) if takes(middle) else (least, middle)
    return least
