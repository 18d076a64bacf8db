"""Shared cleaner: the rules with all their lists, read once and handed to every process as a file."""

from __future__ import annotations

import pickle
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

from manyview.corpus.builder.landing import landing
from manyview.corpus.cleaning.cleaner import Cleaner
from manyview.corpus.cleaning.rules import CleaningRules

__all__ = ["read_cleaner", "write_cleaner"]


def write_cleaner(rules: CleaningRules, folder: Path) -> Path:
    """A file called after the rules and the content of the lists they name. Raises UsageError."""
    cleaner = Cleaner.of(rules)
    opted = [sorted(getattr(cleaner.opt_out, name)) for name in ("ids", "urls", "domains", "hashes")]
    held = [getattr(cleaner.held, name).tobytes() for name in ("images", "perceptual", "texts")]
    told = repr((rules, opted, held)).encode("utf-8", "surrogatepass")
    file = folder / f"cleaner-{blake2b(told, digest_size=12).hexdigest()}.pickle"
    if not file.is_file():
        with landing(file) as handle:
            pickle.dump(cleaner, handle)
    return file


@lru_cache(2)
def read_cleaner(file: Path) -> Cleaner:
    """What `write_cleaner` has written."""
    cleaner: Cleaner = pickle.loads(file.read_bytes())
    return cleaner
