"""Every source format, with every set of kinds, in every language: built, examined, trained, judged and searched."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.matrix.formats import FORMATS
from tests.matrix.products import COUNT, KIND_SETS, LANGUAGES, Product, products

from manyview import DualEncoder
from manyview.config import load_config
from manyview.corpus import Corpus
from manyview.corpus.builder import build
from manyview.corpus.builder.settings import build_config
from manyview.corpus.cleaning.near_duplicates import components
from manyview.corpus.doctor import diagnose
from manyview.corpus.engine import Engine
from manyview.errors import UsageError
from manyview.evaluate import evaluate
from manyview.evaluate.retrieval import ResultsTree
from manyview.search import answer
from manyview.train import RECIPES, TrainConfig, batch_source, recipe, train

pytestmark = pytest.mark.slow

STEPS = 24
SMALL = [
    f"steps={STEPS}",
    "epochs=null",
    "batch_size=16",
    "chunk_size=null",
    "log_every=1",
    "workers=0",
    "precision=float32",
    "tensorboard=false",
    "model.embed_dim=16",
    "model.image={name: residual, size: 16, options: {widths: [8, 16, 16]}}",
    "model.text={name: ngrams, options: {buckets: 2000, width: 16, hidden: 16}}",
    "optimizer.learning_rate=5e-3",
    "optimizer.warmup_steps=2",
]


def cells() -> Iterator[tuple[str, str, str]]:
    """(format, set of kinds, language), as far as the format can hold them."""
    for name, form in FORMATS.items():
        for kinds_name, kinds in KIND_SETS.items():
            several_in_one = len(kinds) > 1 and len(form.kinds) < len(kinds)
            held = set(kinds) <= set(form.kinds) or (several_in_one and name == "coco")
            for language in LANGUAGES:
                if held and (form.languages or language != "mixed"):
                    yield name, kinds_name, language


CELLS = list(cells())


@pytest.mark.parametrize(("name", "kinds", "language"), CELLS, ids=[", ".join(cell) for cell in CELLS])
def test_every_format_kind_and_language_goes_from_source_to_search(name, kinds, language, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    held = [kind for kind in KIND_SETS[kinds] if kind in FORMATS[name].kinds]
    given = products(held, language)
    corpus = built(name, held, given, tmp_path)
    expected = Counter((p.image, kind, text, p.lang) for p in given for kind, text in p.texts)
    if language == "untagged":  # what the build recognizes is its own affair
        assert without_languages(texts_of(corpus)) == without_languages(expected)
    else:
        assert texts_of(corpus) == expected

    examined = diagnose(str(corpus.folder), find_near=components)
    assert examined.exit_code == 0, examined.json()

    trainable = [recipe_name for recipe_name in RECIPES if needs_only(recipe_name, held)]
    number = CELLS.index((name, kinds, language))
    chosen = trainable if name == "parquet" else [trainable[number % len(trainable)]]
    for recipe_name in chosen:
        model = trained(recipe_name, corpus, tmp_path / "run")
        assert asked_kinds(evaluate(model, corpus, "test", min_queries=1).to_dict()) >= set(held)
    found = answer(DualEncoder.from_pretrained, tmp_path / "run", text=given[0].texts[0][1], corpus=str(corpus.folder))
    assert len(found.hits) == 10

    if name == "parquet":
        for recipe_name in sorted(set(RECIPES) - set(trainable)):
            with pytest.raises(UsageError) as refusal:
                train(config_of(recipe_name, corpus), tmp_path / "refused")
            assert all(kind in str(refusal.value) for kind in held), "the kinds that exist are named"
            assert "views.texts." in str(refusal.value), "and the setting that would use them"


def asked_kinds(recalls: ResultsTree) -> set[str]:
    """The kinds of text, in whatever language, that images were asked for by."""
    return {kind.partition(".")[0] for by_kind in recalls.values() for kind in by_kind}


def built(name: str, kinds: list[str], given: list[Product], folder: Path) -> Corpus:
    """The corpus that a build makes of the products in one format."""
    (folder / "source").mkdir()
    source = FORMATS[name].write(folder / "source", given, kinds)
    file = folder / "build.yaml"
    file.write_text(yaml.safe_dump({"sources": [source], "split": {"shares": {"train": 0.6, "test": 0.4}}}))
    build(build_config([], file), folder / "corpus", engine=Engine(processes=1))
    return Corpus.open(folder / "corpus")


def texts_of(corpus: Corpus) -> Counter[tuple[bytes, str, str, str]]:
    """How often the corpus says each text of each image."""
    records = [record for split in corpus.splits for record in corpus.records(split)]
    assert len(records) == COUNT
    return Counter((record.image, t.kind, t.text, t.lang) for record in records for t in record.texts)


def without_languages(texts: Counter[tuple[bytes, str, str, str]]) -> Counter[tuple[bytes, str, str]]:
    return Counter((image, kind, text) for image, kind, text, _ in texts.elements())


def needs_only(recipe_name: str, kinds: list[str]) -> bool:
    """Whether every text view of a recipe draws from one of these kinds."""
    return all(view.named_kinds() & set(kinds) for view in recipe(recipe_name).views.texts.values())


def config_of(recipe_name: str, corpus: Corpus) -> TrainConfig:
    return load_config(TrainConfig, None, [*SMALL, f"corpus={corpus.folder}"], recipe(recipe_name))


def trained(recipe_name: str, corpus: Corpus, out: Path) -> DualEncoder:
    """A few steps of a recipe: every view is met, and the loss falls."""
    config = config_of(recipe_name, corpus)
    first = batch_source(config, [corpus], lambda texts, max_tokens: {})[0]
    assert all(first.present[view].any() for view in config.views.names), first.texts
    model = train(config, out, overwrite=True)
    losses = [json.loads(line)["loss"] for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert len(losses) == STEPS
    assert sum(losses[-4:]) < 0.95 * sum(losses[:4]), f"{recipe_name}: {losses}"
    return model
