"""Tokenizer: texts as the text tower takes them, trained on the corpus where it needs a vocabulary."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from torch import Tensor

from manyview.errors import DataError, UsageError
from manyview.model.word_cache import SYMBOLS, VARIATION_SELECTORS, WordCache

__all__ = ["TextTokenizer", "WordPieceTokenizer", "train_wordpiece"]

TOKENIZER_FILE = "tokenizer.json"
_PAD, _CLS, _SEP, _MASK, _UNK = "[PAD]", "[CLS]", "[SEP]", "[MASK]", "[UNK]"
_SPECIAL = [_PAD, _CLS, _SEP, _MASK, _UNK]


class TextTokenizer(Protocol):
    """Maps n texts, cut to `max_tokens`, to `ids` int32 [total], one text behind the other, and `lengths` int32 [n]."""

    def __call__(self, texts: Sequence[str], max_tokens: int) -> dict[str, Tensor]: ...

    def cuts(self, text: str, max_tokens: int) -> bool:
        """Whether a text is longer than `max_tokens`."""
        ...


class WordPieceTokenizer:
    """A `tokenizer.json` of the tokenizers library."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        tokenizer.no_padding()  # as a file of sentence-transformers asks for: here texts lie behind one another
        self.tokenizer = tokenizer
        try:
            self._cache: WordCache | None = WordCache(tokenizer)
        except ValueError:
            self._cache = None

    @classmethod
    def load(cls, file: str | Path) -> "WordPieceTokenizer":
        """Raises DataError for a file that the tokenizers library cannot read."""
        try:
            return cls(Tokenizer.from_file(str(file)))
        except Exception as error:  # the library raises bare Exception
            raise DataError(f"{file} is not a tokenizer.json: {error}") from None

    @classmethod
    def of_transformers(cls, folder: str | Path) -> "WordPieceTokenizer":
        """The fast tokenizer of a downloaded transformers model. Raises UsageError for a folder that has none."""
        from transformers import AutoTokenizer  # noqa: PLC0415  2 s that the CPU tower does not need

        try:
            fast = AutoTokenizer.from_pretrained(folder, local_files_only=True, use_fast=True)
            return cls(Tokenizer.from_str(fast.backend_tokenizer.to_str()))
        except (OSError, ValueError, AttributeError) as error:
            raise UsageError(f"{folder} has no fast tokenizer: {str(error).splitlines()[0]}") from None

    def save(self, file: str | Path) -> None:
        """Write `tokenizer.json`."""
        self.tokenizer.save(str(file))

    @property
    def pad(self) -> int:
        """The token that fills rows up."""
        return next((n for n in map(self.tokenizer.token_to_id, (_PAD, "<pad>")) if n is not None), 0)

    @property
    def special_ids(self) -> dict[str, int]:
        """The tokens around a text, by the names of transformers' configurations."""
        whole = self.tokenizer.encode("").ids
        if len(whole) != 2:
            return {}
        first, last = whole
        return {"bos_token_id": first, "cls_token_id": first, "eos_token_id": last, "sep_token_id": last}

    @property
    def vocab_size(self) -> int:
        """Number of tokens, special ones included."""
        return int(self.tokenizer.get_vocab_size())

    def __call__(self, texts: Sequence[str], max_tokens: int) -> dict[str, Tensor]:
        """`ids` and `lengths` of the texts; the last token stays [SEP]."""
        encoded = self._cache(texts, max_tokens) if self._cache else self.library_ids(texts, max_tokens)
        lengths = np.fromiter(map(len, encoded), np.int32, len(encoded))
        ids = np.fromiter(chain.from_iterable(encoded), np.int32, int(lengths.sum()))
        return {"ids": torch.from_numpy(ids), "lengths": torch.from_numpy(lengths)}

    def cuts(self, text: str, max_tokens: int) -> bool:
        """Whether a text has more tokens than `max_tokens`, special ones included."""
        counts = [int(self([text], limit)["lengths"]) for limit in (max_tokens, max_tokens + 1)]
        return counts[1] > counts[0]

    def library_ids(self, texts: Sequence[str], max_tokens: int) -> list[list[int]]:
        """What the tokenizers library gives: the plain twin of the cache."""
        self.tokenizer.enable_truncation(max_tokens)
        encoded = [encoding.ids for encoding in self.tokenizer.encode_batch(list(texts))]
        self.tokenizer.no_truncation()
        return encoded


def train_wordpiece(texts: Iterable[str], vocab_size: int) -> WordPieceTokenizer:
    """A WordPiece vocabulary of at most `vocab_size` learned from texts; every character met is in it.

    BERT's cleaning: lower case, each Chinese character a word of its own; but accents and vowel signs stay, in
    composed form (NFC), since words of many languages differ by them alone, and each symbol is a word too. The same
    texts give the same vocabulary: the trainer breaks ties by the numbers of pieces, and numbers the characters within
    words as it happens to meet them, unless they are numbered before it begins, as special tokens are. Texts are
    gone through twice, in any order; only their words are held, but all texts of an iterator that ends with the first.
    """
    texts = list(texts) if isinstance(texts, Iterator) else texts
    tokenizer = Tokenizer(models.WordPiece(unk_token=_UNK))
    bert = normalizers.BertNormalizer(lowercase=True, strip_accents=False)
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(VARIATION_SELECTORS), ""), bert, normalizers.NFC()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.BertPreTokenizer(), pre_tokenizers.Split(Regex(SYMBOLS), "isolated")]
    )
    words = {word for text in texts for word in _words(tokenizer, text)}
    initial, continuing = sorted(set().union(*words)), sorted(set().union(*(word[1:] for word in words)))
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocab_size,
        special_tokens=[*_SPECIAL, *(f"##{character}" for character in continuing)],
        initial_alphabet=initial,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    pieces = Tokenizer(models.WordPiece(tokenizer.get_vocab(with_added_tokens=False), unk_token=_UNK))
    pieces.add_special_tokens(_SPECIAL)
    pieces.normalizer, pieces.pre_tokenizer = tokenizer.normalizer, tokenizer.pre_tokenizer
    pieces.decoder = decoders.WordPiece()
    ids = {token: pieces.token_to_id(token) for token in (_CLS, _SEP)}
    pieces.post_processor = processors.TemplateProcessing(single=f"{_CLS} $A {_SEP}", special_tokens=list(ids.items()))
    return WordPieceTokenizer(pieces)


def _words(tokenizer: Tokenizer, text: str) -> list[str]:
    """The words of a text that its pieces are cut from."""
    return [word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(text))]
