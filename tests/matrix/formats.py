"""Writers: the same products in every format that `manyview build` reads, each with the source that reads them."""

import base64
import csv
import io
import json
import tarfile
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
from tests.matrix.products import KINDS, Product

from manyview.corpus import Record, Text, write_corpus

Source = dict[str, Any]


@dataclass(frozen=True)
class Format:
    """`write(folder, products, kinds)` gives the source as a config file names it; `kinds` are what it can hold."""

    write: Callable[[Path, Sequence[Product], Sequence[str]], Source]
    kinds: tuple[str, ...] = KINDS
    languages: bool = True  # whether each text may have a language of its own


def _views(kinds: Sequence[str], *, separator: str = "") -> dict[str, Any]:
    column = {kind: {"column": kind, "lang": {"column": "lang"}} for kind in kinds}
    if separator and "tags" in column:
        column["tags"]["split"] = separator
    return column


def _cells(product: Product, kinds: Sequence[str], *, separator: str | None = None) -> dict[str, Any]:
    """The texts as columns; tags as a list, or joined by `separator`."""
    columns: dict[str, Any] = {}
    for kind in kinds:
        texts = product.of_kind(kind)
        columns[kind] = texts[0] if kind != "tags" else texts if separator is None else separator.join(texts)
    return {**columns, "lang": product.lang}


def _pictures(folder: Path, products: Iterable[Product]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for product in products:
        (folder / f"{product.id}.png").write_bytes(product.image)


def _delimited(suffix: str, delimiter: str) -> Callable[[Path, Sequence[Product], Sequence[str]], Source]:
    def write(folder: Path, products: Sequence[Product], kinds: Sequence[str]) -> Source:
        _pictures(folder / "images", products)
        rows = [{"id": p.id, "image": f"images/{p.id}.png", **_cells(p, kinds, separator="|")} for p in products]
        with (folder / f"products{suffix}").open("w", encoding="utf-8", newline="") as handle:
            writer = csv.DictWriter(handle, list(rows[0]), delimiter=delimiter)
            writer.writeheader()
            writer.writerows(rows)
        views = _views(kinds, separator="|")
        return {
            "type": "table",
            "path": str(folder / f"products{suffix}"),
            "id": "id",
            "image": "image",
            "views": views,
        }

    return write


def _json_lines(folder: Path, products: Sequence[Product], kinds: Sequence[str]) -> Source:
    rows = [{"id": p.id, "image": base64.b64encode(p.image).decode(), **_cells(p, kinds)} for p in products]
    file = folder / "products.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return {"type": "table", "path": str(file), "id": "id", "image": "image", "views": _views(kinds)}


def _parquet(folder: Path, products: Sequence[Product], kinds: Sequence[str]) -> Source:
    rows = [{"id": p.id, "image": p.image, **_cells(p, kinds)} for p in products]
    pq.write_table(pa.Table.from_pylist(rows), folder / "products.parquet", row_group_size=20)
    path = str(folder / "products.parquet")
    return {"type": "table", "path": path, "id": "id", "image": "image", "views": _views(kinds)}


def _folder(folder: Path, products: Sequence[Product], kinds: Sequence[str]) -> Source:
    _pictures(folder / "shop", products)
    for product in products:
        fields = json.dumps(_cells(product, kinds), ensure_ascii=False)
        (folder / "shop" / f"{product.id}.json").write_text(fields, encoding="utf-8")
    return {"type": "folder", "path": str(folder / "shop"), "id": "stem", "views": _views(kinds)}


def _tar(folder: Path, products: Sequence[Product], kinds: Sequence[str]) -> Source:
    for number in range(2):
        with tarfile.open(folder / f"{number:05d}.tar", "w") as archive:
            for product in products[number::2]:
                fields = json.dumps(_cells(product, kinds), ensure_ascii=False).encode()
                for name, data in ((f"{product.id}.png", product.image), (f"{product.id}.json", fields)):
                    member = tarfile.TarInfo(name)
                    member.size = len(data)
                    archive.addfile(member, io.BytesIO(data))
    return {"type": "webdataset", "path": str(folder / "*.tar"), "id": "__key__", "views": _views(kinds)}


def _hugging_face(folder: Path, products: Sequence[Product], kinds: Sequence[str]) -> Source:
    rows = [{"id": p.id, "image": {"bytes": p.image, "path": None}, **_cells(p, kinds)} for p in products]
    data = datasets.Dataset.from_list(rows).cast_column("image", datasets.Image())
    data.save_to_disk(str(folder / "data"))
    return {"type": "huggingface", "path": str(folder / "data"), "id": "id", "image": "image", "views": _views(kinds)}


def _coco(folder: Path, products: Sequence[Product], kinds: Sequence[str]) -> Source:
    _pictures(folder / "images", products)
    images = [{"id": p.id, "file_name": f"{p.id}.png"} for p in products]
    names = sorted({tag for p in products for tag in p.of_kind("tags")})
    captions = [{"image_id": p.id, "caption": text} for p in products for text in p.of_kind("caption")]
    objects = [
        {"image_id": p.id, "category_id": names.index(t), "area": 1} for p in products for t in p.of_kind("tags")
    ]
    tables = {
        "images": images,
        "categories": [{"id": number, "name": name} for number, name in enumerate(names)],
        "annotations": captions + objects,
    }
    (folder / "coco.json").write_text(json.dumps(tables), encoding="utf-8")
    lang = products[0].lang
    return {"type": "coco", "path": str(folder / "coco.json"), "images": str(folder / "images"), "lang": lang}


def _ernie_vil(folder: Path, products: Sequence[Product], kinds: Sequence[str]) -> Source:
    (kind,) = kinds
    lines = [f"{p.of_kind(kind)[0]}\t{p.id}\t{base64.b64encode(p.image).decode()}\n" for p in products]
    (folder / "train.tsv").write_text("".join(lines), encoding="utf-8")
    return {"type": "ernie_vil", "path": str(folder / "train.tsv"), "kind": kind, "lang": products[0].lang}


def _chinese_clip(folder: Path, products: Sequence[Product], kinds: Sequence[str]) -> Source:
    (kind,) = kinds
    images = [f"{number}\t{base64.b64encode(p.image).decode()}\n" for number, p in enumerate(products)]
    (folder / "train_imgs.tsv").write_text("".join(images), encoding="utf-8")
    texts = [
        {"text_id": number, "text": p.of_kind(kind)[0], "image_ids": [number]} for number, p in enumerate(products)
    ]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in texts)
    (folder / "train_texts.jsonl").write_text(lines, encoding="utf-8")
    return {"type": "chinese_clip", "path": str(folder), "kind": kind, "lang": products[0].lang}


def _images_views(folder: Path, products: Sequence[Product], kinds: Sequence[str]) -> Source:
    pq.write_table(pa.Table.from_pylist([{"id": p.id, "bytes": p.image} for p in products]), folder / "images.parquet")
    pq.write_table(pa.Table.from_pylist(list(_rows_of_texts(products))), folder / "views.parquet")
    return {"type": "images_views", "images": str(folder / "images.parquet"), "views": str(folder / "views.parquet")}


def _rows_of_texts(products: Sequence[Product]) -> Iterator[dict[str, Any]]:
    for product in products:
        for kind, text in product.texts:
            yield {"id": product.id, "kind": kind, "text": text, "lang": product.lang}


def _corpus(folder: Path, products: Sequence[Product], kinds: Sequence[str]) -> Source:
    records = [Record(p.id, p.id, p.image, tuple(Text(kind, text, p.lang) for kind, text in p.texts)) for p in products]
    write_corpus(folder / "corpus", {"train": records}, name="products")
    return {"type": "corpus", "path": str(folder / "corpus")}


def _page(product: Product) -> str:
    lang = f' lang="{product.lang}"' if product.lang else ""
    image = f'<img src="{product.id}.png" alt="{product.of_kind("alt")[0]}" width="640" height="480">'
    return f"<!doctype html><html{lang}><head><meta charset='utf-8'></head><body><p>{image}</p></body></html>"


def _pages(folder: Path, products: Sequence[Product], kinds: Sequence[str]) -> Source:
    _pictures(folder / "site", products)
    for product in products:
        (folder / "site" / f"{product.id}.html").write_text(_page(product), encoding="utf-8")
    return {"type": "pages", "path": str(folder / "site")}


def _warc(folder: Path, products: Sequence[Product], kinds: Sequence[str]) -> Source:
    with (folder / "crawl.warc").open("wb") as archive:
        for product in products:
            archive.write(_warc_response(f"{product.id}.html", "text/html; charset=utf-8", _page(product).encode()))
            archive.write(_warc_response(f"{product.id}.png", "image/png", product.image))
    return {"type": "warc", "path": str(folder / "crawl.warc")}


def _warc_response(path: str, media_type: str, body: bytes) -> bytes:
    """One record of a WARC file: what a server answered (WARC 1.0, section 6.3)."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    fields = [
        "WARC/1.0",
        "WARC-Type: response",
        f"WARC-Record-ID: <urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, path)}>",
        "WARC-Date: 2026-01-01T00:00:00Z",
        f"WARC-Target-URI: http://shop.example/{path}",
        "Content-Type: application/http; msgtype=response",
        f"Content-Length: {len(head) + len(body)}",
    ]
    return "\r\n".join([*fields, "", ""]).encode() + head + body + b"\r\n\r\n"


FORMATS = {
    "csv": Format(_delimited(".csv", ",")),
    "tsv": Format(_delimited(".tsv", "\t")),
    "jsonl": Format(_json_lines),
    "parquet": Format(_parquet),
    "folder": Format(_folder),
    "webdataset": Format(_tar),
    "huggingface": Format(_hugging_face),
    "coco": Format(_coco, kinds=("caption", "tags"), languages=False),
    "ernie-vil": Format(_ernie_vil, kinds=("title", "caption", "query", "alt"), languages=False),
    "chinese-clip": Format(_chinese_clip, kinds=("title", "caption", "query", "alt"), languages=False),
    "images-views": Format(_images_views),
    "corpus": Format(_corpus),
    "pages": Format(_pages, kinds=("alt",)),
    "warc": Format(_warc, kinds=("alt",)),
}
