"""Laws of resuming: what may change changes nothing, and everything else is refused by name."""

import shutil
import sys
from pathlib import Path

import pytest
import torch
from tests.waiting import eventually

from manyview.config import load_config
from manyview.errors import UsageError
from manyview.model import DualEncoder, train_wordpiece
from manyview.train import RunFolder, TrainConfig, train
from manyview.train.checkpoint import latest_checkpoint

CHANGED = {
    "recipe": "another",
    "corpus": "starter",
    "split": "test",
    "seed": "1",
    "steps": "7",
    "epochs": "3",
    "batch_size": "9",
    "source_exponent": "0.5",
    "chunk_size": "4",
    "views.texts.title.drop": "0.1",
    "objective.false_negatives": "positive",
    "model.embed_dim": "8",
    "start.lock": "[image]",
    "optimizer.clip_norm": "1",
    "image_sizes": "{0.5: 24}",
    "precision": "bfloat16",
    "device": "cpu",
    "workers": "2",
    "lanes": "2",
    "window": "1",
    "parallel": "fsdp",
    "activation_checkpointing": "true",
    "compile": "true",
    "ema_decay": "0.9",
    "log_every": "3",
    "evaluate_every": "1",
    "evaluate_split": "test",
    "evaluate_score": "records",
    "keep_best": "true",
    "save_every": "1",
    "save_minutes": "0.001",
    "keep_checkpoints": "5",
    "max_bad_share": "0.5",
    "tensorboard": "false",
    "wandb": "colors",
    "patience_s": "60",
}
"""Another value of every key."""

EVALUATED = ("evaluate_every=2",)  # keep_best needs it


def changed(config, key: str, *settings: str) -> TrainConfig:
    """The configuration with another value of one key."""
    told = {"steps": ("steps=7",), "epochs": ("steps=null", "epochs=3")}.get(key, (f"{key}={CHANGED[key]}",))
    return load_config(TrainConfig, None, list(told), config("precision=float32", *settings))


def score(model, world):
    """An evaluation whose best is in the middle."""
    return {"score": -abs(float(model.logit_scale.detach()) - 2.6)}


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    """Makes runs stopped after step 3 of 6, and where they end when they are not; each once."""
    made: dict[tuple[str, ...], tuple[Path, dict]] = {}

    def make(config, *settings: str):
        if settings not in made:
            folder = tmp_path_factory.mktemp("runs")
            plain = config("precision=float32", *settings)
            whole = train(plain, folder / "whole", evaluator=score).state_dict()

            def stop(metrics):
                if metrics["step"] == 4:
                    raise InterruptedError

            with pytest.raises(InterruptedError):
                train(plain, folder / "part", sinks=[stop], evaluator=score)
            eventually(lambda: latest_checkpoint(folder / "part" / "checkpoints"))  # it is written in the background
            made[settings] = folder / "part", whole
        return made[settings]

    return make


def test_every_key_has_another_value_here():
    assert {key.partition(".")[0] for key in CHANGED} == set(TrainConfig.model_fields)


@pytest.mark.filterwarnings("ignore:The .grad attribute:UserWarning")  # torch's compiler looks at itself
@pytest.mark.parametrize("settings", [EVALUATED, (*EVALUATED, "keep_best=true")], ids=["last", "best"])
@pytest.mark.parametrize("key", [pytest.param(key, marks=[pytest.mark.slow] * (key == "compile")) for key in CHANGED])
def test_a_changed_key_is_refused_by_name_or_changes_no_weight(
    config, interrupted, tmp_path, monkeypatch, key, settings
):
    if key == "wandb":
        pytest.importorskip("wandb")
        monkeypatch.setenv("WANDB_MODE", "offline")
        monkeypatch.setenv("WANDB_SILENT", "true")
    part, whole = interrupted(config, *settings)
    if "keep_best=true" in settings and key == "keep_best":
        told = config("precision=float32", *EVALUATED)
    else:
        told = changed(config, key, *settings)
    if key.partition(".")[0] not in told.resumable_keys:
        with pytest.raises(UsageError, match=f"has another {key}"):
            RunFolder(part).begin(told, resume=True, overwrite=False)
        return
    shutil.copytree(part, tmp_path / "run", symlinks=True)
    train(told, tmp_path / "run", resume=True, evaluator=score)
    if key == "wandb":
        sys.modules["wandb"].finish()
    ended = DualEncoder.from_pretrained(tmp_path / "run" / "model").state_dict()
    tolerance = 1e-4 if key in ("chunk_size", "compile") else 0.0  # other sums in another order
    for name, of in whole.items():
        torch.testing.assert_close(ended[name], of, atol=tolerance, rtol=tolerance)


WORDS = ["red square", "green square", "blue square", "yellow square", "paint 0 1 2 3 4 5 6 7 8 9", "红 绿 蓝 黄"]
BERT = (
    "model.text.name=bert",
    "model.text.options={hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 16}",
)


def test_a_resumed_run_has_the_tokenizer_it_began_with(config, tmp_path, monkeypatch):
    """No two trainings of the tokenizer number words alike: a resumed run would misread them in silence."""

    def stop(metrics):
        if metrics["step"] == 4:
            raise InterruptedError

    told = config("precision=float32", *BERT)
    learned = train_wordpiece(WORDS, 200)
    monkeypatch.setattr("manyview.train.run.train_wordpiece", lambda *_: learned)
    whole = train(told, tmp_path / "whole").state_dict()
    with pytest.raises(InterruptedError):
        train(told, tmp_path / "run", sinks=[stop])
    eventually(lambda: latest_checkpoint(tmp_path / "run" / "checkpoints"))  # it is written in the background
    shutil.copytree(tmp_path / "run", tmp_path / "old", symlinks=True)
    monkeypatch.setattr("manyview.train.run.train_wordpiece", lambda *_: pytest.fail("learned anew"))
    ended = train(told, tmp_path / "run", resume=True).state_dict()
    for name, of in whole.items():
        torch.testing.assert_close(ended[name], of, atol=0, rtol=0)
    (tmp_path / "old" / "tokenizer.json").unlink()
    with pytest.raises(UsageError, match=r"old keeps no tokenizer\.json: an earlier version"):
        train(told, tmp_path / "old", resume=True)
