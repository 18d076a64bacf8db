"""Rows: the images and views of pages as batches of the two tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from manyview.corpus.sources.contract import IMAGES, LINKS, VIEWS, Batch
from manyview.corpus.web.filters import WebRules
from manyview.corpus.web.page import Page
from manyview.corpus.web.repeated import RepeatedTexts

__all__ = ["Found", "batches"]

_MOST_ROWS, _MOST_BYTES = 4_000, 16 << 20
_UNCOUNTED = frozenset(("category", "filename"))  # said of many images by nature


@dataclass(frozen=True)
class Found:
    """One page, or one image that lies in the archive itself, or only a reason why there is neither.

    `origin` is the place in the source; `paths` are the images of the page that are files, by id.
    """

    origin: str
    page: Page | None = None
    group: str | None = None
    paths: dict[str, str] = field(default_factory=dict)
    image: tuple[str, bytes] | None = None
    skipped: str = ""
    links: tuple[tuple[str, str], ...] = ()


class _Rows:
    """Rows on their way into a batch."""

    def __init__(self) -> None:
        self.images, self.views = list[dict[str, object]](), list[dict[str, object]]()
        self.links = list[tuple[str, str]]()
        self.skipped, self.size = Counter[str](), 0

    @property
    def full(self) -> bool:
        return len(self.images) + len(self.views) + len(self.links) >= _MOST_ROWS or self.size >= _MOST_BYTES

    def batch(self) -> Batch:
        return Batch(
            pa.Table.from_pylist(self.images, schema=IMAGES),
            pa.Table.from_pylist(self.views, schema=VIEWS),
            self.skipped,
            links=_links(self.links),
        )


def _links(links: list[tuple[str, str]]) -> pa.Table | None:
    if not links:
        return None
    columns = (pa.array(column, pa.string()) for column in zip(*links, strict=True))
    return pa.Table.from_arrays(list(columns), schema=LINKS)


def batches(found: Iterable[Found], rules: WebRules) -> Iterator[Batch]:
    """The pages of one part as batches of at most a few thousand rows or 16 MB, and one page or image more."""
    rows, repeated = _Rows(), RepeatedTexts(rules.max_pages_per_text)
    for number, one in enumerate(found):
        if one.skipped:
            rows.skipped[one.skipped] += 1
        rows.links += (link for link in one.links if all(link))
        if one.image is not None:
            rows.images.append({"id": one.image[0], "bytes": one.image[1]})
            rows.size += len(one.image[1])
        if one.page is not None:
            _add_page(rows, one, one.page, number, repeated)
        if rows.full:
            yield rows.batch()
            rows = _Rows()
    if rows.images or rows.views or rows.links or rows.skipped:
        yield rows.batch()


def _add_page(rows: _Rows, found: Found, page: Page, number: int, repeated: RepeatedTexts) -> None:
    rows.skipped.update(page.skipped)
    rows.links += page.alternatives
    for image in page.images:
        said = 0
        for text in image.texts:
            if text.kind not in _UNCOUNTED and repeated.too_often(text.text, image.id, number):
                rows.skipped["text: on too many pages"] += 1
                continue
            said += 1
            origin = f"{found.origin}:{text.kind}"
            rows.views.append(
                {
                    "id": image.id,
                    "kind": text.kind,
                    "text": text.text,
                    "lang": text.lang,
                    "weight": 1.0,
                    "origin": origin,
                }
            )
            rows.size += 100 + len(text.text)
        if said:
            path = found.paths.get(image.id)
            place = {"path": path} if path else {"url": image.id}
            rows.images.append({"id": image.id, "group": found.group, **place})
        else:
            rows.skipped["image: nothing said about it"] += 1
