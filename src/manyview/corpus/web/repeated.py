"""Repeated: texts that stand on page after page beside whatever image, counted in bounded memory.

Within one part a text is dropped from the page on which it passes the threshold. What the first pages let
through, and what many parts say once each, is left to the cleaning of the whole: `page_of(origin)` tells it
which page a view is from, so that texts of more than N distinct pages can be dropped there.
"""

from __future__ import annotations

from manyview.corpus.fingerprint import identity, text_identity

__all__ = ["RepeatedTexts", "page_of"]

_MOST_TEXTS = 500_000


def page_of(origin: str) -> str:
    """The page in a view's origin, which ends in ":" and the kind: "crawl.warc.gz:17:alt" → "crawl.warc.gz:17"."""
    return origin.rpartition(":")[0]


class RepeatedTexts:
    """Counts on how many pages a text stood, leaving out pages where it stands beside the same image as before.

    Holds at most half a million texts: when full, those seen on a single page are forgotten, and if there are
    none, all.
    """

    def __init__(self, max_pages: int, most_texts: int = _MOST_TEXTS) -> None:
        self._max_pages, self._most_texts = max_pages, most_texts
        self._seen = dict[int, tuple[int, int, int]]()

    def too_often(self, text: str, image: str, page: int) -> bool:
        """Take note of a text beside an image; whether it has now been on more than `max_pages` pages."""
        key, shown = text_identity(text), identity(image.encode("utf-8", "replace"))
        count, last_page, last_image = self._seen.get(key, (0, -1, 0))
        if count and (page == last_page or shown == last_image):
            return count > self._max_pages
        if not count and len(self._seen) >= self._most_texts:
            self._forget()
        self._seen[key] = (count + 1, page, shown)
        return count + 1 > self._max_pages

    def _forget(self) -> None:
        self._seen = {key: of for key, of in self._seen.items() if of[0] > 1}
        if 2 * len(self._seen) > self._most_texts:
            self._seen.clear()
