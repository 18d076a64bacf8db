"""Small corpora with known faults."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from manyview.corpus import Corpus, Record, Text, write_corpus


def picture(number: int, side: int = 96, format: str = "PNG", quality: int = 90) -> bytes:
    """A drawing that differs from those of other numbers by shape and color."""
    image = Image.new("RGB", (side, side), (number * 37 % 200, number * 91 % 200, number * 53 % 200))
    draw = ImageDraw.Draw(image)
    for place in range(6):
        x, y = (number * 13 + place * 29) % 80 * side // 96, (number * 7 + place * 41) % 80 * side // 96
        draw.rectangle((x, y, x + side // 6, y + side // 6), fill=((place * 50 + number) % 256, 250 - place * 40, 128))
    buffer = io.BytesIO()
    image.save(buffer, format, quality=quality)
    return buffer.getvalue()


def record(number: int, texts: Sequence[Text] | None = None, **fields: object) -> Record:
    """A sound record: its own picture, group, title and two tags."""
    own = (
        Text("title", f"thing {number}", "en"),
        Text("tags", f"tag {number % 5}", "en"),
        Text("tags", f"thing {number}", "en"),
    )
    made: dict[str, object] = {
        "id": f"r{number}",
        "group": f"g{number}",
        "image": picture(number),
        "texts": own if texts is None else tuple(texts),
        "source": "made",
        "license": "CC0-1.0",
        **fields,
    }
    return Record(**made)  # type: ignore[arg-type]


def sound(count: int, start: int = 0) -> list[Record]:
    """`count` sound records."""
    return [record(number) for number in range(start, start + count)]


def corpus_of(folder: Path, splits: Mapping[str, Sequence[Record]], **options: int) -> Corpus:
    """The records as a corpus on disk."""
    write_corpus(folder, splits, name="made", **options)  # type: ignore[arg-type]
    return Corpus.open(folder)
