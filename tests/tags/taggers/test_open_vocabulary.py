"""Laws of the taggers that look for what they are told: OWL and Grounding DINO."""

from pathlib import Path

import pytest
import torch
from tests.tags.tiny import pictures, save_detr, save_grounding_dino, save_owl
from transformers import AutoModelForZeroShotObjectDetection, AutoProcessor

from manyview.errors import UsageError
from manyview.tags.config import TaggerConfig
from manyview.tags.plugins import load_tagger
from manyview.tags.taggers.grounding_dino import prompts

VOCABULARY = ("red car", "dog", "cat", "blue sky")


@pytest.fixture(scope="module", params=[1, 2])
def owl(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("owl")
    save_owl(folder, request.param)
    return folder


@pytest.fixture(scope="module")
def dino(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dino")
    save_grounding_dino(folder)
    return folder


def test_owl_finds_what_the_library_finds(owl: Path) -> None:
    model, processor = AutoModelForZeroShotObjectDetection.from_pretrained(owl), AutoProcessor.from_pretrained(owl)
    config = TaggerConfig(name="owl", model=str(owl), vocabulary=VOCABULARY, floor=0.3)
    images = pictures((90, 60), (50, 80), (90, 60))
    compared = 0
    for image, found in zip(images, load_tagger(config, "cpu")(images), strict=True):
        texts = [[f"a photo of a {label}" for label in VOCABULARY]]
        padding = {"padding": "max_length", "max_length": 16, "truncation": True}
        inputs = processor(text=texts, images=image, return_tensors="pt", **padding)
        with torch.inference_mode():
            outputs = model.eval()(**inputs)
        sizes = [(image.height, image.width)]
        (result,) = processor.post_process_grounded_object_detection(outputs, threshold=0.3, target_sizes=sizes)
        expected = [
            (VOCABULARY[label], score, [x / image.width, y / image.height, x2 / image.width, y2 / image.height])
            for label, score, (x, y, x2, y2) in zip(
                result["labels"].tolist(), result["scores"].tolist(), result["boxes"].tolist(), strict=True
            )
        ]
        inside = [of for of in expected if min(of[2][2:]) > 0 and max(of[2][:2]) < 1]
        assert [of.label for of in found] == [label for label, _, _ in inside]
        for detection, (_, score, box) in zip(found, inside, strict=True):
            assert detection.score == pytest.approx(score, abs=2e-4)
            assert detection.box == pytest.approx([min(1, max(0, side)) for side in box], abs=1e-3)
        compared += len(found)
    assert compared, "nothing was compared"


def test_prompts_hold_every_label_once_and_none_is_longer_than_allowed(dino: Path) -> None:
    tokenizer = AutoProcessor.from_pretrained(dino).tokenizer
    made = list(prompts(tokenizer, VOCABULARY, 8))
    assert len(made) > 1
    assert [place for prompt in made for place, _, _ in prompt.spans] == list(range(len(VOCABULARY)))
    for prompt in made:
        assert len(prompt.ids) <= 8
        text = " ".join(f"{VOCABULARY[place]}." for place, _, _ in prompt.spans)
        assert list(prompt.ids) == tokenizer(text)["input_ids"]
        for place, start, stop in prompt.spans:
            assert tokenizer.decode(prompt.ids[start:stop]) == VOCABULARY[place]


def test_grounding_dino_scores_a_label_by_the_mean_of_its_tokens(dino: Path) -> None:
    model, processor = AutoModelForZeroShotObjectDetection.from_pretrained(dino), AutoProcessor.from_pretrained(dino)
    labels = ("dog", "red car")
    config = TaggerConfig(name="grounding-dino", model=str(dino), vocabulary=labels, floor=0.01)
    images = pictures((90, 60), (50, 80), (90, 60))
    compared = 0
    for image, found in zip(images, load_tagger(config, "cpu")(images), strict=True):
        inputs = processor(images=image, text="dog. red car.", return_tensors="pt")
        with torch.inference_mode():
            outputs = model.eval()(**inputs)
        expected = []
        for logits, (x, y, width, height) in zip(outputs.logits[0], outputs.pred_boxes[0].tolist(), strict=True):
            tokens = logits.sigmoid().tolist()  # [CLS] dog . red car . [SEP]
            label, score = max({"dog": tokens[1], "red car": (tokens[3] + tokens[4]) / 2}.items(), key=lambda of: of[1])
            expected.append((label, score, [x - width / 2, y - height / 2, x + width / 2, y + height / 2]))
        sure = [of for of in expected if of[1] >= 0.01]
        assert [of.label for of in found] == [label for label, _, _ in sure]
        for detection, (_, score, box) in zip(found, sure, strict=True):
            assert detection.score == pytest.approx(score, abs=2e-4)
            assert detection.box == pytest.approx([min(1, max(0, side)) for side in box], abs=2e-4)
        compared += len(found)
    assert compared, "nothing was compared"


@pytest.mark.parametrize(("name", "vocabulary"), [("owl", None), ("owl", ()), ("grounding-dino", (" ",))])
def test_a_vocabulary_is_needed(dino: Path, name: str, vocabulary: tuple[str, ...] | None) -> None:
    with pytest.raises(UsageError, match="vocabulary"):
        load_tagger(TaggerConfig(name=name, model=str(dino), vocabulary=vocabulary), "cpu")


def test_a_label_longer_than_a_prompt_is_said(dino: Path) -> None:
    config = TaggerConfig(name="grounding-dino", model=str(dino), vocabulary=("cat " * 9,))
    with pytest.raises(UsageError, match="has 9 tokens, allowed: 1 to 5"):
        load_tagger(config, "cpu")


def test_models_of_another_kind_are_refused(dino: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a grounding-dino, allowed: owlv2, owlvit"):
        load_tagger(TaggerConfig(name="owl", model=str(dino), vocabulary=("cat",)), "cpu")
    save_detr(tmp_path)
    with pytest.raises(UsageError, match="cannot load"):
        load_tagger(TaggerConfig(name="owl", model=str(tmp_path), vocabulary=("cat",)), "cpu")
