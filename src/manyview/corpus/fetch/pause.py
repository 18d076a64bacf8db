"""Pauses: how long to wait before asking again."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from hashlib import blake2b

__all__ = ["backoff_s", "retry_after_s"]


def retry_after_s(header: str | None, now_s: float) -> float | None:
    """Seconds that a Retry-After header asks for, given as seconds or as a date (RFC 9110, 10.2.3).

    `now_s` is the time since 1970. None when there is no such header or it says nothing readable.
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdecimal():
        return float(text[:12])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now_s)
    except (ValueError, OverflowError, TypeError):
        return None


def backoff_s(first_s: float, most_s: float, attempt: int, seed: int, url: str) -> float:
    """`first_s` doubled with each attempt (from 0), times 0.5…1.5 drawn from seed, URL and attempt."""
    digest = blake2b(f"{seed} {attempt} {url}".encode(), digest_size=8).digest()
    spread = 0.5 + int.from_bytes(digest, "big") / 2**64
    return min(most_s, first_s * float(2 ** min(attempt, 60)) * spread)
