"""Two recipes at equal compute over several seeds, judged together on held-out concepts.

    python benchmarks/recipes.py [key=value ...] --out runs/recipes --seeds 0 1 2

Trains both recipes of the demo with each seed (finished runs are kept, so it can be stopped and started
again) and prints R@10, averaged over the seeds, with the paired bootstrap interval of the difference.
"""

import argparse
from pathlib import Path

from rich.console import Console
from rich.table import Table

from manyview import DualEncoder
from manyview.config import load_config
from manyview.corpus import Corpus
from manyview.demo import DEMO_RECIPES, DEMO_SETTINGS
from manyview.demo.judged import MAX_TAG_SHARE
from manyview.evaluate import comparison, evaluate, tag_neighbors, tag_task
from manyview.train import JobProgress, RunFolder, TrainConfig, recipe, train

KINDS = ("title", "tags", "description", "title+tags", "title.zh", "all.zh")


def main() -> None:
    """Train what is missing, judge everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--split", default="test")
    parser.add_argument("overrides", nargs="*", help="key=value for both recipes, as in epochs=50")
    given = parser.parse_intermixed_args()
    runs = [(name, seed) for seed in given.seeds for name in DEMO_RECIPES]
    told = [f"{key}={value}" for key, value in DEMO_SETTINGS.items()] + given.overrides
    results: dict[str, list[object]] = {name: [] for name in DEMO_RECIPES}
    seconds: dict[str, list[float]] = {name: [] for name in DEMO_RECIPES}
    tied: dict[str, list[float]] = {name: [] for name in DEMO_RECIPES}
    with JobProgress({f"{name} seed {seed}": 1.0 for name, seed in runs}) as progress:
        for name, seed in runs:
            config = load_config(TrainConfig, None, [f"seed={seed}", *told], recipe(name))
            folder = given.out / f"{name}-seed-{seed}"
            if not RunFolder(folder).finished:
                train(config, folder, resume=True, sinks=[progress.sink(f"{name} seed {seed}")])
            model = DualEncoder.from_pretrained(folder)
            corpus = Corpus.open(next(iter(config.corpora)))
            results[name].append(evaluate(model, corpus, given.split, kinds=KINDS))
            task = tag_task(corpus, given.split, max_share=MAX_TAG_SHARE)
            tied[name].append(100 * tag_neighbors(model, task).model.recall_at_10)
            seconds[name].append(RunFolder(folder).last_metrics()["time"])
    baseline, candidate = DEMO_RECIPES
    table = Table(title=f"{candidate} against {baseline}, seeds {given.seeds}, split {given.split}, R@10 text to image")
    for column in ("source", "query", baseline, candidate, "difference", "95 %", "relative"):
        table.add_column(column)
    for row in comparison(results[baseline], results[candidate]):
        if row["direction"] == "t2i" and row["query_kind"] in KINDS:
            relative = "" if row["relative"] is None else f"{row['relative']:+.0f} %"
            figures = [f"{row[key]:.1f}" for key in ("baseline", "candidate")]
            interval = f"{row['low']:+.1f} to {row['high']:+.1f}"
            table.add_row(row["source"], row["query_kind"], *figures, f"{row['difference']:+.1f}", interval, relative)
    Console(width=140).print(table)
    for name, of in seconds.items():
        print(
            f"{name}: {sum(of) / len(of):.0f} s a run; of a title's tags among its ten nearest: {_spoken(tied[name])} %"
        )


def _spoken(numbers: list[float]) -> str:
    """The mean, and each."""
    return f"{sum(numbers) / len(numbers):.1f} ({', '.join(f'{number:.1f}' for number in numbers)})"


if __name__ == "__main__":
    main()
