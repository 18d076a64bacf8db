"""Every public function that takes a path takes a str and a Path."""

import importlib
import inspect
import pkgutil
import typing
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import manyview
from manyview.config import load_config, save_config
from manyview.corpus import Corpus, Record, Text, write_corpus
from manyview.model import DualEncoder, ModelConfig, WordPieceTokenizer, train_wordpiece
from manyview.search import Index, answer, run_index

INSIDE = {"manyview.cli"}  # typer gives its verbs what they ask for


def public_packages() -> Iterator[str]:
    yield "manyview.config"
    for module in pkgutil.walk_packages(manyview.__path__, "manyview."):
        if module.ispkg and not module.name.startswith(tuple(INSIDE)):
            yield module.name


def public_functions(module: object) -> Iterator[tuple[str, Callable[..., object]]]:
    for name in getattr(module, "__all__", ()):
        value = getattr(module, name)
        if inspect.isfunction(value):
            yield name, value
        elif inspect.isclass(value) and value.__module__.startswith("manyview"):
            for inner, member in vars(value).items():
                function = getattr(member, "__func__", member)
                if inspect.isfunction(function) and not inner.startswith("_"):
                    yield f"{name}.{inner}", function


@pytest.mark.parametrize("name", sorted(public_packages()))
def test_a_parameter_that_is_a_path_may_be_a_string(name):
    for function_name, function in public_functions(importlib.import_module(name)):
        for parameter in inspect.signature(function).parameters.values():
            written = parameter.annotation
            written = written if isinstance(written, str) else " | ".join(map(_named, _members(written)))
            kinds = {kind.strip() for kind in written.split("|")}
            assert not kinds & {"Path", "Location"} or "str" in kinds, (function_name, parameter.name)


def _members(annotation: object) -> tuple[object, ...]:
    return typing.get_args(annotation) if "|" in str(annotation) else (annotation,)


def _named(annotation: object) -> str:
    return getattr(annotation, "__name__", str(annotation))


@pytest.mark.parametrize("kind", [str, Path])
def test_strings_and_paths_do_the_same(kind, tmp_path):
    (tmp_path / "one.png").parent.mkdir(exist_ok=True)
    Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(tmp_path / "one.png")
    image = (tmp_path / "one.png").read_bytes()
    place = {name: kind(tmp_path / name) for name in ("corpus", "model", "index", "t.json", "config.yaml", "one.png")}
    write_corpus(place["corpus"], {"test": [Record("1", "1", image, (Text("title", "t", "en"),))]}, name="one")
    corpus = Corpus.open(place["corpus"])
    model = DualEncoder(ModelConfig(embed_dim=8))
    model.save_pretrained(place["model"])
    model = DualEncoder.from_pretrained(place["model"])
    assert model.encode_image(place["one.png"]).shape == (1, 8)
    assert len(Index.build(model, corpus, place["index"])) == len(Index.open(place["index"])) == 1
    assert len(run_index(place["model"], model, corpus)) == 1
    found = answer(DualEncoder.from_pretrained, place["model"], corpus=str(place["corpus"]), image=place["one.png"])
    assert [hit.id for hit in found.hits] == ["1"]
    train_wordpiece(["a b"], 100).save(place["t.json"])
    assert WordPieceTokenizer.load(place["t.json"]).vocab_size > 5
    save_config(model.config, place["config.yaml"])
    assert load_config(ModelConfig, place["config.yaml"]) == model.config
