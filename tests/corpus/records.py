"""Small synthetic records."""

import io

from PIL import Image

from manyview.corpus import Record, Text


def png(number: int) -> bytes:
    """An image whose color is its number."""
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), (number % 256, number // 256 % 256, 77)).save(buffer, "PNG")
    return buffer.getvalue()


def record(number: int, prefix: str = "item") -> Record:
    """A record with two languages, several tags and a weight that float32 holds exactly."""
    return Record(
        id=f"{prefix}/{number}",
        group=f"{prefix}/{number // 2}",
        image=png(number),
        texts=(
            Text("title", f"thing number {number}", "en"),
            *(Text("tags", f"tag {tag}", "en") for tag in range(number % 4)),
            Text("title", f"第{number}个", "zh", 0.5),
        ),
        source=prefix,
        license="CC0-1.0",
        attribution="nobody",
    )


def records(count: int, prefix: str = "item") -> list[Record]:
    """`count` records in order."""
    return [record(number, prefix) for number in range(count)]
