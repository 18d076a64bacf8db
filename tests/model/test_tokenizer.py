"""Laws of vocabularies: the same texts give the same one, and every character within a word has a piece."""

import random

import torch
from tokenizers import Tokenizer

from manyview.model import WordPieceTokenizer, train_wordpiece


def texts():
    """Words of few letters, so that many pairs of pieces are equally frequent."""
    letters = random.Random(0)
    return [" ".join("".join(letters.choices("aeiounrst", k=6)) for _ in range(8)) for _ in range(200)]


def test_the_same_texts_give_the_same_vocabulary():
    vocabularies = {train_wordpiece(texts(), vocab_size=300).tokenizer.to_str() for _ in range(4)}
    assert len(vocabularies) == 1


def test_a_word_of_known_characters_is_never_unknown():
    tokenizer = train_wordpiece(texts(), vocab_size=300)
    unknown = tokenizer.tokenizer.token_to_id("[UNK]")
    assert unknown not in tokenizer(["stonearius", "teasturnion"], 64)["ids"].tolist()


def test_a_file_that_asks_for_padding_gives_texts_without_it():
    plain = train_wordpiece(texts(), vocab_size=300)
    asking = Tokenizer.from_str(plain.tokenizer.to_str())
    asking.enable_padding(length=128)
    for name, of in WordPieceTokenizer(asking)(["stone", "tea unrest"], 64).items():
        assert torch.equal(of, plain(["stone", "tea unrest"], 64)[name])
