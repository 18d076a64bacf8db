import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from manyview.corpus import Corpus, Record, Text, write_corpus
from manyview.search import Index

COLORS = {
    "red": (220, 30, 30),
    "green": (30, 170, 60),
    "blue": (40, 60, 210),
    "yellow": (235, 215, 40),
    "黑色": (15, 15, 15),
    "white": (245, 245, 245),
}


class ColorEncoder:
    """A dual encoder that sees the mean color of a picture and reads the names of colors."""

    embed_dim = 4

    def __init__(self, weights: Mapping[str, float] | None = None) -> None:
        self.config = SimpleNamespace(record=SimpleNamespace(weights=weights or {}))

    def encode_image(self, images: Sequence[Any]) -> NDArray[np.float32]:
        return np.stack([self._feature(self._mean(image)) for image in images])

    def encode_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        named = [next(color for name, color in COLORS.items() if name in text) for text in texts]
        return np.stack([self._feature(np.array(color, float)) for color in named])

    def encode_views(
        self, records: Sequence[Record]
    ) -> tuple[dict[str, NDArray[np.float32]], dict[str, NDArray[np.bool_]]]:
        """The definition, record by record: the picture, and the mean of the texts of each kind."""
        each = [self._views(record) for record in records]
        names = {name for views in each for name in views}
        absent = np.zeros(self.embed_dim, np.float32)
        features = {name: np.stack([views.get(name, absent) for views in each]) for name in names}
        return features, {name: np.array([name in views for views in each]) for name in names}

    def _views(self, record: Record) -> dict[str, NDArray[np.float32]]:
        views = {} if record.image is None else {"image": self.encode_image([record.image])[0]}
        for kind in {text.kind for text in record.texts}:
            mean = self.encode_text([text.text for text in record.texts if text.kind == kind]).mean(axis=0)
            views[kind] = mean / np.linalg.norm(mean)
        return views

    @staticmethod
    def _mean(image: bytes | Image.Image) -> NDArray[np.float64]:
        picture = Image.open(io.BytesIO(image)) if isinstance(image, bytes) else image
        return np.asarray(picture.convert("RGB"), float).mean(axis=(0, 1))

    @staticmethod
    def _feature(color: NDArray[np.float64]) -> NDArray[np.float32]:
        feature = np.append(color / 127.5 - 1, 0.3)
        return (feature / np.linalg.norm(feature)).astype(np.float32)


def picture(color: tuple[int, int, int], size: tuple[int, int] = (24, 16), form: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, form)
    return file.getvalue()


def color_records(split: str) -> list[Record]:
    return [
        Record(
            id=f"{split}/{name}",
            group=name,
            image=picture(color),
            texts=(
                Text("tags", name),
                Text("title", f"a {name} picture", "en"),
                Text("title", f"another {name} picture", "en"),
                Text("title", f"一张{name}图片", "zh"),
            ),
            source="painted",
            license="CC0-1.0",
            attribution="A. Painter & Söhne <shop>",
        )
        for name, color in COLORS.items()
    ]


def mixed_records(count: int = 150, seed: int = 0) -> list[Record]:
    """Records whose picture, title, tags and caption name different colors, and some of which lack each of them."""
    random = np.random.default_rng(seed)

    def made(i: int) -> Record:
        color, title, *tags = random.choice(list(COLORS), 4).tolist()
        texts = [Text("title", f"{title} thing", "en"), Text("tags", tags[0]), Text("tags", tags[1])]
        texts = [text for text in texts if random.random() < 0.6]
        caption = [Text("caption", "a white wall", "en")] if i % 5 == 0 else []
        image = picture(COLORS[color]) if i % 4 or not texts else None
        return Record(id=str(i), group=str(i), image=image, texts=(*texts, *caption), source="painted")

    return [made(i) for i in range(count)]


def records(corpus: Corpus) -> list[tuple[str, Record]]:
    return [(split, record) for split in corpus.splits for record in corpus.records(split)]


def record_vector(model: ColorEncoder, record: Record, weights: Mapping[str, float] | None = None) -> np.ndarray | None:
    """The definition: the views of one record, each times its weight, summed and normalised; None without any."""
    features, present = model.encode_views([record])
    total = np.zeros(model.embed_dim)
    for name in features:
        if present[name][0]:
            total += (weights or {}).get(name, 1.0) * features[name][0].astype(float)
    return total / np.linalg.norm(total) if total.any() else None


@pytest.fixture
def mixed(make_corpus: Callable[..., Corpus]) -> Corpus:
    return make_corpus("mixed", test=mixed_records())


@pytest.fixture
def model() -> ColorEncoder:
    return ColorEncoder()


@pytest.fixture
def make_corpus(tmp_path: Path) -> Callable[..., Corpus]:
    def make(name: str = "corpus", **splits: list[Record]) -> Corpus:
        splits = splits or {"train": color_records("train"), "test": color_records("test")}
        write_corpus(tmp_path / name, splits, name=name, max_shard_bytes=1 << 20)
        return Corpus.open(tmp_path / name)

    return make


@pytest.fixture
def index(model: ColorEncoder, make_corpus: Callable[..., Corpus], tmp_path: Path) -> Index:
    return Index.build(model, make_corpus(), tmp_path / "index")
