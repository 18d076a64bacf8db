"""Pictures: a column of paths, URLs, bytes or base64 as the columns of IMAGES that find each image."""

from __future__ import annotations

import base64
import binascii
import posixpath
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from manyview.corpus.sources.block import plain
from manyview.corpus.sources.cells import as_texts, fault_of
from manyview.corpus.sources.files import is_remote
from manyview.corpus.sources.mapping import ImageForm

__all__ = ["Places", "decoded_base64", "pictures"]

WEB = re.compile(r"https?://", re.IGNORECASE)
DATA_URL = re.compile(r"data:[\w/+.-]*(?:;[\w=-]+)*;base64,", re.IGNORECASE)
LONG_BASE64 = re.compile(r"[A-Za-z0-9+/_\s-]{128,}={0,2}\s*")  # no path to an image is that long without a dot
MAX_PATH = 4096


@dataclass(frozen=True)
class Places:
    """Where a table's image paths lead.

    They are relative to `folder`, that of the table. With a `root` they are relative to it and must stay
    inside. Without, a table of this machine may name any file; one read over the network may only name
    files on its own file system.
    """

    folder: str
    root: str | None = None

    def find(self, path: str) -> str | None:
        """The file a path names, or None for one that is not allowed."""
        if "\0" in path or "\n" in path or len(path) > MAX_PATH:
            return None
        if self.root is not None:
            return self._inside(path, self.root)
        if is_remote(self.folder):
            scheme = self.folder.partition("://")[0]
            if is_remote(path):
                return path if path.partition("://")[0] == scheme else None
            return None if path.startswith("/") else _joined(self.folder, path)
        return path if is_remote(path) or path.startswith("/") else _joined(self.folder, path)

    def _inside(self, path: str, root: str) -> str | None:
        if is_remote(path) and not is_remote(root):
            return None
        whole = path if is_remote(path) or path.startswith("/") else _joined(root, path)
        whole = _normal(whole)
        return whole if whole.startswith(_normal(root).rstrip("/") + "/") else None


def pictures(column: pa.Array, form: ImageForm, places: Places) -> tuple[dict[str, pa.Array], Counter[str]]:
    """The columns bytes, path and url, each null where another finds the image or none does."""
    column = plain(column)
    skipped = Counter[str]()
    if pa.types.is_list(column.type):
        column, skipped = _alone(column)
    if pa.types.is_struct(column.type):
        return _from_struct(column, places, skipped)
    if pa.types.is_binary(column.type) and form in {"auto", "bytes"}:
        return _columns({"bytes": _not_blank(column)}, len(column)), skipped
    texts, wrong = as_texts(column)
    skipped[f"image: {fault_of(column)}"] += pc.sum(wrong).as_py() or 0
    found: dict[str, list[bytes | str | None]] = {name: [None] * len(texts) for name in ("bytes", "path", "url")}
    for row, text in enumerate(texts.to_pylist()):
        if text is not None:
            where, value = _seen(text, form, places)
            if value is None:
                skipped[where] += 1
            else:
                found[where][row] = value
    return _columns({name: pa.array(values, TYPES[name]) for name, values in found.items()}, len(texts)), +skipped


TYPES = {"bytes": pa.binary(), "path": pa.string(), "url": pa.string()}


def decoded_base64(text: str) -> bytes | None:
    """Bytes of standard or URL-safe base64, with or without line breaks, padding or a data: head."""
    text = "".join(DATA_URL.sub("", text, count=1).split()).rstrip("=")
    try:
        plain_alphabet = text.replace("-", "+").replace("_", "/")
        return base64.b64decode(plain_alphabet + "=" * (-len(text) % 4), validate=True) or None
    except (binascii.Error, ValueError):
        return None


def _seen(text: str, form: ImageForm, places: Places) -> tuple[str, bytes | str | None]:
    """The column of IMAGES and its value, or the reason and None."""
    read = READERS[form if form != "auto" else _form_of(text)]
    return read(text, places)


def _form_of(text: str) -> ImageForm:
    if WEB.match(text):
        return "url"
    return "base64" if DATA_URL.match(text) or LONG_BASE64.fullmatch(text) else "path"


def _path(text: str, places: Places) -> tuple[str, str | None]:
    found = places.find(text)
    return ("path", found) if found is not None else ("image: path that is not allowed", None)


def _url(text: str, places: Places) -> tuple[str, str | None]:
    return ("url", text) if WEB.match(text) else ("image: not an http address", None)


def _base64(text: str, places: Places) -> tuple[str, bytes | None]:
    found = decoded_base64(text)
    return ("bytes", found) if found is not None else ("image: not base64", None)


def _raw(text: str, places: Places) -> tuple[str, bytes | None]:
    return "image: text instead of bytes", None


Reader = Callable[[str, Places], tuple[str, bytes | str | None]]
READERS: Mapping[ImageForm, Reader] = {"path": _path, "url": _url, "base64": _base64, "bytes": _raw}


def _from_struct(column: pa.Array, places: Places, skipped: Counter[str]) -> tuple[dict[str, pa.Array], Counter[str]]:
    """The Hugging Face layout: bytes when there are any (the path is then only a name), else the path."""
    names = {field.name for field in column.type}
    raw = plain(pc.struct_field(column, "bytes")) if "bytes" in names else pa.nulls(len(column), pa.binary())
    raw = _not_blank(raw.cast(pa.binary()))
    found, more = {"bytes": raw}, Counter[str]()
    if "path" in names:
        paths = plain(pc.struct_field(column, "path"))
        rest = pc.if_else(raw.is_valid(), pa.scalar(None, paths.type), paths)
        where, more = pictures(rest, "auto", places)
        found |= {"path": where["path"], "url": where["url"]}
    return _columns(found, len(column)), skipped + more


def _alone(column: pa.Array) -> tuple[pa.Array, Counter[str]]:
    """Lists of one as what they hold."""
    lengths = pc.fill_null(pc.list_value_length(column), 0)
    rows = pc.if_else(pc.equal(lengths, 1), column.offsets[:-1].cast(pa.int64()), pa.scalar(None, pa.int64()))
    several = pc.sum(pc.greater(lengths, 1)).as_py() or 0
    return plain(column.values.take(rows)), Counter({"image: several in one cell": several})


def _not_blank(raw: pa.Array) -> pa.Array:
    return pc.if_else(pc.fill_null(pc.greater(pc.binary_length(raw), 0), False), raw, pa.scalar(None, raw.type))


def _columns(found: Mapping[str, pa.Array], rows: int) -> dict[str, pa.Array]:
    return {name: found.get(name, pa.nulls(rows, kind)) for name, kind in TYPES.items()}


def _joined(folder: str, path: str) -> str:
    return f"{folder.rstrip('/')}/{path}" if folder else path


def _normal(path: str) -> str:
    scheme, separator, rest = path.rpartition("://")
    return f"{scheme}{separator}{posixpath.normpath(rest)}"
