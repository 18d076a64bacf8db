"""Console: the recall table for a terminal."""

from rich.table import Table

from manyview.evaluate.retrieval import ResultsTree

__all__ = ["recall_table"]


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
