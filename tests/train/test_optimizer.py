"""Laws of the optimizer: the schedule's closed form, and who decays."""

from itertools import pairwise

import pytest
import torch

from manyview import DualEncoder
from manyview.model import ModelConfig
from manyview.train.config import OptimizerConfig
from manyview.train.optimizer import build_optimizers, learning_rate_share, set_learning_rate


def test_the_schedule_climbs_then_follows_a_cosine_to_zero():
    shares = [learning_rate_share(step, 100, 10) for step in range(101)]
    assert shares[:10] == pytest.approx([(i + 1) / 10 for i in range(10)])
    assert shares[10] == 1
    assert shares[55] == pytest.approx(0.5)
    assert shares[100] == pytest.approx(0)
    assert all(a >= b for a, b in pairwise(shares[10:]))
    assert learning_rate_share(0, 10, 0) == 1


def test_every_parameter_is_in_one_group_with_its_rate_and_decay():
    model = DualEncoder(ModelConfig())
    config = OptimizerConfig(learning_rate=1e-3, text_multiplier=2.0, scale_multiplier=5.0, weight_decay=0.1)
    optimizer = build_optimizers(model, config)
    groups = {id(p): group for group in optimizer.param_groups for p in group["params"]}
    assert len(groups) == sum(len(group["params"]) for group in optimizer.param_groups)
    for name, parameter in model.named_parameters():
        group = groups[id(parameter)]
        rate = 5e-3 if name == "logit_scale" else 2e-3 if name.startswith("text_") else 1e-3
        matrix = parameter.squeeze().ndim >= 2 and "embedding" not in name
        assert group["lr"] == pytest.approx(rate), name
        assert group["weight_decay"] == (0.1 if matrix else 0.0), name
    set_learning_rate(optimizer, 0.5)
    assert groups[id(model.logit_scale)]["lr"] == pytest.approx(2.5e-3)


def test_kernel_gains_and_biases_do_not_decay():
    model = DualEncoder(ModelConfig())
    optimizer = build_optimizers(model, OptimizerConfig())
    still = {id(p) for group in optimizer.param_groups if not group["weight_decay"] for p in group["params"]}
    names = {name for name, p in model.named_parameters() if id(p) in still}
    assert any(name.endswith("kernel_gain") for name in names)
    assert all("weight" not in name or "norm" in name or "embedding" in name for name in names)
    assert [type(member) for member in optimizer.members] == [torch.optim.AdamW]


def test_muon_moves_the_matrices_and_adamw_the_rest():
    model = DualEncoder(ModelConfig())
    adamw, muon = build_optimizers(model, OptimizerConfig(name="muon")).members
    matrices = {id(p) for group in muon.param_groups for p in group["params"]}
    rest = {id(p) for group in adamw.param_groups for p in group["params"]}
    assert matrices | rest == {id(p) for p in model.parameters()}
    assert not matrices & rest
    names = {name for name, p in model.named_parameters() if id(p) in matrices}
    assert "image_tower.blocks.0.first.weight" in names
    assert {"text_tower.mlp.0.weight", "image_projection.weight"} <= names
    assert "text_tower.embedding.weight" not in names
    assert all(p.ndim == 2 for name, p in model.named_parameters() if name in names)
