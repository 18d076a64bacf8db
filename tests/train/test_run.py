"""Laws of what a run is made of: every kind that stands for a caption trains, and no kind is missed in silence."""

from dataclasses import replace

import pytest

from manyview.corpus import Corpus, Text, write_corpus
from manyview.errors import UsageError
from manyview.train import read_metrics, train


@pytest.fixture
def only(corpus, tmp_path):
    """The squares with their titles under another kind, and nothing else."""

    def of(kind: str):
        records = [
            replace(record, texts=tuple(Text(kind, text.text) for text in record.texts if text.lang == "zh"))
            for record in Corpus.open(corpus).records("train")
        ]
        write_corpus(tmp_path / kind, {"train": records}, name=kind)
        return tmp_path / kind

    return of


@pytest.mark.parametrize("kind", ["caption", "title", "description", "context", "query", "alt"])
def test_a_corpus_of_any_caption_trains_with_clip_without_being_told(only, config, tmp_path, kind):
    train(config(f"corpus={only(kind)}", "steps=2", name="clip"), tmp_path / "run")
    assert read_metrics(tmp_path / "run" / "metrics.jsonl")[-1]["texts"] == 16


def test_a_kind_that_the_corpus_lacks_is_refused_with_the_setting_that_uses_what_there_is(only, config, tmp_path):
    told = config(f"corpus={only('slogan')}", "steps=2", name="clip")
    with pytest.raises(UsageError, match=r"it has slogan .*20.*; views.texts.caption.kinds=\[slogan\] would use them"):
        train(told, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    train(
        config(f"corpus={tmp_path / 'slogan'}", "steps=2", "views.texts.caption.kinds=[slogan]", name="clip"),
        tmp_path / "run",
    )
