"""Laws of the loss over processes: the gradient that a mean over them gives is that of the whole batch."""

import itertools

import pytest
import torch
from tests.objective.worlds import in_world
from torch import nn
from torch.nn.functional import normalize

from manyview.errors import ManyviewError
from manyview.objective import (
    PRESETS,
    multi_view_loss,
    multi_view_sigmoid_loss,
    plain_multi_view_loss,
    plain_multi_view_sigmoid_loss,
)
from manyview.objective.edge import plan_edges

EACH = 5  # rows of a process
WIDTH = 4
MODES = ["ignore", "positive", "off"]
CASES = [
    *itertools.product(["InfoNCE"], sorted(PRESETS), [0.6], ["ignore"], [False]),
    *itertools.product(["InfoNCE"], ["many-view", "ernie-vil-2-objects"], [0.0, 1.0], MODES, [False]),
    ("InfoNCE", "many-view", 0.6, "positive", False),
    *itertools.product(["InfoNCE", "sigmoid"], ["many-view", "ernie-vil-2"], [0.0, 0.6], MODES, [True]),
]


def sigmoid(features, pairs, scale, **given):
    return multi_view_sigmoid_loss(features, pairs, scale, torch.tensor(-3.0, dtype=torch.float64), **given)


def plain_sigmoid(features, pairs, scale, **given):
    return plain_multi_view_sigmoid_loss(features, pairs, scale, torch.tensor(-3.0, dtype=torch.float64), **given)


TILED = {"InfoNCE": multi_view_loss, "sigmoid": sigmoid}
PLAIN = {"InfoNCE": plain_multi_view_loss, "sigmoid": plain_sigmoid}


def views_of(name):
    return sorted({view for pair in PRESETS[name] for view in (pair.query, pair.key)})


def whole_batch(name, size, share):
    """Inputs of all processes; the last process has fewer samples and is padded with absent rows."""
    generator = torch.Generator().manual_seed(len(name) + size)
    n = EACH * size
    inputs = {v: torch.randn(n, WIDTH, dtype=torch.float64, generator=generator) for v in views_of(name)}
    padding = torch.arange(n) >= n - 2
    present = {v: (torch.rand(n, generator=generator) < share) & ~padding for v in inputs}
    identities = {v: torch.randint(0, n // 2, (n,), generator=generator) for v in inputs}
    weights = {v: torch.randint(0, 4, (n,), generator=generator).double() for v in list(inputs)[1:]}
    for v, of in weights.items():  # with every weight on another process at least one row counts
        of[present[v].nonzero()[:1]] = 2.5
    return inputs, present, identities, weights


def encoders(name):
    torch.manual_seed(7)
    modules = {v.replace(".", "_"): nn.Linear(WIDTH, 3, dtype=torch.float64) for v in views_of(name)}
    return nn.ModuleDict(modules), nn.Parameter(torch.tensor(2.0, dtype=torch.float64))


def encoded(model, inputs):
    return {v: normalize(model[v.replace(".", "_")](of), dim=-1) for v, of in inputs.items()}


def step(world, loss, name, share, mode, weighted):
    """Gradients as DistributedDataParallel makes them: each process's own, then their mean."""
    model, logit_scale = encoders(name)
    mine = slice(world.rank * EACH, (world.rank + 1) * EACH)
    parts = whole_batch(name, world.size, share)
    inputs, present, identities, weights = ({v: x[mine] for v, x in of.items()} for of in parts)
    result = TILED[loss](
        *(encoded(model, inputs), PRESETS[name], logit_scale.exp()),
        present=present,
        identities=identities,
        false_negatives=mode,
        weights=weights if weighted else None,
        world=world,
        tile=3,
    )
    result.loss.backward()
    gradients = [world.sum(p.grad) / world.size for p in (*model.parameters(), logit_scale)]
    return [result.loss.detach(), *result.terms.values(), *result.masked.values()], gradients


def every_case(world):
    return {case: step(world, *case) for case in CASES}


@pytest.mark.parametrize("size", [2, 4])
def test_the_mean_gradient_over_processes_is_that_of_the_whole_batch(size):
    by_process = in_world(size, every_case)
    for loss, name, share, mode, weighted in CASES:
        model, logit_scale = encoders(name)
        inputs, present, identities, weights = whole_batch(name, size, share)
        whole = PLAIN[loss](
            *(encoded(model, inputs), PRESETS[name], logit_scale.exp()),
            present=present,
            identities=identities,
            false_negatives=mode,
            weights=weights if weighted else None,
        )
        whole.loss.backward()
        expected = [whole.loss.detach(), *whole.terms.values(), *whole.masked.values()]
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in (*model.parameters(), logit_scale)]
        for values, mean_gradients in (of[loss, name, share, mode, weighted] for of in by_process):
            torch.testing.assert_close(values, expected, atol=1e-10, rtol=1e-10)
            torch.testing.assert_close(mean_gradients, gradients, atol=1e-10, rtol=1e-10)


def complaints(world):
    """What a process is told when something is wrong on the last one only."""
    said = []
    last = world.rank == world.size - 1
    good = torch.eye(3)
    both, counted = {"image": good, "caption": good}, torch.ones(3)
    wrong = [
        ({"image": good}, {}),
        ({"image": good, "caption": torch.eye(3)[:, :2]}, {}),
        ({"image": good, "caption": good * torch.nan}, {}),
        ({"image": good[:2], "caption": good[:2]}, {}),
        ({"image": good.double(), "caption": good.double()}, {}),
        (both, {"image": counted}),
        (both, {"caption": -counted}),
        (both, {"caption": counted / 0}),
        (both, {"caption": counted[:2]}),
    ]
    for features, weights in wrong:
        try:
            multi_view_loss(
                *(features if last else both, PRESETS["clip"], torch.tensor(9.0)),
                weights=weights if last else dict.fromkeys(set(weights) - {"image"}, counted),
                world=world,
            )
        except ManyviewError as error:
            said.append((type(error).__name__, str(error)))
    try:
        multi_view_loss(both, PRESETS["clip"], torch.tensor(9.0), weights={"caption": 0 * counted}, world=world)
    except ManyviewError as error:
        said.append((type(error).__name__, str(error)))
    some = {"caption": counted if last else 0 * counted}
    fine = multi_view_loss(both, PRESETS["clip"], torch.tensor(9.0), weights=some, world=world)
    return said, fine.loss.item()


def test_what_is_wrong_on_one_process_is_said_by_all():
    first, *rest = in_world(2, complaints)
    assert all(one == first for one in rest)
    kinds, sentences = zip(*first[0], strict=True)
    assert kinds == tuple("NonFiniteError" if number == 2 else "UsageError" for number in range(10))
    expected = [
        "process 1: a pair names the view 'caption', which has no features",
        "process 1: features must be [n, d]",
        "process 1: features of the view 'caption' are not finite",
        "process 0 has features of shape [3, 3] and process 1 of [2, 3]: pad with absent rows",
        "processes 0 and 1 were given different pairs, masks, identities, weights or feature types",
        "processes 0 and 1 were given different pairs, masks, identities, weights or feature types",
        "process 1: weights of the view 'caption' must be finite and 0 or more, got -1",
        "process 1: weights of the view 'caption' must be finite and 0 or more, got inf",
        "process 1: weights['caption'] must have shape [3], got [2]",
        "weights of the view 'caption' are all 0",
    ]
    for sentence, beginning in zip(sentences, expected, strict=True):
        assert sentence.startswith(beginning)


@pytest.mark.parametrize(
    ("name", "gathered"),
    [("clip", 1), ("many-view", 2), ("slip", 2), ("ernie-vil-2", 2), ("ernie-vil-2-objects", 2)],
)
def test_as_few_views_are_gathered_as_cover_all_pairs(name, gathered):
    edges, columns = plan_edges(PRESETS[name])
    assert len(columns) == gathered
    assert all(edge.column in columns for edge in edges)
    found = {number for edge in edges for number in (edge.along, edge.back) if number is not None}
    assert found == set(range(len(PRESETS[name])))
    for edge in edges:
        if edge.along is not None:
            pair = PRESETS[name][edge.along]
            assert (edge.row, edge.column) == (pair.query, pair.key)
        if edge.back is not None:
            pair = PRESETS[name][edge.back]
            assert (edge.column, edge.row) == (pair.query, pair.key)
