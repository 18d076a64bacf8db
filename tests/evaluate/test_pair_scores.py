"""Laws of pair scores: each is the cosine of one image and one text, whatever stands beside them."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from tests.evaluate.conftest import ColorModel, picture

from manyview import DualEncoder
from manyview.corpus import Corpus, Record, Text, write_corpus
from manyview.corpus.builder import BuildConfig, build
from manyview.corpus.engine import Engine
from manyview.errors import DataError, ManyviewError, UsageError
from manyview.evaluate.pair_scores import PAIR_SCORES, score_pairs
from manyview.model import ModelConfig, TextTowerConfig


def noise(number: int) -> bytes:
    """A picture that tells towers something."""
    packed = io.BytesIO()
    pixels = np.random.default_rng(number).integers(0, 256, (40, 50, 3), np.uint8)
    Image.fromarray(pixels).save(packed, "PNG")
    return packed.getvalue()


def records(count: int, image: Callable[[int], bytes] = picture) -> list[Record]:
    """Each has a title of its own and tags that it shares, but every fifth has no text."""
    return [
        Record(
            id=f"r{number}",
            group=f"r{number}",
            image=image(number),
            texts=(Text("title", f"number {number}"), Text("tags", f"of {number % 3}"), Text("tags", "all"))
            if number % 5 != 4
            else (),
        )
        for number in range(count)
    ]


def number_in(text: str) -> int:
    return int(text.rpartition(" ")[2]) if text != "all" else -1


def table(file: Path) -> list[tuple[str, str, str, float]]:
    read = pq.read_table(file)
    assert read.schema.equals(PAIR_SCORES)
    return [tuple(row.values()) for row in read.to_pylist()]


@pytest.mark.parametrize("batch_size", [1, 3, 256])
def test_scores_are_the_cosines_of_images_and_texts_one_by_one(tmp_path: Path, batch_size: int) -> None:
    torch.manual_seed(0)
    model = DualEncoder(ModelConfig(embed_dim=24, text=TextTowerConfig(options={"buckets": 500, "width": 16})))
    splits = {
        "train": records(12, noise),
        "test": [replace(record, id=f"t{record.id}") for record in records(5, noise)],
    }
    write_corpus(tmp_path / "corpus", splits, name="noise", row_group_bytes=20_000)
    corpus = Corpus.open(tmp_path / "corpus")
    assert len(corpus.blocks("train")) > 1
    heard = list[tuple[int, int]]()
    report = score_pairs(
        model,
        corpus,
        tmp_path / "scores.parquet",
        batch_size=batch_size,
        progress=lambda done, of: heard.append((done, of)),
    )
    found = table(tmp_path / "scores.parquet")
    spoken = [record for split in ("train", "test") for record in corpus.records(split)]
    expected = [
        (
            record.id,
            text.kind,
            text.text,
            float(model.encode_image([record.image])[0] @ model.encode_text(text.text)[0]),
        )
        for record in spoken
        for text in record.texts
    ]
    assert [row[:3] for row in found] == [row[:3] for row in expected]
    np.testing.assert_allclose([row[3] for row in found], [row[3] for row in expected], atol=1e-5)
    assert report.images == sum(bool(record.texts) for record in spoken)
    assert dict(report.texts) == {"tags": 2 * report.images, "title": report.images}
    for kind, mean in report.mean.items():
        assert mean == pytest.approx(np.mean([row[3] for row in expected if row[1] == kind]), abs=1e-4)
    assert heard[-1] == (17, 17)
    assert report.as_json()["left_out"] == {}


def test_only_what_is_asked_for_is_encoded(tmp_path: Path, corpus_of: Callable[..., Corpus]) -> None:
    corpus = corpus_of(train=records(10), test=[replace(one, id=f"t{one.id}") for one in records(4)])
    model = ColorModel(number_in)
    report = score_pairs(model, corpus, tmp_path / "scores.parquet", kinds=["tags"], splits=["train"])
    assert {row[1] for row in table(tmp_path / "scores.parquet")} == {"tags"}
    assert dict(report.texts) == {"tags": 16}
    assert model.seen_images == report.images == 8
    assert sorted(model.seen_texts) == ["all", "of 0", "of 1", "of 2"]


class Careful(ColorModel):
    """Says of what it cannot decode what a DualEncoder says."""

    def encode_image(self, images, batch_size=256):
        if any(not image.startswith(b"\x89PNG") for image in images):
            raise DataError("no image")
        return super().encode_image(images, batch_size)


def test_images_that_cannot_be_decoded_are_counted_and_cost_the_others_nothing(
    tmp_path: Path, corpus_of: Callable[..., Corpus]
) -> None:
    whole = records(20)
    bad = [
        replace(record, image=b"no picture") if number in (0, 6, 7) else record for number, record in enumerate(whole)
    ]
    model = Careful(number_in)
    report = score_pairs(model, corpus_of(train=bad), tmp_path / "scores.parquet", batch_size=8)
    found = {(id, text): score for id, _, text, score in table(tmp_path / "scores.parquet")}
    assert report.left_out == {"image: cannot be decoded": 3}
    assert report.images == 13
    assert {id for id, _ in found} == {f"r{n}" for n in range(20) if n % 5 != 4} - {"r0", "r6", "r7"}
    assert all(score > 0.99 for (id, text), score in found.items() if text == f"number {id[1:]}")


def test_a_corpus_of_which_nothing_can_be_scored_leaves_no_file(
    tmp_path: Path, corpus_of: Callable[..., Corpus]
) -> None:
    out = tmp_path / "scores.parquet"
    corpus = corpus_of(train=[replace(record, image=b"no picture") for record in records(3)])
    with pytest.raises(DataError, match="none of the 3 images can be decoded"):
        score_pairs(Careful(number_in), corpus, out)
    with pytest.raises(UsageError, match="no record has a text of the kinds caption"):
        score_pairs(Careful(number_in), corpus, out, kinds=["caption"])
    with pytest.raises(UsageError, match="no split 'val', allowed: train"):
        score_pairs(Careful(number_in), corpus, out, splits=["val"])
    with pytest.raises(UsageError, match="is a folder"):
        score_pairs(Careful(number_in), corpus, tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(ManyviewError, match="cannot write"):
        score_pairs(Careful(number_in), corpus, tmp_path / "file" / "scores.parquet")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["corpus", "file"]


def test_a_model_whose_training_diverged_is_told_of(tmp_path: Path, corpus_of: Callable[..., Corpus]) -> None:
    class Diverged(ColorModel):
        def encode_text(self, texts, batch_size=256):
            return super().encode_text(texts, batch_size) * float("nan")

    with pytest.raises(ManyviewError, match="not finite"):
        score_pairs(Diverged(number_in), corpus_of(train=records(3)), tmp_path / "scores.parquet")
    assert not (tmp_path / "scores.parquet").exists()


def test_what_a_model_knows_to_be_wrong_a_build_leaves_out(tmp_path: Path, corpus_of: Callable[..., Corpus]) -> None:
    spoken = [record for record in records(40) if record.texts]
    numbers = [text.text for record in spoken for text in record.texts if text.kind == "title"]
    titles = [*numbers[:20], *numbers[21:], numbers[20]]
    shuffled = [replace(one, texts=(Text("title", title),)) for one, title in zip(spoken, titles, strict=True)]
    corpus = corpus_of(train=shuffled)
    score_pairs(ColorModel(number_in), corpus, tmp_path / "scores.parquet")
    for name, rules in {"bound": {"at_least": {"title": 0.9}}, "share": {"best_share": {"title": 20 / 32}}}.items():
        told = {
            "sources": [{"type": "corpus", "path": str(corpus.folder)}],
            "clean": {"scores": {"table": str(tmp_path / "scores.parquet"), **rules}, "images": {"min_side_px": 1}},
        }
        build(BuildConfig.model_validate(told), tmp_path / name, engine=Engine(processes=1))
        cleaned = Corpus.open(tmp_path / name)
        found = {record.id: record.texts[0].text for split in cleaned.splits for record in cleaned.records(split)}
        assert found == {record.id: f"number {record.id[1:]}" for record in spoken[:20]}


def test_records_without_an_image_have_no_score_and_are_counted(
    tmp_path: Path, corpus_of: Callable[..., Corpus]
) -> None:
    given = records(10)
    silent = [replace(record, image=None, id=f"w{record.id}") for record in records(6)]
    report = score_pairs(ColorModel(number_in), corpus_of(train=[*given, *silent]), tmp_path / "scores.parquet")
    assert {row[0] for row in table(tmp_path / "scores.parquet")} <= {record.id for record in given}
    assert dict(report.left_out) == {"record: no image": 6}
    write_corpus(tmp_path / "silent", {"train": silent}, name="silent")
    with pytest.raises(UsageError, match="no record has an image"):
        score_pairs(ColorModel(number_in), Corpus.open(tmp_path / "silent"), tmp_path / "none.parquet")
