"""Train the baselines and the candidate, judge all, write results.json and report.html."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from manyview import DualEncoder, __version__
from manyview.config import load_config
from manyview.corpus import Corpus
from manyview.demo.judged import Judged, judge
from manyview.demo.page import records_compared, report_data
from manyview.demo.searches import first_searches
from manyview.demo.side_by_side import share_of_cores, train_and_weigh, train_side_by_side
from manyview.device import choose_device
from manyview.errors import Interrupted, ManyviewError, Saved, UsageError
from manyview.evaluate import comparison
from manyview.evaluate.report import render_report
from manyview.evaluate.report.records import record_verdict
from manyview.evaluate.report.verdict import verdict
from manyview.terminal import encodable
from manyview.train import JobProgress, RunFolder, TrainConfig, recipe

__all__ = ["DEMO_RECIPES", "DEMO_SETTINGS", "GLOSSARY_SETTINGS", "TITLE_SETTINGS", "run_demo"]

DEMO_RECIPES = ("clip", "caption-sampling", "many-view")
DEMO_SETTINGS: dict[str, Any] = {
    "source_exponent": 0,  # as much clip art as emoji, of which there are many drawings a concept
    "epochs": 12,
    "batch_size": 256,
    "views.langs": {"en": 3.0, "zh": 1.0, "": 1.0},  # those it is judged in
}
TITLE_SETTINGS: dict[str, Any] = {"views.texts.caption.kinds": ["title"]}
GLOSSARY_ROWS = 2  # of the glossary, for each picture of a batch
GLOSSARY_SETTINGS: dict[str, Any] = {
    "corpus": {"starter": 1, "glossary": GLOSSARY_ROWS},
    "batch_size": (1 + GLOSSARY_ROWS) * DEMO_SETTINGS["batch_size"],
    "model.text.options": {"buckets": 65_536},
}
_MARK = "demo.json"
_JUDGING = "judging"
_JUDGING_COST = 0.1  # of one training


def run_demo(
    out: str | Path, *, seed: int = 0, overwrite: bool = False, overrides: Mapping[str, Any] | None = None
) -> None:
    """Leave results.json, report.html and a run folder a recipe in `out`; called again, continue.

    `overrides` replace keys of all recipes' configurations. Raises UsageError for a folder that holds
    anything but a demo of the same settings.
    """
    out = Path(out)
    settings = {"seed": seed, **DEMO_SETTINGS, **(overrides or {})}
    configs = {name: _config(name, settings) for name in DEMO_RECIPES}
    corpus = Corpus.open("starter")
    _claim(out, {name: config.model_dump(mode="json") for name, config in configs.items()}, overwrite=overwrite)
    with JobProgress({**dict.fromkeys(configs, 1.0), _JUDGING: _JUDGING_COST}) as progress:
        _train(configs, out, overwrite=overwrite, progress=progress)
        began = time.monotonic()
        judged = []
        for i, (name, config) in enumerate(configs.items()):
            model = DualEncoder.from_pretrained(out / name).to(choose_device(config.device))
            judged.append(judge(model, config, corpus, RunFolder(out / name)))
            progress.advance(_JUDGING, (i + 1) / (len(configs) + 1))
        searches = list(first_searches(out / DEMO_RECIPES[-1], model, corpus))
        spent = [one.compute.seconds for one in judged]
        training = sum(spent) if _threads(configs) is None else max(spent)
        results = _results(judged, training + time.monotonic() - began)
        data = report_data(judged, (), corpus, searches, out)
        _write(out / "results.json", json.dumps(results, indent=1, ensure_ascii=False) + "\n")
        _write(out / "report.html", render_report(data))
        progress.advance(_JUDGING, 1.0)
    for sentence in (record_verdict(data), verdict(data)):
        if sentence is not None:
            print(sentence.sentence)
    print(f"report: {out / 'report.html'}")
    print(f'search: manyview search {out / DEMO_RECIPES[-1]} "something to drink" --per-group 1')


def _config(name: str, settings: Mapping[str, Any]) -> TrainConfig:
    """A recipe with the demo's settings; many-view reads the glossary beside as many pictures as the others."""
    own: dict[str, Any] = {}
    if name == "clip":
        own = TITLE_SETTINGS
    elif name == "many-view":
        own = {**GLOSSARY_SETTINGS, "batch_size": (1 + GLOSSARY_ROWS) * settings["batch_size"]}
    told = [f"{key}={json.dumps(value)}" for key, value in {**settings, **own}.items()]
    return load_config(TrainConfig, None, told, recipe(name))


def _train(configs: Mapping[str, TrainConfig], out: Path, *, overwrite: bool, progress: JobProgress) -> None:
    """Train, continue, or leave alone what is finished."""
    left = {}
    for name, config in configs.items():
        if RunFolder(out / name).finished and not overwrite:
            progress.advance(name, 1.0, "done before", already=True)
        else:
            left[out / name] = config
    sinks = {folder: progress.sink(folder.name) for folder in left}
    threads = _threads(configs)
    try:
        if threads is not None:
            train_side_by_side(left, sinks, threads=threads, overwrite=overwrite)
        else:
            for folder, config in left.items():
                train_and_weigh(config, folder, overwrite=overwrite, sink=sinks[folder])
    except (Interrupted, Saved) as stop:
        raise type(stop)(f"stopped and saved in {out}: run the same command again to continue") from None


def _threads(configs: Mapping[str, TrainConfig]) -> int | None:
    """Of each training, the same however many are left to do, for the sake of the same bits; None: they take turns."""
    return share_of_cores(configs[DEMO_RECIPES[0]], len(configs))


def _claim(out: Path, settings: Mapping[str, Any], *, overwrite: bool) -> None:
    """Mark the folder as that of a demo with these settings."""
    mark = json.dumps({"manyview": __version__, "settings": settings})
    there = out / _MARK
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file: give a folder with --out")
    filled = out.is_dir() and any(out.iterdir())
    if filled and not there.is_file():
        raise UsageError(f"{out} holds something other than a demo: choose another --out")
    if filled and there.read_text(encoding="utf-8") != mark and not overwrite:
        raise UsageError(
            f"{out} holds a demo with other settings: replace it with --overwrite, or choose another --out"
        )
    _write(there, mark)


def _results(judged: list[Judged], seconds: float) -> dict[str, Any]:
    """results.json: recalls in percent, times in seconds, memory in megabytes."""
    *_, baseline, candidate = judged
    return {
        "recipes": {one.name: one.results for one in judged},
        "records": {one.name: one.records for one in judged},
        "seconds": round(seconds, 1),
        "peak_rss_mb": round(max(one.compute.peak_memory_mb for one in judged), 1),
        "comparison": comparison([baseline.ranks], [candidate.ranks]),
        "records_comparison": {one.name: records_compared(one, candidate) for one in judged[:-1]},
        "record_weights": {one.name: dict(one.encoded_records.record.weights) for one in judged},
        "compute": {one.name: vars(one.compute) for one in judged},
        "titles_to_tags": {one.name: one.neighbors.model.__dict__ for one in judged},
    }


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(file.name + ".partial")
        partial.write_text(encodable(text), encoding="utf-8")
        partial.replace(file)
    except OSError as error:
        raise ManyviewError(f"cannot write {file}: {error.strerror or error}") from error
