"""Recipes: which of them find texts in the corpus for each of their views."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from manyview.corpus.doctor.measures import Examination, Finding
from manyview.corpus.shard_counts import TextCounts

__all__ = ["RecipeProblems", "recipe_findings"]

RecipeProblems = Callable[[TextCounts, bool], Mapping[str, Mapping[str, str]]]
"""For each recipe its views that find no text among these counts, or no image where there is none, with a sentence."""


def recipe_findings(examination: Examination, problems: RecipeProblems) -> Iterator[Finding]:
    """A failure when no recipe can be trained on the split that batches are drawn from; a note on those that cannot."""
    there = {view.view for view in examination.false_negatives}
    counts = {kind.name: dict(kind.languages) for kind in examination.kinds if kind.name in there}
    by_recipe = problems(counts, examination.without_image < examination.records)
    fit = [name for name, views in by_recipe.items() if not views]
    unfit = [name for name, views in by_recipe.items() if views]
    if not unfit:
        return
    why = next(iter(by_recipe[unfit[0]].values()))
    if fit:
        yield Finding(
            "note",
            "recipes without texts",
            f"{', '.join(unfit)} cannot be trained as they are: {why}.",
            f"Train {', '.join(fit)}, or name the kinds that there are in views.texts.NAME.kinds.",
        )
    else:
        yield Finding(
            "fail",
            "no text for any recipe",
            f"No recipe can be trained as it is: {why}.",
            "Name the kinds of the mapping title, caption or tags, or name your own in views.texts.NAME.kinds of a "
            "recipe (`manyview train --dry-run` says whether that is enough).",
        )
