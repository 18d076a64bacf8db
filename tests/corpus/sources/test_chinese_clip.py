"""Laws of Chinese-CLIP's files: every text stands with every image it names."""

import base64
import json
from collections import Counter
from pathlib import Path

import pytest
from tests.corpus.records import png
from tests.corpus.sources.reading import everything

from manyview.corpus.sources.chinese_clip import ChineseClipConfig, ChineseClipSource
from manyview.errors import UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two splits of images and texts, some texts of several images and some of none."""
    for split, start in (("train", 0), ("valid", 10)):
        images = [f"{n}\t{base64.urlsafe_b64encode(png(n)).decode()}\n" for n in range(start, start + 10)]
        (tmp_path / f"{split}_imgs.tsv").write_text("".join(images))
        texts = [{"text_id": n, "text": f"文本“{n}”", "image_ids": list(range(start, start + n % 4))} for n in range(8)]
        lines = [json.dumps(text, ensure_ascii=n % 2 == 0) + "\n" for n, text in enumerate(texts)]
        (tmp_path / f"{split}_texts.jsonl").write_text("".join(lines), encoding="utf-8")
    return tmp_path


def test_each_text_stands_with_each_of_its_images(folder: Path) -> None:
    found = everything(ChineseClipSource(ChineseClipConfig(path=str(folder))))
    assert [(row["id"], row["bytes"]) for row in found.images] == [(str(n), png(n)) for n in range(20)]
    expected = [
        (str(start + image), "caption", f"文本“{n}”", "zh")
        for start in (0, 10)
        for n in range(8)
        for image in range(n % 4)
    ]
    assert found.texts("id", "kind", "text", "lang") == expected
    assert found.skipped == Counter({"text: of no image": 4})
    assert found.views[1]["origin"] == "train_texts.jsonl:2:text"


def test_files_may_be_named_one_by_one(folder: Path) -> None:
    named = ChineseClipConfig(
        images=str(folder / "train_imgs.tsv"), texts=str(folder / "train_texts.jsonl"), prefix="m/"
    )
    found = everything(ChineseClipSource(named))
    assert found.column("id") == [f"m/{n}" for n in range(10)]
    assert {id_[:2] for (id_,) in found.texts("id")} == {"m/"}


def test_bad_lines_are_counted(folder: Path) -> None:
    (folder / "train_texts.jsonl").write_bytes(
        b'{"text": "good", "image_ids": ["1", 2, null]}\n{"text": null, "image_ids": [3]}\n'
        b'{"image_ids": "4"}\nno\n\xff\n'
    )
    found = everything(ChineseClipSource(ChineseClipConfig(path=str(folder), texts=str(folder / "train_texts.jsonl"))))
    assert found.texts("id", "text") == [("1", "good"), ("2", "good")]
    assert found.skipped == Counter(
        {
            "id: empty": 1,
            "row: neither image nor text": 1,
            "text: of no image": 1,
            "row: not JSON": 1,
            "row: not UTF-8": 1,
        }
    )


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"needs `path`, a folder of \*_imgs.tsv files, or `images`"):
        ChineseClipSource(ChineseClipConfig(texts="a.jsonl")).parts()
    (tmp_path / "other.tsv").touch()
    with pytest.raises(UsageError, match=r"no \*_imgs.tsv files in"):
        ChineseClipSource(ChineseClipConfig(path=str(tmp_path))).parts()
