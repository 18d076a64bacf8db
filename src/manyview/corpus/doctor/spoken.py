"""Numbers as people read them."""

from __future__ import annotations

__all__ = ["percent", "readable_bytes"]


def percent(share: float) -> str:
    """Two digits that count, and never 0 % or 100 % of what is neither."""
    value = 100 * share
    if value in (0, 100):
        return f"{value:.0f} %"
    if value < 0.01:
        return "< 0.01 %"
    if 99.95 <= value < 100:
        return "> 99.9 %"
    return f"{value:.1f} %" if value >= 1 else f"{value:.2f} %"


def readable_bytes(size: float) -> str:
    """Decimal units, three digits that count."""
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            break
        size /= 1000
    return f"{size:,.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.3g} {unit}"
