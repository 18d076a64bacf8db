"""The page on training names every option with its default and its meaning."""

from pathlib import Path

import pytest

from manyview.train import OptimizerConfig, TrainConfig
from manyview.train.start import StartConfig

PAGE = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
ELSEWHERE = {"views", "objective", "model", "start", "optimizer", "recipe"}


@pytest.mark.parametrize(
    ("prefix", "model"), [("", TrainConfig), ("start.", StartConfig), ("optimizer.", OptimizerConfig)]
)
def test_every_option_is_on_the_page(prefix, model):
    for name, field in model.model_fields.items():
        if name not in ELSEWHERE:
            default = "{}" if field.default_factory else "" if field.default is None else field.default
            assert f"| `{prefix}{name}` | {default} | {field.description} |" in PAGE
