"""FeatureStore: what a tower gives of images or texts, on disk, found again by their contents."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from manyview.corpus.fingerprint import identity
from manyview.errors import DataError, ManyviewError, UsageError

__all__ = ["FeatureStore", "text_key"]

_META = "store.json"
_PART = "part-{:06d}.safetensors"
_FEATURES, _KEYS, _PROBLEMS = "features", "keys", "problems"


def text_key(text: str, max_tokens: int) -> int:
    """The key of a text that is cut to so many tokens."""
    return identity(f"{max_tokens} {text}".encode())


class FeatureStore:
    """Rows of float32 [width] by 64-bit key, in a folder of parts to which parts are only added.

    A part is written whole or not at all; its features stay on the disk and are mapped into memory, of which the
    system takes back what it needs. Memory is 16 bytes a key. A store belongs to one tower: `tower` describes it.
    """

    def __init__(self, folder: Path, tower: dict[str, Any], width: int) -> None:
        """Raises UsageError for a folder that holds features of another tower, DataError for a damaged one."""
        self.folder, self.tower, self.width = folder, tower, width
        self._parts: list[Tensor] = []
        self._keys = self._places = np.zeros(0, np.int64)  # ascending; of each key: part * 2^32 + row
        self._problems: dict[int, str] = {}
        self.next_part = 0
        """Number of the first part that was not there when the parts were opened."""
        self.check()

    def __getstate__(self) -> dict[str, Any]:
        return {"folder": self.folder, "tower": self.tower, "width": self.width}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]
        self.open_parts()

    def check(self) -> None:
        """Raises UsageError where the folder holds features of another tower."""
        file = self.folder / _META
        if not file.is_file():
            return
        try:
            there = json.loads(file.read_bytes())
        except ValueError as error:
            raise DataError(f"{file} is damaged: {error}") from None
        if there != self.tower:
            differing = sorted(key for key in there.keys() | self.tower.keys() if there.get(key) != self.tower.get(key))
            raise UsageError(
                f"the features at {self.folder} are of another model (other {', '.join(differing)}): remove that "
                "folder, or give another one with start.features"
            )

    def open_parts(self) -> None:
        """Map every part that the folder holds now. Raises DataError for a damaged part."""
        keys, places = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        self._parts, self._problems, self.next_part = [], {}, 0
        for file in sorted(self.folder.glob("part-*.safetensors")):
            try:
                with safe_open(file, "pt") as opened:
                    rows, features = opened.get_tensor(_KEYS).numpy(), opened.get_tensor(_FEATURES)
                    self._problems |= {int(key): why for key, why in json.loads(opened.metadata()[_PROBLEMS]).items()}
            except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
                raise DataError(f"{file} is damaged, remove it: {' '.join(str(error).split())}") from None
            keys.append(rows)
            places.append((len(self._parts) << 32) + np.arange(len(rows)))
            self._parts.append(features)
            self.next_part = int(file.stem.removeprefix("part-")) + 1
        joined = np.concatenate(keys)
        order = joined.argsort(kind="stable")
        self._keys, self._places = joined[order], np.concatenate(places)[order]

    def __len__(self) -> int:
        return len(self._keys)

    def problem(self, key: int) -> str | None:
        """Why there are no features of this key, where its content could not be read."""
        return self._problems.get(key)

    def missing(self, keys: Sequence[int]) -> list[int]:
        """Those that the store knows nothing of, in their order, each once."""
        asked = np.array(list(dict.fromkeys(keys)), np.int64)
        _, has = self._found(asked)
        return [key for key in asked[~has].tolist() if key not in self._problems]

    def rows(self, keys: Sequence[int]) -> Tensor:
        """[n, width] float32. Raises ManyviewError for a key that the store has not."""
        asked = np.array(keys, np.int64)
        index, has = self._found(asked)
        if not has.all():
            raise ManyviewError(f"{int((~has).sum())} contents have no features at {self.folder}: was a part removed?")
        places = self._places[index]
        rows = torch.empty(len(asked), self.width)
        for part in np.unique(places >> 32).tolist():
            here = torch.from_numpy((places >> 32) == part)
            rows[here] = self._parts[part][torch.from_numpy(places & 0xFFFFFFFF)[here]]
        return rows

    def tokens(self, texts: Sequence[str], max_tokens: int) -> dict[str, Tensor]:
        """In place of a tokenizer's tensors: the features of each text as its only token, see `text_features`."""
        return {
            "ids": self.rows([text_key(text, max_tokens) for text in texts]),
            "lengths": torch.ones(len(texts), dtype=torch.int32),
        }

    def write(self, number: int, keys: Sequence[int], features: Tensor, problems: dict[int, str]) -> None:
        """Add the part of this number, [n, width] features of n keys; it is seen after `open_parts`.

        Raises ManyviewError where the disk takes no more.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            meta = self.folder / _META
            if not meta.is_file():
                _replace(meta, lambda file: file.write_text(json.dumps(self.tower, indent=1), encoding="utf-8"))
            tensors = {_KEYS: torch.tensor(keys, dtype=torch.int64), _FEATURES: features.float().contiguous()}
            told = {_PROBLEMS: json.dumps(problems)}
            _replace(self.folder / _PART.format(number), lambda file: save_file(tensors, file, told))
        except (OSError, SafetensorError) as error:
            raise ManyviewError(f"cannot write features to {self.folder}: {error}") from None

    def _found(self, asked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """For each key a place in the sorted keys, and whether it is there."""
        index = np.minimum(np.searchsorted(self._keys, asked), max(0, len(self._keys) - 1))
        if not len(self._keys):
            return index, np.zeros(len(asked), bool)
        return index, self._keys[index] == asked


def _replace(file: Path, write: Any) -> None:
    """Whole or not at all, whichever process does it."""
    partial = file.with_name(f"{file.name}.{os.getpid()}.partial")
    write(partial)
    partial.replace(file)
