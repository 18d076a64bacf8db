"""A shop: pictures in files, a table of products, a click log."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from manyview.corpus import Corpus, Record
from manyview.corpus.builder import BuildConfig, BuildReport, build
from manyview.corpus.engine import Engine

HERE = Engine(processes=1)


def picture(seed: int, side: int = 48, kind: str = "JPEG", **options: Any) -> bytes:
    """A smooth picture that looks like no other."""
    colors = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(colors).resize((side, side), Image.Resampling.BICUBIC).save(buffer, kind, **options)
    return buffer.getvalue()


def write_table(file: Path, rows: list[dict[str, Any]]) -> None:
    """As Parquet; pictures given as bytes become files beside it."""
    for row in rows:
        if isinstance(row.get("image"), bytes):
            name = f"{len(list(file.parent.glob('*.jpg')))}.jpg"
            (file.parent / name).write_bytes(row["image"])
            row["image"] = name
    pq.write_table(pa.Table.from_pylist(rows), file)


def products(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Rows with an id, a picture, a title, tags and now and then a group."""
    return [
        {
            "sku": f"p{number}",
            "image": picture(seed * 10_000 + number),
            "title": f"Thing number {number}",
            "tags": ["blue" if number % 2 else "red", f"kind {number % 5}"],
            "family": f"f{number // 3}" if number % 4 == 0 else None,
        }
        for number in range(count)
    ]


TABLE = {"type": "table", "id": "sku", "image": "image", "group": "family", "views": {"title": "title", "tags": "tags"}}


def words(count: int, start: int = 0) -> list[dict[str, Any]]:
    """Rows of a glossary."""
    return [
        {"sku": f"w{n}", "title": f"Word {n}", "tags": [f"kind {n % 5}", f"part {n}"], "family": None}
        for n in range(start, start + count)
    ]


def glossary(file: Path, rows: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A source of texts only, in JSON lines."""
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    table = {name: value for name, value in TABLE.items() if name != "image"}
    return {**table, "path": str(file), "texts_only": True, **more}


def config(*tables: Path, **more: Any) -> BuildConfig:
    """Of these tables, in several small shards."""
    small = {"max_bytes": 20_000, "row_group_bytes": 6_000}
    shares = {"shares": {"train": 0.8, "test": 0.2}}
    told: Mapping[str, Any] = {"sources": [{**TABLE, "path": str(table)} for table in tables], "shards": small}
    return BuildConfig.model_validate({**told, "split": shares, **more})


def built(told: BuildConfig, out: Path, **how: Any) -> tuple[BuildReport, dict[str, dict[str, Record]]]:
    """The report, and the records of each split by id."""
    report = build(told, out, engine=HERE, **how)
    corpus = Corpus.open(out)
    corpus.verify()
    return report, {split: {record.id: record for record in corpus.records(split)} for split in corpus.splits}


def everything(splits: Mapping[str, Mapping[str, Record]]) -> dict[str, Record]:
    """The records of all splits."""
    return {id: record for records in splits.values() for id, record in records.items()}


def content(folder: Path) -> dict[str, bytes]:
    """All files of a corpus by name."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()
    }


def build_command(file: Path, out: Path, *options: str) -> list[str]:
    """The command line of a build."""
    return [sys.executable, "-m", "manyview", "build", "-c", str(file), "--out", str(out), *options]


def run_build(file: Path, out: Path, *options: str, **environment: str) -> str:
    """What such a build says on standard error."""
    command = build_command(file, out, *options)
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr
