"""Cached features: what locked towers give of every image and text of a corpus, computed once."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from manyview.corpus.corpus import read_block
from manyview.corpus.table import encoded_image
from manyview.data import BatchSource
from manyview.data.feature_store import FeatureStore, text_key
from manyview.data.images import rendered
from manyview.distributed import World
from manyview.errors import DataError
from manyview.model import DualEncoder
from manyview.precision import autocast, encoding_precision
from manyview.train.config import TrainConfig

__all__ = ["CachedFeatures", "fill_stores", "open_stores"]

_PART_IMAGES, _PART_TEXTS = 2048, 8192  # of a part: what a kill loses at most
_BATCH_IMAGES, _BATCH_TEXTS = 64, 256
_TOLD_EVERY_S = 10.0


@dataclass(frozen=True)
class CachedFeatures:
    """The stores of the locked towers; None for a tower that is not locked, or not cached."""

    images: FeatureStore | None = None
    texts: FeatureStore | None = None


@dataclass(frozen=True)
class _Part:
    """What becomes one part of a store: a key each, what makes the features, and the share of the corpus behind it."""

    keys: list[int]
    encode: Callable[[], tuple[list[int], Tensor, dict[int, str]]]
    share: float


def open_stores(config: TrainConfig, model: DualEncoder, folder: Path) -> CachedFeatures:
    """The stores that `config` asks for, in `folder` unless start.features names another.

    Raises UsageError for a folder with features of another model.
    """
    if not config.start.cache:
        return CachedFeatures()
    folder = Path(config.start.features or folder)
    precision = encoding_precision(config.precision, model.logit_scale.device)
    images = texts = None
    if "image" in config.start.lock:
        tower = _described(model.image_tower, precision, model.config.image.model_dump(mode="json"))
        images = FeatureStore(folder / "images", tower, int(model.image_tower.width))  # type: ignore[arg-type]
    if "text" in config.start.lock:
        tower = _described(
            model.text_tower, precision, model.config.text.model_dump(mode="json", exclude={"max_tokens"})
        )
        if model.wordpiece is not None:
            tower["tokenizer"] = hashlib.sha256(model.wordpiece.tokenizer.to_str().encode()).hexdigest()
        texts = FeatureStore(folder / "texts", tower, int(model.text_tower.width))  # type: ignore[arg-type]
    return CachedFeatures(images, texts)


def fill_stores(
    config: TrainConfig,
    model: DualEncoder,
    source: BatchSource,
    stores: CachedFeatures,
    world: World,
    *,
    say: Callable[[str], None],
    look_up: Callable[[], None],
) -> None:
    """Compute what the stores lack of a source's split; processes take parts in turn.

    What was computed before stays: a killed one continues. `look_up` is called after every part, on all processes, and
    may raise.
    """
    model.eval()
    if stores.images is not None:
        store = stores.images
        world.together(store.open_parts)
        encode = partial(_encode_images, config, model)
        _fill(store, _image_parts(source, store, encode), world, "images", say, look_up)
    if stores.texts is not None:
        store = stores.texts
        world.together(store.open_parts)
        encode_texts = partial(_encode_texts, config, model)
        _fill(store, _text_parts(source, store, encode_texts), world, "texts", say, look_up)


def _fill(
    store: FeatureStore,
    parts: Iterator[_Part],
    world: World,
    what: str,
    say: Callable[[str], None],
    look_up: Callable[[], None],
) -> None:
    number, began, told, made = store.next_part, time.monotonic(), time.monotonic(), 0
    while turn := list(islice(parts, world.size)):

        def encode(turn: list[_Part] = turn, number: int = number) -> None:
            if world.rank < len(turn):
                store.write(number + world.rank, *turn[world.rank].encode())

        world.together(encode)
        number += len(turn)
        made += sum(len(part.keys) for part in turn)
        if time.monotonic() - told >= _TOLD_EVERY_S:
            told = time.monotonic()
            say(f"features of {what}: {turn[-1].share:.0%} of the records")
        look_up()
    world.together(store.open_parts)
    if made:
        say(f"features of {made:,} {what} computed in {time.monotonic() - began:.0f} s, kept in {store.folder}")


def _image_parts(
    source: BatchSource, store: FeatureStore, encode: Callable[..., tuple[list[int], Tensor, dict[int, str]]]
) -> Iterator[_Part]:
    """The images that a store lacks, block by block."""
    seen: set[int] = set()
    for number, block in enumerate(source.blocks):
        table = read_block(block, ["image_hash"])
        rows: dict[int, int] = {}
        for row, key in enumerate(table.column("image_hash").to_pylist()):
            if key and key not in seen:
                rows.setdefault(key, row)
        wanted = store.missing(list(rows))
        seen.update(wanted)
        for start in range(0, len(wanted), _PART_IMAGES):
            keys = wanted[start : start + _PART_IMAGES]
            load = partial(_load_images, block, [rows[key] for key in keys])
            yield _Part(keys, partial(encode, keys, load), (number + 1) / len(source.blocks))


def _load_images(block: Any, rows: Sequence[int]) -> list[bytes]:
    images = read_block(block, ["image"]).column("image").take(rows).to_pylist()
    return [encoded_image(image) or b"" for image in images]


def _text_parts(
    source: BatchSource, store: FeatureStore, encode: Callable[..., tuple[list[int], Tensor, dict[int, str]]]
) -> Iterator[_Part]:
    """The texts that a store lacks of all renderings of all views, block by block."""
    seen: set[int] = set()
    waiting: dict[int, tuple[str, int]] = {}

    def part(share: float) -> _Part:
        keys = list(waiting)[:_PART_TEXTS]
        return _Part(keys, partial(encode, keys, [waiting.pop(key) for key in keys]), share)

    for number in range(len(source.blocks)):
        rendered_texts = {text_key(*text): text for text in source.renderings(number)}
        wanted = store.missing([key for key in rendered_texts if key not in seen])
        seen.update(wanted)
        waiting |= {key: rendered_texts[key] for key in wanted}
        while len(waiting) >= _PART_TEXTS:
            yield part((number + 1) / len(source.blocks))
    if waiting:
        yield part(1.0)


@torch.inference_mode()
def _encode_images(
    config: TrainConfig, model: DualEncoder, keys: Sequence[int], load: Callable[[], list[bytes]]
) -> tuple[list[int], Tensor, dict[int, str]]:
    """(keys, [n, width] features, reasons of the others by key)."""
    device, size = model.logit_scale.device, model.config.image.size
    readable, features, problems = list[int](), [torch.zeros(0, int(model.image_tower.width))], dict[int, str]()  # type: ignore[arg-type]
    images = load()
    with ThreadPoolExecutor() as threads:
        for start in range(0, len(keys), _BATCH_IMAGES):
            pixels = []
            some = slice(start, start + _BATCH_IMAGES)
            for key, got in zip(keys[some], threads.map(partial(_pixels, size=size), images[some]), strict=True):
                if isinstance(got, str):
                    problems[key] = got
                else:
                    readable.append(key)
                    pixels.append(got)
            if pixels:
                batch = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).to(device)
                with autocast(encoding_precision(config.precision, device), device):
                    features.append(model.image_tower(batch).float().cpu())
    return readable, torch.cat(features), problems


def _pixels(image: bytes, size: int) -> np.ndarray | str:
    """[size, size, 3] of an image, or why it cannot be decoded."""
    try:
        return rendered(image, size)
    except DataError as error:
        return str(error)


@torch.inference_mode()
def _encode_texts(
    config: TrainConfig, model: DualEncoder, keys: Sequence[int], texts: Sequence[tuple[str, int]]
) -> tuple[list[int], Tensor, dict[int, str]]:
    """(keys, [n, width] features, no problems) of (text, tokens at most); those of like length together."""
    device = model.logit_scale.device
    features = torch.zeros(len(keys), int(model.text_tower.width))  # type: ignore[arg-type]
    order = sorted(range(len(keys)), key=lambda i: (texts[i][1], len(texts[i][0])))
    for start in range(0, len(order), _BATCH_TEXTS):
        numbers = order[start : start + _BATCH_TEXTS]
        for limit in sorted({texts[i][1] for i in numbers}):
            some = [i for i in numbers if texts[i][1] == limit]
            tokens = model.tokenize([texts[i][0] for i in some], limit)
            with autocast(encoding_precision(config.precision, device), device):
                of = model.text_tower({name: values.to(device) for name, values in tokens.items()})
            features[some] = of.float().cpu()
    return list(keys), features, {}


def _described(tower: nn.Module, precision: str, settings: dict[str, Any]) -> dict[str, Any]:
    """What the features of a tower depend on."""
    digest = hashlib.sha256()
    for name, of in tower.state_dict().items():
        digest.update(name.encode())
        digest.update(of.detach().cpu().contiguous().numpy().tobytes())
    return {
        "format": 1,
        "settings": json.loads(json.dumps(settings)),
        "weights": digest.hexdigest(),
        "precision": precision,
    }
