"""Laws of the zero-shot tagger, and of the one that describes boxes by it."""

from pathlib import Path

import pytest
import torch
from tests.tags.tiny import pictures, save_clip, save_detr
from transformers import CLIPModel, CLIPProcessor

from manyview import DualEncoder
from manyview.errors import UsageError
from manyview.model import ModelConfig
from manyview.tags.config import TaggerConfig
from manyview.tags.plugins import load_tagger

VOCABULARY = ("apple", "red car", "苹果")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    save_clip(folder)
    return folder


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("ours")
    DualEncoder(ModelConfig()).save_pretrained(folder / "model")
    return folder


def config(model: Path, **options: object) -> TaggerConfig:
    return TaggerConfig(name="zero-shot", model=str(model), vocabulary=VOCABULARY, floor=0.0, options=options)


def test_a_manyview_model_tags_by_the_softmax_of_its_logits(ours: Path) -> None:
    images, model = pictures((90, 60), (60, 80)), DualEncoder.from_pretrained(ours)
    texts = model.encode_text([f"a photo of a {label}" for label in VOCABULARY])
    expected = (model.logit_scale.detach().exp() * model.encode_image(images) @ texts.T).softmax(-1).tolist()
    for found, shares in zip(load_tagger(config(ours), "cpu")(images), expected, strict=True):
        assert [of.label for of in found] == list(VOCABULARY)
        assert [of.score for of in found] == pytest.approx(shares, abs=1e-4)


def test_a_clip_of_transformers_tags_by_its_own_logits(clip: Path) -> None:
    images, model = pictures((90, 60), (60, 80)), CLIPModel.from_pretrained(clip)
    processor = CLIPProcessor.from_pretrained(clip)
    texts = [f"a photo of a {label}" for label in VOCABULARY]
    inputs = processor(text=texts, images=images, return_tensors="pt", padding=True)
    with torch.inference_mode():
        expected = model(**inputs).logits_per_image.softmax(-1).tolist()
    for found, shares in zip(load_tagger(config(clip), "cpu")(images), expected, strict=True):
        assert {of.label: of.score for of in found} == pytest.approx(
            dict(zip(VOCABULARY, shares, strict=True)), abs=1e-4
        )


def test_what_competes_takes_shares_and_is_never_a_tag(ours: Path) -> None:
    images = pictures((90, 60))
    (alone,) = load_tagger(config(ours), "cpu")(images)
    (rivalled,) = load_tagger(config(ours, against=["a blurred photo"]), "cpu")(images)
    assert [of.label for of in rivalled] == [of.label for of in alone]
    assert sum(of.score for of in alone) == pytest.approx(1, abs=1e-3)
    lost = {round(after.score / before.score, 2) for before, after in zip(alone, rivalled, strict=True)}
    assert len(lost) == 1 and lost.pop() < 1


def test_cosines_are_the_library_s_and_never_negative(ours: Path) -> None:
    images, model = pictures((90, 60), (60, 80), seed=3), DualEncoder.from_pretrained(ours)
    expected = (model.encode_image(images) @ model.encode_text(list(VOCABULARY)).T).clamp(min=0)
    tagger = load_tagger(config(ours, score="cosine", templates=["{label}"]), "cpu")
    for found, cosines in zip(tagger(images), expected.tolist(), strict=True):
        assert [of.score for of in found] == pytest.approx(cosines, abs=1e-4)


def test_a_label_s_sentences_are_averaged(ours: Path) -> None:
    images, model = pictures((90, 60)), DualEncoder.from_pretrained(ours)
    sentences = [["apple", "some apple"], ["red car", "some red car"], ["苹果", "some 苹果"]]
    means = torch.stack([torch.nn.functional.normalize(model.encode_text(of).mean(0), dim=0) for of in sentences])
    expected = (model.logit_scale.detach().exp() * model.encode_image(images) @ means.T).softmax(-1)[0].tolist()
    (found,) = load_tagger(config(ours, templates=["{label}", "some {label}"]), "cpu")(images)
    assert [of.score for of in found] == pytest.approx(expected, abs=1e-4)


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    save_detr(tmp_path)
    with pytest.raises(UsageError, match="is a detr, not of CLIP's kin"):
        load_tagger(config(tmp_path), "cpu")


def test_boxes_get_the_attribute_that_is_most_like_what_is_in_them(ours: Path, tmp_path: Path) -> None:
    save_detr(tmp_path)
    inner = TaggerConfig(name="detection", model=str(tmp_path), floor=0.15)
    told = {"tagger": inner.model_dump(), "least": 0.252}
    attributes = ("red", "blue", "wooden")
    described = TaggerConfig(name="described", model=str(ours), vocabulary=attributes, options=told)
    images, model = pictures((90, 60), (60, 80)), DualEncoder.from_pretrained(ours)
    said = 0
    for image, before, after in zip(
        images, load_tagger(inner, "cpu")(images), load_tagger(described, "cpu")(images), strict=True
    ):
        assert [(of.label, of.box, of.score) for of in after] == [(of.label, of.box, of.score) for of in before]
        for of in after:
            assert of.box is not None
            x, y, x2, y2 = (round(side * full) for side, full in zip(of.box, image.size * 2, strict=True))
            if min(x2 - x, y2 - y) < 4:
                assert of.attributes == ()
                continue
            texts = model.encode_text(
                [f"a photo of a {phrase}" for phrase in (*(f"{a} {of.label}" for a in attributes), of.label)]
            )
            shares = (
                model.logit_scale.detach().exp() * model.encode_image(image.crop((x, y, x2, y2))) @ texts.T
            ).softmax(-1)[0]
            best = int(shares.argmax())
            wanted = (attributes[best],) if best < 3 and float(shares[best]) >= 0.252 else ()
            assert of.attributes == wanted
            said += bool(wanted)
    assert said, "no attribute was compared"


def test_a_describer_does_not_describe_itself(ours: Path) -> None:
    told = {"tagger": {"name": "described"}}
    with pytest.raises(UsageError, match="describes another tagger's findings"):
        load_tagger(TaggerConfig(name="described", model=str(ours), vocabulary=("red",), options=told), "cpu")
