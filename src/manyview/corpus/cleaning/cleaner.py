"""Cleaner: the rules with their lists read, asked once for each image and once for each batch of views."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from hashlib import sha256

import pyarrow as pa

from manyview.corpus.cleaning.decontaminate import EvaluationSet, read_evaluation_sets
from manyview.corpus.cleaning.image_facts import ImageFacts, look
from manyview.corpus.cleaning.image_rules import judge_image
from manyview.corpus.cleaning.opt_out import OptOut
from manyview.corpus.cleaning.repeated import drop_repeated
from manyview.corpus.cleaning.rules import CleaningRules, clean_views
from manyview.corpus.cleaning.text_keys import text_keys
from manyview.corpus.fingerprint import image_identity

__all__ = ["Cleaner"]


@dataclass(frozen=True)
class Cleaner:
    """All that can be said of one image or one batch without seeing the others; can be sent to other processes."""

    rules: CleaningRules
    opt_out: OptOut
    held: EvaluationSet

    @classmethod
    def of(cls, rules: CleaningRules) -> Cleaner:
        """Read the lists and evaluation sets that the rules name. Raises UsageError."""
        return cls(rules, OptOut.read(rules.opt_out), read_evaluation_sets(rules.decontamination))

    def refuses(self, id: str, url: str | None) -> str | None:
        """Why an image need not even be fetched."""
        return self.opt_out.reason(id, url)

    def image(self, data: bytes, id: str, url: str | None = None, content: int | None = None) -> ImageFacts | str:
        """What the image is, or why it stays out; `content` is its `image_identity` where that is known already."""
        if reason := self.refuses(id, url):
            return reason
        if len(data) > self.rules.images.max_bytes:
            return "image: too many bytes"
        facts = look(data, self.rules.images.max_pixels, self.rules.images.look)
        if isinstance(facts, str):
            return facts
        return (
            judge_image(facts, self.rules.images) or self._opted_out(data) or self._held(data, facts, content) or facts
        )

    def _opted_out(self, data: bytes) -> str | None:
        return self.opt_out.reason(sha256=sha256(data).hexdigest()) if self.opt_out.hashes else None

    def _held(self, data: bytes, facts: ImageFacts, content: int | None) -> str | None:
        if not len(self.held.images):
            return None
        content = image_identity(data) if content is None else content
        return self.held.image_reason(content, facts.perceptual, self.rules.decontamination.distance)

    def views(self, views: pa.Table) -> tuple[pa.Table, Counter[str]]:
        """The clean views of a batch, none in an evaluation set, none said twice; and what is left out, by reason.

        A column `said` is added, their `text_keys`.
        """
        views, reasons = clean_views(views, self.rules)
        views = views.append_column("said", pa.array(text_keys(views["text"]), pa.int64()))
        views, held = self.held.drop_texts(views)
        views, repeated = drop_repeated(views, self.rules.repeated)
        return views, reasons + held + repeated
