"""A small corpus with everything that makes corpora hard: missing texts, languages, a broken image."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from manyview.corpus import Corpus, Record, Text, write_corpus

RECORDS = 40


def picture(seed: int, size: tuple[int, int] = (40, 32)) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def record(i: int) -> Record:
    texts = [Text("title", f"thing {i}", "en"), Text("title", f"东西{i}", "zh")]
    texts += [Text("tags", f"tag{i}{letter}", "en") for letter in "abcde"]
    if i % 3 == 0:
        texts.append(Text("description", f"a thing with number {i}", "en"))
    if i % 5 == 0:
        texts = [text for text in texts if text.kind != "tags"]
    return Record(f"record/{i}", f"group/{i}", picture(i), tuple(texts), "rare" if i % 8 == 0 else "made", "CC0-1.0")


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("corpus") / "small"
    records = [record(i) for i in range(RECORDS)]
    write_corpus(folder, {"train": records}, name="small", max_shard_bytes=40_000, row_group_bytes=12_000)
    return Corpus.open(folder)


@pytest.fixture
def broken(tmp_path: Path) -> Corpus:
    """The same with one image that is none."""
    records = [record(i) for i in range(RECORDS)]
    records[7] = Record("record/7", "group/7", b"not an image", records[7].texts)
    write_corpus(tmp_path / "broken", {"train": records}, name="broken")
    return Corpus.open(tmp_path / "broken")
