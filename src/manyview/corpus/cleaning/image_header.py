"""Image header: what the first bytes of a file tell of its picture, and whether its last bytes are there."""

from __future__ import annotations

__all__ = ["ends_whole", "jpeg_size"]

_JPEG_END, _JPEG_TAIL = b"\xff\xd9", 64
_PNG_END = b"IEND\xaeB`\x82"
_START_OF_FRAME = frozenset({0xC0, 0xC1, 0xC2})
_PLAIN = frozenset({0xC4, 0xDB, 0xDD, 0xE0, 0xE2, 0xED, 0xEE, 0xFE})  # segments that change neither size nor mode
_MODES = {1: "L", 3: "RGB"}


def jpeg_size(data: bytes) -> tuple[int, int, str] | None:
    """Width, height and mode of a plain JPEG: gray or color, 8 bits, without Exif; None for others and for damage."""
    position, end = 2, len(data)
    while position + 10 <= end and data[position] == 0xFF:
        marker = data[position + 1]
        if marker in _START_OF_FRAME:
            height = data[position + 5] << 8 | data[position + 6]
            width = data[position + 7] << 8 | data[position + 8]
            mode = _MODES.get(data[position + 9])
            return (width, height, mode) if mode and width and height and data[position + 4] == 8 else None
        if marker not in _PLAIN:
            return None
        position += 2 + (data[position + 2] << 8 | data[position + 3])
    return None


def ends_whole(data: bytes, format: str) -> bool:
    """Whether the file has the end that its format demands; False where none is demanded."""
    if format == "JPEG":
        return _JPEG_END in data[-_JPEG_TAIL:]
    if format == "PNG":
        return _PNG_END in data[-_JPEG_TAIL:]
    if format == "GIF":
        return data.endswith(b"\x3b")
    return format == "WEBP" and int.from_bytes(data[4:8], "little") + 8 <= len(data)
