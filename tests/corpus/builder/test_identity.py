"""Laws of identity: a text stands at no image but its own, whatever ids, keys and names the sources share."""

import io
import itertools
import json
import random
import tarfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.corpus.builder.shop import built, everything, picture

from manyview.corpus import Record
from manyview.corpus.builder import BuildConfig
from manyview.corpus.builder.config import BuildConfig as Config
from manyview.corpus.builder.console import source_lines
from manyview.corpus.builder.identity import TEXT_APART

MISSING = "missing"


@dataclass(frozen=True)
class Row:
    """A row of a table: the number of its picture, MISSING for a file that is not there, None for no image at all."""

    source: str
    id: str
    image: int | str | None
    text: str


def of(*sources: Mapping[str, Any], **more: Any) -> BuildConfig:
    """One split, all texts as they are."""
    return BuildConfig.model_validate({"sources": list(sources), "split": {"shares": {"train": 1}}, **more})


def table(folder: Path, name: str, rows: Iterable[Row]) -> dict[str, Any]:
    """The rows as a source; pictures are files."""
    cells = []
    for row in rows:
        if isinstance(row.image, int):
            (folder / f"{row.image}.jpg").write_bytes(picture(row.image))
        image = None if row.image is None else f"{row.image}.jpg"
        cells.append({"id": row.id, "image": image, "title": row.text})
    schema = pa.schema([(column, pa.string()) for column in ("id", "image", "title")])
    pq.write_table(pa.Table.from_pylist(cells, schema=schema), folder / f"{name}.parquet")
    path = str(folder / f"{name}.parquet")
    return {"type": "table", "path": path, "id": "id", "image": "image", "views": {"title": "title"}}


def defined(rows: Sequence[Row]) -> dict[str, tuple[int, set[str]]]:
    """Each record's picture and texts, straight from the definition."""
    first: dict[tuple[str, str], int] = {}
    seen = defaultdict[tuple[str, str], set[int]](set)
    for row in rows:
        if isinstance(row.image, int):
            first.setdefault((row.source, row.id), row.image)
            seen[row.source, row.id].add(row.image)
    images_of = defaultdict[str, set[int]](set)
    firsts_of = defaultdict[str, set[int]](set)
    for (_, id), image in first.items():
        firsts_of[id].add(image)
    for (_, id), images in seen.items():
        images_of[id] |= images
    several = {id for id, images in firsts_of.items() if len(images) > 1}
    apart = {source for source, id in first if id in several}
    name = {key: "/".join(key) if key[1] in several else key[1] for key in first}
    picture_of: dict[str, int] = {}
    keeper: dict[int, str] = {}
    for row in rows:
        key = row.source, row.id
        if row.image == first.get(key, -1):
            picture_of.setdefault(name[key], first[key])
    for called, image in picture_of.items():
        keeper.setdefault(image, called)
    records = {called: (image, set[str]()) for image, called in keeper.items()}
    for row in rows:
        key = row.source, row.id
        if len(images_of[row.id]) > 1 and key in first:
            stays = len(seen[key]) == 1 if row.image is None else row.image == first[key]
        elif len(images_of[row.id]) > 1:
            stays = row.id not in several
        else:
            stays = row.source not in apart or key in first
        called = name.get(key, row.id)
        if stays and called in picture_of:
            records[keeper[picture_of[called]]][1].add(row.text)
    return records


def read(records: Mapping[str, Record]) -> dict[str, tuple[bytes, set[str]]]:
    return {id: (record.image, {text.text for text in record.texts}) for id, record in records.items()}


@pytest.mark.parametrize("seed", range(6))
def test_every_text_is_where_the_definition_puts_it(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    images = [*range(5), None, MISSING]
    rows = [
        Row(
            source,
            f"i{rng.randrange(4 + 3 * (seed % 3))}",
            None if source == "t3" else rng.choice(images),
            f"{source} says {n}",
        )
        for source in ("t0", "t1", "t2", "t3")
        for n in range(6)
    ]
    by_source = itertools.groupby(rows, lambda row: row.source)
    told = of(*(table(tmp_path, name, some) for name, some in by_source), min_texts=0)
    report, splits = built(told, tmp_path / "out")
    expected = {id: (picture(image), texts) for id, (image, texts) in defined(rows).items()}
    found = read(everything(splits))
    assert found == expected
    texts = sum(len(said) for _, said in found.values())
    lost = report.reasons[TEXT_APART] + report.reasons["text: there is no image of its id"]
    assert texts + lost == len(rows)


def test_a_table_a_log_and_tags_of_the_same_ids_are_joined(tmp_path: Path) -> None:
    rows = [Row("t0", f"i{n}", n, f"title {n}") for n in range(4)]
    again = [Row("t1", f"i{n}", n, f"in another catalog {n}") for n in range(4)]
    tags = pa.table({"id": [f"i{n}" for n in range(4)], "kind": ["tags"] * 4, "text": [f"tag {n}" for n in range(4)]})
    pq.write_table(tags, tmp_path / "tags.parquet")
    log = "query,id,impressions,clicks\n" + "".join(f"query {n},i{n},10,5\n" for n in range(4)) * 10
    (tmp_path / "log.csv").write_text(log)
    sources = [table(tmp_path, "t0", rows), table(tmp_path, "t1", again)]
    sources.append({"type": "images_views", "views": str(tmp_path / "tags.parquet")})
    report, splits = built(of(*sources, clicks=[{"path": str(tmp_path / "log.csv")}]), tmp_path / "out")
    expected = {
        f"i{n}": (picture(n), {f"title {n}", f"in another catalog {n}", f"tag {n}", f"query {n}"}) for n in range(4)
    }
    assert read(everything(splits)) == expected
    assert report.ids_apart == 0 and not report.reasons


def test_texts_for_an_id_of_two_images_are_counted_and_named_ids_find_theirs(tmp_path: Path) -> None:
    rows = {name: [Row(name, "1", number, f"{name} says")] for number, name in enumerate(("t0", "t1"))}
    tags = {"id": ["1", "t0/1", "t1/1"], "kind": ["tags"] * 3, "text": ["whose?", "tag of t0", "tag of t1"]}
    pq.write_table(pa.table(tags), tmp_path / "tags.parquet")
    sources = [table(tmp_path, name, some) for name, some in rows.items()]
    told = of(*sources, {"type": "images_views", "views": str(tmp_path / "tags.parquet")})
    report, splits = built(told, tmp_path / "out")
    assert read(everything(splits)) == {
        "t0/1": (picture(0), {"t0 says", "tag of t0"}),
        "t1/1": (picture(1), {"t1 says", "tag of t1"}),
    }
    assert report.ids_apart == 2 and report.reasons == {TEXT_APART: 1}
    assert len({record.group for record in everything(splits).values()}) == 2


Sample = tuple[str, int, str]  # key, picture, caption


def crawl(file: Path, samples: Sequence[Sample], fields: bool = True) -> None:
    """A tar as img2dataset writes it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(file, "w") as archive:
        for key, number, caption in samples:
            said = json.dumps({"key": key, "caption": caption, "status": "success"}).encode()
            members = {"jpg": picture(number), "json": said, "txt": caption.encode()}
            for suffix, data in members.items() if fields else (("jpg", members["jpg"]), ("txt", members["txt"])):
                about = tarfile.TarInfo(f"{key}.{suffix}")
                about.size = len(data)
                archive.addfile(about, io.BytesIO(data))


@pytest.mark.parametrize("id", ["key", "__key__", None])
@pytest.mark.parametrize("paths", [["a", "b"], ["*/*.tar"]])
def test_crawls_that_number_from_0_keep_their_captions(tmp_path: Path, paths: list[str], id: str | None) -> None:
    truth = {}
    for crawled, first in (("a", 0), ("b", 10)):
        for shard in range(2):
            samples = [(f"{n:09d}", first + n, f"crawl {crawled} {n}") for n in range(2 * shard, 2 * shard + 2)]
            crawl(tmp_path / crawled / f"{shard:05d}.tar", samples)
            truth |= {picture(number): {caption} for _, number, caption in samples}
    views = {"caption": "txt"}
    sources = [{"type": "webdataset", "path": str(tmp_path / path), "id": id, "views": views} for path in paths]
    report, splits = built(of(*sources), tmp_path / "out")
    assert dict(read(everything(splits)).values()) == truth
    assert not report.reasons


def test_one_crawl_keeps_its_keys_and_a_table_of_keys_is_joined(tmp_path: Path) -> None:
    for shard in range(2):
        crawl(tmp_path / f"crawl/{shard:05d}.tar", [(f"{n:09d}", n, f"{n}") for n in range(2 * shard, 2 * shard + 2)])
    tags = {"id": [f"{n:09d}" for n in range(4)], "kind": ["tags"] * 4, "text": [f"tag {n}" for n in range(4)]}
    pq.write_table(pa.table(tags), tmp_path / "tags.parquet")
    tars = {"type": "webdataset", "path": str(tmp_path / "crawl"), "id": "key", "views": {"caption": "txt"}}
    report, splits = built(
        of(tars, {"type": "images_views", "views": str(tmp_path / "tags.parquet")}), tmp_path / "out"
    )
    assert read(everything(splits)) == {f"{n:09d}": (picture(n), {f"{n}", f"tag {n}"}) for n in range(4)}
    assert not report.reasons


def test_a_caption_of_a_broken_image_goes_to_no_image_of_another_crawl(tmp_path: Path) -> None:
    crawl(tmp_path / "a.tar", [("0", 0, "a 0"), ("1", 1, "a 1")])
    data = (tmp_path / "a.tar").read_bytes()
    (tmp_path / "a.tar").write_bytes(data.replace(picture(1), bytes(len(picture(1)))))
    crawl(tmp_path / "b.tar", [("0", 10, "b 0"), ("1", 11, "b 1")])
    sources = [
        {"type": "webdataset", "path": str(tmp_path / f"{n}.tar"), "id": "key", "views": {"caption": "txt"}}
        for n in "ab"
    ]
    report, splits = built(of(*sources), tmp_path / "out")
    texts = {record.image: {text.text for text in record.texts} for record in everything(splits).values()}
    assert texts == {picture(0): {"a 0"}, picture(10): {"b 0"}, picture(11): {"b 1"}}
    assert report.reasons[TEXT_APART] == 1


@pytest.mark.parametrize("id", [None, "__key__"])
@pytest.mark.parametrize("order", ["one after the other", "far apart"])
def test_two_samples_of_one_name_in_a_tar_are_two_records(tmp_path: Path, order: str, id: str | None) -> None:
    samples = [(f"{n}", n, f"first {n}") for n in range(3)], [(f"{n}", 10 + n, f"second {n}") for n in range(3)]
    mixed = [one for pair in zip(*samples, strict=True) for one in pair]
    crawl(tmp_path / "t.tar", mixed if order == "one after the other" else samples[0] + samples[1], fields=False)
    tars = {"type": "webdataset", "path": str(tmp_path / "t.tar"), "id": id, "views": {"caption": "txt"}}
    report, splits = built(of(tars), tmp_path / "out")
    truth = {picture(number): {caption} for some in samples for _, number, caption in some}
    assert dict(read(everything(splits)).values()) == truth
    assert not report.reasons and report.ids_apart == 3
    assert len({record.group for record in everything(splits).values()}) == 3


def test_of_an_id_that_the_source_names_the_first_image_stays_and_the_rest_goes_whole(tmp_path: Path) -> None:
    rows = [Row("t0", f"i{n % 3}", n, f"said of {n}") for n in range(6)]
    report, splits = built(of(table(tmp_path, "t0", rows)), tmp_path / "out")
    assert read(everything(splits)) == {f"i{n}": (picture(n), {f"said of {n}"}) for n in range(3)}
    assert report.reasons == {"image: another one has its id": 3, TEXT_APART: 3}


def test_images_in_cells_that_are_called_alike_are_all_kept(tmp_path: Path) -> None:
    rows = [
        {"image": {"bytes": picture(n), "path": f"{n % 2}.jpg"}, "title": f"in folder {n // 2}, number {n % 2}"}
        for n in range(6)
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "train-00000-of-00001.parquet")
    source = {"type": "table", "path": str(tmp_path), "image": "image", "views": {"title": "title"}}
    report, splits = built(of(source), tmp_path / "out")
    assert dict(read(everything(splits)).values()) == {picture(n): {rows[n]["title"]} for n in range(6)}
    assert not report.reasons


def test_an_added_image_of_a_known_id_is_counted_apart_from_a_known_image(tmp_path: Path) -> None:
    sources = [table(tmp_path, name, [Row(name, "1", number, name)]) for number, name in enumerate(("t0", "t1"))]
    built(of(sources[0]), tmp_path / "out")
    report, splits = built(of(*sources[:1]), tmp_path / "out", mode="append")
    assert report.reasons == {"image: in the corpus already": 1, "text: no new image has its id": 1}
    report, splits = built(of(*sources[1:]), tmp_path / "out", mode="append")
    assert report.reasons == {"image: the corpus has another one of its id": 1, "text: no new image has its id": 1}
    assert read(everything(splits)) == {"1": (picture(0), {"t0"})}


def test_what_equal_ids_mean_is_said_before_a_build(tmp_path: Path) -> None:
    for name in "ab":
        crawl(tmp_path / f"{name}.tar", [("0", 0, "a cup")])
    tars = [{"type": "webdataset", "path": str(tmp_path / f"{name}.tar")} for name in "ab"]
    lines = list(source_lines(Config.model_validate({"sources": tars})))
    assert "one record if their images are equal, else SOURCE/ID" in lines[-1] and "equal_ids=by_image" in lines[-1]
    lines = list(source_lines(Config.model_validate({"sources": tars, "equal_ids": "same"})))
    assert "equal_ids=same" in lines[-1]
