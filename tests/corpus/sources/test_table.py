"""Laws of tables: what a mapping says by its definition, in every file format, whole or in pieces."""

import csv
import gzip
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError
from tests.corpus.sources.reading import Everything, everything

from manyview.corpus.sources import lines as lines_module
from manyview.corpus.sources import table as table_module
from manyview.corpus.sources import table_rows
from manyview.corpus.sources.config import open_source
from manyview.corpus.sources.table import TableConfig, TableSource
from manyview.errors import ManyviewError, UsageError

Row = dict[str, Any]
ROWS: list[Row] = [
    {
        "sku": f"p{number}",
        "photo": f"img/{number}.jpg" if number % 3 else "",
        "name": f'Produkt "{number}", 5"\nneu' if number % 4 else " ",
        "words": ", ".join(f"tag {tag}" for tag in range(number % 3)),
        "tongue": "de" if number % 2 else "",
        "worth": str(number / 8),
        "maker": "ACME" if number % 5 else "",
    }
    for number in range(40)
]
VIEWS: dict[str, Any] = {
    "title": {"column": "name", "lang": {"column": "tongue"}, "weight": {"column": "worth"}},
    "tags": {"column": "words", "split": ",", "lang": "en", "weight": 0.5},
}
MAPPING: Row = {
    "id": "sku",
    "image": {"column": "photo", "as": "path"},
    "group": "maker",
    "license": {"constant": "CC0-1.0"},
    "attribution": "maker",
    "views": VIEWS,
}


def write_csv(rows: list[Row], file: Path) -> Path:
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), delimiter="\t" if file.suffix == ".tsv" else ",")
        writer.writeheader()
        writer.writerows(rows)
    return file


def write_jsonl(rows: list[Row], file: Path) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def write_parquet(rows: list[Row], file: Path) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), file, row_group_size=7)
    return file


WRITERS: dict[str, Callable[[list[Row], Path], Path]] = {
    ".csv": write_csv,
    ".tsv": write_csv,
    ".jsonl": write_jsonl,
    ".parquet": write_parquet,
}


def defined(rows: list[Row], folder: Path, file: str) -> Everything:
    """The mapping's meaning by loops."""
    said = Everything()
    for number, row in enumerate(rows):
        texts = []
        if row["name"].strip():
            origin = f"{file}:{number}:name"
            texts.append(("title", row["name"].strip(), row["tongue"], float(row["worth"]), origin))
        texts += [
            ("tags", tag.strip(), "en", 0.5, f"{file}:{number}:words") for tag in row["words"].split(",") if tag.strip()
        ]
        names = ("kind", "text", "lang", "weight", "origin")
        said.views += [{"id": row["sku"], **dict(zip(names, text, strict=True))} for text in texts]
        if row["photo"]:
            image: Row = {"id": row["sku"], "group": row["maker"] or None, "license": "CC0-1.0"}
            image |= {"attribution": row["maker"] or None, "path": f"{folder}/{row['photo']}"}
            said.images.append({"bytes": None, "offset": None, "length": None, "url": None} | image)
        elif not texts:
            said.skipped["row: neither image nor text"] += 1
    return said


def by_origin(views: list[Row]) -> list[Row]:
    return sorted(views, key=lambda view: (int(view["origin"].split(":")[1]), view["kind"] != "title"))


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("block_rows", [5, 1000])
def test_a_table_says_what_its_mapping_defines(
    suffix: str, block_rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_rows, "MAX_BLOCK_ROWS", block_rows)
    file = WRITERS[suffix](ROWS, tmp_path / f"shop{suffix}")
    found = everything(TableSource(TableConfig(path=str(file), **MAPPING)))
    expected = defined(ROWS, tmp_path, file.name)
    assert found.images == expected.images
    assert by_origin(found.views) == by_origin(expected.views)
    assert found.skipped == expected.skipped


@pytest.mark.parametrize("suffix", WRITERS)
def test_one_file_says_the_same_as_many(suffix: str, tmp_path: Path) -> None:
    (tmp_path / "many").mkdir()
    whole = WRITERS[suffix](ROWS, tmp_path / f"shop{suffix}")
    for start in range(0, len(ROWS), 9):
        WRITERS[suffix](ROWS[start : start + 9], tmp_path / "many" / f"shop-{start:03d}{suffix}")
    mapping = {**MAPPING, "root": str(tmp_path)}
    one = everything(TableSource(TableConfig(path=str(whole), **mapping)))
    for path in (str(tmp_path / "many"), str(tmp_path / "many" / f"*{suffix}"), (str(tmp_path / "many"),)):
        many = everything(TableSource(TableConfig(path=path, **mapping)))
        names = ("id", "kind", "text", "lang", "weight")
        assert sorted(many.texts(*names)) == sorted(one.texts(*names))
        assert many.images == one.images and many.skipped == one.skipped


def test_row_groups_are_parts_that_say_the_same_as_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write_parquet(ROWS, tmp_path / "shop.parquet")
    config = TableConfig(path=str(file), **MAPPING)
    whole = everything(TableSource(config))
    monkeypatch.setattr(table_module, "PART_BYTES", 1000)
    assert len(TableSource(config).parts()) > 2
    pieces = everything(TableSource(config))
    assert pieces.images == whole.images and by_origin(pieces.views) == by_origin(whole.views)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_compressed_tables_say_the_same(suffix: str, tmp_path: Path) -> None:
    plain = WRITERS[suffix](ROWS, tmp_path / f"shop{suffix}")
    packed = tmp_path / f"packed{suffix}.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    one, other = (everything(TableSource(TableConfig(path=str(file), **MAPPING))) for file in (plain, packed))
    assert one.images == other.images and one.texts() == other.texts()


def test_memory_paths_say_the_same(tmp_path: Path) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    for suffix, write in WRITERS.items():
        file = write(ROWS, tmp_path / f"shop{suffix}")
        memory.pipe(f"/shop/t{suffix}", file.read_bytes())
        far = everything(TableSource(TableConfig(path=f"memory://shop/t{suffix}", **MAPPING)))
        near = everything(TableSource(TableConfig(path=str(file), **MAPPING)))
        assert far.texts() == near.texts()
        assert far.column("path") == [path.replace(str(tmp_path), "memory:///shop") for path in near.column("path")]
    assert len(TableSource(TableConfig(path="memory://shop/*.csv", **MAPPING)).parts()) == 1


def test_versions_change_with_the_content(tmp_path: Path) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    for path, write in (
        (str(tmp_path / "t.csv"), (tmp_path / "t.csv").write_bytes),
        ("memory://v/t.csv", lambda data: memory.pipe("/v/t.csv", data)),
    ):
        write(b"id,title\n1,a\n")
        (before,) = TableSource(TableConfig(path=path)).parts()
        write(b"id,title\n1,b\n")
        (after,) = TableSource(TableConfig(path=path)).parts()
        assert before.version != after.version


HOSTILE = (
    b"\xef\xbb\xbfid,image,title,tags\r\n"
    b"1,a.jpg,fine,x\r\n"
    b",b.jpg,no id,\r\n"
    b"nan,c.jpg,no id either,\r\n"
    b"4,d.jpg\r\n"
    b"5,e.jpg,too,many,cells\r\n"
    b"6,f.jpg,bro\xffken,\r\n"
    b'7,g.jpg,"two\r\nlines","a,b"\r\n'
    b"8,../../etc/passwd,out,\r\n"
    b"9,,,\r\n"
    b"10,h.jpg,NaN,,,\r\n"
    b"11,i.jpg," + b"z" * (10 << 20) + b",\r\n"
    b'12,j.jpg,"open,\r\n'
    b"13,k.jpg,last,\r\n"
)


def test_bad_rows_of_a_csv_are_counted_and_the_others_read(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(HOSTILE)
    found = everything(TableSource(TableConfig(path=str(tmp_path / "t.csv"), root=str(tmp_path))))
    assert found.texts("id", "kind", "text") == [
        ("1", "title", "fine"),
        ("7", "title", "two\r\nlines"),
        ("8", "title", "out"),
        ("13", "title", "last"),
        ("1", "tags", "x"),
        ("7", "tags", "a"),
        ("7", "tags", "b"),
    ]
    assert found.column("id") == ["1", "7", "10", "11", "13"]
    assert found.skipped == Counter(
        {
            "id: empty": 2,
            "row: fewer cells than the heading": 1,
            "row: more cells than the heading": 1,
            "row: not UTF-8": 1,
            "image: path that is not allowed": 1,
            "row: neither image nor text": 1,
            "text: longer than 1 MB": 1,
            "row: a quote that is never closed": 1,
        }
    )


def test_bad_rows_of_jsonl_are_counted_and_the_others_read(tmp_path: Path) -> None:
    lines = [
        b'{"id": 1, "title": "fine", "tags": ["x", 2, null, true]}',
        b"",
        b"[1]",
        b'{"id": 2, "title": ',
        b'{"id": 3, "title": "\xff"}',
        b'{"id": {"a": 1}, "title": "no id"}',
        b'{"id": 4, "title": {"en": "object"}}',
        b'{"id": 5.0, "title": ["several", "titles"]}',
        b'{"id": ["6"], "title": 7, "tags": "a, b"}',
        b'{"id": 8, "title": "lone \\ud800 surrogate"}',
        b'{"title": "no id"}',
        b'{"id": 1' + b"0" * 5000 + b', "title": "a number beyond all bounds"}',
        b"[" * 100_000,
    ]
    (tmp_path / "t.jsonl").write_bytes(b"\n".join(lines))
    found = everything(TableSource(TableConfig(path=str(tmp_path / "t.jsonl"))))
    assert sorted(found.texts()) == sorted(
        [
            ("1", "title", "fine"),
            ("1", "tags", "x"),
            ("1", "tags", "2"),
            ("5", "title", "several"),
            ("5", "title", "titles"),
            ("6", "title", "7"),
            ("6", "tags", "a"),
            ("6", "tags", "b"),
            ("8", "title", "lone \ufffd surrogate"),
        ]
    )
    assert found.skipped == Counter(
        {
            "row: not a JSON object": 1,
            "row: not JSON": 3,
            "row: not UTF-8": 1,
            "field: not a text or number": 3,
            "id: empty": 2,
            "row: neither image nor text": 1,
        }
    )


def test_bad_cells_of_parquet_are_counted_and_the_others_read(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": pa.array([1.0, float("nan"), None, 4.0, 5.0, 6.0]),
            "title": ["a", "b", "c", None, "e", "f"],
            "worth": [0.5, 1.0, 1.0, 1.0, -1.0, float("nan")],
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    view = {"column": "title", "weight": {"column": "worth"}}
    found = everything(TableSource(TableConfig(path=str(tmp_path / "t.parquet"), id="id", views={"title": view})))
    assert found.texts("id", "text", "weight") == [("1", "a", 0.5), ("6", "f", 1.0)]
    assert found.skipped == Counter(
        {"id: empty": 2, "weight: not a number of at least 0": 1, "row: neither image nor text": 2}
    )


def test_damaged_files_are_counted_beside_good_ones(tmp_path: Path) -> None:
    whole = write_parquet(ROWS, tmp_path / "a.parquet").read_bytes()
    (tmp_path / "b.parquet").write_bytes(whole[:-40])
    (tmp_path / "c.parquet").write_bytes(b"")
    (tmp_path / "d.csv.gz").write_bytes(gzip.compress(b"sku,name,photo,words,tongue,worth,maker\n" + b"1" * 9999)[:-30])
    found = everything(TableSource(TableConfig(path=str(tmp_path), **MAPPING)))
    alone = everything(TableSource(TableConfig(path=str(tmp_path / "a.parquet"), **MAPPING)))
    assert found.images == alone.images
    assert found.skipped - alone.skipped == Counter({"file: damaged": 3})


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_a_cut_file_gives_the_rows_before_the_cut(suffix: str, tmp_path: Path) -> None:
    rows = [{"id": f"{number}", "title": f"{number * 7919 % 10007}"} for number in range(20_000)]
    data = gzip.compress(WRITERS[suffix](rows, tmp_path / f"t{suffix}").read_bytes())
    (tmp_path / f"t{suffix}.gz").write_bytes(data[: len(data) // 2])
    found = everything(TableSource(TableConfig(path=str(tmp_path / f"t{suffix}.gz"))))
    assert 5_000 < len(found.views) < 20_000
    assert found.texts("id", "text")[:-1] == [(row["id"], row["title"]) for row in rows[: len(found.views) - 1]]
    assert found.skipped["file: damaged"] == 1


def test_a_file_that_went_away_is_an_error_and_not_silence(tmp_path: Path) -> None:
    for suffix, write in WRITERS.items():
        (part,) = TableSource(TableConfig(path=str(write(ROWS, tmp_path / f"t{suffix}")), **MAPPING)).parts()
        (tmp_path / f"t{suffix}").unlink()
        with pytest.raises(ManyviewError, match="cannot be read"):
            list(part.read())


def test_columns_that_are_not_there_are_named_with_what_is_meant(tmp_path: Path) -> None:
    file = write_csv(ROWS, tmp_path / "shop.csv")
    with pytest.raises(UsageError, match=r"has no column 'nmae', did you mean 'name'\? it has sku, photo, name"):
        TableSource(TableConfig(path=str(file), id="sku", views={"title": "nmae"})).parts()
    optional = {"title": "name", "alt": {"column": "nothing", "optional": True}}
    assert everything(TableSource(TableConfig(path=str(file), id="sku", views=optional))).views


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"views": {"title": "name"}}, "texts of no image"),
        ({"views": {}, "id": "sku"}, "no column whose name tells"),
        ({"path": "missing.csv"}, "no file at missing.csv"),
        ({"path": "missing/*.csv"}, "no file at"),
        ({"encoding": "klingon", "id": "sku"}, "no encoding 'klingon'"),
        ({"path": "nosuchscheme://a.csv"}, "cannot be opened"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(given: Row, sentence: str, tmp_path: Path) -> None:
    file = write_csv(ROWS, tmp_path / "shop.csv")
    with pytest.raises(UsageError, match=sentence):
        open_source(TableConfig(**({"path": str(file)} | given))).parts()


@pytest.mark.parametrize(
    "given",
    [
        {"views": {"2nd": "name"}},
        {"views": {"title": []}},
        {"views": {"title": {"column": "a", "weight": -1}}},
        {"image": {"column": "a", "as": "film"}},
        {"delimiter": "::"},
    ],
)
def test_a_mapping_that_means_nothing_is_refused(given: Row) -> None:
    with pytest.raises(ValidationError):
        TableConfig(path="t.csv", **given)


def test_open_clips_csv_needs_no_mapping(tmp_path: Path) -> None:
    (tmp_path / "cc.csv").write_text("filepath\ttitle\na.jpg\tA dog, running\nb.jpg\tA cat\na.jpg\tA hound\n")
    found = everything(TableSource(TableConfig(path=str(tmp_path / "cc.csv"))))
    assert found.texts() == [
        ("a.jpg", "title", "A dog, running"),
        ("b.jpg", "title", "A cat"),
        ("a.jpg", "title", "A hound"),
    ]
    assert found.column("path") == [f"{tmp_path}/{name}.jpg" for name in "aba"]


def test_images_of_one_name_in_two_folders_stay_two(tmp_path: Path) -> None:
    for folder in "ab":
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "t.csv").write_text(f"filepath,title\n1.jpg,in {folder}\n")
    found = everything(TableSource(TableConfig(path=str(tmp_path))))
    assert found.texts("id", "text") == [("a/1.jpg", "in a"), ("b/1.jpg", "in b")]


def test_struct_and_json_fields_are_columns(tmp_path: Path) -> None:
    rows = [
        {"id": 1, "names": {"en": "dog", "zh": "狗"}, "meta": '{"by": {"who": "me"}, "tags": ["a", "b"]}'},
        {"id": 2},
    ]
    mapping: Row = {"id": "id", "attribution": "meta.by.who"}
    mapping["views"] = {
        "title": [{"column": f"names.{lang}", "lang": lang} for lang in ("en", "zh")],
        "tags": "meta.tags",
    }
    for suffix in (".parquet", ".jsonl"):
        file = WRITERS[suffix](rows, tmp_path / f"t{suffix}")
        found = everything(TableSource(TableConfig(path=str(file), **mapping)))
        assert found.texts("kind", "text", "lang") == [
            ("title", "dog", "en"),
            ("title", "狗", "zh"),
            ("tags", "a", ""),
            ("tags", "b", ""),
        ]
        assert found.skipped == Counter({"row: neither image nor text": 1})


def test_prefixes_keep_two_sources_apart_and_links_together(tmp_path: Path) -> None:
    file = write_csv(ROWS, tmp_path / "shop.csv")
    found = everything(TableSource(TableConfig(path=str(file), **MAPPING, prefix="shop/")))
    assert found.column("id") and {*found.column("id")} <= {f"shop/{row['sku']}" for row in ROWS}
    assert {id_ for (id_,) in found.texts("id")} <= {f"shop/{row['sku']}" for row in ROWS}


def test_fields_of_lists_of_structs_are_lists(tmp_path: Path) -> None:
    sentences = [[{"raw": "a", "n": 1}, {"raw": "b", "n": 2}], None, [], [{"raw": None, "n": 3}, {"raw": "c", "n": 4}]]
    rows = [{"id": number, "sentences": said} for number, said in enumerate(sentences)]
    for suffix in (".parquet", ".jsonl"):
        file = WRITERS[suffix](rows, tmp_path / f"t{suffix}")
        found = everything(TableSource(TableConfig(path=str(file), id="id", views={"caption": "sentences.raw"})))
        assert found.texts("id", "text") == [("0", "a"), ("0", "b"), ("3", "c")]


def test_a_line_of_jsonl_without_end_is_counted_and_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines_module, "MAX_LINE_BYTES", 60)
    rows = [{"id": "1", "title": "a"}, {"id": "2", "title": "x" * 500}, {"id": "3", "title": "c"}]
    file = write_jsonl(rows, tmp_path / "t.jsonl")
    found = everything(TableSource(TableConfig(path=str(file))))
    assert found.texts("id", "text") == [("1", "a"), ("3", "c")]
    assert found.skipped == Counter({"row: longer than 64 MB": 1})


CAPTIONS = [
    "a cup on a table",
    '"big sale today at the shop',
    "a blue car",
    '12" wooden ruler on a desk',
    "a dog",
    "a tree",
]


@pytest.mark.parametrize(("heading", "row"), [("image\tcaption", "{0}.jpg\t{1}"), ("caption\timage", "{1}\t{0}.jpg")])
def test_a_quote_in_a_caption_of_a_tsv_takes_no_other_rows_caption(heading: str, row: str, tmp_path: Path) -> None:
    rows = "".join(row.format(*numbered) + "\n" for numbered in enumerate(CAPTIONS))
    (tmp_path / "t.tsv").write_text(f"{heading}\n{rows}")
    found = everything(TableSource(TableConfig(path=str(tmp_path / "t.tsv"))))
    assert found.texts("id", "text") == [(f"{number}.jpg", caption) for number, caption in enumerate(CAPTIONS)]
    assert not found.skipped


def test_a_tsv_quoted_throughout_may_hold_tabs_and_line_breaks(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text('"id"\t"title"\n"1"\t"a\tcup\nof tea"\n"2"\t"b"\n')
    found = everything(TableSource(TableConfig(path=str(tmp_path / "t.tsv"))))
    assert found.texts("id", "text") == [("1", "a\tcup\nof tea"), ("2", "b")]


def test_a_quote_that_is_named_holds_in_a_tsv_as_in_a_csv(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text('id\ttitle\n1\t"a\tcup"\n')
    found = everything(TableSource(TableConfig(path=str(tmp_path / "t.tsv"), quote='"')))
    assert found.texts("id", "text") == [("1", "a\tcup")]


@pytest.mark.parametrize("mark", [";", "|", "\t"])
def test_a_csv_of_excel_names_its_delimiter_in_a_line_of_its_own(mark: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(f"sep={mark}\nid{mark}title, long\n1{mark}a, b\n")
    found = everything(TableSource(TableConfig(path=str(tmp_path / "t.csv"), id="id", views={"title": "title, long"})))
    assert found.texts("id", "text") == [("1", "a, b")] and not found.skipped
