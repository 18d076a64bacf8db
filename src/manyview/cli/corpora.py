"""Corpora: the verbs that make texts and shards of what people have, and look at them."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from manyview.cli.app import CorpusArgument, DeviceOption, JsonOption, app
from manyview.cli.output import print_counts, print_json, print_message, print_table, write
from manyview.errors import UsageError

verb = partial(app.command, rich_help_panel="Corpora")


@verb()
def build(
    given: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SOURCE]... [KEY=VALUE]...",
            help="Tables, folders, tars, data sets, web pages, corpora; and settings, as in split.shares.test=0.05.",
        ),
    ] = None,
    out: Annotated[str | None, typer.Option(help="Folder of the corpus to write, here or under scheme://.")] = None,
    config: Annotated[Path | None, typer.Option("-c", "--config", help="YAML file: sources, mappings, rules.")] = None,
    engine: Annotated[str, typer.Option(help="local: the cores of this machine; ray: a cluster.")] = "local",
    address: Annotated[str | None, typer.Option(help="With --engine ray: the cluster, as in host:6379.")] = None,
    append: Annotated[bool, typer.Option("--append", help="Add what is new to a finished corpus.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a finished corpus.")] = False,
    work: Annotated[
        Path | None, typer.Option(help="Folder for what is under way; by default inside the corpus.")
    ] = None,
    keep_work: Annotated[bool, typer.Option("--keep-work", help="Leave that folder when all is done.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be taken from where; write nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Turn what you have into a corpus: images and all texts about them, in shards; run again to continue."""
    from manyview.corpus.builder import Mode
    from manyview.corpus.builder import build as run
    from manyview.corpus.builder.console import BuildProgress, report_table, source_lines
    from manyview.corpus.builder.settings import build_config, guess_lines
    from manyview.corpus.engine import Engine

    if append and overwrite:
        raise UsageError("--append and --overwrite exclude each other: give one of them")
    if engine not in ("local", "ray"):
        raise UsageError(f"--engine {engine}, allowed: local, ray")
    settings = build_config(given or [], config)
    for line in (*source_lines(settings), *guess_lines(given or [], settings)):
        print_message(line)
    if dry_run:
        return
    if out is None:
        raise UsageError("--out is missing: the folder of the corpus to write")
    mode: Mode = "append" if append else "overwrite" if overwrite else "new"
    with BuildProgress() as progress:
        where = Engine("ray" if engine == "ray" else "local", address)
        report = run(settings, out, engine=where, mode=mode, work=work, keep_work=keep_work, progress=progress)
    if as_json:
        print_json(report.as_json())
    else:
        print_table(report_table(report))
        print(out)


@verb()
def clicks(
    log: Annotated[str, typer.Argument(help="Click log: a file, a folder or a glob, here or under scheme://.")],
    out: Annotated[Path, typer.Option(help="Folder of Parquet files to write; views of a source of manyview build.")],
    overrides: Annotated[list[str] | None, typer.Argument(help="key=value, as in query=search_term.")] = None,
    config: Annotated[Path | None, typer.Option("-c", "--config", help="YAML file: columns, cut-offs.")] = None,
    beside: Annotated[
        str | None, typer.Option(help="Parquet files with a column id: their rows are written, each with its views.")
    ] = None,
    processes: Annotated[int | None, typer.Option(min=1, help="Processes; by default one a core.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Turn a click log into queries with a weight, without a build; manyview build reads click logs itself."""
    from manyview.corpus.clicks.run import run

    counts = run(log, out, beside, config=config, overrides=overrides or (), processes=processes)
    print_counts(counts, out, as_json)


@verb()
def doctor(
    corpus: CorpusArgument,
    overrides: Annotated[list[str] | None, typer.Argument(help="key=value limits, as in max_small=0.2.")] = None,
    out: Annotated[Path, typer.Option(help="HTML page to write.")] = Path("doctor.html"),
    config: Annotated[Path | None, typer.Option("-c", "--config", help="YAML file of limits.")] = None,
    tokenizer: Annotated[Path | None, typer.Option(help="tokenizer.json, or a model or run with one.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Examine a corpus: counts, coverage, leaks, false negatives, what to change; exit code 3 when a check fails."""
    from manyview.corpus.cleaning.near_duplicates import components
    from manyview.corpus.doctor import diagnose
    from manyview.train.recipes import recipe_problems

    found = diagnose(
        corpus,
        config=config,
        overrides=overrides or (),
        tokenizer=tokenizer,
        find_near=components,
        recipe_problems=recipe_problems,
    )
    write(out, found.page())
    if as_json:
        print(found.json())
    else:
        print_table(found.text())
        print_message(f"page: {out}")
    raise typer.Exit(found.exit_code)


@verb()
def tag(
    images: Annotated[str, typer.Argument(help="A corpus, a folder, or a Parquet file with the columns id and bytes.")],
    out: Annotated[Path, typer.Option(help="Parquet file of texts to write; a source of manyview build.")],
    overrides: Annotated[list[str] | None, typer.Argument(help="key=value, as in tagger.name=imagenet.")] = None,
    config: Annotated[
        Path | None, typer.Option("-c", "--config", help="YAML file: tagger, vocabulary, template.")
    ] = None,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """See what is in images: objects by a detector or a vocabulary, printed words, as texts about them."""
    from manyview.tags.run import run

    print_counts(run(images, out, config, overrides or (), device).as_json(), out, as_json)


@verb()
def phrases(
    views: Annotated[str, typer.Argument(help="A corpus, or a Parquet file of texts.")],
    out: Annotated[Path, typer.Option(help="Parquet file of texts to write; a source of manyview build.")],
    overrides: Annotated[list[str] | None, typer.Argument(help="key=value, as in kinds=[caption].")] = None,
    config: Annotated[Path | None, typer.Option("-c", "--config", help="YAML file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Find what captions speak of: their noun phrases, as texts of their own."""
    from manyview.tags.phrases.run import run

    print_counts(run(views, out, config, overrides or ()).as_json(), out, as_json)
