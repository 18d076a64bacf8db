"""Laws of record vectors: the definition by loops, what is missing is left out, bad weights and records are named."""

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError

from manyview import DualEncoder
from manyview.corpus import Record, Text
from manyview.data import TextView, ViewsConfig
from manyview.errors import DataError, UsageError
from manyview.model import ModelConfig, RecordConfig, TextTowerConfig
from manyview.model.record_vector import trained_record_config


def picture(seed: int) -> bytes:
    packed = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (20, 20, 3), np.uint8)).save(packed, "PNG")
    return packed.getvalue()


TEXTS = (
    Text("title", "red fruit", "en"),
    Text("title", "fruit, red", "en-GB"),
    Text("title", "红色水果", "zh-Hans"),
    Text("tags", "apple", "en"),
    Text("tags", "food", "en"),
    Text("tags", " ", "en"),
    Text("caption", "Obst", "de"),
)
RECORDS = [
    Record("all", "g", picture(0), TEXTS),
    Record("tags only", "g", None, TEXTS[3:5]),
    Record("picture only", "g", picture(1), ()),
    Record("other title", "g", picture(2), (Text("title", "dog"), Text("caption", "a dog", "en"))),
]


def model_with(record: RecordConfig = RecordConfig()) -> DualEncoder:  # noqa: B008
    torch.manual_seed(0)
    text = TextTowerConfig(options={"buckets": 500, "width": 16})
    return DualEncoder(ModelConfig(embed_dim=24, text=text, record=record))


def unit(rows: list[torch.Tensor]) -> torch.Tensor:
    mean = torch.stack(rows).mean(0)
    return mean / mean.norm()


def test_a_record_vector_is_the_normalised_sum_of_weight_times_feature_over_the_views_that_are_there() -> None:
    """By loops: entries within a language, then languages, then views; lists are joined, templates written around."""
    templates = {"tags": "The picture contains {text}."}
    model = model_with(RecordConfig(templates=templates, weights={"title": 2.0, "image": 0.5}))

    def text(string: str) -> torch.Tensor:
        return model.encode_text(string)[0]

    first = [
        0.5 * model.encode_image(RECORDS[0].image)[0],
        2.0 * unit([unit([text("red fruit"), text("fruit, red")]), unit([text("红色水果")])]),
        text("The picture contains apple, food."),
        text("Obst"),
    ]
    other = [
        0.5 * model.encode_image(RECORDS[3].image)[0],
        2.0 * text("dog"),
        text("a dog"),
    ]
    expected = [
        unit(first),
        text("The picture contains apple, food."),
        model.encode_image(RECORDS[2].image)[0],
        unit(other),
    ]
    torch.testing.assert_close(model.encode_record(RECORDS), torch.stack(expected), atol=1e-5, rtol=1e-5)


def test_a_records_vector_does_not_depend_on_its_neighbours() -> None:
    model = model_with()
    together = model.encode_record(RECORDS, batch_size=2)
    alone = torch.cat([model.encode_record([record]) for record in RECORDS])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)
    assert model.encode_record([]).shape == (0, 24)


def test_views_are_unit_rows_where_a_record_has_them_and_zero_elsewhere() -> None:
    features, present = model_with().encode_views(RECORDS)
    assert set(features) == set(present) == {"image", "title", "tags", "caption"}
    assert present["image"].tolist() == [True, False, True, True]
    assert present["tags"].tolist() == [True, True, False, False]
    for view, rows in features.items():
        torch.testing.assert_close(rows.norm(dim=1), present[view].float())


def test_the_languages_of_training_count_alone_except_where_a_kind_has_none_of_them() -> None:
    model, english = model_with(), model_with(RecordConfig(langs=("en",)))
    of_english = replace(RECORDS[0], texts=tuple(t for t in TEXTS if t.lang != "zh-Hans"))
    torch.testing.assert_close(english.encode_record(RECORDS[:1]), model.encode_record([of_english]))


def test_a_weight_of_zero_leaves_a_view_out() -> None:
    model = model_with()
    texts = model.encode_record(RECORDS[:1], weights={"image": 0})
    torch.testing.assert_close(texts, model.encode_record([replace(RECORDS[0], image=None)]))


def test_a_record_that_weights_or_nothing_leave_without_a_view_is_named() -> None:
    model = model_with()
    with pytest.raises(UsageError, match=r"all views of the record 'picture only' \(image\) have the weight 0"):
        model.encode_record(RECORDS, weights={"image": 0})
    with pytest.raises(DataError, match="record 'nothing' has neither a picture nor a text"):
        model.encode_record([Record("nothing", "g", None, ())])
    with pytest.raises(DataError):
        model.encode_record([replace(RECORDS[0], image=b"no picture")])


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_weights_that_are_negative_or_no_number_are_refused(weight: float) -> None:
    with pytest.raises(UsageError, match="weight of the view 'title' is"):
        model_with().encode_record(RECORDS, weights={"title": weight})
    with pytest.raises(ValidationError):
        RecordConfig(weights={"title": weight})


def test_a_trained_model_keeps_the_templates_lists_and_languages_of_its_views() -> None:
    tags = TextView(kinds=("tags", "category"), template="Contains {text}.", langs={"de": 1.0, "fr": 0.0})
    views = ViewsConfig(
        texts={"title": TextView(kinds={"title": 1.0, "tags": 2.0}), "tags": tags}, langs=("en", ""), lists=("tags",)
    )
    record = trained_record_config(RecordConfig(weights={"title": 2.0}), views)
    assert record.templates == {"category": "Contains {text}."}
    assert (record.lists, record.langs, record.weights) == (("tags",), ("", "de", "en"), {"title": 2.0})
    assert trained_record_config(RecordConfig(), views.model_copy(update={"langs": ()})).langs == ()
    given = RecordConfig(templates={"category": "{text}!"}, lists=("objects",), langs=("fr",))
    assert trained_record_config(given, views) == given
