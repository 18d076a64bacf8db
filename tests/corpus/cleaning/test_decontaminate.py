"""Laws of decontamination."""

from pathlib import Path

import numpy as np
import pytest
from tests.corpus.cleaning.said import views
from tests.corpus.hostile import encoded, picture

from manyview.corpus import Record, Text, write_corpus
from manyview.corpus.cleaning.decontaminate import (
    CONTENT,
    NEAR,
    TEXT,
    DecontaminationRules,
    read_evaluation_sets,
)
from manyview.corpus.cleaning.image_facts import ImageFacts, look
from manyview.corpus.fingerprint import image_identity
from manyview.errors import UsageError

CAPTION = "A red car parked on the street"


def reason(data: bytes, rules: DecontaminationRules) -> str | None:
    """Why an image file has to go."""
    facts = look(data)
    assert isinstance(facts, ImageFacts)
    return read_evaluation_sets(rules).image_reason(image_identity(data), facts.perceptual, rules.distance)


@pytest.fixture(params=["folder", "corpus", "split"])
def against(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, ...]:
    """An evaluation set of one picture and one caption, in each of its forms."""
    held = encoded(picture(120, 90, 1), "PNG")
    if request.param == "folder":
        (tmp_path / "images" / "deep").mkdir(parents=True)
        (tmp_path / "images" / "deep" / "one.png").write_bytes(held)
        (tmp_path / "images" / "notes.md").write_text("no image")
        (tmp_path / "captions.txt").write_text(f"{CAPTION}\ndog\n", encoding="utf-8")
        return str(tmp_path / "images"), str(tmp_path / "captions.txt")
    record = Record("a", "a", held, (Text("caption", CAPTION), Text("tags", "dog")))
    write_corpus(tmp_path / "held", {"test": [record]}, name="held")
    return (f"{tmp_path / 'held'}{'#test' if request.param == 'split' else ''}",)


def test_equal_files_and_pictures_near_them_are_found(against: tuple[str, ...]) -> None:
    rules = DecontaminationRules(against=against)
    assert reason(encoded(picture(120, 90, 1), "PNG"), rules) == CONTENT
    again = encoded(picture(120, 90, 1).resize((240, 180)), "JPEG")
    assert reason(again, rules) == NEAR
    assert reason(again, DecontaminationRules(against=against, distance=None)) is None
    assert reason(encoded(picture(120, 90, 2), "PNG"), rules) is None


def test_equal_texts_of_some_length_are_found(against: tuple[str, ...]) -> None:
    table = views(("x", "caption", f" {CAPTION.upper()}"), ("x", "tags", "dog"), ("y", "caption", "another"))
    kept, reasons = read_evaluation_sets(DecontaminationRules(against=against)).drop_texts(table)
    assert kept["text"].to_pylist() == ["dog", "another"]
    assert reasons == {TEXT: 1}
    kept, _ = read_evaluation_sets(DecontaminationRules(against=against, min_text_chars=3)).drop_texts(table)
    assert kept["text"].to_pylist() == ["another"]
    kept, _ = read_evaluation_sets(DecontaminationRules(against=against, min_text_chars=None)).drop_texts(table)
    assert kept.equals(table)


def test_no_evaluation_set_holds_nothing() -> None:
    held = read_evaluation_sets(DecontaminationRules())
    assert held.image_reason(1, 1, 4) is None
    assert not held.near(np.array([1], np.int64), 4).any()


@pytest.mark.parametrize("place", ["nowhere", "nothing.txt"])
def test_what_is_no_evaluation_set_is_refused(tmp_path: Path, place: str) -> None:
    with pytest.raises(UsageError, match=place):
        read_evaluation_sets(DecontaminationRules(against=(str(tmp_path / place),)))
