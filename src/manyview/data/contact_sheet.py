"""Contact sheet: a page on which a row is a record and its cells are the views a model will see."""

import base64
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image

from manyview.data.batches import Batch
from manyview.page import page_environment

__all__ = ["SheetRow", "render_sheet", "sheet_rows"]


@dataclass(frozen=True)
class SheetRow:
    """One record's views by name: encoded images (WebP), and texts or None where there is none."""

    id: str
    images: dict[str, bytes]
    texts: dict[str, str | None]


def sheet_rows(batch: Batch) -> Iterator[SheetRow]:
    """The records of a batch, as they will be trained on."""
    place = {view: (batch.present[view].cumsum(0) - 1).tolist() for view in batch.images}  # among the rows present
    for i, name in enumerate(batch.ids):
        images = {
            view: of[place[view][i]].permute(1, 2, 0).numpy()
            for view, of in batch.images.items()
            if batch.present[view][i]
        }
        yield SheetRow(
            id=name,
            images={view: _webp(Image.fromarray(pixels)) for view, pixels in images.items()},
            texts={view: of[i] for view, of in batch.texts.items()},
        )


def render_sheet(rows: Sequence[SheetRow], *, title: str, about: str) -> str:
    """A self-contained HTML page."""
    images = list(dict.fromkeys(view for row in rows for view in row.images))
    texts = list(dict.fromkeys(view for row in rows for view in row.texts))
    return (
        page_environment("manyview.data", {"webp": data_uri})
        .get_template("sheet.html")
        .render(rows=rows, images=images, texts=texts, title=title, about=about)
    )


def data_uri(webp: bytes) -> str:
    """A WebP image as it stands in a page."""

    return "data:image/webp;base64," + base64.b64encode(webp).decode("ascii")


def _webp(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=85)
    return buffer.getvalue()
