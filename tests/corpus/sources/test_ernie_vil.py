"""Laws of ERNIE-ViL's TSV: three cells, or two, and no quoting."""

import base64
from collections import Counter
from pathlib import Path

import pytest
from tests.corpus.records import png
from tests.corpus.sources.reading import everything

from manyview.corpus.sources.ernie_vil import ErnieVilConfig, ErnieVilSource

TEXTS = ['一只"猫"的照片', '"unbalanced', "plain, with comma", "第二句"]


def encoded(number: int, urlsafe: bool = False) -> str:
    return (base64.urlsafe_b64encode if urlsafe else base64.b64encode)(png(number)).decode()


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("urlsafe", [False, True])
def test_lines_are_text_id_and_image(encoding: str, urlsafe: bool, tmp_path: Path) -> None:
    lines = [f"{text}\t{900 + number // 2}\t{encoded(number // 2, urlsafe)}" for number, text in enumerate(TEXTS)]
    (tmp_path / "coco.tsv").write_bytes("\r\n".join(lines).encode(encoding))
    found = everything(ErnieVilSource(ErnieVilConfig(path=str(tmp_path), encoding=encoding, lang="zh")))
    assert [(row["id"], row["bytes"]) for row in found.images] == [("900", png(0))] * 2 + [("901", png(1))] * 2
    assert found.texts("id", "kind", "text", "lang") == [
        (str(900 + number // 2), "caption", text, "zh") for number, text in enumerate(TEXTS)
    ]
    assert not found.skipped


def test_lines_of_two_cells_have_no_id(tmp_path: Path) -> None:
    (tmp_path / "two.tsv").write_text("".join(f"{text}\t{encoded(n)}\n" for n, text in enumerate(TEXTS)))
    found = everything(ErnieVilSource(ErnieVilConfig(path=str(tmp_path / "two.tsv"), kind="title")))
    assert found.column("bytes") == [png(number) for number in range(4)]
    assert found.texts() == [(f"two.tsv:{number}", "title", text) for number, text in enumerate(TEXTS)]


def test_bad_lines_are_counted(tmp_path: Path) -> None:
    lines = [
        f"good\t1\t{encoded(1)}",
        "bad\t2\t!!!",
        "short\t3",
        f"\t4\t{encoded(4)}",
        f"no id\t\t{encoded(5)}",
        "\t6\t",
    ]
    (tmp_path / "t.tsv").write_bytes("\n".join(lines).encode() + b"\n\xff\t7\t" + encoded(7).encode())
    found = everything(ErnieVilSource(ErnieVilConfig(path=str(tmp_path / "t.tsv"))))
    assert found.column("id") == ["1", "4"]
    assert found.texts("id", "text") == [("1", "good"), ("2", "bad")]
    assert found.skipped == Counter(
        {
            "image: not base64": 1,
            "row: fewer cells than the heading": 1,
            "id: empty": 1,
            "row: neither image nor text": 1,
            "row: not UTF-8": 1,
        }
    )
