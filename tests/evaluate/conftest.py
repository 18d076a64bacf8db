"""Small corpora of plain colors, and a model that knows them as well as it is told to."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from manyview.corpus import Corpus, Record, Text, write_corpus
from manyview.corpus.fingerprint import identity

DIM = 32


def picture(number: int) -> bytes:
    """A plain square whose color spells the number."""
    packed = io.BytesIO()
    Image.new("RGB", (8, 8), (number // 256, number % 256, 7)).save(packed, "PNG")
    return packed.getvalue()


def direction(*words: object) -> np.ndarray:
    """A unit vector drawn from the hash of its words."""
    generator = np.random.default_rng(identity(repr(words).encode()) & (2**63 - 1))
    vector = generator.standard_normal(DIM)
    return vector / np.linalg.norm(vector)


class ColorModel:
    """Gives a picture the direction of its number and a text that of the number it means.

    `meaning` maps a text to its number; `noise` is the length of a random vector added to each text.
    """

    def __init__(self, meaning: Callable[[str], object], noise: float = 0.0, seed: int = 0) -> None:
        self.meaning, self.noise, self.seed = meaning, noise, seed
        self.seen_texts: list[str] = []
        self.seen_images = 0

    def encode_image(self, images: Sequence[bytes], batch_size: int = 256) -> torch.Tensor:
        self.seen_images += len(images)
        rows = []
        for image in images:
            red, green, _ = Image.open(io.BytesIO(image)).getpixel((0, 0))
            rows.append(direction(256 * red + green))
        return self._normalized(rows)

    def encode_text(self, texts: Sequence[str], batch_size: int = 256) -> torch.Tensor:
        self.seen_texts += texts
        return self._normalized(
            [direction(self.meaning(text)) + self.noise * direction("noise", self.seed, text) for text in texts]
        )

    def _normalized(self, rows: list[np.ndarray]) -> torch.Tensor:
        return torch.nn.functional.normalize(torch.tensor(np.array(rows).reshape(-1, DIM), dtype=torch.float32), dim=1)


@pytest.fixture
def corpus_of(tmp_path: Path) -> Callable[..., Corpus]:
    """Writes records, by split, as a corpus and opens it."""

    def build(**splits: list[Record]) -> Corpus:
        write_corpus(tmp_path / "corpus", splits, name="colors")
        return Corpus.open(tmp_path / "corpus")

    return build


def thing(number: int, *, group: str = "", source: str = "colors", tags: Sequence[str] = ()) -> Record:
    """Record number `number`, titled "thing NUMBER" in English and "东西 NUMBER" in Chinese."""
    texts = [Text("title", f"thing {number}", "en"), Text("title", f"东西 {number}", "zh")]
    texts += [Text("tags", tag, "en") for tag in tags]
    return Record(f"id-{number}", group or f"group-{number}", picture(number), tuple(texts), source)


def number_in(text: str) -> int:
    return int(text.rsplit(maxsplit=1)[-1])
