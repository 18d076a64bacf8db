"""Numbers as people read them."""

from __future__ import annotations

__all__ = ["percent", "readable_bytes"]


def percent(share: float) -> str:
    """Two digits that count, and never 0 % or 100 % of what is neither."""
    value = 100 * share
    if 0 < value < 0.01:
        return "< 0.01 %"
    digits = 0 if value >= 99.95 and share == 1 or value == 0 else 1 if value >= 1 else 2
    shown = f"{value:.{digits}f}"
    return "> 99.9 %" if share < 1 and float(shown) >= 100 else f"{shown} %"


def readable_bytes(size: float) -> str:
    """Decimal units, three digits that count."""
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            break
        size /= 1000
    return f"{size:,.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.3g} {unit}"
