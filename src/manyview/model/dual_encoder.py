"""DualEncoder: an image tower and a text tower that share one space."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from manyview.corpus.record import Record
from manyview.data.images import rendered
from manyview.errors import DataError, UsageError, require_utf8
from manyview.model.batching import chunks_of, made_ahead
from manyview.model.card import CARD_FILE, model_card
from manyview.model.config import ModelConfig, with_saved_defaults
from manyview.model.head import build_head
from manyview.model.image_tower import build_image_tower
from manyview.model.linear import Linear
from manyview.model.ngrams import NgramTokenizer, NgramTower
from manyview.model.packed import join_tokens
from manyview.model.record_vector import IMAGE, check_weights, joined_views, text_views
from manyview.model.text_tower import TransformerTower, build_text_tower
from manyview.model.tokenizer import TOKENIZER_FILE, TextTokenizer, WordPieceTokenizer
from manyview.precision import Precision, autocast
from manyview.terminal import encodable

__all__ = ["CONFIG_FILE", "WEIGHTS_FILE", "DualEncoder", "find_model"]

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
_MAX_TOKENS = 64  # of models saved without the length that they were trained on


class DualEncoder(nn.Module):
    """Maps images and texts to L2-normalised vectors of `embed_dim`, so that a dot product compares them.

    >>> from manyview import DualEncoder
    >>> from manyview.model import ModelConfig
    >>> model = DualEncoder(ModelConfig())  # random weights; DualEncoder.from_pretrained("RUN") for a trained one
    >>> texts = model.encode_text(["a red apple", "红苹果"])
    >>> texts.shape
    torch.Size([2, 256])
    >>> model.similarity(texts, texts).diagonal().round(decimals=3)
    tensor([1., 1.])
    """

    def __init__(self, config: ModelConfig, tokenizer: WordPieceTokenizer | None = None) -> None:
        """Random weights. `tokenizer` is needed by every text tower but "ngrams", which hashes."""
        super().__init__()
        self.config = config
        self.wordpiece = tokenizer
        if tokenizer is None and config.text.name != "ngrams":
            raise UsageError(f"the text tower {config.text.name!r} needs a tokenizer: train_wordpiece makes one")
        self.image_tower = build_image_tower(config.image)
        self.text_tower = _text_tower(config, tokenizer)
        self.max_tokens = _max_tokens(config, self.text_tower)
        self._warned_of_cut = False
        self.image_projection = build_head(_width(self.image_tower), config.embed_dim, config.head)
        self.text_projection = build_head(_width(self.text_tower), config.embed_dim, config.head)
        Linear.instead_of(self)
        self.logit_scale = nn.Parameter(torch.tensor(config.logit_scale_init))

    @property
    def embed_dim(self) -> int:
        """Width of the shared space."""
        return self.config.embed_dim

    @property
    def tokenize(self) -> TextTokenizer:
        """What turns texts into the text tower's tensors; it can be sent to other processes."""
        if isinstance(self.text_tower, NgramTower):
            return NgramTokenizer(self.text_tower.buckets, self.config.text.word_rules)
        assert self.wordpiece is not None
        return self.wordpiece

    def image_features(self, images: Tensor) -> Tensor:
        """[n, embed_dim], L2-normalised, from [n, 3, size, size] uint8, or from what the tower gives, [n, width]."""
        pooled = images if images.is_floating_point() else self.image_tower(images)
        return functional.normalize(self.image_projection(pooled).float(), dim=-1)

    def text_features(self, tokens: Mapping[str, Tensor]) -> Tensor:
        """[n, embed_dim], L2-normalised, from the tensors of `tokenize`.

        In place of the numbers of tokens, `ids` may hold what the tower gives, one row [width] a text of length 1.
        """
        pooled = tokens["ids"] if tokens["ids"].is_floating_point() else self.text_tower(dict(tokens))
        return functional.normalize(self.text_projection(pooled).float(), dim=-1)

    def forward(
        self,
        images: Mapping[str, Tensor],
        tokens: Mapping[str, Mapping[str, Tensor]],
        present: Mapping[str, Tensor],
    ) -> tuple[dict[str, Tensor], Tensor]:
        """([n, embed_dim] features of every view, exp(logit_scale)).

        `images` and `tokens` hold the rows present only, all rows where `present` does not name the view; the rows of
        absent views are zero. Views of one size go
        through the image tower at once, all texts through the text tower, and where there is none a single blank image
        or text that nobody reads, so that all processes of a world do the same.
        """
        features = dict[str, Tensor]()
        for together in self._passes(images):
            encoded = self._encoded_images([images[name] for name in together])
            features |= {name: _at_rows(present.get(name), of) for name, of in zip(together, encoded, strict=True)}
        counts = [len(of["lengths"]) for of in tokens.values()]
        read = list(tokens.values())
        if not any(counts):
            read.append(self._unread_text(read))
            counts.append(1)
        for name, rows in zip(tokens, torch.split(self.text_features(join_tokens(read)), counts), strict=False):
            features[name] = _at_rows(present.get(name), rows)
        return features, self.logit_scale.exp()

    def _unread_text(self, absent: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
        """A single text, as tokens or as what the tower gives, whichever the absent ones would be."""
        if absent and absent[0]["ids"].is_floating_point():
            ids = absent[0]["ids"]
            return {"ids": ids.new_zeros(1, ids.shape[1]), "lengths": absent[0]["lengths"].new_ones(1)}
        return {key: of.to(self.logit_scale.device) for key, of in self.tokenize(["a"], self.max_tokens).items()}

    def _encoded_images(self, views: Sequence[Tensor]) -> Sequence[Tensor]:
        """Features of each of some views' images, encoded at once.

        A blank image takes the place of none; it leaves a tower's statistics of its images alone.
        """
        counts = [len(of) for of in views]
        if any(counts):
            return torch.split(self.image_features(torch.cat(list(views))), counts)
        counting = [module for module in self._batch_norms() if module.training]
        for module in counting:
            module.eval()
        blank = self.image_features(views[0].new_zeros(1, *views[0].shape[1:]))
        for module in counting:
            module.train()
        return torch.split(blank, [*counts, 1])[:-1]

    def _batch_norms(self) -> list[nn.Module]:
        return [module for module in self.image_tower.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]

    def _passes(self, images: Mapping[str, Tensor]) -> list[list[str]]:
        """Views that go through the image tower together: those of one size, unless it takes statistics of them."""
        if self._batch_norms():
            return [[name] for name in images]
        sizes = {of.shape[-1]: list[str]() for of in images.values()}
        for name, of in images.items():
            sizes[of.shape[-1]].append(name)
        return list(sizes.values())

    def clamp_logit_scale(self) -> None:
        """Keep exp(logit_scale) at most at its maximum; to be called after each optimizer step."""
        with torch.no_grad():
            self.logit_scale.clamp_(max=self.config.logit_scale_max)

    @torch.inference_mode()
    def encode_image(
        self,
        images: Sequence[bytes | str | Path | Image.Image] | bytes | str | Path | Image.Image,
        batch_size: int = 256,
        precision: Precision = "float32",
    ) -> Tensor:
        """[n, embed_dim] float32, L2-normalised, from images, encoded bytes or paths; [1, embed_dim] from a single one.

        Each is resized to the short side and cut in the middle. Images are decoded on all cores, those of a batch
        while the one before is computed. Raises DataError for an unreadable one.
        """
        if isinstance(images, bytes | str | Path | Image.Image):
            images = [images]
        with ThreadPoolExecutor() as threads:
            pixels = made_ahead(threads, partial(rendered, size=self.config.image.size), chunks_of(images, batch_size))
            chunks = [
                self._in_eval(self.image_features, torch.from_numpy(np.stack(chunk)).permute(0, 3, 1, 2), precision)
                for chunk in pixels
            ]
        return torch.cat(chunks) if chunks else torch.zeros(0, self.embed_dim)

    @torch.inference_mode()
    def encode_text(
        self, texts: Sequence[str] | str, batch_size: int = 1024, precision: Precision = "float32"
    ) -> Tensor:
        """[n, embed_dim] float32, L2-normalised; [1, embed_dim] from a single text.

        Texts are cut at the length that the model was trained on, `max_tokens`; the first time a warning says so.
        """
        texts = [texts] if isinstance(texts, str) else texts
        chunks = []
        for chunk in chunks_of(texts, batch_size):
            tokens = self.tokenize(chunk, self.max_tokens)
            self._warn_of_cut(chunk, tokens["lengths"])
            chunks.append(self._in_eval(self.text_features, tokens, precision))
        return torch.cat(chunks) if chunks else torch.zeros(0, self.embed_dim)

    @torch.inference_mode()
    def encode_record(
        self, records: Sequence[Record], weights: Mapping[str, float] | None = None, batch_size: int = 256
    ) -> Tensor:
        """[n, embed_dim] float32, L2-normalised: the sum of each record's views by weight, those it lacks left out.

        `weights`: by view, "image" or a kind of text, by default `config.record.weights`; a view not named counts 1.
        Raises UsageError for a negative weight and for a record all of whose views have weight 0, DataError for a
        record without a picture and texts and for an unreadable picture.
        """
        weights = self.config.record.weights if weights is None else weights
        check_weights(weights)
        features, present = self.encode_views(records, batch_size)
        vectors, counted = joined_views(features, present, weights)
        for record, counts, *has in zip(records, counted.tolist(), *present.values(), strict=True):
            if not any(has):
                raise DataError(f"the record {record.id!r} has neither a picture nor a text, so it has no vector")
            if not counts:
                views = sorted(view for view, there in zip(present, has, strict=True) if there)
                raise UsageError(f"all views of the record {record.id!r} ({', '.join(views)}) have the weight 0")
        return vectors

    @torch.inference_mode()
    def encode_views(
        self, records: Sequence[Record], batch_size: int = 256
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """(view -> [n, embed_dim], view -> bool [n] whether a record has it) of "image" and of every kind of text.

        Features are L2-normalised, and zero where a record lacks the view; see `text_views` for those of texts.
        """
        pictures = torch.tensor([record.image is not None for record in records], dtype=torch.bool)
        images = torch.zeros(len(records), self.embed_dim)
        images[pictures] = self.encode_image([r.image for r in records if r.image is not None], batch_size)
        features, present = text_views([record.texts for record in records], self.config.record, self.encode_text)
        return {IMAGE: images} | features, {IMAGE: pictures} | present

    def _warn_of_cut(self, texts: Sequence[str], lengths: Tensor) -> None:
        full = [] if self._warned_of_cut else (lengths >= self.max_tokens).nonzero()[:, 0].tolist()
        cut = next((texts[i] for i in full if self.tokenize.cuts(texts[i], self.max_tokens)), None)
        if cut is not None:
            self._warned_of_cut = True
            warnings.warn(
                f"texts longer than {self.max_tokens} tokens, the length that this model was trained on, are cut "
                f"there, as the one that begins {cut[:40]!r}",
                stacklevel=4,
            )

    @staticmethod
    def similarity(a: Tensor, b: Tensor) -> Tensor:
        """[n, m] cosines of two sets of encoded rows."""
        return a @ b.T

    def save_pretrained(self, folder: str | Path, training: str = "Random weights.") -> None:
        """Write model.safetensors, README.md, tokenizer.json where there is one, and config.json last.

        A folder with config.json is therefore whole. `training` is the card's section on where the weights
        come from.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CONFIG_FILE).unlink(missing_ok=True)
        save_file({name: of.contiguous() for name, of in self.state_dict().items()}, folder / WEIGHTS_FILE)
        if self.wordpiece is not None:
            self.wordpiece.save(folder / TOKENIZER_FILE)
        card = model_card(self.config, sum(p.numel() for p in self.parameters()), training)
        (folder / CARD_FILE).write_text(encodable(card), encoding="utf-8")
        config = json.dumps(self.config.model_dump(mode="json"), indent=2, ensure_ascii=False)
        partial = folder / f"{CONFIG_FILE}.partial"
        partial.write_text(config + "\n", encoding="utf-8")
        partial.replace(folder / CONFIG_FILE)

    @classmethod
    def from_pretrained(cls, path: str | Path) -> DualEncoder:
        """The model in a folder of `save_pretrained`, or in the `model` folder of a run.

        Raises UsageError where there is none, DataError for a damaged one.
        """
        folder = find_model(path)
        try:
            config = with_saved_defaults(ModelConfig.model_validate_json((folder / CONFIG_FILE).read_bytes()))
            weights = load_file(folder / WEIGHTS_FILE)
        except (ValidationError, SafetensorError, OSError) as error:
            raise DataError(f"the model at {folder} is damaged: {' '.join(str(error).split())}") from None
        file = folder / TOKENIZER_FILE
        model = cls(config, WordPieceTokenizer.load(file) if file.is_file() else None)
        try:
            model.load_state_dict(weights)
        except RuntimeError as error:
            raise DataError(f"the weights at {folder} are of another model than its config: {error}") from None
        return model.eval()

    def _in_eval(self, encode: Any, batch: Any, precision: Precision) -> Tensor:
        was_training = self.training
        self.eval()
        try:
            device = self.logit_scale.device
            moved = batch.to(device) if isinstance(batch, Tensor) else {k: v.to(device) for k, v in batch.items()}
            with autocast(precision, device):
                features: Tensor = encode(moved).cpu()
            return features
        finally:
            self.train(was_training)


def find_model(path: str | Path) -> Path:
    """The folder that holds config.json: `path` itself or, for a run, its `model` folder."""
    require_utf8(path)
    for folder in (Path(path), Path(path) / "model"):
        if (folder / CONFIG_FILE).is_file() and (folder / WEIGHTS_FILE).is_file():
            return folder
    raise UsageError(f"no model at {path}: give a run, or a folder with {CONFIG_FILE} and {WEIGHTS_FILE}")


def _text_tower(config: ModelConfig, tokenizer: WordPieceTokenizer | None) -> nn.Module:
    if tokenizer is None:
        return build_text_tower(config.text, 0, 0)
    return build_text_tower(config.text, tokenizer.vocab_size, tokenizer.pad, tokenizer.special_ids)


def _max_tokens(config: ModelConfig, tower: nn.Module) -> int:
    """Where texts are cut. Raises UsageError for a length that the tower does not take."""
    wanted = config.text.max_tokens or _MAX_TOKENS
    if not isinstance(tower, TransformerTower):
        return wanted
    taken = tower.longest_text(wanted)
    if taken < (config.text.max_tokens or 1):
        raise UsageError(
            f"max_tokens={wanted} is more than the text tower {config.text.name!r} has positions for, "
            f"allowed: at most {taken}"
        )
    return taken


def _at_rows(present: Tensor | None, rows: Tensor) -> Tensor:
    """[n, d] with `rows` [m, d] where `present` [n] says, and zeros elsewhere; None: everywhere."""
    if present is None or len(rows) == len(present):
        return rows
    return rows.new_zeros(len(present), rows.shape[1]).index_put((present.nonzero()[:, 0],), rows)


def _width(tower: nn.Module) -> int:
    width = tower.width
    assert isinstance(width, int)
    return width
