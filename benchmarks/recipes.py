"""Recipes over several seeds and two lengths of training, judged on held-out concepts and on sources never trained on.

    python benchmarks/recipes.py --out runs/recipes [--seeds 0 1 2] [--lengths 1 5] [--only NAME ...]
                                 [--unseen CORPUS ...] [--jobs N] [--write] [key=value ...]

A run is a folder NAME-LENGTHx-seed-SEED of --out. Finished runs are kept, interrupted ones go on, so the command can be
stopped and started again, with other names, lengths and seeds, too. What is there is judged and printed; --write writes
docs/evidence.md and docs/evidence.svg whole. --jobs trainings run side by side, each with its share of the cores.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import evidence
from judged import Judged, judge_run

from manyview.config import load_config
from manyview.corpus import Corpus
from manyview.demo import DEMO_SETTINGS, GLOSSARY_SETTINGS
from manyview.demo.side_by_side import share_of_cores, train_side_by_side
from manyview.train import JobProgress, RunFolder, TrainConfig, recipe

_BUCKETS = {key: value for key, value in GLOSSARY_SETTINGS.items() if key.startswith("model.")}


@dataclass(frozen=True)
class Contender:
    """A recipe with settings; `about` says in a few words what it trains on. `lengths`: those that it is trained at."""

    recipe: str
    about: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    lengths: tuple[int, ...] = (1, 5)


CONTENDERS = {
    "clip-titles": Contender("clip", "the image and its title: CLIP", {"views.texts.caption.kinds": ["title"]}),
    "clip-joined": Contender(
        "clip",
        "the image and one text that joins title, tags and description",
        {"views.texts.caption.kinds": ["title+tags+description"]},
    ),
    "caption-sampling": Contender("caption-sampling", "the image and two texts drawn from all it has, image-text only"),
    "ernie-vil-2": Contender("ernie-vil-2", "ERNIE-ViL 2.0's eq. (1-1), two image views", lengths=(1,)),
    "ernie-vil-2-objects": Contender("ernie-vil-2-objects", "the same and image-tags", lengths=(1,)),
    "many-view": Contender("many-view", "the image, its title and its tags, all against each other"),
    "many-view-buckets": Contender(
        "many-view", "the same with the glossary's bucket table, without the glossary", _BUCKETS
    ),
    "many-view-glossary": Contender("many-view", "the same and glossary rows without an image", GLOSSARY_SETTINGS),
    "adapt": Contender(
        "adapt",
        "heads on frozen towers that know English: EfficientNet-lite0, MiniLM-L6",
        {"views.langs": {"en": 3.0, "": 1.0}},
        lengths=(1,),
    ),
}


def main() -> None:
    """Train what is missing, judge everything, print it and write it."""
    given = _arguments()
    runs = {
        (name, length, seed): given.out / f"{name}-{length}x-seed-{seed}"
        for seed in given.seeds
        for length in given.lengths
        for name in given.only
        if length in CONTENDERS[name].lengths
    }
    _train({folder: _config(*run, given.overrides) for run, folder in runs.items()}, given.jobs)
    corpora = {"starter": Corpus.open("starter"), **{Path(path).name: Corpus.open(path) for path in given.unseen}}
    results: dict[tuple[str, int], list[Judged]] = {}
    order = list(CONTENDERS)
    for (name, length, _), folder in sorted(
        runs.items(), key=lambda run: (run[0][1], order.index(run[0][0]), run[0][2])
    ):
        results.setdefault((name, length), []).append(judge_run(folder, corpora, given.split))
    page = evidence.Evidence(CONTENDERS, results, tuple(given.seeds))
    print(page.text())
    if given.write:
        page.write()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--lengths", type=int, nargs="+", default=[1, 5], help="times the demo's training")
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=list(CONTENDERS), metavar="NAME")
    parser.add_argument("--unseen", nargs="+", default=[], metavar="CORPUS", help="corpora that nothing is trained on")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--split", default="test")
    parser.add_argument("--write", action="store_true", help="write docs/evidence.md and docs/evidence.svg")
    parser.add_argument("overrides", nargs="*", help="key=value for all, as in precision=bfloat16")
    return parser.parse_intermixed_args()


def _config(name: str, length: int, seed: int, overrides: Sequence[str]) -> TrainConfig:
    contender = CONTENDERS[name]
    defaults = recipe(contender.recipe)
    settings = {**DEMO_SETTINGS, **contender.settings, "seed": seed}
    if contender.recipe == "adapt":
        settings = {key: value for key, value in settings.items() if key not in ("epochs", "batch_size")}
    else:
        settings["epochs"] = length * DEMO_SETTINGS["epochs"]
    return load_config(
        TrainConfig, None, [f"{k}={json.dumps(v)}" for k, v in settings.items()] + [*overrides], defaults
    )


def _train(configs: Mapping[Path, TrainConfig], jobs: int) -> None:
    """Train what is not finished, `jobs` at a time."""
    missing = [folder for folder in configs if not RunFolder(folder).finished]
    if not missing:
        return
    with JobProgress({folder.name: 1.0 for folder in missing}) as progress:
        for start in range(0, len(missing), jobs):
            chunk = missing[start : start + jobs]
            threads = share_of_cores(configs[chunk[0]], len(chunk)) or 1
            sinks = {folder: progress.sink(folder.name) for folder in chunk}
            train_side_by_side({folder: configs[folder] for folder in chunk}, sinks, threads=threads)


if __name__ == "__main__":
    main()
