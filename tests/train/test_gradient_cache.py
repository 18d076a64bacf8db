"""Laws of gradient caching: the gradient of the whole batch at any chunk size, dropout and processes included."""

import pytest
import torch
from tests.objective.worlds import in_world
from torch import nn
from torch.nn.functional import dropout, normalize
from torch.nn.parallel import DistributedDataParallel

from manyview.model import token_rows, train_wordpiece
from manyview.model.ngrams import NgramTokenizer
from manyview.model.packed import join_tokens
from manyview.objective import PRESETS, multi_view_loss, plain_multi_view_loss
from manyview.train.gradient_cache import backward_in_chunks

PAIRS = PRESETS["many-view"]
VIEWS = ("image", "title", "tags")
N, WIDTH = 10, 4


class Towers(nn.Module):
    """A linear tower a view, with dropout, and a scale."""

    def __init__(self, share: float = 0.0) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.towers = nn.ModuleDict({view: nn.Linear(WIDTH, 3, dtype=torch.float64) for view in VIEWS})
        self.logit_scale = nn.Parameter(torch.tensor(1.5, dtype=torch.float64))
        self.share = share

    def forward(self, inputs):
        features = {
            view: normalize(self.towers[view](dropout(of, self.share, self.training)), dim=-1)
            for view, of in inputs.items()
        }
        return features, self.logit_scale.exp()


def batch(n):
    generator = torch.Generator().manual_seed(n)
    inputs = {view: torch.randn(n, WIDTH, dtype=torch.float64, generator=generator) for view in VIEWS}
    present = {view: torch.rand(n, generator=generator) < 0.7 for view in VIEWS}
    identities = {view: torch.randint(0, n // 2, (n,), generator=generator) for view in VIEWS}
    return inputs, {"present": present, "identities": identities}


def gradients(model):
    return [p.grad for p in model.parameters()]


@pytest.mark.parametrize("chunk_size", [1, 3, 10, 64])
def test_the_gradient_is_that_of_the_whole_batch(chunk_size):
    inputs, given = batch(N)
    whole, chunked = Towers(), Towers()
    loss = plain_multi_view_loss(whole(inputs)[0], PAIRS, whole(inputs)[1], **given)
    loss.loss.backward()
    result = backward_in_chunks(
        lambda rows: chunked({view: of[rows] for view, of in inputs.items()}),
        *(N, chunk_size),
        lambda features, scale: multi_view_loss(features, PAIRS, scale, **given),
    )
    torch.testing.assert_close(result.loss, loss.loss)
    torch.testing.assert_close(gradients(chunked), gradients(whole), atol=1e-10, rtol=1e-10)


def test_dropout_falls_alike_in_both_passes_and_the_random_state_moves_on_once():
    inputs, given = batch(N)
    kept, chunked = Towers(0.4), Towers(0.4)
    torch.manual_seed(0)
    parts = [kept({view: of[start : start + 4] for view, of in inputs.items()}) for start in (0, 4, 8)]
    expected_next = torch.rand(1)
    features = {view: torch.cat([part[view] for part, _ in parts]) for view in VIEWS}
    plain_multi_view_loss(features, PAIRS, parts[0][1], **given).loss.backward()
    torch.manual_seed(0)
    backward_in_chunks(
        lambda rows: chunked({view: of[rows] for view, of in inputs.items()}),
        *(N, 4),
        lambda features, scale: multi_view_loss(features, PAIRS, scale, **given),
    )
    assert torch.rand(1) == expected_next
    torch.testing.assert_close(gradients(chunked), gradients(kept), atol=1e-10, rtol=1e-10)


def ddp_step(world):
    model = DistributedDataParallel(Towers())
    inputs, given = batch(N * world.size)
    mine = slice(world.rank * N, (world.rank + 1) * N)
    local = {view: of[mine] for view, of in inputs.items()}
    given = {name: {view: of[mine] for view, of in by_view.items()} for name, by_view in given.items()}
    gathers = 0

    def objective(features, scale):
        nonlocal gathers
        gathers += 1
        return multi_view_loss(features, PAIRS, scale, world=world, **given)

    backward_in_chunks(
        lambda rows: model({view: of[rows] for view, of in local.items()}),
        *(N, 4, objective),
        unsynchronized=model.no_sync,
    )
    return gathers, gradients(model)


def test_under_data_parallel_training_too_with_one_gather_a_step():
    whole = Towers()
    inputs, given = batch(2 * N)
    features, scale = whole(inputs)
    plain_multi_view_loss(features, PAIRS, scale, **given).loss.backward()
    for gathers, of in in_world(2, ddp_step):
        assert gathers == 1
        torch.testing.assert_close(of, gradients(whole), atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("kind", ["bags", "words"])
def test_rows_of_tokens_are_the_tokens_of_the_rows(kind):
    texts = ["a red apple", "", "dinner", "红苹果 and tea"]
    tokenize = NgramTokenizer(100) if kind == "bags" else train_wordpiece(texts, 60)
    tokens = tokenize(texts, 8)
    for start in range(5):
        for stop in range(start, 5):
            alone = tokenize(texts[start:stop], 8)
            torch.testing.assert_close(token_rows(tokens, start, stop), alone)
            rest = (token_rows(tokens, 0, start), alone, token_rows(tokens, stop, 4))
            torch.testing.assert_close(join_tokens(rest), tokens)
