"""Laws of Hugging Face data sets: what the `datasets` library itself reads back."""

from pathlib import Path
from typing import Any

import pytest
from tests.corpus.records import png
from tests.corpus.sources.reading import everything

from manyview.corpus.sources import huggingface as module
from manyview.corpus.sources.huggingface import HuggingFaceConfig, HuggingFaceSource
from manyview.errors import UsageError

datasets = pytest.importorskip("datasets")
NAMES = ["cat", "dog", "newt"]


def rows(count: int, start: int = 0) -> dict[str, list[Any]]:
    numbers = range(start, start + count)
    return {
        "photo": [{"bytes": png(number), "path": f"{number}.png"} for number in numbers],
        "captions": [[f"caption {number}.{one}" for one in range(number % 4)] for number in numbers],
        "label": [number % 4 - 1 for number in numbers],
        "several": [[number % 3, 1] for number in numbers],
        "image_id": list(numbers),
    }


def dataset(count: int, start: int = 0) -> Any:
    features = datasets.Features(
        {
            "photo": datasets.Image(),
            "captions": datasets.List(datasets.Value("string")),
            "label": datasets.ClassLabel(names=NAMES),
            "several": datasets.List(datasets.ClassLabel(names=NAMES)),
            "image_id": datasets.Value("int64"),
        }
    )
    return datasets.Dataset.from_dict(rows(count, start), features=features)


@pytest.fixture(autouse=True)
def _quiet() -> None:
    datasets.disable_progress_bars()


def layouts(folder: Path) -> dict[str, str]:
    """The same 30 rows in each layout."""
    both = datasets.DatasetDict({"train": dataset(20), "test": dataset(10, 20)})
    both.save_to_disk(str(folder / "arrow"), num_shards={"train": 3, "test": 1})
    (folder / "parquet" / "data").mkdir(parents=True)
    both["train"].shard(2, 0).to_parquet(folder / "parquet/data/train-00000-of-00002.parquet")
    both["train"].shard(2, 1).to_parquet(folder / "parquet/data/train-00001-of-00002.parquet")
    both["test"].to_parquet(folder / "parquet/data/test-00000-of-00001.parquet")
    return {"arrow": str(folder / "arrow"), "parquet": str(folder / "parquet")}


VIEWS = {"caption": "captions", "category": "label", "tags": "several"}


@pytest.mark.parametrize("block_rows", [4, 1000])
def test_every_layout_says_what_datasets_holds(
    block_rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_BLOCK_ROWS", block_rows)
    data = rows(30)
    expected = []
    for number in range(30):
        expected += [(str(number), "caption", text) for text in data["captions"][number]]
        expected += [(str(number), "tags", NAMES[label]) for label in data["several"][number]]
        if data["label"][number] >= 0:
            expected.append((str(number), "category", NAMES[data["label"][number]]))
    for path in layouts(tmp_path).values():
        config = HuggingFaceConfig(path=path, id="image_id", image="photo", views=VIEWS)
        found = everything(HuggingFaceSource(config))
        assert sorted(found.texts()) == sorted(expected)
        assert {row["id"]: row["bytes"] for row in found.images} == {str(n): png(n) for n in range(30)}
        assert not found.skipped


def test_columns_are_found_by_their_features_and_names(tmp_path: Path) -> None:
    for path in layouts(tmp_path).values():
        config = HuggingFaceSource(HuggingFaceConfig(path=path)).completed()
        assert config.describe() == "id <- image_id, image <- photo, caption <- captions, category <- label"


def test_splits_are_chosen_by_name(tmp_path: Path) -> None:
    for path in layouts(tmp_path).values():
        found = everything(HuggingFaceSource(HuggingFaceConfig(path=path, splits=("test",))))
        assert sorted(found.column("id")) == [str(number) for number in range(20, 30)]
        with pytest.raises(UsageError, match="no split 'val', only test, train"):
            HuggingFaceSource(HuggingFaceConfig(path=path, splits=("val",))).parts()


def test_what_map_leaves_behind_is_not_read(tmp_path: Path) -> None:
    dataset(8).save_to_disk(str(tmp_path / "d"))
    opened = datasets.load_from_disk(str(tmp_path / "d"))
    opened.map(lambda row: {"captions": ["changed"]})
    assert list((tmp_path / "d").glob("cache-*.arrow"))
    found = everything(HuggingFaceSource(HuggingFaceConfig(path=str(tmp_path / "d"))))
    assert len(found.images) == 8 and ("changed",) not in found.texts("text")


def test_a_data_set_far_away_says_the_same(tmp_path: Path) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    for name, path in layouts(tmp_path).items():
        for file in Path(path).rglob("*.*"):
            if file.is_file():
                memory.pipe(f"/hf-{name}/{file.relative_to(path).as_posix()}", file.read_bytes())
        near = everything(HuggingFaceSource(HuggingFaceConfig(path=path)))
        far = everything(HuggingFaceSource(HuggingFaceConfig(path=f"memory://hf-{name}")))
        assert far.images == near.images and far.views == near.views


def test_images_named_by_path_are_found_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(png(1))
    data = datasets.Dataset.from_dict({"image": ["x.png", "/abs/y.png"], "text": ["a", "b"]})
    data.save_to_disk(str(tmp_path / "d"))
    found = everything(HuggingFaceSource(HuggingFaceConfig(path=str(tmp_path / "d"))))
    assert found.column("path") == [str(tmp_path / "d" / "x.png"), "/abs/y.png"]


def test_a_damaged_file_is_counted_beside_good_ones(tmp_path: Path) -> None:
    path = Path(layouts(tmp_path)["arrow"])
    broken = path / "train" / "data-00002-of-00003.arrow"
    broken.write_bytes(broken.read_bytes()[:50])
    found = everything(HuggingFaceSource(HuggingFaceConfig(path=str(path))))
    assert found.skipped == {"file: damaged": 1} and len(found.images) == 24
