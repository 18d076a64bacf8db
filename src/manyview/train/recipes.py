"""Recipes: functions that return a whole configuration; each preset of the objective has one."""

from collections.abc import Callable
from typing import Any

from manyview.corpus.shard_counts import TextCounts
from manyview.data import ImageView, TextView, ViewsConfig
from manyview.data.text_coverage import views_without_texts
from manyview.errors import UsageError
from manyview.model import HeadConfig, ImageTowerConfig, ModelConfig, TextTowerConfig
from manyview.objective import PRESETS, FalseNegatives
from manyview.train.config import ObjectiveConfig, OptimizerConfig, PairConfig, TrainConfig
from manyview.train.start import StartConfig

__all__ = ["RECIPES", "recipe", "recipe_problems"]

CAPTION = ("caption", "title", "description", "context", "query", "alt")
TAGS = ("tags", "objects", "category")
_SAID = {"title": 3.0, "caption": 3.0, "query": 3.0, "alt": 3.0, "description": 1.0, "context": 1.0}
_TAGGED = {"tags": 3.0, "objects": 3.0}
_ANY_LENGTH = (0.0, 1.0)  # of a list of tags: people ask with one word as well as with many
_PICTURE_CONTAINS = "The picture contains {text}."


def clip() -> TrainConfig:
    """One image, one caption: CLIP."""
    return _small("clip", {"image": "gentle"}, {"caption": TextView(kinds=CAPTION)})


def slip() -> TrainConfig:
    """CLIP, and two more augmentations of the image that must find each other: SLIP."""
    images = {"image": "gentle", "image.2": "official", "image.3": "official"}
    return _small("slip", images, {"caption": TextView(kinds=CAPTION)})


def caption_sampling() -> TrainConfig:
    """As many texts a step as many-view, each drawn at random from all there are; only image against text."""
    anything = TextView(kinds=_SAID | _TAGGED, drop=_ANY_LENGTH)
    return _small("caption-sampling", {"image": "gentle"}, {"text": anything, "text.2": anything})


def many_view() -> TrainConfig:
    """What the image is called and what it is tagged with, each against the image and against each other."""
    texts = {"title": TextView(kinds=_SAID), "tags": TextView(kinds=_TAGGED, drop=_ANY_LENGTH)}
    return _small("many-view", {"image": "gentle"}, texts)


def fine_tune() -> TrainConfig:
    """A trained model (start.model=RUN) learns the captions of a small corpus, and forgets little: see NOTES.md."""
    small = _small("fine-tune", {"image": "gentle"}, {"caption": TextView(kinds=CAPTION)}, preset="clip")
    optimizer = small.optimizer.model_copy(update={"learning_rate": 5e-4, "layer_decay": 0.7, "warmup_steps": 10})
    return small.model_copy(update={"optimizer": optimizer, "batch_size": 128, "epochs": 24.0})


def gcl() -> TrainConfig:
    """Weighted queries against the picture and the title of the item they led to, after Marqo's GCL (arXiv 2404.08535).

    Theirs: a query, an item of several fields and a score, which becomes the weight of the pair's cross-entropy, so
    that what was clicked more counts more. Here the weight is that of the text as the corpus has it (`manyview clicks`
    gives one; map scores to weights there), over the sum of the weights of the batch, and only where the query asks:
    image -> query and title -> query count every item alike. They average the fields of an item into one vector; here
    each field is a pair of its own, and records are searched by the weighted sum of their vectors. One query of an
    item is drawn a step, evenly. Items without queries are asked for by their tags, weighted by their confidence.
    """
    item = {kind: share for kind, share in _SAID.items() if kind != "query"}
    texts = {"query": TextView(kinds=("query", "tags", "objects"), weighted=True), "title": TextView(kinds=item)}
    return _small("gcl", {"image": "gentle"}, texts)


def adapt() -> TrainConfig:
    """Pretrained towers stay as they are, what they give is computed once, and heads learn what many-view learns."""
    texts = {"title": TextView(kinds=_SAID), "tags": TextView(kinds=_TAGGED)}
    small = _small("adapt", {"image": "none"}, texts, preset="many-view")
    return small.model_copy(
        update={
            "views": small.views.model_copy(update={"renderings": 4}),
            "model": ModelConfig(image=ImageTowerConfig(size=96), head=HeadConfig(hidden=1024, dropout=0.3)),
            "start": StartConfig(
                image_tower="efficientnet-lite0", text_tower="minilm-l6", lock=("image", "text"), cache=True
            ),
            "optimizer": OptimizerConfig(learning_rate=2e-3, weight_decay=0.05, warmup_steps=50),
            "batch_size": 512,
            "epochs": 25.0,
        }
    )


def ernie_vil_2() -> TrainConfig:
    """ERNIE-ViL 2.0, eq. (1-1): original and augmented image, caption and tags, no identity masks."""
    return _small("ernie-vil-2", _ERNIE_IMAGES, _ERNIE_TEXTS, false_negatives="off")


def ernie_vil_2_objects() -> TrainConfig:
    """ERNIE-ViL 2.0 with the image-tags pairs that its README lists."""
    return _small("ernie-vil-2-objects", _ERNIE_IMAGES, _ERNIE_TEXTS, false_negatives="off")


def base() -> TrainConfig:
    """ViT-B/16 and BERT-base at 224 pixels and 48 tokens, for GPUs: ERNIE-ViL 2.0's size and recipe."""
    texts = {name: view.model_copy(update={"max_tokens": 48}) for name, view in _ERNIE_TEXTS.items()}
    model = ModelConfig(
        embed_dim=768,
        image=ImageTowerConfig(name="vit_base_patch16_224", size=224),
        text=TextTowerConfig(name="bert", vocab_size=40_000),
    )
    return _config(
        "base",
        "ernie-vil-2-objects",
        _ERNIE_IMAGES,
        texts,
        "ignore",
        model=model,
        optimizer=OptimizerConfig(learning_rate=5e-4, weight_decay=0.2, warmup_steps=2000, clip_norm=1.0),
        batch_size=1024,
        workers=8,
        save_every=1000,
        epochs=32,
    )


_ERNIE_IMAGES: dict[str, Any] = {"image": "none", "image.2": "official"}
_ERNIE_TEXTS = {
    "caption": TextView(kinds=CAPTION),
    "tags": TextView(kinds=TAGS, template=_PICTURE_CONTAINS),
}

RECIPES: dict[str, Callable[[], TrainConfig]] = {
    "many-view": many_view,
    "caption-sampling": caption_sampling,
    "clip": clip,
    "slip": slip,
    "gcl": gcl,
    "fine-tune": fine_tune,
    "adapt": adapt,
    "ernie-vil-2": ernie_vil_2,
    "ernie-vil-2-objects": ernie_vil_2_objects,
    "base": base,
}


def recipe(name: str) -> TrainConfig:
    """The configuration of a recipe. Raises UsageError for a name that is none."""
    if name not in RECIPES:
        raise UsageError(f"no recipe named {name!r}, allowed: {', '.join(RECIPES)}")
    return RECIPES[name]()


def recipe_problems(counts: TextCounts, has_images: bool = True) -> dict[str, dict[str, str]]:
    """For each recipe its views that would find nothing in a corpus of these counts of texts, each with a sentence."""
    problems = {}
    for name, make in RECIPES.items():
        config = make()
        problems[name] = views_without_texts(config.views, counts)
        if config.needs_images and not has_images:
            problems[name] |= dict.fromkeys(
                config.views.images, "no record has an image, and each of its pairs needs one"
            )
    return problems


def _small(
    name: str,
    images: dict[str, Any],
    texts: dict[str, TextView],
    false_negatives: FalseNegatives = "ignore",
    preset: str | None = None,
) -> TrainConfig:
    """A recipe at the size of the starter corpus and a laptop."""
    optimizer = OptimizerConfig(name="muon", learning_rate=2e-3, text_multiplier=2.0, scale_multiplier=5.0)
    model = ModelConfig(image=ImageTowerConfig(size=48))
    return _config(name, preset or name, images, texts, false_negatives, model=model, optimizer=optimizer, epochs=10)


def _config(
    name: str,
    preset: str,
    images: dict[str, Any],
    texts: dict[str, TextView],
    false_negatives: FalseNegatives,
    **rest: Any,
) -> TrainConfig:
    pairs = tuple(PairConfig(query=p.query, key=p.key, weight=p.weight) for p in PRESETS[preset])
    views = ViewsConfig(images={view: ImageView(augment=augment) for view, augment in images.items()}, texts=texts)
    objective = ObjectiveConfig(pairs=pairs, false_negatives=false_negatives)
    return TrainConfig(recipe=name, views=views, objective=objective, **rest)
