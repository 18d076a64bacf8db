"""Models: the verbs that train them, judge them and use them."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from manyview.cli.app import CorpusArgument, DeviceOption, JsonOption, app
from manyview.cli.output import print_counts, print_json, print_message, print_table, write, writing
from manyview.cli.training import evaluator, print_dry_run, train_config, weigher
from manyview.errors import UsageError
from manyview.terminal import literal_console

if TYPE_CHECKING:
    from manyview import DualEncoder
    from manyview.corpus import Corpus

verb = partial(app.command, rich_help_panel="Models")


@verb()
def demo(
    out: Annotated[Path, typer.Option(help="Folder to leave everything in; run again to continue.")] = Path(
        "runs/demo"
    ),
    seed: Annotated[int, typer.Option(help="Seed of both trainings.")] = 0,
    overwrite: Annotated[bool, typer.Option(help="Replace an earlier demo in that folder.")] = False,
) -> None:
    """Train two recipes on the starter corpus, judge them on held-out concepts, write a report with pictures."""
    from manyview.demo import run_demo

    run_demo(out, seed=seed, overwrite=overwrite)


@verb()
def views(
    corpus: CorpusArgument,
    out: Annotated[Path, typer.Option(help="HTML file to write.")] = Path("views.html"),
    recipe: Annotated[str, typer.Option(help="Recipe whose views are drawn.")] = "many-view",
    overrides: Annotated[list[str] | None, typer.Argument(help="key=value overrides of the recipe.")] = None,
    config: Annotated[Path | None, typer.Option("-c", "--config", help="YAML file over the recipe.")] = None,
    rows: Annotated[int, typer.Option(min=2, max=1000, help="Records to show.")] = 32,
    step: Annotated[int, typer.Option(min=0, help="Training step to show.")] = 0,
) -> None:
    """Draw a contact sheet: a row a record, its image views and text views as the model will see them."""
    from manyview.corpus import Corpus
    from manyview.data.contact_sheet import render_sheet, sheet_rows
    from manyview.train import batch_source

    settings = train_config(recipe, corpus, config, overrides)
    settings = settings.model_copy(update={"batch_size": rows})
    source = batch_source(settings, [Corpus.open(corpus)], lambda texts, max_tokens: {})
    page = render_sheet(
        list(sheet_rows(source[step])),
        title=f"What {settings.recipe} sees of {corpus}",
        about=f"Step {step + 1}, seed {settings.seed}, {rows} records: each row is one record, each column one view.",
    )
    write(out, page)
    print(out)


@verb()
def train(
    recipe: Annotated[str, typer.Argument(help="A recipe: many-view, clip, ernie-vil-2, ...")],
    out: Annotated[Path, typer.Option(help="Run folder.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(help="key=value, as in optimizer.learning_rate=1e-3.")
    ] = None,
    corpus: Annotated[str | None, typer.Option(help="Folder of a corpus, or starter, glossary.")] = None,
    config: Annotated[Path | None, typer.Option("-c", "--config", help="YAML file over the recipe.")] = None,
    resume: Annotated[bool, typer.Option(help="Continue the run in this folder.")] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace the run in this folder.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what the run would be, and draw its first batch; train nothing.")
    ] = False,
    processes: Annotated[int, typer.Option(min=1, help="With --dry-run: processes it would have.")] = 1,
) -> None:
    """Train a recipe on a corpus; Ctrl-C saves, --resume continues at the same sample.

    Several processes: torchrun --nproc-per-node 8 -m manyview train ..., or srun manyview train ...
    """
    if resume and overwrite:
        raise UsageError("--resume and --overwrite exclude each other: give one of them")
    settings = train_config(recipe, corpus, config, overrides)
    if dry_run:
        print_dry_run(settings, out, processes)
        return

    from contextlib import nullcontext

    from manyview.distributed import World
    from manyview.train import JobProgress
    from manyview.train import train as run

    world = World.join(settings.device)
    watched = JobProgress({settings.recipe: 1.0}) if world.rank == 0 else None
    with watched or nullcontext():
        sinks = [watched.sink(settings.recipe)] if watched else []
        judge = world.together(lambda: evaluator(settings))
        weigh = world.together(lambda: weigher(settings))
        run(
            settings,
            out,
            resume=resume,
            overwrite=overwrite,
            sinks=sinks,
            evaluator=judge,
            weigher=weigh,
            world=world,
        )
    world.leave()
    if world.rank == 0:
        print(out / "model")


@verb()
def evaluate(
    model: Annotated[str, typer.Argument(help="A run, or the folder of a model.")],
    on: Annotated[str, typer.Option(help="Folder of a corpus, or starter, glossary.")] = "starter",
    split: Annotated[str, typer.Option(help="Held-out split.")] = "test",
    kind: Annotated[
        list[str] | None,
        typer.Option(
            help="Kind of query, KIND[+KIND][.LANGUAGE] as in title+tags or caption.de, again for more; "
            "default: every kind in every language that the split has."
        ),
    ] = None,
    learn_weights: Annotated[
        str | None,
        typer.Option(
            metavar="SPLIT",
            help="First learn on this other split how much each view of a record counts, and store it with the model.",
        ),
    ] = None,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Judge a model on held-out concepts: recall of images by texts, of texts by images, and of whole records."""
    from manyview import DualEncoder
    from manyview.corpus import Corpus
    from manyview.device import choose_device
    from manyview.evaluate import encode_split, evaluate_records, rank_split, with_records
    from manyview.evaluate.console import recall_table, record_table

    encoder = DualEncoder.from_pretrained(model).to(choose_device(device))
    corpus = Corpus.open(on)
    if learn_weights is not None:
        if learn_weights == split:
            raise UsageError(f"--learn-weights {split} is the split that is judged, allowed: another one, as val")
        encoder = _with_learned_weights(encoder, model, corpus, learn_weights)
    encoded = encode_split(encoder, corpus, split, kinds=kind)
    judged = rank_split(encoded)
    records = evaluate_records(encoder, corpus, split, kinds=kind, encoded=encoded)
    for line in [*judged.left_out_lines(), *records.left_out_lines()]:
        print_message(line)
    if records.no_task:
        print_message(records.no_task)
    results, of_records = judged.to_dict(), records.to_dict()
    if as_json:
        print_json(with_records(results, of_records))
        return
    print_table(recall_table(results))
    if of_records:
        print_table(record_table(of_records))


@verb()
def score(
    model: Annotated[str, typer.Argument(help="A run, or the folder of a model.")],
    corpus: CorpusArgument,
    out: Annotated[Path, typer.Option(help="Parquet file of scores to write; clean.scores.table of manyview build.")],
    kind: Annotated[list[str] | None, typer.Option(help="Kind of text to score, again for more; default: all.")] = None,
    split: Annotated[list[str] | None, typer.Option(help="Split to score, again for more; default: all.")] = None,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Say how well each text of a corpus fits its image, by the cosine of a model; manyview build filters by it."""
    from rich.progress import Progress

    from manyview import DualEncoder
    from manyview.corpus import Corpus
    from manyview.device import choose_device
    from manyview.evaluate.pair_scores import score_pairs

    encoder = DualEncoder.from_pretrained(model).to(choose_device(device))
    with Progress(console=literal_console(stderr=True), transient=True) as bar:
        task = bar.add_task("scoring")
        report = score_pairs(
            encoder,
            Corpus.open(corpus),
            out,
            kinds=kind,
            splits=split,
            progress=lambda done, of: bar.update(task, completed=done, total=of),
        )
    print_counts(report.as_json(), out, as_json)


@verb()
def embed(
    model: Annotated[Path, typer.Argument(help="A run, or the folder of a model.")],
    folder: Annotated[Path, typer.Argument(help="Folder of images; its subfolders count.")],
    out: Annotated[Path, typer.Option(help="File to write: features and names, for numpy.load.")],
    processes: Annotated[int | None, typer.Option(min=1, help="Processes; by default one a core.")] = None,
    precision: Annotated[
        str, typer.Option(help="float32, bfloat16, or auto: what this machine is fastest with.")
    ] = "float32",
    device: DeviceOption = "auto",
) -> None:
    """Encode every image of a folder, on all cores."""
    import numpy as np
    from rich.progress import Progress

    from manyview.model.folder import encode_folder
    from manyview.precision import PRECISIONS

    if precision not in PRECISIONS:
        raise UsageError(f"--precision {precision}, allowed: {', '.join(PRECISIONS)}")
    if out.suffix != ".npz":
        raise UsageError(f"--out {out}, allowed: a file whose name ends in .npz")
    partial = out.with_suffix(".partial.npz")
    with writing(out):  # before the work, not after it
        out.parent.mkdir(parents=True, exist_ok=True)
        partial.touch()
    try:
        with Progress(console=literal_console(stderr=True), transient=True) as bar:
            task = bar.add_task("encoding")
            encoded = encode_folder(
                model,
                folder,
                processes=processes,
                precision=precision,
                device=device,
                progress=lambda done, of: bar.update(task, completed=done, total=of),
            )
        with writing(out):
            np.savez(partial, features=encoded.features, names=np.array(encoded.names))
            partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
    for name, reason in encoded.problems.items():
        print_message(f"left out: {name}, {reason}")
    if encoded.problems:
        print_message(f"left out in all: {len(encoded.problems)} images, {len(encoded.names)} encoded")
    print(out)


@verb()
def search(
    model: Annotated[Path, typer.Argument(help="A run, the folder of a model, or an index.")],
    query: Annotated[str | None, typer.Argument(help="What to look for, in any language.")] = None,
    image: Annotated[
        Path | None, typer.Option(help="Look for what is like this picture; with a query, for what is like both.")
    ] = None,
    by: Annotated[
        str, typer.Option(help="What ranks: record (picture and texts), image, or a kind of text, as title or tags.")
    ] = "record",
    weight: Annotated[
        list[str] | None,
        typer.Option(help="VIEW=NUMBER, as title=2 or image=0: what a view counts in the record; again for more."),
    ] = None,
    top: Annotated[int, typer.Option(min=1, max=10_000, help="Hits to show.")] = 10,
    per_group: Annotated[
        int | None, typer.Option(min=1, help="Hits of one group at most, as 1 a concept; by default any number.")
    ] = None,
    corpus: Annotated[str | None, typer.Option(help="Corpus to search; by default the run's own.")] = None,
    page: Annotated[Path | None, typer.Option(help="HTML page of the hits; by default beside the index.")] = None,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Print the records that are most like a text, a picture or both, and why, and write them as a page."""
    from rich.progress import Progress

    from manyview import DualEncoder
    from manyview.device import choose_device
    from manyview.search import answer

    where = choose_device(device)
    weights = _weights(weight or [])

    def load(folder: Path) -> DualEncoder:
        return DualEncoder.from_pretrained(folder).to(where)

    with Progress(console=literal_console(stderr=True), transient=True) as bar:
        task = bar.add_task("indexing", visible=False)
        found = answer(
            load,
            model,
            corpus=corpus,
            text=query,
            image=image,
            top=top,
            by=by,
            weights=weights,
            per_group=per_group,
            progress=lambda done, of: bar.update(task, completed=done, total=of, visible=True),
        )
    page = page or found.index.folder / "last-search.html"
    write(page, found.page())
    if as_json:
        print_json(found.as_json())
    else:
        print_table(found.table())
        print_message(f"page: {page}")


def _weights(options: list[str]) -> dict[str, float]:
    """The numbers of --weight VIEW=NUMBER."""
    weights = dict[str, float]()
    for option in options:
        view, equals, number = option.rpartition("=")
        try:
            weights[view] = float(number)
        except ValueError:
            equals = ""
        if not (view and equals):
            raise UsageError(f"--weight {option}, allowed: VIEW=NUMBER, as in title=2")
    return weights


def _with_learned_weights(encoder: "DualEncoder", model: str, corpus: "Corpus", split: str) -> "DualEncoder":
    """The model with record weights learned on a split, which are stored in its folder."""
    from manyview.evaluate import record_weigher
    from manyview.model import store_record_weights

    weights, sentence = record_weigher({model: corpus}, split)(encoder)
    print_message(sentence)
    if weights:
        print_message(f"stored in {store_record_weights(model, weights)}")
        record = encoder.config.record.model_copy(update={"weights": weights})
        encoder.config = encoder.config.model_copy(update={"record": record})
    return encoder
