"""Laws of COCO: captions and the names of objects by loops over the whole JSON."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.corpus.sources.reading import everything

from manyview.corpus.sources.coco import CocoConfig, CocoSource

IMAGES = [
    {
        "id": number,
        "file_name": f"{number:012d}.jpg",
        "license": number % 3,
        "coco_url": f"http://images.example.org/{number}.jpg",
    }
    for number in range(20)
]
LICENSES = [{"id": 1, "name": "CC-BY-2.0"}, {"id": 2, "name": "CC-BY-SA-2.0"}]
CATEGORIES = [
    {"id": 10 + one, "name": name, "supercategory": "thing"} for one, name in enumerate(["cat", "dog", "car"])
]
CAPTIONS = [{"id": n, "image_id": n % 20, "caption": f"Caption {n} \n" if n % 9 else " "} for n in range(57)]
OBJECTS = [
    {"id": n, "image_id": n * 7 % 17, "category_id": 10 + n % 3, "area": float(n * 13 % 11), "bbox": [0, 0, 1, 1]}
    for n in range(60)
]


@pytest.fixture
def annotations(tmp_path: Path) -> Path:
    """The two files of COCO, their keys in the order of COCO's."""
    head = {"info": {"year": 2017}, "licenses": LICENSES, "images": IMAGES}
    (tmp_path / "captions_val.json").write_text(json.dumps({**head, "annotations": CAPTIONS}))
    (tmp_path / "instances_val.json").write_text(
        json.dumps({**head, "annotations": OBJECTS, "categories": CATEGORIES}, indent=1)
    )
    return tmp_path


def defined_tags(image: int) -> list[str]:
    areas: dict[str, float] = {}
    for one in OBJECTS:
        if one["image_id"] == image:
            name = CATEGORIES[one["category_id"] - 10]["name"]  # type: ignore[operator]
            areas[str(name)] = areas.get(str(name), 0.0) + one["area"]  # type: ignore[operator]
    return sorted(areas, key=lambda name: -areas[name])


def test_captions_and_objects_are_views_of_their_images(annotations: Path) -> None:
    found = everything(CocoSource(CocoConfig(path=str(annotations), images="/pictures", lang="en")))
    captions = [(str(one["image_id"]), str(one["caption"]).strip()) for one in CAPTIONS if str(one["caption"]).strip()]
    assert [text[::2] for text in found.texts() if text[1] == "caption"] == captions
    for image in range(20):
        tags = [view["text"] for view in found.views if view["id"] == str(image) and view["kind"] == "tags"]
        assert tags == defined_tags(image)
    one_file = found.images[:20]
    assert [row["path"] for row in one_file] == [f"/pictures/{row['file_name']}" for row in IMAGES]
    assert [row["license"] for row in one_file] == [None, "CC-BY-2.0", "CC-BY-SA-2.0"] * 6 + [None, "CC-BY-2.0"]
    assert found.images[20:] == one_file
    assert {view["lang"] for view in found.views} == {"en"}
    assert {view["origin"] for view in found.views if view["id"] == "3" and view["kind"] == "caption"} == {
        "captions_val.json:3:caption"
    }


def test_without_a_folder_images_are_named_by_url(annotations: Path) -> None:
    config = CocoConfig(path=str(annotations / "captions_val.json"), prefix="coco/", caption="title")
    found = everything(CocoSource(config))
    assert found.column("url") == [row["coco_url"] for row in IMAGES]
    assert found.column("id") == [f"coco/{number}" for number in range(20)]
    assert set(found.texts("kind")) == {("title",)}


def test_karpathys_splits_are_read(tmp_path: Path) -> None:
    sentences = [{"raw": "A man ."}, {"raw": "A boy ."}]
    images: list[dict[str, Any]] = [
        {"filepath": "val2014", "filename": "a.jpg", "cocoid": 7, "sentences": sentences},
        {"filename": "b.jpg", "imgid": 8, "sentences": sentences[:1]},
    ]
    (tmp_path / "dataset_coco.json").write_text(json.dumps({"images": images, "dataset": "coco"}))
    found = everything(CocoSource(CocoConfig(path=str(tmp_path), images="/p")))
    assert found.column("path") == ["/p/val2014/a.jpg", "/p/b.jpg"]
    assert found.texts("id", "text") == [("7", "A man ."), ("7", "A boy ."), ("8", "A man .")]


def test_hostile_annotations_are_counted(tmp_path: Path) -> None:
    document = {
        "images": [
            {"id": 1, "file_name": "../../etc/passwd"},
            {"file_name": "no-id.jpg"},
            {"id": 2, "file_name": "fine.jpg"},
            "no object",
            {"id": [3], "file_name": "list.jpg"},
        ],
        "annotations": [
            {"image_id": 2, "caption": 5},
            {"image_id": 2, "caption": {"a": 1}},
            {"caption": "of nothing"},
            {"image_id": {}, "category_id": 1},
            {"image_id": 2, "category_id": 99, "area": "big"},
            {"image_id": 2, "category_id": 1, "area": float("nan")},
            {"image_id": 2},
            7,
        ],
        "categories": [{"id": 1, "name": "cat"}],
    }
    (tmp_path / "a.json").write_text(json.dumps(document))
    found = everything(CocoSource(CocoConfig(path=str(tmp_path), images="/p")))
    assert found.column("path") == ["/p/fine.jpg"]
    assert found.texts() == [("2", "caption", "5"), ("2", "tags", "cat")]
    assert found.skipped == Counter(
        {
            "image: path that is not allowed": 1,
            "row: neither image nor text": 2,
            "id: empty": 3,
            "field: not a text or number": 1,
            "annotation: no image_id or category_id": 1,
            "annotation: neither caption nor category": 1,
            "object: category without a name": 1,
        }
    )


def test_a_cut_file_gives_what_came_before(annotations: Path) -> None:
    data = (annotations / "captions_val.json").read_bytes()
    (annotations / "cut.json").write_bytes(data[: len(data) * 3 // 4])
    found = everything(CocoSource(CocoConfig(path=str(annotations / "cut.json"))))
    assert len(found.images) == 20 and 0 < len(found.views) < 57
    assert found.skipped["file: damaged"] == 1
