import io
from collections.abc import Callable, Sequence
from pathlib import Path
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

    def encode_image(self, images: Sequence[Any]) -> NDArray[np.float32]:
        return np.stack([self._feature(self._mean(image)) for image in images])

    def encode_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([self._feature(np.array(COLORS[text], float)) for text in texts])

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
