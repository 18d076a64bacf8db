"""Guess: which source a path is, so that `manyview build products.parquet` needs no config."""

from __future__ import annotations

import json
import posixpath
from collections import Counter
from collections.abc import Callable

from manyview.corpus.corpus import PACKAGED
from manyview.corpus.location import locate
from manyview.corpus.manifest import MANIFEST
from manyview.corpus.sources.built import CorpusConfig
from manyview.corpus.sources.chinese_clip import ChineseClipConfig
from manyview.corpus.sources.coco import CocoConfig
from manyview.corpus.sources.config import AnySource, completed_config
from manyview.corpus.sources.damage import read_or_none
from manyview.corpus.sources.delimited import Dialect, delimited_rows
from manyview.corpus.sources.ernie_vil import ErnieVilConfig
from manyview.corpus.sources.files import File, find_files, list_files, open_stream, suffix_of
from manyview.corpus.sources.folder import IMAGE_SUFFIXES, SIDECARS, FolderConfig
from manyview.corpus.sources.huggingface import HuggingFaceConfig
from manyview.corpus.sources.images_views import ImagesViewsConfig
from manyview.corpus.sources.json_arrays import array_elements
from manyview.corpus.sources.pictures import LONG_BASE64
from manyview.corpus.sources.table import TableConfig
from manyview.corpus.sources.table_rows import opened_parquet
from manyview.corpus.sources.webdataset import WebDatasetConfig
from manyview.corpus.web.source import PagesConfig, WarcConfig
from manyview.errors import UsageError

__all__ = ["explain_guess", "guess_source"]

TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".pq")
PARQUET = (".parquet", ".pq")
TARS = (".tar", ".tgz")
ARCHIVES = (".warc",)
PAGES = (".html", ".htm", ".xhtml", ".shtml")
LISTS = ("metadata.csv", "metadata.jsonl", "metadata.parquet")  # what tells the texts of an image folder
LOOKED_AT = 100_000  # files of a folder that decide what it is
CAPTIONED_SHARE = 0.5  # of images with a sidecar, from which these are what a folder is about


def guess_source(path: str) -> AnySource:
    """The config of what lies at a path: a file, a folder or a glob, with all columns named that were guessed.

    `describe()` of it is to be shown to the user. Raises UsageError for what is not there or not known.
    """
    return completed_config(_guessed(path))


def _guessed(path: str) -> AnySource:
    if path in PACKAGED or _is_file(posixpath.join(path, MANIFEST)):
        return CorpusConfig(path=path)
    for name in LISTS:
        if _is_file(posixpath.join(path, name)):
            return TableConfig(path=posixpath.join(path, name))
    names = list_files(path, LOOKED_AT)
    if not names:
        raise UsageError(f"no file at {path}: give a file, a folder or a glob")
    if _captioned(names)[0] and not _is_file(path):
        return FolderConfig(path=path)
    if found := _layout(path, names):
        return found
    for suffixes, config in BY_SUFFIX.items():
        if any(suffix_of(name) in suffixes for name in names):
            return config(path, names)
    raise UsageError(
        f"{path} is no source that is known: name its `type` in a config file, for instance table or folder"
    )


def explain_guess(path: str, chosen: AnySource) -> str | None:
    """Why a folder was taken for what it was, and how its other files are taken; None where it holds nothing else."""
    if _is_file(path) or chosen.type == "corpus":
        return None
    names = list_files(path, LOOKED_AT)
    counts = {type_: _count(names, suffixes) for type_, suffixes in SUFFIXES_OF.items() if type_ != chosen.type}
    others = [(type_, count) for type_, count in counts.items() if count and not _reads(chosen.type, type_)]
    if not others:
        return None
    is_captioned, captioned, images = _captioned(names)
    why = (
        f"{captioned} of {images} images have a sidecar" if is_captioned else f"of the files in it (type {chosen.type})"
    )
    not_read = ", ".join(f"{count} for type {type_}" for type_, count in others)
    return (
        f"{path} is taken for a {chosen.type}, because {why}; files beside that are not read: {not_read}, "
        f"as in 'sources=[{{type: {others[0][0]}, path: {json.dumps(path, ensure_ascii=False)}}}]'"
    )


def _reads(chosen: str, type_: str) -> bool:
    """Whether a source looks for files of the other type itself: Parquet of a data set, images named in a table."""
    return (chosen, type_) in {("huggingface", "table"), ("images_views", "table"), ("chinese_clip", "table")} | {
        (chosen, "folder") for chosen in ("table", "pages", "coco")
    }


def _count(names: list[str], suffixes: tuple[str, ...]) -> int:
    return sum(suffix_of(name) in suffixes for name in names)


def _captioned(names: list[str]) -> tuple[bool, int, int]:
    """Whether images with a text or JSON beside them are what a folder is about; how many are there, of how many."""
    images = [name for name in names if suffix_of(name) in IMAGE_SUFFIXES]
    beside = {name for name in names if name.endswith(SIDECARS)}
    stems = [(posixpath.splitext(name)[0], name) for name in images]
    captioned = sum(any(stem + suffix in beside for stem in both for suffix in SIDECARS) for both in stems)
    return bool(captioned) and captioned >= CAPTIONED_SHARE * len(images), captioned, len(images)


def _layout(path: str, names: list[str]) -> AnySource | None:
    """Layouts that the names of their files show."""
    bases = [posixpath.basename(name) for name in names]
    if (
        "dataset_dict.json" in bases
        or "dataset_info.json" in bases
        or any(base.endswith((".arrow", ".feather")) for base in bases)
    ):
        return HuggingFaceConfig(path=path)
    if any(base.endswith("_imgs.tsv") for base in bases) and any(base.endswith("_texts.jsonl") for base in bases):
        return ChineseClipConfig(path=path)
    two = {name: [posixpath.join(path, f"{name}.parquet"), posixpath.join(path, name)] for name in ("images", "views")}
    found = {name: next((place for place in places if _holds_parquet(place)), None) for name, places in two.items()}
    return ImagesViewsConfig(images=found["images"], views=found["views"]) if all(found.values()) else None


def _tars(path: str, names: list[str]) -> AnySource:
    return WebDatasetConfig(path=path)


def _table(path: str, names: list[str]) -> AnySource:
    first = find_files(path, TABLES)[0]
    if suffix_of(first.path) == ".tsv" and _is_ernie_vil(first.path):
        return ErnieVilConfig(path=path)
    if suffix_of(first.path) in PARQUET and read_or_none(first.path, _holds_views, first):
        return ImagesViewsConfig(views=path)
    return TableConfig(path=path)


def _json(path: str, names: list[str]) -> AnySource:
    files = find_files(path, (".json",))
    if all(_is_coco(file.path) for file in files):
        return CocoConfig(path=path)
    return TableConfig(path=path, format="jsonl")


def _pictures(path: str, names: list[str]) -> AnySource:
    return FolderConfig(path=path)


def _warc(path: str, names: list[str]) -> AnySource:
    return WarcConfig(path=path)


def _pages(path: str, names: list[str]) -> AnySource:
    return PagesConfig(path=path)


SUFFIXES_OF = {"warc": ARCHIVES, "pages": PAGES, "webdataset": TARS, "table": TABLES, "folder": IMAGE_SUFFIXES}
Guess = Callable[[str, list[str]], AnySource]
BY_SUFFIX: dict[tuple[str, ...], Guess] = {
    ARCHIVES: _warc,
    PAGES: _pages,
    TARS: _tars,
    TABLES: _table,
    IMAGE_SUFFIXES: _pictures,
    (".json",): _json,
}


def _is_file(path: str) -> bool:
    try:
        return locate(path).is_file()
    except (OSError, ValueError):
        return False


def _holds_parquet(path: str) -> bool:
    return any(suffix_of(name) == ".parquet" for name in list_files(path, LOOKED_AT))


def _holds_views(file: File) -> bool:
    """Whether each row is a text of a kind, as taggers and other engines write them."""
    with opened_parquet(file) as opened:
        return {"id", "kind", "text"} <= set(opened.schema_arrow.names)


def _is_ernie_vil(path: str) -> bool:
    """Whether the last of two or three cells of the first line is a long base64 text."""
    row = read_or_none(path, _first_line, path) or []
    return len(row) in (2, 3) and LONG_BASE64.fullmatch(row[-1]) is not None


def _is_coco(path: str) -> bool:
    return bool(read_or_none(path, _has_images_or_annotations, path))


def _has_images_or_annotations(path: str) -> bool:
    with open_stream(path) as stream:
        return any(key in {"images", "annotations"} for key, _ in array_elements(stream))


def _first_line(path: str) -> list[str]:
    with open_stream(path) as stream:
        return next(delimited_rows(stream, Dialect("\t", ""), Counter()), [])
