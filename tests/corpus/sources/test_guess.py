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
from manyview.corpus.sources.guess import guess_source
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
