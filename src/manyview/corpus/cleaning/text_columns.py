"""Text columns: many texts cleaned at once, most of them by one look at the whole column."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from manyview.corpus.cleaning.texts import TextRules, clean_text

__all__ = ["clean_column", "clean_column_slowly"]

_LETTERS = (  # of scripts in which each character is in NFC whatever stands beside it
    r"0-9A-Za-z\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{FF}\x{410}-\x{44F}\x{3041}-\x{3094}\x{30A1}-\x{30FA}\x{30FC}"
    r"\x{4E00}-\x{9FA5}\x{AC00}-\x{D7A3}\x{FF10}-\x{FF19}\x{FF21}-\x{FF3A}\x{FF41}-\x{FF5A}"
)
_SIGNS = r"!-%'-/:-@\[-`{-~\x{2010}-\x{2015}\x{2018}-\x{201F}\x{2026}\x{3001}\x{3002}\x{3008}-\x{3011}\x{FF01}-\x{FF0F}"
_PLAIN = f"^[{_LETTERS}{_SIGNS}]+(?: [{_LETTERS}{_SIGNS}]+)*$"
_WORD = f"[{_LETTERS}]"

Cleaned = tuple[pa.Array, pa.Array]


def clean_column(texts: pa.Array | pa.ChunkedArray, rules: TextRules) -> Cleaned:
    """The cleaned texts, and why each row is left out: null where it stays. The same as `clean_column_slowly`.

    Texts may be strings or bytes; both results are string arrays as long as the column.
    """
    texts = _one_array(texts)
    plain = _plain(texts, rules)
    if plain.all():
        return texts.cast(pa.string()), pa.nulls(len(texts), pa.string())
    rows = np.flatnonzero(~plain)
    cleaned, reasons = clean_column_slowly(texts.take(pa.array(rows)), rules)
    mask = pa.array(~plain)
    kept = pa.array(np.where(plain, np.arange(len(texts)), -1))
    known = texts.take(pc.if_else(mask, None, kept)).cast(pa.string())  # no broken text is looked at as a string
    return pc.replace_with_mask(known, mask, cleaned), pc.replace_with_mask(
        pa.nulls(len(texts), pa.string()), mask, reasons
    )


def clean_column_slowly(texts: pa.Array | pa.ChunkedArray, rules: TextRules) -> Cleaned:
    """The same, text by text."""
    raw = _one_array(texts).cast(pa.large_binary())
    seen: dict[bytes | None, tuple[str, str | None]] = {None: ("", "text: missing")}
    return _arrays(_cached(text, rules, seen) for text in raw.to_pylist())


def _cached(
    text: bytes | None, rules: TextRules, seen: dict[bytes | None, tuple[str, str | None]]
) -> tuple[str, str | None]:
    if (known := seen.get(text)) is None:
        known = seen[text] = clean_text(text or b"", rules)
    return known


def _arrays(found: Iterable[tuple[str, str | None]]) -> Cleaned:
    cleaned, reasons = [], []
    for text, reason in found:
        cleaned.append(text)
        reasons.append(reason)
    return pa.array(cleaned, pa.string()), pa.array(reasons, pa.string())


def _one_array(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    return texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts


def _plain(texts: pa.Array, rules: TextRules) -> np.ndarray:
    """Which texts are certainly clean already."""
    try:
        strings = texts if pa.types.is_large_string(texts.type) else texts.cast(pa.string())
        strings.validate(full=True)
    except pa.ArrowInvalid:
        return np.zeros(len(texts), bool)
    length = pc.utf8_length(strings)
    tests = [
        pc.match_substring_regex(strings, _PLAIN),
        pc.match_substring_regex(strings, _WORD),
        pc.greater_equal(length, rules.min_chars),
        pc.less_equal(length, rules.max_chars),
        pc.invert(pc.is_in(pc.utf8_lower(strings), pa.array(rules.nothing, strings.type))),
    ]
    plain = np.ones(len(texts), bool)
    for test in tests:
        plain &= test.fill_null(False).to_numpy(zero_copy_only=False)
    return plain
