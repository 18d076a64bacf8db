"""Laws of vocabularies: the same texts give the same one, and every character within a word has a piece."""

import random

from manyview.model import train_wordpiece


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
