import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from manyview.errors import ManyviewError, UsageError
from manyview.search import Encoder, Index, search
from manyview.search.encoder import unit_rows


def best(model: Encoder, index: Index, **query: object) -> str:
    return search(model, index, top=1, **query)[0].id.split("/")[1]  # type: ignore[arg-type]


@pytest.mark.parametrize("word", ["red", "green", "blue", "yellow", "黑色", "white"])
def test_a_text_finds_what_it_names(model: Encoder, index: Index, word: str) -> None:
    assert best(model, index, text=word) == word


def test_a_picture_is_found_by_file_name_path_bytes_and_object(model: Encoder, index: Index, tmp_path: Path) -> None:
    picture = Image.new("RGB", (7, 5), (40, 60, 210))
    file = tmp_path / "blue 蓝.png"
    picture.save(file)
    for image in (str(file), file, file.read_bytes(), picture):
        assert best(model, index, image=image) == "blue"


def test_a_tensor_that_wants_a_gradient_and_an_array_are_one_query() -> None:
    rows = torch.nn.functional.normalize(torch.randn(3, 8), dim=1).requires_grad_()
    assert np.array_equal(unit_rows(rows), unit_rows(rows.detach().numpy()))


@pytest.mark.parametrize("value", [0.0, 2.0, float("nan"), float("inf")])
def test_rows_that_are_not_of_length_one_are_refused(value: float) -> None:
    with pytest.raises(ManyviewError, match="length 1"):
        unit_rows(np.full((1, 1), value))


def test_a_text_and_a_picture_ask_together_as_the_normalised_sum_of_both(model: Encoder, index: Index) -> None:
    picture = Image.new("RGB", (5, 5), (235, 215, 40))
    total = model.encode_text(["red"])[0] + model.encode_image([picture])[0]
    expected = index.search(total / np.linalg.norm(total), 12)
    hits = search(model, index, text="red", image=picture, top=12)
    assert [hit.id for hit in hits] == [hit.id for hit in expected]
    assert [hit.score for hit in hits] == pytest.approx([hit.score for hit in expected], abs=1e-6)
    assert hits[0].score > search(model, index, text="red", top=12)[-1].score


def test_a_query_needs_a_text_or_a_picture(model: Encoder, index: Index) -> None:
    with pytest.raises(UsageError, match="a text, a picture or both"):
        search(model, index)
    with pytest.raises(UsageError, match="is empty"):
        search(model, index, text="  ")


def test_a_bad_picture_file_is_named_in_one_sentence(model: Encoder, index: Index, tmp_path: Path) -> None:
    missing = tmp_path / "none.png"
    with pytest.raises(UsageError, match=f"cannot read the picture {missing}: No such file"):
        search(model, index, image=missing)
    text = tmp_path / "notes.png"
    text.write_text("no picture")
    with pytest.raises(UsageError, match=f"{text} is not a picture that can be decoded"):
        search(model, index, image=text)
    file = io.BytesIO()
    Image.new("RGB", (64, 64)).save(file, "PNG")
    with pytest.raises(UsageError, match="the picture is not a picture"):
        search(model, index, image=file.getvalue()[:60])
