"""Laws of titles, file names and languages."""

import pytest

from manyview.corpus.web.filename import filename_words
from manyview.corpus.web.language import detect_language, text_language
from manyview.corpus.web.titles import page_title, unnumbered


@pytest.mark.parametrize(
    ("title", "site", "url", "expected"),
    [
        ("Red shoe | ACME", "ACME", "", "Red shoe"),
        ("ACME: Red shoe", "ACME", "", "Red shoe"),
        ("Red shoe - Size 42 - ACME Shop", "Acme Shop", "", "Red shoe - Size 42"),
        ("Red shoe – acme-shoes", "", "https://www.acme-shoes.example/x", "Red shoe"),
        ("红色皮鞋_示例网", "示例网", "", "红色皮鞋"),
        ("红色皮鞋-示例商城", "示例商城", "", "红色皮鞋"),
        (
            "Jean-Luc and the half-life of well-known facts",
            "Facts",
            "",
            "Jean-Luc and the half-life of well-known facts",
        ),
        ("Red | blue", "Green", "https://other.example/", "Red | blue"),
        ("ACME", "ACME", "", "ACME"),
        ("", "ACME", "", ""),
        ("3.4. Lens Blur", "", "", "Lens Blur"),
        ("1. FC Köln", "", "", "1. FC Köln"),
    ],
)
def test_a_title_loses_its_site(title: str, site: str, url: str, expected: str) -> None:
    assert page_title(title, site, url) == expected


def test_a_main_heading_tells_which_part_is_the_title() -> None:
    assert page_title("Red shoe | Buy now | Best prices", "", "", ("Red shoe",)) == "Red shoe"


@pytest.mark.parametrize("text", ["3.5 mm jack", "2001: A Space Odyssey", "7.1 surround", "10 ways to tie a knot"])
def test_numbers_that_are_no_section_numbers(text: str) -> None:
    assert unnumbered(text) in (text, text.partition(" ")[2])
    assert unnumbered("10 ways to tie a knot") == "10 ways to tie a knot"


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("https://a.example/i/lens-blur_dialog.png", "lens blur dialog"),
        ("https://a.example/redLeatherShoe-300x200@2x.jpg?v=3", "red Leather Shoe"),
        ("https://a.example/%E7%BA%A2%E8%89%B2.jpg", "红色"),
        ("https://a.example/IMG_2031.JPG", ""),
        ("https://a.example/a8f7c3d2e1b04455.jpg", ""),
        ("https://a.example/image.jpg", ""),
        ("https://a.example/DSC0012-berlin-2019.jpg", "berlin"),
        ("https://a.example/%FF%FE.jpg", ""),
        ("https://a.example/", ""),
    ],
)
def test_words_of_a_file_name(address: str, words: str) -> None:
    assert filename_words(address) == words


@pytest.mark.parametrize(
    ("text", "declared", "lang"),
    [
        ("Red leather shoes", "en-us", "en-US"),
        ("红色的皮鞋，白色的鞋底", "en", "zh"),
        ("红色的皮鞋，白色的鞋底", "zh_CN", "zh-CN"),
        ("أحذية جلدية حمراء", "en", "ar"),
        ("Самовар угольный на пять литров", "", "ru"),
        ("Rote Lederschuhe mit einer weißen Sohle", "", "de"),
        ("Rote Lederschuhe mit einer weißen Sohle", "nonsense!", "de"),
        ("", "", ""),
    ],
)
def test_a_declared_language_is_believed_as_far_as_the_script_allows(text: str, declared: str, lang: str) -> None:
    assert text_language(text, declared) == lang


def test_a_text_of_one_sign_has_no_language() -> None:
    assert detect_language("x") == ""
