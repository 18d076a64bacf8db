"""Laws of encodings: a text in another encoding is read as it was written, or refused with one that reads it."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from tests.corpus.sources.reading import everything

from manyview.config import load_config
from manyview.corpus.builder.config import BuildConfig
from manyview.corpus.sources.config import open_source
from manyview.corpus.sources.guess import guess_source
from manyview.corpus.sources.table import TableConfig, TableSource
from manyview.errors import UsageError

TEXTS = {
    "gb18030": ["夏季新款女装连衣裙", "男士运动鞋", "木制餐桌椅", "蓝色陶瓷杯子"],
    "big5": ["夏季新款女裝連衣裙", "藍色陶瓷杯子", "木製餐桌椅", "紅蘋果"],
    "cp932": ["赤いりんご", "青いカップ", "木のテーブル", "夏用ドレスの新作"],
    "cp1251": ["красное яблоко", "синяя чашка", "деревянный стол", "летнее платье"],
    "cp1252": ["Große grüne Tasse für Kinder", "schöne Tür", "Möbel für Küche", "weiße Blüten"],
}


def table(texts: list[str], heading: str = "image,title") -> str:
    return f"{heading}\n" + "".join(f"{number}.jpg,{text}\n" for number, text in enumerate(texts))


def titles(source: TableConfig) -> list[tuple[str, str]]:
    found = everything(open_source(source))
    assert not found.skipped
    return [(id_, text) for id_, text in found.texts("id", "text")]


@pytest.mark.parametrize("encoding", TEXTS)
@pytest.mark.parametrize("heading", ["image,title", None])
def test_the_sentence_names_a_setting_with_which_the_table_is_read(
    encoding: str, heading: str | None, tmp_path: Path
) -> None:
    texts = TEXTS[encoding] * 3
    data = table(texts, heading or f"image,{texts[0]}").encode(encoding)
    (tmp_path / "t.csv").write_bytes(data)
    with pytest.raises(UsageError, match="name its encoding") as raised:
        guess_source(str(tmp_path / "t.csv"))
    setting = re.findall(r"'(sources=.*)'", str(raised.value))
    (source,) = load_config(BuildConfig, None, setting).sources
    assert isinstance(source, TableConfig)
    views = {"title": "title" if heading else texts[0]}
    named = TableConfig(path=source.path, encoding=source.encoding, image="image", views=views)
    assert titles(named) == [(f"{number}.jpg", text) for number, text in enumerate(texts)]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_tells_the_encoding(encoding: str, tmp_path: Path) -> None:
    texts = [text for some in TEXTS.values() for text in some]
    (tmp_path / "t.csv").write_bytes(table(texts).encode(encoding))
    rows = [{"image": f"{number}.jpg", "title": text} for number, text in enumerate(texts)]
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (tmp_path / "t.jsonl").write_bytes(lines.encode(encoding))
    (tmp_path / "t.json").write_bytes(json.dumps(rows, ensure_ascii=False, indent=1).encode(encoding))
    for name in ("t.csv", "t.jsonl", "t.json"):
        assert titles(TableConfig(path=str(tmp_path / name))) == [(row["image"], row["title"]) for row in rows]


@pytest.mark.parametrize("encoding", [*TEXTS, "utf-16-le", "euc_kr"])
def test_a_named_encoding_holds_for_csv_and_json(encoding: str, tmp_path: Path) -> None:
    texts = TEXTS.get(encoding, ["여름 신상 원피스", "빨간 사과"])
    rows = [{"image": f"{number}.jpg", "title": text} for number, text in enumerate(texts)]
    (tmp_path / "t.csv").write_bytes(table(texts).encode(encoding))
    (tmp_path / "t.jsonl").write_bytes("\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode(encoding))
    for name in ("t.csv", "t.jsonl"):
        config = TableConfig(path=str(tmp_path / name), encoding=encoding)
        assert titles(config) == [(row["image"], row["title"]) for row in rows]


def test_one_broken_line_is_damage_and_no_encoding(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(table(["a", "b", "c"]).encode() + b"3.jpg,bro\xffken\n")
    found = everything(TableSource(TableConfig(path=str(tmp_path / "t.csv"))))
    assert len(found.views) == 3 and found.skipped == Counter({"row: not UTF-8": 1})


def test_a_few_broken_lines_among_many_good_ones_are_damage(tmp_path: Path) -> None:
    good = table(TEXTS["gb18030"] * 5).encode()
    (tmp_path / "t.csv").write_bytes(good + b"8.jpg,bro\xffken\n9.jpg,bro\xffken\n")
    found = everything(TableSource(TableConfig(path=str(tmp_path / "t.csv"))))
    assert len(found.views) == 20 and found.skipped == Counter({"row: not UTF-8": 2})


def test_a_workbook_that_is_called_csv_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"PK\x03\x04" + bytes(range(256)) * 9)
    with pytest.raises(UsageError, match="zip archive, as Excel writes"):
        guess_source(str(tmp_path / "t.csv"))
