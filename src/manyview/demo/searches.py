"""First searches: what somebody may type first, answered among all records of a corpus."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from manyview import DualEncoder
from manyview.corpus import Corpus
from manyview.evaluate.record_showcase import RecordHit, ShownSearch, in_reading_order
from manyview.search import Hit, run_index, search

__all__ = ["FIRST_SEARCHES", "first_searches"]

FIRST_SEARCHES = (("dinner", "en"), ("something to drink", "en"), ("happy", "en"), ("晚餐", "zh"))


def first_searches(
    run: Path, model: DualEncoder, corpus: Corpus, *, splits: Sequence[str] | None = None, top: int = 6
) -> Iterator[ShownSearch]:
    """The nearest records of different concepts to each of FIRST_SEARCHES; the index that answers stays in the run.

    `splits` of the corpus are searched, all by default.
    """
    index = run_index(run, model, corpus, splits)
    for text, lang in FIRST_SEARCHES:
        hits = tuple(_record_hit(hit, lang) for hit in search(model, index, text=text, top=top, per_group=1))
        yield ShownSearch(text=text, query_kind="text", lang=lang, source="", gallery=len(index), hits=hits)


def _record_hit(hit: Hit, lang: str) -> RecordHit:
    return RecordHit(dict(hit.titles).get(lang, hit.title), hit.thumbnail, in_reading_order(hit.views))
