"""Repeated texts: the same thing said twice about one image."""

from __future__ import annotations

from collections import Counter
from typing import Literal

import numpy as np
import pyarrow as pa

from manyview.corpus.cleaning.text_keys import said_keys

__all__ = ["REPEATED", "Repeated", "drop_repeated"]

Repeated = Literal["keep", "drop within a kind", "drop across kinds"]
REPEATED = "text: said twice"


def drop_repeated(views: pa.Table, rule: Repeated = "drop within a kind") -> tuple[pa.Table, Counter[str]]:
    """Of texts about one image that differ at most in case and white space, the one of greatest weight stays.

    Among equals the first stays. Sees the rows it is given: what is dropped in batches may be dropped again in a
    table of all, with the same result as at once.
    """
    if rule == "keep" or not views.num_rows:
        return views, Counter()
    key = said_keys(views, "id", *(["kind"] if rule == "drop within a kind" else []))
    weight = views["weight"].to_numpy()
    order = np.lexsort((np.arange(len(key)), -weight, key))
    first = np.ones(len(key), bool)
    first[1:] = key[order][1:] != key[order][:-1]
    stays = np.zeros(len(key), bool)
    stays[order[first]] = True
    return views.filter(pa.array(stays)), +Counter({REPEATED: int((~stays).sum())})
