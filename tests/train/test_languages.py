"""Laws of languages in training: each learns as English does, whatever its tag."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from tests.train.conftest import COLORS

from manyview.corpus import Corpus, Record, Text, write_corpus
from manyview.train import read_metrics, train

WORDS = {
    "en": ("red", "green", "blue", "yellow", "a {} square, number {}"),
    "de": ("rot", "grün", "blau", "gelb", "ein Quadrat in {}, Nummer {}"),
    "fr": ("rouge", "vert", "bleu", "jaune", "un carré {}, numéro {}"),
    "ja": ("赤", "緑", "青", "黄", "{}い四角、番号{}"),
    "th": ("แดง", "เขียว", "น้ำเงิน", "เหลือง", "สี่เหลี่ยมสี{} หมายเลข {}"),
}


def squares(folder, words, lang):
    """32 squares in four colors, named in one language."""
    rng = np.random.default_rng(0)
    records = []
    for i in range(32):
        pixels = np.clip(np.array(list(COLORS.values())[i % 4]) + rng.normal(0, 20, (24, 24, 3)), 0, 255)
        buffer = io.BytesIO()
        Image.fromarray(pixels.astype(np.uint8)).save(buffer, "PNG")
        title = words[4].format(words[i % 4], i // 4)
        texts = (Text("title", title, lang), Text("caption", title, lang), Text("tags", words[i % 4], lang))
        records.append(Record(f"square/{i}", f"square/{i}", buffer.getvalue(), texts, "squares", "CC0-1.0"))
    write_corpus(folder, {"train": records}, name="squares")
    return folder


@pytest.fixture
def losses(config, tmp_path):
    """The rows of metrics of a short run on squares named by `words` and tagged `lang`."""

    def of(words, lang, *overrides, name="many-view"):
        folder = squares(tmp_path / f"{name}-{lang}-{words[0]}", WORDS[words], lang)
        out = tmp_path / f"run-{name}-{lang}-{words}"
        settings = (f"corpus={folder}", "tensorboard=false", "save_every=1000", *overrides)
        train(config(*settings, name=name), out)
        return read_metrics(out / "metrics.jsonl")

    return of


@pytest.mark.parametrize("name", ["many-view", "caption-sampling", "clip"])
def test_the_same_texts_train_the_same_whatever_their_language_is_called(losses, name):
    english = [row["terms"] for row in losses("en", "en", "steps=2", name=name)]
    for lang in ("de", "", "en-US", "x-klingon"):
        assert [row["terms"] for row in losses("en", lang, "steps=2", name=name)] == english


def test_every_language_learns_as_english_does(losses):
    """Loss at the end as a share of that at the beginning."""

    def left(words, lang):
        rows = losses(words, lang, "steps=40", "batch_size=16")
        assert rows[-1]["texts"] == 40 * 16 * 2
        return np.mean([row["loss"] for row in rows[-5:]]) / rows[0]["loss"]

    english = left("en", "en")
    assert english < 0.8
    for words in ("de", "fr", "ja", "th"):
        assert left(words, words) == pytest.approx(english, abs=0.15)
    assert left("de", "") == pytest.approx(english, abs=0.15)


def test_a_kind_of_any_name_trains_when_a_view_names_it(config, tmp_path):
    folder = squares(tmp_path / "squares", WORDS["de"], "de")
    records = [
        replace(record, texts=(Text("my kind.1", record.texts[0].text, "de"),))
        for record in Corpus.open(folder).records("train")
    ]
    write_corpus(tmp_path / "own", {"train": records}, name="own")
    views = ("views.texts={caption: {kinds: [my kind.1]}}", f"corpus={tmp_path / 'own'}", "steps=2")
    train(config(*views, "tensorboard=false", name="clip"), tmp_path / "run")
    assert read_metrics(tmp_path / "run" / "metrics.jsonl")[-1]["texts"] == 2 * 8
