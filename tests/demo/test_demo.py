"""The demo, two steps a recipe: what it leaves, at what compute, and that it continues."""

import json
import os
import shutil
import signal
import threading
import time
from functools import partial

import pytest
import yaml

from manyview import DualEncoder
from manyview.demo import DEMO_RECIPES, run_demo
from manyview.demo.searches import first_searches
from manyview.errors import Interrupted, UsageError
from manyview.train import RunFolder, read_metrics

SHORT = {"steps": 2, "epochs": None, "batch_size": 16, "log_every": 1, "save_every": 1, "workers": 0}


@pytest.fixture(scope="module", autouse=True)
def only_held_out_records_are_searched():
    """A demo's first searches are among all records, which take half a minute to encode."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("manyview.demo.run.first_searches", partial(first_searches, splits=["test"]))
        yield


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "out"
    run_demo(folder, overrides=SHORT)
    return folder


@pytest.fixture(scope="module")
def results(out):
    return json.loads((out / "results.json").read_text())


def test_results_have_every_source_kind_and_direction(results):
    assert tuple(results["recipes"]) == DEMO_RECIPES
    for sources in results["recipes"].values():
        assert {"title", "tags", "title+tags", "all", "title.zh", "tags.zh", "all.zh"} <= set(sources["emoji"])
        assert {"title", "tags", "description", "title+tags", "all"} <= set(sources["openclipart"])
        assert sources["emoji"]["title+tags"]["t2i"]["gallery"] >= 200
        assert sources["openclipart"]["title+tags"]["t2i"]["gallery"] >= 400
        for kinds in sources.values():
            for directions in kinds.values():
                assert set(directions) == {"t2i", "i2t"}
                for cell in directions.values():
                    assert 0 <= cell["r1"] <= cell["r5"] <= cell["r10"] <= 100
                    assert cell["r10_low"] <= cell["r10"] <= cell["r10_high"]
                    assert 1 <= cell["median_rank"] <= cell["gallery"]
                    assert 0 < cell["chance_r10"] < 100
    assert results["seconds"] > 0
    assert results["peak_rss_mb"] > 0


def test_records_are_judged_with_their_controls_for_every_kind_that_asks(results):
    assert tuple(results["records"]) == DEMO_RECIPES
    for sources in results["records"].values():
        assert set(sources) == {"emoji", "openclipart"}
        for kinds in sources.values():
            assert {"title", "tags", "title, new words", "tags, new words"} <= set(kinds)
            for answers in kinds.values():
                assert set(answers) == {"record", "text", "image", "bm25", "bm25+record"}
                for cell in answers.values():
                    assert 0 <= cell["r1"] <= cell["r5"] <= cell["r10"] <= 100
                    assert cell["r10_low"] <= cell["r10"] <= cell["r10_high"]
                    assert 0 < cell["mrr"] <= 1
            assert kinds["tags, new words"]["bm25"]["r10"] == 0
    assert all(weights["image"] == 1 for weights in results["record_weights"].values())


def test_all_recipes_see_as_many_pictures_and_only_many_view_reads_the_glossary(results, out):
    clip, sampling, many = (results["compute"][name] for name in DEMO_RECIPES)
    assert clip["steps"] == sampling["steps"] == many["steps"] == 2
    assert clip["images"] == sampling["images"] == many["images"] == 2 * 16
    assert clip["texts"] <= 2 * 16 < sampling["texts"] <= 2 * 16 * 2 < many["texts"]
    corpora = [yaml.safe_load(RunFolder(out / name).config.read_text())["corpus"] for name in DEMO_RECIPES]
    assert corpora == ["starter", "starter", {"starter": 1, "glossary": 2}]


def test_the_comparisons_are_of_many_view_with_the_others(results):
    baseline, candidate = DEMO_RECIPES[-2:]
    for row in results["comparison"]:
        cells = [
            results["recipes"][name][row["source"]][row["query_kind"]][row["direction"]]
            for name in (baseline, candidate)
        ]
        assert [row["baseline"], row["candidate"]] == pytest.approx([cell["r10"] for cell in cells])
        assert row["low"] <= row["difference"] <= row["high"]
    assert set(results["records_comparison"]) == set(DEMO_RECIPES[:-1])
    for name, rows in results["records_comparison"].items():
        for row in (row for row in rows if row["source"] != "mean of sources"):
            cells = [
                results["records"][one][row["source"]][row["query_kind"]][row["direction"]] for one in (name, candidate)
            ]
            assert [row["baseline"], row["candidate"]] == pytest.approx([cell["r10"] for cell in cells])


def test_the_report_has_its_sections_and_commands(out):
    html = (out / "report.html").read_text()
    for section in (
        "searches",
        "records",
        "record-recall",
        "corpus",
        "losses",
        "recall",
        "differences",
        "queries",
        "neighbors",
        "views",
        "compute",
        "commands",
    ):
        assert f'id="{section}"' in html
    assert "manyview search" in html
    assert "asked in Chinese" in html
    for query in ("dinner", "something to drink", "happy", "晚餐"):
        assert f">{query}</q>" in html
    assert html.index("Asked with words that a record does not hold") < html.index("Pictures alone")


def test_what_is_finished_is_not_trained_again_and_what_is_not_continues(out):
    first, *_, last = (out / name for name in DEMO_RECIPES)
    weights = {name: (out / name / "model" / "model.safetensors").read_bytes() for name in DEMO_RECIPES}
    before = (first / "model" / "model.safetensors").stat().st_mtime_ns
    shutil.rmtree(last / "model")
    shutil.rmtree(last / "checkpoints" / "step-000002")
    run_demo(out, overrides=SHORT)
    assert (first / "model" / "model.safetensors").stat().st_mtime_ns == before
    assert (last / "model" / "model.safetensors").read_bytes() == weights[last.name]
    assert [row["step"] for row in read_metrics(last / "metrics.jsonl")] == [1, 2]
    DualEncoder.from_pretrained(last)


def test_other_settings_or_other_things_are_not_written_over(out, tmp_path):
    with pytest.raises(UsageError, match="other settings"):
        run_demo(out, seed=1, overrides=SHORT)
    (tmp_path / "file.txt").write_text("mine")
    with pytest.raises(UsageError, match="something other than a demo"):
        run_demo(tmp_path)
    with pytest.raises(UsageError, match="is a file"):
        run_demo(tmp_path / "file.txt")


def test_a_stopped_demo_says_that_the_same_command_continues(tmp_path):
    def stop(signal_number, frame):
        raise AssertionError("the demo must catch the signal")

    before = signal.signal(signal.SIGINT, stop)
    timer = threading.Thread(target=_interrupt_when_there, args=(tmp_path / "out" / DEMO_RECIPES[0] / "metrics.jsonl",))
    timer.start()
    try:
        with pytest.raises(Interrupted, match="same command again"):
            run_demo(tmp_path / "out", overrides={**SHORT, "steps": 5_000, "batch_size": 2})
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)


def _interrupt_when_there(file):
    deadline = time.monotonic() + 120
    while not (file.exists() and file.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGINT)
