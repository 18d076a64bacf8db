"""Laws of reading pages: sixty nasty ones, each with what a person finds on it in a file beside it."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from manyview.corpus.web import Page, PageImage, WebRules, read_page
from manyview.corpus.web.charset import page_text

FILES = sorted((Path(__file__).parent / "pages").glob("*.html"))
FIELDS = ("alt", "caption", "title", "heading", "context")


def truth_of(file: Path) -> dict[str, Any]:
    """What the page says, written down by hand."""
    found: dict[str, Any] = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
    return found


def read(file: Path, rules: WebRules | None = None) -> Page:
    """The page as the sources read it."""
    truth = truth_of(file)
    return read_page(page_text(file.read_bytes(), truth.get("charset")), truth["url"], rules)


def said(image: PageImage, kind: str) -> list[str]:
    """The image's texts of a kind."""
    return [text.text for text in image.texts if text.kind == kind]


def verdicts(image: PageImage | None, truth: dict[str, Any], title: str) -> dict[str, bool]:
    """Which fields of one figure are right; of an image that was not found, none."""
    if image is None:
        return dict.fromkeys(FIELDS, False)
    context = " ".join(said(image, "context"))
    has, lacks = truth["context_has"], truth["context_lacks"]
    return {
        "alt": said(image, "alt") == ([truth["alt"]] if truth["alt"] else []),
        "caption": sorted(said(image, "caption")) == sorted(truth["caption"]),
        "title": said(image, "title") == [title],
        "heading": said(image, "heading") == ([truth["heading"]] if truth["heading"] else []),
        "context": all(of in context for of in has) and not any(of in context for of in lacks),
    }


def judged() -> dict[tuple[str, str], dict[str, bool]]:
    """The verdicts on every figure of every page; a caption of one word is a caption here."""
    found = dict[tuple[str, str], dict[str, bool]]()
    for file in FILES:
        truth = truth_of(file)
        images = {image.id: image for image in read(file, WebRules(min_words=1)).images}
        for figure in truth["images"]:
            found[file.stem, figure["id"]] = verdicts(images.get(figure["id"]), figure, truth["title"])
    return found


def test_there_are_sixty_pages() -> None:
    assert len(FILES) >= 60


def test_each_field_is_right_on_nineteen_of_twenty_figures() -> None:
    found = judged()
    right = Counter(field for verdict in found.values() for field, so in verdict.items() if so)
    wrong = [(page, image, field) for (page, image), of in found.items() for field, so in of.items() if not so]
    assert min(right[field] for field in FIELDS) >= 0.95 * len(found), wrong


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_category_language_and_what_is_no_picture(file: Path) -> None:
    truth, page = truth_of(file), read(file)
    assert {text for image in page.images for text in said(image, "category")} <= {truth["category"], "Bikes > Gravel"}
    if truth["category"]:
        assert page.images and all(truth["category"] in said(image, "category") for image in page.images)
    assert page.lang == truth["lang"]
    assert not {image.id for image in page.images} & set(truth["absent"])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_page_is_read_the_same_twice_and_each_image_once(file: Path) -> None:
    one, other = read(file), read(file)
    assert one == other
    assert len({image.id for image in one.images}) == len(one.images)
    assert all(len(set(image.texts)) == len(image.texts) for image in one.images)


def test_a_text_in_another_language_than_its_page_says_so() -> None:
    page = read(next(file for file in FILES if file.stem == "blog_lang_inside"))
    langs = {text.kind: text.lang for image in page.images for text in image.texts}
    assert langs["alt"] == langs["caption"] == "fr"
    assert langs["title"] == "en"


def test_cards_that_begin_with_their_image_are_told_apart_whatever_follows_them() -> None:
    cards = "".join(f"<img src={bird}.jpg alt='A {bird} sings'><h2>{bird}</h2>" for bird in ("robin", "wren", "thrush"))
    for after in ("", "<h2>Links</h2>", "<h2>Links</h2><p>To more birds</p><h2>Imprint</h2>"):
        page = read_page(f"<div>{cards}</div>{after}", "https://birds.example/")
        assert [said(image, "heading") for image in page.images] == [["robin"], ["wren"], ["thrush"]]
