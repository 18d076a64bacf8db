"""A tiny run over a tiny corpus."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from manyview.config import load_config
from manyview.corpus import Record, Text, write_corpus
from manyview.train import TrainConfig, recipe

COLORS = {"red": (220, 40, 30), "green": (40, 170, 60), "blue": (40, 60, 210), "yellow": (235, 215, 40)}
TINY = [
    "steps=6",
    "epochs=null",
    "batch_size=8",
    "log_every=1",
    "save_every=2",
    "workers=0",
    "model.embed_dim=16",
    "model.image.size=16",
    "model.image.options={widths: [8, 16, 16]}",
    "model.text.options={buckets: 500, width: 16, hidden: 16}",
    "optimizer.warmup_steps=2",
]


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """32 squares in four colors, each color with its name, tags, and Chinese."""
    folder = tmp_path_factory.mktemp("squares") / "corpus"
    rng = np.random.default_rng(0)
    records = []
    for i in range(32):
        name, color = list(COLORS.items())[i % 4]
        pixels = np.clip(np.array(color) + rng.normal(0, 20, (24, 24, 3)), 0, 255).astype(np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG")
        texts = (
            Text("title", f"{name} square {i}", "en"),
            Text("title", {"red": "红", "green": "绿", "blue": "蓝", "yellow": "黄"}[name] + str(i), "zh"),
            Text("tags", name, "en"),
            Text("tags", f"paint {i % 3}", "en"),
        )
        records.append(Record(f"square/{i}", f"square/{i}", buffer.getvalue(), texts, "squares", "CC0-1.0"))
    write_corpus(folder, {"train": records[:20], "test": records[20:]}, name="squares", row_group_bytes=10_000)
    return folder


@pytest.fixture
def config(corpus: Path) -> Callable[..., TrainConfig]:
    def of(*overrides: str, name: str = "many-view") -> TrainConfig:
        return load_config(TrainConfig, None, [*TINY, f"corpus={corpus}", *overrides], recipe(name))

    return of
