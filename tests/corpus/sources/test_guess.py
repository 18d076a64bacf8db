"""Laws of guessing: what people have is known by its path, and what was guessed is said and can be written down."""

import base64
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import TypeAdapter
from tests.corpus.records import png, records
from tests.corpus.sources.reading import everything

from manyview.config import load_config, save_config
from manyview.corpus import write_corpus
from manyview.corpus.sources.config import SourceConfig, completed_config, open_source
from manyview.corpus.sources.files import list_files
from manyview.corpus.sources.guess import explain_guess, guess_source
from manyview.corpus.sources.table import TableConfig
from manyview.errors import UsageError

ANY: TypeAdapter[Any] = TypeAdapter(SourceConfig)
COCO = {"images": [{"id": 1, "coco_url": "http://x/1.jpg"}], "annotations": [{"image_id": 1, "caption": "a"}]}


def _tar(folder: Path) -> None:
    with tarfile.open(folder / "00000.tar", "w") as archive:
        for name in ("0.jpg", "0.txt"):
            about = tarfile.TarInfo(name)
            about.size = 1
            archive.addfile(about, io.BytesIO(b"x"))


def _pictures(folder: Path) -> None:
    (folder / "cats").mkdir()
    (folder / "cats" / "a.jpg").write_bytes(png(1))


def _hugging(folder: Path) -> None:
    import datasets

    datasets.disable_progress_bars()
    datasets.Dataset.from_dict({"image": ["a.jpg"], "caption": ["a"]}).save_to_disk(str(folder))


def _two_tables(folder: Path) -> None:
    for name, row in (("images", {"id": "a", "path": "a.jpg"}), ("views", {"id": "a", "kind": "title", "text": "b"})):
        (folder / name).mkdir()
        pq.write_table(pa.Table.from_pylist([row]), folder / name / "part-0.parquet")


def _chinese(folder: Path) -> None:
    (folder / "train_imgs.tsv").write_text(f"1\t{base64.b64encode(png(1)).decode()}\n")
    (folder / "train_texts.jsonl").write_text('{"text_id": 1, "text": "猫", "image_ids": [1]}\n')


def _metadata(folder: Path) -> None:
    _pictures(folder)
    (folder / "metadata.csv").write_text("file_name,text\ncats/a.jpg,a cat\n")


MAKERS: dict[str, tuple[Any, str, str]] = {
    "corpus": (lambda f: write_corpus(f / "c", {"train": records(2)}, name="c"), "c", "all records of all splits"),
    "webdataset": (_tar, ".", "caption <- txt"),
    "webdataset file": (_tar, "00000.tar", "caption <- txt"),
    "folder": (_pictures, ".", "category <- folder"),
    "table in the folder": (_metadata, ".", "image <- file_name, caption <- text"),
    "huggingface": (_hugging, ".", "image <- image, caption <- caption"),
    "images_views": (_two_tables, ".", "images <- "),
    "chinese_clip": (_chinese, ".", "image <- *_imgs.tsv"),
    "coco": (lambda f: (f / "captions.json").write_text(json.dumps(COCO)), ".", "image <- coco_url"),
    "coco file": (lambda f: (f / "captions.json").write_text(json.dumps(COCO)), "captions.json", "image <- coco_url"),
    "ernie_vil": (
        lambda f: (f / "coco.tsv").write_text(f"cat\t1\t{base64.b64encode(png(1) * 3).decode()}\n"),
        "coco.tsv",
        "caption <- first cell",
    ),
    "table": (
        lambda f: pq.write_table(
            pa.table({"SKU": ["1"], "Title": ["x"], "image_url": ["http://x/y"]}), f / "p.parquet"
        ),
        "p.parquet",
        "id <- SKU, image <- image_url, title <- Title",
    ),
    "table of lines": (
        lambda f: (f / "p.json").write_text('{"id": 1, "keywords": ["a"], "image": "x.jpg"}\n'),
        "p.json",
        "id <- id, image <- image, tags <- keywords",
    ),
}


@pytest.mark.parametrize("name", MAKERS)
def test_a_path_shows_its_source(name: str, tmp_path: Path) -> None:
    make, below, said = MAKERS[name]
    make(tmp_path)
    config = guess_source(str(tmp_path / below))
    assert config.type == name.partition(" ")[0]
    assert said in config.describe()
    found = everything(open_source(config))
    assert found.images or found.views
    assert completed_config(config) == config


@pytest.mark.parametrize("name", MAKERS)
def test_a_guess_can_be_written_down_and_read_back(name: str, tmp_path: Path) -> None:
    make, below, _ = MAKERS[name]
    (tmp_path / "data").mkdir()
    make(tmp_path / "data")
    config = guess_source(str(tmp_path / "data" / below))
    assert ANY.validate_python(config.model_dump(mode="json")) == config
    save_config(config, tmp_path / "config.yaml")
    assert load_config(type(config), tmp_path / "config.yaml") == config


def test_a_mapping_is_written_shortly_in_yaml(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(
        "type: table\npath: a.csv\nid: sku\nimage: {column: photo, as: url}\nlicense: {constant: CC0-1.0}\n"
        "views:\n  caption: title_column\n  tags: {column: keywords, split: ',', lang: en, weight: 0.5}\n"
        "  query: [{column: q, weight: {column: w}, lang: {column: l}}, q2]\n"
    )
    config = load_config(TableConfig, tmp_path / "c.yaml")
    assert config.describe() == (
        "id <- sku, image <- photo (as url), license <- 'CC0-1.0', caption <- title_column, "
        "tags <- keywords (split at ','; lang en; weight 0.5), query <- q (lang l; weight w), query <- q2"
    )


def test_what_shows_nothing_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file at"):
        guess_source(str(tmp_path / "missing"))
    with pytest.raises(UsageError, match="no file at"):
        guess_source(str(tmp_path))
    (tmp_path / "a.xyz").touch()
    with pytest.raises(UsageError, match="no source that is known"):
        guess_source(str(tmp_path))
    (tmp_path / "t.csv").write_text("foo,bar\n1,2\n")
    with pytest.raises(UsageError, match=r"no column whose name tells what it holds.*foo, bar"):
        guess_source(str(tmp_path / "t.csv"))
    (tmp_path / "t.csv").write_text("")
    with pytest.raises(UsageError, match="holds no rows that can be read as csv"):
        guess_source(str(tmp_path / "t.csv"))


def test_a_table_of_texts_by_kind_is_one_of_views(tmp_path):
    rows = [{"id": "a", "kind": "tags", "text": "red"}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "tags.parquet")
    assert guess_source(str(tmp_path / "tags.parquet")).views == str(tmp_path / "tags.parquet")


CLUTTER: dict[str, bytes] = {
    "index.html": b"<html><body>gallery</body></html>",
    "README.csv": b"foo,bar\n1,2\n",
    "urls.csv": b"url,caption\nhttp://a/b.jpg,c\n",
    "00000_stats.json": b'{"count": 6}',
    "backup.tar": b"",
    "crawl.warc.gz": b"",
    "dataset_info.json": b"{}",
    "Thumbs.db": b"x",
    ".DS_Store": b"x",
    "__MACOSX/._0.jpg": b"x",
    "desktop.ini": b"x",
}


def _captioned(folder: Path) -> list[tuple[str, str]]:
    """Images as img2dataset leaves them with --output_format files, and what is said of each."""
    for number in range(6):
        stem = folder / "00000" / f"{number:09d}"
        stem.parent.mkdir(exist_ok=True, parents=True)
        stem.with_suffix(".jpg").write_bytes(png(number))
        stem.with_suffix(".txt").write_text(f"a chair {number}")
        about = {"url": f"http://a/{number}.jpg", "caption": f"a chair {number}", "key": f"{number:09d}"}
        stem.with_suffix(".json").write_text(json.dumps(about))
    return [(f"a chair {number}", f"{number:09d}.jpg") for number in range(6)]


@pytest.mark.parametrize("clutter", [*CLUTTER, "00000.parquet"])
def test_images_with_their_sidecars_are_taken_whatever_lies_beside(clutter: str, tmp_path: Path) -> None:
    expected = _captioned(tmp_path)
    if clutter == "00000.parquet":
        pq.write_table(pa.table({"url": ["http://a/0.jpg"], "caption": ["a chair 0"]}), tmp_path / clutter)
    else:
        (tmp_path / clutter).parent.mkdir(exist_ok=True)
        (tmp_path / clutter).write_bytes(CLUTTER[clutter])
    config = guess_source(str(tmp_path))
    assert config.type == "folder"
    found = everything(open_source(config))
    assert [path.rpartition("/")[2] for path in found.column("path")] == [name for _, name in expected]
    assert {text for (text,) in found.texts("text")} == {text for text, _ in expected}
    said = explain_guess(str(tmp_path), config) or ""
    could_be_taken = clutter.endswith((".html", ".csv", ".parquet", ".tar", ".warc.gz"))
    assert ("6 of 6 images have a sidecar" in said) == ("1 for type" in said) == could_be_taken


def test_a_table_that_names_the_images_beside_it_stays_a_table(tmp_path: Path) -> None:
    _pictures(tmp_path)
    (tmp_path / "products.csv").write_text("image,title\ncats/a.jpg,a cat\n")
    assert guess_source(str(tmp_path)).type == "table"


def test_a_guess_depends_on_the_names_and_not_on_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    _captioned(tmp_path)
    once = list_files(str(tmp_path), 5)
    walk = os.walk
    monkeypatch.setattr(
        os, "walk", lambda path: [(at, folders, files[::-1]) for at, folders, files in walk(path)][::-1]
    )
    assert list_files(str(tmp_path), 5) == once == sorted(once)
