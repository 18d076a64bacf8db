"""The benchmarks run as they are documented, and the tiled loss holds no square of the batch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from manyview.corpus import Record, Text, write_corpus

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def run(name: str, *arguments: str) -> str:
    """What a benchmark prints."""
    command = [sys.executable, str(BENCHMARKS / name), *arguments]
    told = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"COLUMNS": "200"}, check=False)
    assert told.returncode == 0, told.stderr
    return told.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("loss.py", ("--sizes", "64", "--repeat", "1"), "6 pairs both ways"),
        ("collectives.py", ("--rows", "8", "--width", "16"), "all_gather_single"),
        ("train.py", ("--batch", "2", "--repeat", "1", "--what", "step"), "manyview, bfloat16"),
        ("text_rows.py", ("--pictures", "8", "--texts", "8", "--steps", "1"), "times the pictures alone"),
        ("loader.py", ("--images", "4", "--repeat", "1", "--sides", "256"), "manyview, 256 px"),
        ("reader.py", ("--records", "50000", "--batch-size", "256"), "8 sources in 8 lanes, rank 3 of 8"),
        ("tokenizer.py", ("--texts", "200", "--repeat", "1"), "word cache"),
        ("inference.py", ("--texts", "8", "--images", "2", "--repeat", "1"), "images, manyview, float32"),
        ("fetch.py", ("--images", "200", "--hosts", "4"), "images per CPU second"),
        ("near_duplicates.py", ("--hashes", "2000"), "all different"),
        ("demo.py", ("--steps", "2", "--repeat", "1"), "side by side"),
        ("build.py", ("--samples", "200", "--repeat", "1"), "look: pixels"),
        (
            "clicks.py",
            ("--rows", "20000", "--images", "500", "--ways", "manyview", "pandas"),
            "times manyview's seconds",
        ),
        ("checkpoint.py", ("--every", "2", "--repeat", "1", "--window", "1"), "lost to a checkpoint"),
    ],
)
def test_every_benchmark_runs(name, arguments, told):
    assert told in run(name, *arguments)


def test_the_knowledge_of_a_glossary_is_counted_word_by_word(tmp_path):
    def record(name, title, *tags):
        texts = (Text("title", title, "en"), *(Text("tags", tag, "en") for tag in tags))
        return Record(id=name, group=name, image=None, texts=texts, source="s")

    held_out = [record("h1", "red fox", "wild animal", "fox hunt", "snow"), record("h2", "yurt", "tent")]
    splits = {"train": [record("t", "Red apple", "tree")], "test": held_out}
    rows = [record("g1", "fox", "animal"), record("g2", "tent", "yurt"), record("g3", "snow", "cold")]
    write_corpus(tmp_path / "corpus", splits, name="corpus")
    write_corpus(tmp_path / "glossary", {"train": rows}, name="glossary")
    arguments = ("--corpus", str(tmp_path / "corpus"), "--glossary", str(tmp_path / "glossary"), "--json")
    training, glossary = json.loads(run("glossary_knowledge.py", *arguments))
    assert (training["known_words"], training["words"], training["stated_pairs"]) == (1, 3, 0)
    assert (glossary["known_words"], glossary["words"]) == (2, 3)  # fox and yurt, not red
    assert (glossary["known_unseen_words"], glossary["unseen_words"]) == (2, 2)
    assert (glossary["known_titles"], glossary["titles"]) == (1, 2)
    assert (glossary["stated_pairs"], glossary["pairs"]) == (1, 3)  # "fox hunt" has a word of the title


@pytest.mark.slow
def test_recipes_trains_what_is_missing_and_judges_records_and_pictures(tmp_path):
    given = ["--out", str(tmp_path), "--seeds", "0", "--lengths", "1", "--only", "caption-sampling", "many-view"]
    short = ["steps=2", "epochs=null", "batch_size=32", "log_every=1"]
    page = run("recipes.py", *short, *given)
    assert (tmp_path / "many-view-1x-seed-0" / "model" / "config.json").is_file()
    for section in ("Records by new words", "Pictures", "What titles are tied to"):
        table = page.split(f"## {section}")[1].split("##")[0]
        assert "| caption-sampling |" in table
        assert "| many-view |" in table
    trained = (tmp_path / "many-view-1x-seed-0" / "model" / "model.safetensors").stat().st_mtime_ns
    assert run("recipes.py", *short, *given) == page
    assert (tmp_path / "many-view-1x-seed-0" / "model" / "model.safetensors").stat().st_mtime_ns == trained


@pytest.mark.slow
def test_memory_of_the_loss_grows_with_rows_not_with_their_square():
    def peak_mb(kind: str, n: int) -> float:
        point = json.dumps({"pairs": 1, "n": n, "kind": kind})
        return json.loads(run("loss.py", "--point", point))["mb"]

    square_mb = 8192**2 * 4 / 1e6
    assert peak_mb("open_clip float32", 8192) > 2 * square_mb  # the measure sees what it should
    assert peak_mb("manyview float32", 8192) < square_mb / 2
