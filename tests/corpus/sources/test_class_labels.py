"""Laws of class labels: where a schema has names for numbers, the names are the texts, however deep they stand."""

from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.corpus.records import png
from tests.corpus.sources.reading import everything

from manyview.corpus.sources.config import open_source
from manyview.corpus.sources.guess import guess_source
from manyview.corpus.sources.huggingface import HuggingFaceConfig
from manyview.corpus.sources.table import TableConfig

NAMES = ["cat", "dog", "horse"]
LABEL = datasets.ClassLabel(names=NAMES)
LABELS = [[0, 2], [1], [], [2, 1, 0]]
FEATURES: dict[str, tuple[Any, str, Any]] = {
    "label": (LABEL, "label", lambda labels: labels[0] if labels else -1),
    "list": (datasets.Sequence(LABEL), "label", lambda labels: labels),
    "list of lists": (datasets.Sequence(datasets.Sequence(LABEL)), "label", lambda labels: [labels, []]),
    "struct": ({"class": LABEL}, "label.class", lambda labels: {"class": labels[0] if labels else None}),
    "struct of lists": (
        datasets.Sequence({"class": LABEL, "n": datasets.Value("int64")}),
        "label.class",
        lambda labels: {"class": labels, "n": labels},
    ),
    "list of structs": ([{"class": LABEL}], "label.class", lambda labels: [{"class": label} for label in labels]),
    "deep": ({"a": [{"b": datasets.Sequence(LABEL)}]}, "label.a.b", lambda labels: {"a": [{"b": labels}]}),
}


@pytest.mark.parametrize("layout", FEATURES)
@pytest.mark.parametrize("form", ["table", "parquet", "arrow"])
def test_numbers_of_a_class_label_are_its_names(layout: str, form: str, tmp_path: Path) -> None:
    datasets.disable_progress_bars()
    feature, column, make = FEATURES[layout]
    rows = {"id": list("abcd"), "label": [make(labels) for labels in LABELS]}
    data = datasets.Dataset.from_dict(rows, datasets.Features({"id": datasets.Value("string"), "label": feature}))
    if form == "arrow":
        data.save_to_disk(str(tmp_path / "data"))
    else:
        (tmp_path / "data").mkdir()
        data.to_parquet(str(tmp_path / "data" / "train-00000-of-00001.parquet"))
    source = TableConfig if form == "table" else HuggingFaceConfig
    found = everything(open_source(source(path=str(tmp_path / "data"), id="id", views={"tags": column})))
    only_first = layout in ("label", "struct")
    expected = [
        (id_, NAMES[label])
        for id_, labels in zip("abcd", LABELS, strict=True)
        for label in (labels[:1] if only_first else labels)
    ]
    assert found.texts("id", "text") == expected


def test_a_data_set_of_the_hub_needs_no_mapping_for_its_names(tmp_path: Path) -> None:
    datasets.disable_progress_bars()
    features = datasets.Features({"image": datasets.Image(), "label": LABEL})
    rows = {"image": [{"bytes": png(number), "path": None} for number in range(3)], "label": [2, 0, 1]}
    (tmp_path / "data").mkdir()
    (tmp_path / "README.md").write_text("---\n---\n")
    data = datasets.Dataset.from_dict(rows, features)
    data.to_parquet(str(tmp_path / "data" / "train-00000-of-00001.parquet"))
    found = everything(open_source(guess_source(str(tmp_path))))
    assert found.texts("kind", "text") == [("category", "horse"), ("category", "cat"), ("category", "dog")]
    assert len(found.images) == 3


@pytest.mark.parametrize(
    "noted", [b"{", b"[]", b'{"info": 1}', b'{"info": {"features": {"label": {"_type": "ClassLabel"}}}}']
)
def test_a_schema_that_notes_no_names_leaves_numbers(noted: bytes, tmp_path: Path) -> None:
    table = pa.table({"id": ["a"], "label": [1]}).replace_schema_metadata({b"huggingface": noted})
    pq.write_table(table, tmp_path / "t.parquet")
    assert everything(open_source(TableConfig(path=str(tmp_path / "t.parquet")))).texts("text") == [("1",)]
