"""Laws of the cleaner: every rule is asked."""

import pickle
from hashlib import sha256
from pathlib import Path

import pytest
from tests.corpus.cleaning.said import views
from tests.corpus.hostile import encoded, hostile_images, picture

from manyview.config import load_config
from manyview.corpus.cleaning.cleaner import Cleaner
from manyview.corpus.cleaning.image_facts import ImageFacts
from manyview.corpus.cleaning.rules import CleaningRules

GOOD, HELD, UNWANTED = (encoded(picture(100, 80, seed), "JPEG") for seed in (1, 2, 3))


@pytest.fixture
def cleaner(tmp_path: Path) -> Cleaner:
    (tmp_path / "held").mkdir()
    (tmp_path / "held" / "a.jpg").write_bytes(HELD)
    (tmp_path / "held.txt").write_text("The caption of a test picture\n")
    (tmp_path / "out.txt").write_text(f"id:mine\n*.mine.example\n{sha256(UNWANTED).hexdigest()}\n")
    against = f"[{tmp_path / 'held'}, {tmp_path / 'held.txt'}]"
    overrides = [f"decontamination.against={against}", f"opt_out=[{tmp_path / 'out.txt'}]", "images.max_bytes=100000"]
    return Cleaner.of(load_config(CleaningRules, overrides=overrides))


@pytest.mark.parametrize(
    ("data", "id", "url", "reason"),
    [
        (GOOD, "mine", None, "opt-out: id"),
        (GOOD, "a", "https://x.mine.example/a.jpg", "opt-out: domain"),
        (UNWANTED, "a", None, "opt-out: content"),
        (HELD, "a", None, "image: in an evaluation set"),
        (encoded(picture(100, 80, 2), "WEBP"), "a", None, "image: near one in an evaluation set"),
        (encoded(picture(100, 9, 4), "PNG"), "a", None, "image: too small"),
        (GOOD[:400], "a", None, "image: truncated"),
        (GOOD + bytes(200000), "a", None, "image: too many bytes"),
    ],
)
def test_every_rule_about_images_is_asked(cleaner: Cleaner, data: bytes, id: str, url: str, reason: str) -> None:
    assert cleaner.image(data, id, url) == reason


def test_a_good_image_tells_its_facts(cleaner: Cleaner) -> None:
    facts = pickle.loads(pickle.dumps(cleaner)).image(GOOD, "a", "https://elsewhere.example/a.jpg")
    assert isinstance(facts, ImageFacts)
    assert (facts.width, facts.height) == (100, 80)


def test_every_rule_about_views_is_asked(cleaner: Cleaner) -> None:
    table = views(
        ("a", "alt", " a boat "),
        ("a", "alt", "A boat"),
        ("a", "alt", "null"),
        ("b", "alt", "the caption of a test  picture"),
    )
    kept, reasons = cleaner.views(table)
    assert kept["text"].to_pylist() == ["a boat"]
    assert reasons == {"text: stands for no text": 1, "text: in an evaluation set": 1, "text: said twice": 1}


def test_all_hostile_images_get_facts_or_a_reason() -> None:
    cleaner = Cleaner.of(CleaningRules())
    for image in hostile_images():
        found = cleaner.image(image.data, image.name)
        assert (found in image.reasons) if image.reasons else isinstance(found, ImageFacts)
