"""Laws of text towers of transformers: every token counts, positions end in a sentence, what is none is refused."""

import pytest
import torch

from manyview.errors import UsageError
from manyview.model import DualEncoder, ModelConfig, TextTowerConfig, train_wordpiece
from manyview.model.text_tower import TransformerTower
from manyview.model.tower_probe import longest_text

TEXTS = ["a red apple on the table", "two cats", "an onion, a tomato and an apple", "red"]
BERT = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
SMALL = {
    "bert": BERT,
    "roberta": BERT,
    "modernbert": BERT,
    "t5": {"d_model": 32, "d_ff": 64, "d_kv": 16, "num_layers": 2, "num_heads": 2},
    "bart": {"d_model": 32, "encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 64},
    "clip_text_model": BERT,
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 2},
    "llama": {**BERT, "num_key_value_heads": 2},
}
CAUSAL = {"clip_text_model", "gpt2", "llama"}


@pytest.fixture(scope="module")
def tokenizer():
    return train_wordpiece(TEXTS, 200)


def tower(name, tokenizer, pooling="cls", **more):
    torch.manual_seed(0)
    config = TextTowerConfig(name=name, options={**SMALL.get(name, {}), **more}, pooling=pooling)
    made = TransformerTower(config, tokenizer.vocab_size, tokenizer.pad, special=tokenizer.special_ids)
    return made.eval()


def text_of(ids):
    return {"ids": torch.tensor(ids, dtype=torch.int32), "lengths": torch.tensor([len(ids)], dtype=torch.int32)}


@pytest.mark.parametrize("pooling", ["cls", "mean"])
@pytest.mark.parametrize("name", sorted(SMALL))
def test_a_change_of_any_token_changes_the_vector(name, pooling, tokenizer):
    encode = tower(name, tokenizer, pooling)
    ids = tokenizer(TEXTS[:1], 32)["ids"].tolist()
    with torch.no_grad():
        vector = encode(text_of(ids))
        for place in range(1, len(ids) - 1):
            other = encode(text_of([*ids[:place], ids[place] - 1, *ids[place + 1 :]]))
            assert (vector - other).abs().max() > 1e-6, place


@pytest.mark.parametrize("name", [*sorted(SMALL), "bert that decodes"])
def test_a_text_has_the_same_vector_in_any_batch(name, tokenizer):
    more = {"is_decoder": True} if name == "bert that decodes" else {}
    encode = tower(name.split()[0], tokenizer, **{**BERT, **more} if more else {})
    assert encode.causal == (name in CAUSAL or bool(more))
    assert not (encode.causal and encode.packed)
    with torch.no_grad():
        together = encode(tokenizer(TEXTS, 32))
        alone = torch.cat([encode(tokenizer([text], 32)) for text in TEXTS])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)


def test_a_causal_tower_is_read_at_its_last_token(tokenizer):
    encode = tower("gpt2", tokenizer)
    tokens = tokenizer(TEXTS, 32)
    with torch.no_grad():
        for text, vector in zip(TEXTS, encode(tokens), strict=True):
            ids = tokenizer([text], 32)["ids"].long()
            states = encode.encoder(input_ids=ids[None]).last_hidden_state[0]
            torch.testing.assert_close(vector, states[-1], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "pooling", "sentence"),
    [
        ("vit", "cls", "'vit' with pooling=cls is no text tower"),
        ("wav2vec2", "mean", "'wav2vec2' with pooling=mean is no text tower"),
        ("gpt2", "pooler", "'gpt2' with pooling=pooler is no text tower"),
        ("clip_text_model", "pooler", "does not see the whole text with this tokenizer: take pooling=cls"),
    ],
)
def test_what_cannot_encode_texts_is_refused(name, pooling, sentence, tokenizer):
    small = {"num_hidden_layers": 1} if name in ("vit", "wav2vec2") else {}
    with pytest.raises(UsageError, match=sentence):
        tower(name, tokenizer, pooling, **small)


def test_a_vocabulary_smaller_than_the_tokenizers_is_refused(tokenizer):
    with pytest.raises(UsageError, match=rf"embeds 50 tokens, and the tokenizer has {tokenizer.vocab_size}"):
        tower("bert", tokenizer, vocab_size=50)


@pytest.mark.parametrize(
    ("name", "positions", "allowed"),
    [
        ("bert", {"max_position_embeddings": 20}, 20),
        ("roberta", {"max_position_embeddings": 20}, 19),  # the first is the padding token's, 0 with this tokenizer
        ("bart", {"max_position_embeddings": 20}, 20),
        ("clip_text_model", {"max_position_embeddings": 20}, 20),
        ("gpt2", {"n_positions": 20}, 20),
        ("t5", {}, None),
    ],
)
def test_texts_longer_than_the_position_table_are_refused_before_any_is_read(name, positions, allowed, tokenizer):
    def config(max_tokens):
        text = TextTowerConfig(name=name, options={**SMALL[name], **positions}, max_tokens=max_tokens)
        return ModelConfig(embed_dim=8, text=text)

    long = " ".join(TEXTS * 10)
    if allowed is None:
        assert DualEncoder(config(200), tokenizer).encode_text(long).isfinite().all()
        return
    model = DualEncoder(config(allowed), tokenizer)
    with pytest.warns(UserWarning, match=f"longer than {allowed} tokens"):
        assert model.encode_text(long).isfinite().all()
    with pytest.raises(UsageError, match=rf"max_tokens={allowed + 1} is more than .* allowed: at most {allowed}"):
        DualEncoder(config(allowed + 1), tokenizer)
    assert DualEncoder(config(None), tokenizer).max_tokens == allowed  # a model saved without its length


@pytest.mark.parametrize("longest", [0, 1, 7, 63, 64, 200])
def test_the_longest_text_is_found_by_bisection(longest):
    assert longest_text(lambda length: length <= longest, 64) == min(longest, 64)
