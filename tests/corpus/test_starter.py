"""Laws of the corpus that comes with the package."""

import io
import re
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from describe import readme
from lookalike import lookalikes, thumbnail
from PIL import Image

from manyview.corpus import Corpus, Record
from manyview.corpus.fingerprint import image_identity, normalized_text, pixel_hash

FREE = {"Apache-2.0", "MIT", "CC-BY-4.0", "CC-PDDC"}
SIDE = 80
Splits = dict[str, list[Record]]


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return Corpus.open("starter")


@pytest.fixture(scope="module")
def splits(corpus: Corpus) -> Splits:
    return {split: list(corpus.records(split)) for split in corpus.splits}


@pytest.fixture(scope="module")
def everything(splits: Splits) -> list[Record]:
    return [record for records in splits.values() for record in records]


@pytest.fixture(scope="module")
def images(everything: list[Record]) -> dict[str, Image.Image]:
    return {record.id: Image.open(io.BytesIO(record.image)) for record in everything}


def titles(record: Record) -> set[str]:
    return {normalized_text(text.text) for text in record.texts if text.kind == "title"}


def assert_disjoint(splits: Splits, keys: Callable[[Record], Iterable[object]]) -> None:
    """No key of a record of one split is a key of a record of another."""
    where: dict[object, str] = {}
    for split, records in splits.items():
        for record in records:
            for key in keys(record):
                assert where.setdefault(key, split) == split, (record.id, key)


def test_it_is_large_enough_and_small_enough(corpus: Corpus, everything: list[Record]) -> None:
    assert len(everything) >= 9000
    assert len({record.group for record in everything}) >= 5000
    files = [file for file in corpus.folder.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) <= 20_000_000
    assert max(file.stat().st_size for file in files) <= 1_900_000


def test_the_files_are_the_ones_the_manifest_describes(corpus: Corpus) -> None:
    corpus.verify()
    assert {file.name for file in corpus.folder.iterdir()} == {"data", "manifest.json", "README.md"}


def test_the_manifest_counts_what_is_there(corpus: Corpus, splits: Splits, everything: list[Record]) -> None:
    about = corpus.manifest.about
    assert about["images"] == len(everything)
    assert about["concepts"] == len({record.group for record in everything})
    for split, records in splits.items():
        assert about["splits"][split] == Counter(record.source for record in records)
    for source, said in about["sources"].items():
        own = [record for record in everything if record.source == source]
        assert said["images"] == len(own)
        assert said["licenses"] == Counter(record.license for record in own)


def test_every_license_allows_redistribution_without_share_alike(everything: list[Record]) -> None:
    assert {record.license for record in everything} <= FREE
    assert all(record.attribution for record in everything)


def test_the_notice_names_every_package_and_license(corpus: Corpus, everything: list[Record]) -> None:
    notice = (Path(__file__).parent.parent.parent / "NOTICE").read_text(encoding="utf-8")
    for package in corpus.manifest.about["packages"]:
        assert f"{package['name']} {package['version']}" in notice
    assert all(license in notice for license in {record.license for record in everything})
    assert "SPDX-License-Identifier: Unicode-3.0" in notice


def test_no_split_shares_an_id_a_group_or_a_title(splits: Splits) -> None:
    assert_disjoint(splits, lambda record: [record.id])
    assert_disjoint(splits, lambda record: [record.group])
    assert_disjoint(splits, titles)


def test_no_split_shares_an_image(splits: Splits, images: dict[str, Image.Image]) -> None:
    assert_disjoint(splits, lambda record: [image_identity(record.image)])
    assert_disjoint(splits, lambda record: [pixel_hash(images[record.id])])


def test_no_split_has_a_lookalike_of_an_image_of_another(splits: Splits, images: dict[str, Image.Image]) -> None:
    where = [split for split, records in splits.items() for _ in records]
    thumbnails = [thumbnail(images[record.id]) for records in splits.values() for record in records]
    pairs = list(lookalikes(thumbnails))
    assert pairs
    assert [(one, other) for one, other in pairs if where[one] != where[other]] == []


def test_images_are_small_squares_with_something_on_them(images: dict[str, Image.Image]) -> None:
    for name, image in images.items():
        assert (image.format, image.mode, image.size) == ("WEBP", "RGB", (SIDE, SIDE)), name
        assert np.ptp(np.asarray(image.convert("L"))) > 10, name


def test_emoji_are_described_in_at_least_ten_languages(everything: list[Record]) -> None:
    emoji = [record for record in everything if record.source == "emoji"]
    for kind in ("title", "tags"):
        languages = Counter(
            lang for record in emoji for lang in {text.lang for text in record.texts if text.kind == kind}
        )
        assert {"en", "zh"} <= set(languages)
        assert len([lang for lang, count in languages.items() if count > 0.95 * len(emoji)]) >= 10


def test_every_record_has_one_english_or_original_title_and_most_have_tags(everything: list[Record]) -> None:
    for record in everything:
        assert record.texts[0].kind == "title"
        languages = [text.lang for text in record.texts if text.kind == "title"]
        assert len(languages) == len(set(languages))
        assert record.source == "openclipart" or languages[0] == "en"
    tagged = [record for record in everything if any(text.kind == "tags" for text in record.texts)]
    assert len(tagged) > 0.9 * len(everything)


def test_texts_are_words_for_people(everything: list[Record]) -> None:
    machine = re.compile(r"_|\bhash\b\s*\(|0x[0-9a-f]{4}|@|https?:|&\w+;|[\x00-\x1f\x7f-\x9f]")
    texts = {text.text for record in everything for text in record.texts}
    assert [text for text in texts if machine.search(text) or text != text.strip() or not text] == []


def test_a_tag_repeats_neither_the_title_nor_another_tag(everything: list[Record]) -> None:
    for record in everything:
        said = [(text.lang, normalized_text(text.text)) for text in record.texts if text.kind in {"title", "tags"}]
        assert len(said) == len(set(said)), record.id


def test_the_test_split_has_enough_independent_queries(splits: Splits) -> None:
    emoji = {record.group for record in splits["test"] if record.source == "emoji"}
    clip_art = {frozenset(titles(record)) for record in splits["test"] if record.source == "openclipart"}
    assert len(emoji) >= 210
    assert len(clip_art) >= 420


def test_the_readme_says_what_the_manifest_says(corpus: Corpus) -> None:
    written = (corpus.folder / "README.md").read_text(encoding="utf-8")
    assert written == readme("The starter corpus", "corpus-recipes/starter.py", corpus.manifest.about)
