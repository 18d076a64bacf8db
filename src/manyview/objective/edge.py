"""Edges: pairs and their reverses, which share one pass over the similarities of two views."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from manyview.objective.pair import Pair

__all__ = ["Edge", "plan_edges"]


@dataclass(frozen=True)
class Edge:
    """Two views whose similarities are computed once: rows of `row`, columns of `column`.

    `along` is the number of the pair row -> column among the pairs, `back` of column -> row, None where
    there is no such pair.
    """

    row: str
    column: str
    along: int | None = None
    back: int | None = None

    def turned(self) -> "Edge":
        """The same with rows for columns."""
        return Edge(self.column, self.row, self.back, self.along)


def plan_edges(pairs: Sequence[Pair]) -> tuple[list[Edge], list[str]]:
    """The edges of `pairs`, and the views that are columns, as few as possible: only these are gathered."""
    edges: list[Edge] = []
    for number, pair in enumerate(pairs):
        for place, edge in enumerate(edges):
            if (edge.row, edge.column) == (pair.key, pair.query) and edge.back is None:
                edges[place] = Edge(edge.row, edge.column, edge.along, number)
                break
        else:
            edges.append(Edge(pair.query, pair.key, along=number))
    columns = _cover(edges)
    return [edge if edge.column in columns else edge.turned() for edge in edges], columns


def _cover(edges: Sequence[Edge]) -> list[str]:
    """The smallest set of views with one of every edge's two: the first found by size, later views preferred."""
    views = list(dict.fromkeys(view for edge in edges for view in (edge.row, edge.column)))
    for size in range(len(views) + 1):
        for chosen in combinations(reversed(views), size):
            if all(edge.row in chosen or edge.column in chosen for edge in edges):
                return [view for view in views if view in chosen]
    return views
