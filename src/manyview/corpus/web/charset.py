"""Charset: the bytes of a page as text, whatever the page says of itself."""

from __future__ import annotations

import codecs

from resiliparse.parse.encoding import detect_encoding, map_encoding_to_html5

__all__ = ["page_text"]

_BROKEN = "\ufffd"
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_LOOKED_AT = 4096
_MOST_BROKEN = 0.02


def page_text(data: bytes, declared: str | None = None) -> str:
    """The page's text without NULs; `declared` is what the server said of the charset.

    A byte-order mark wins; then UTF-8 if the bytes are UTF-8 (hardly anything else ever is by chance); then
    what the server or the page says, if that leaves few broken characters; then what the bytes look like.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _clean(data[len(mark) :].decode(encoding, "replace"))
    if b"\x1b" not in data or b"\x1b$" not in data:  # no ISO-2022, which looks like ASCII
        if wide := _wide(data):
            return _clean(data.decode(wide, "replace"))
        text = data.decode("utf-8", "replace")
        if _broken_share(text) <= _MOST_BROKEN:
            return _clean(text) if b"\0" in data else text
    return _clean(_by_name(data, declared))


def _by_name(data: bytes, declared: str | None) -> str:
    said = [declared, detect_encoding(data[:_LOOKED_AT], from_html_meta=True)]
    names = [map_encoding_to_html5(name, fallback_utf8=False) for name in said if name]
    best, least = "", 2.0
    for name in (*names, detect_encoding(data), "cp1252"):
        text = _decoded(data, name)
        share = 2.0 if text is None else _broken_share(text)
        if text is not None and share < least:
            best, least = text, share
        if least <= _MOST_BROKEN:
            break
    return best


def _decoded(data: bytes, name: str | None) -> str | None:
    """GB2312 and GBK are read as GB18030, which holds both and what such pages really contain."""
    if not name or name.lower() in ("utf-8", "utf8"):
        return None
    try:
        return data.decode("gb18030" if name.lower() in ("gbk", "gb2312") else name, "replace")
    except LookupError:
        return None


def _wide(data: bytes) -> str:
    """UTF-16 without a mark, by where its NULs stand; empty when it is not."""
    head = data[:_LOOKED_AT]
    if b"\0" not in head:
        return ""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if len(head) < 16 or max(even, odd) < 0.3 * len(head) / 2 or min(even, odd) > max(even, odd) / 4:
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def _broken_share(text: str) -> float:
    """Broken characters among those outside ASCII."""
    if text.isascii() or not (broken := text.count(_BROKEN)):
        return 0.0
    return broken / (len(text) - len(text.encode("ascii", "ignore")))


def _clean(text: str) -> str:
    return text.replace("\0", "") if "\0" in text else text
