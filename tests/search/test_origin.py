from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from manyview.corpus import Corpus
from manyview.search.origin import corpus_origin, model_origin


def test_a_model_is_known_by_its_files_wherever_it_lies(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (folder / name).write_text(name)
    digest = model_origin(folder).sha256
    folder = folder.rename(tmp_path / "moved")
    assert model_origin(folder).sha256 == digest
    (folder / "README.md").write_text("a card")
    assert model_origin(folder).sha256 == digest
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (folder / name).write_text("changed")
        changed = model_origin(folder).sha256
        assert changed != digest
        digest = changed


@pytest.mark.parametrize("manifest", [True, False])
def test_a_corpus_is_known_by_its_content(make_corpus: Callable[..., Corpus], tmp_path: Path, manifest: bool) -> None:
    records = list(make_corpus().records("train"))
    digests = set()
    for name, first in (("a", records[0]), ("b", replace(records[0], source="Painted"))):
        folder = make_corpus(name, train=[first, *records[1:]]).folder
        if not manifest:
            (folder / "manifest.json").unlink()
        moved = folder.rename(tmp_path / "here")
        digests.add(corpus_origin(Corpus.open(moved)).sha256)
        moved.rename(tmp_path / f"{name}-done")
    assert len(digests) == 2


def test_shards_that_no_manifest_vouches_for_are_read_through(make_corpus: Callable[..., Corpus]) -> None:
    corpus = make_corpus()
    (corpus.folder / "manifest.json").unlink()
    before = corpus_origin(Corpus.open(corpus.folder))
    shard = next(corpus.folder.rglob("*.parquet"))
    content = bytearray(shard.read_bytes())
    content[100] ^= 1
    shard.write_bytes(content)
    assert corpus_origin(Corpus.open(corpus.folder)) != before
