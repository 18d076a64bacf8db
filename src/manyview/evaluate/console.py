"""Console: the tables of recalls for a terminal."""

from rich.table import Table

from manyview.evaluate.record_retrieval import ANSWERS, RECORD, RecordTree
from manyview.evaluate.record_tasks import NEW_WORDS
from manyview.evaluate.retrieval import ResultsTree

__all__ = ["recall_table", "record_table"]


def recall_table(results: ResultsTree) -> Table:
    """Recalls in percent with their 95 % interval at 10, a row per source, kind of query and direction."""
    table = Table(box=None, header_style="bold")
    for name in (
        "source",
        "query",
        "direction",
        "R@1",
        "R@5",
        "R@10",
        "95 %",
        "chance",
        "median rank",
        "gallery",
    ):
        table.add_column(name, justify="left" if name in ("source", "query", "direction") else "right")
    for source, kinds in results.items():
        for kind, directions in kinds.items():
            for direction, cell in directions.items():
                table.add_row(
                    source,
                    kind,
                    {"t2i": "text → image", "i2t": "image → text"}[direction],
                    *(f"{cell[key]:.1f}" for key in ("r1", "r5", "r10")),
                    f"{cell['r10_low']:.1f}–{cell['r10_high']:.1f}",
                    f"{cell['chance_r10']:.1f}",
                    f"{cell['median_rank']:g}",
                    str(cell["gallery"]),
                )
    return table


def record_table(results: RecordTree) -> Table:
    """R@10 in percent of records and of what they are compared with, queries of new words first.

    A row a source and kind of query; the interval and the mean reciprocal rank are those of the record's vector.
    """
    table = Table(box=None, header_style="bold", title="Records: R@10", title_justify="left")
    for name in ("source", "query", RECORD, "95 %", "MRR", *ANSWERS[1:], "chance", "queries", "gallery"):
        table.add_column(name, justify="left" if name in ("source", "query") else "right")
    for source, kinds in results.items():
        for kind, answers in sorted(kinds.items(), key=lambda of_kind: not of_kind[0].endswith(NEW_WORDS)):
            record = answers[RECORD]
            table.add_row(
                source,
                kind,
                f"{record['r10']:.1f}",
                f"{record['r10_low']:.1f}–{record['r10_high']:.1f}",
                f"{record['mrr']:.3f}",
                *(f"{answers[name]['r10']:.1f}" for name in ANSWERS[1:]),
                f"{record['chance_r10']:.1f}",
                str(record["queries"]),
                str(record["gallery"]),
            )
    return table
