"""Laws of reading Open Clip Art."""

from collections import Counter
from pathlib import Path

import pytest
from drawing import Vector
from sources.openclipart import openclipart_drawings, read_metadata, unwanted_content, unwanted_path
from sources.openclipart_texts import Metadata, category_of, description_of, tags_of, title_of

PUBLIC_DOMAIN = "http://web.resource.org/cc/PublicDomain"


def svg(
    title: str = "Red Fox",
    tags: tuple[str, ...] = ("animal",),
    license: str = PUBLIC_DOMAIN,
    body: str = "<path d='M0 0h9v9z'/>",
) -> bytes:
    items = "".join(f"<rdf:li>{tag}</rdf:li>" for tag in tags)
    return f"""<?xml version="1.0"?>
    <svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><metadata>
    <rdf:RDF xmlns:cc="http://web.resource.org/cc/" xmlns:dc="http://purl.org/dc/elements/1.1/"
             xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><cc:Work rdf:about="">
    <dc:title>{title}</dc:title><dc:description>A fox
       in the snow</dc:description><dc:subject><rdf:Bag>{items}</rdf:Bag></dc:subject>
    <dc:publisher><cc:Agent><dc:title>Open Clip Art Project</dc:title></cc:Agent></dc:publisher>
    <dc:creator><cc:Agent><dc:title>Ann Other</dc:title></cc:Agent></dc:creator>
    <cc:license rdf:resource="{license}"/></cc:Work></rdf:RDF></metadata>{body}</svg>""".encode()


def metadata(title: str = "", author: str = "", tags: tuple[str, ...] = (), description: str = "") -> Metadata:
    return Metadata(title, description, tags, author, PUBLIC_DOMAIN, has_lettering=False)


def test_metadata_is_read_from_the_svg() -> None:
    assert read_metadata(svg(tags=("animal", "wild"))) == Metadata(
        title="Red Fox",
        description="A fox in the snow",
        tags=("animal", "wild"),
        author="Ann Other",
        license=PUBLIC_DOMAIN,
        has_lettering=False,
    )
    assert read_metadata(b"<svg><unclosed></svg>") is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (svg(), None),
        (svg(body="<g><text>Stop</text></g>"), "needs a font"),
        (svg(body="<text> </text>"), None),
        (svg(license="http://creativecommons.org/licenses/GPL/2.0/"), "not public domain"),
        (svg(license=""), None),
        (svg(title="Sexy Lady"), "adult"),
        (svg(title="Essex"), None),
        (b"not xml", "unreadable svg"),
    ],
)
def test_content_is_left_out_for_a_reason(content: bytes, reason: str | None) -> None:
    assert unwanted_content(read_metadata(content)) == reason


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("shapes/stars/star_01.svg", "generated star"),
        ("shapes/starship.svg", None),
        ("logos/acme.svg", "trademark"),
        ("computer/icons/lemon-theme/apps/gimp.svg", "trademark"),
        ("computer/icons/lemon-theme/actions/undo.svg", None),
    ],
)
def test_folders_are_left_out_for_a_reason(path: str, reason: str | None) -> None:
    assert unwanted_path(path) == reason


@pytest.mark.parametrize(
    ("path", "given", "author", "repeats", "title"),
    [
        ("animals/red_fox_ann_oth_01.svg", "Red Fox", "Ann Other", 1, "Red Fox"),
        ("animals/red_fox_ann_oth_01.svg", "", "Ann Other", 1, "red fox"),
        ("animals/orca_matthew_gates_r.svg", "", "Matthew Gates", 1, "orca"),
        ("animals/wolf.svg", "Part of the Flat Icon Collection (Wed Aug 25)", "", 1, "wolf"),
        ("shapes/jigsaw_red_09.svg", "Clipart by Nicu Buculei - jigsaw_red_10", "", 9, "jigsaw red"),
        ("tools/saw.svg", "homes things", "", 20, "saw"),
        ("animals/dolphin_02.svg", "Dolphin", "", 6, "Dolphin"),
        ("map/aiga_mail1.svg", "AIGA Symbol Signs", "", 122, "mail"),
        ("people/mouth_02.svg", "mouth - body part", "", 6, "mouth"),
        ("people/man.svg", "Blue Man#207", "", 1, "Blue Man"),
        ("people/phone.svg", "Telephone (email: me@example.org)", "", 1, "Telephone"),
        ("sky/x.svg", "05 fullmoon openclipart", "", 1, "fullmoon"),
        ("recreation/games/cards/white/white_h_10.svg", "card", "", 226, "10 of hearts"),
        ("recreation/games/cards/simple/simple_s_q.svg", "card", "", 226, "queen of spades"),
        ("shapes/flowchart/fc18.svg", "clipart by x - fc23", "", 28, "flowchart"),
        ("electronics/tv.svg", "tv", "", 1, "tv"),
    ],
)
def test_titles_are_what_the_drawing_shows(path: str, given: str, author: str, repeats: int, title: str) -> None:
    assert title_of(path, metadata(given, author), repeats) == title


def test_tags_are_without_generic_words_authors_and_debris() -> None:
    said = metadata(
        author="Ann Other",
        tags=(
            "Animal",
            "animal",
            "hash(0x8a091c0)",
            "unsorted",
            "ann other",
            "red_fox",
            "2",
            "rome,italy",
            "a" * 30,
        ),
    )
    assert tags_of(said, "Red Fox") == ["animal", "rome", "italy"]


@pytest.mark.parametrize("said", ["", "Red  FOX", "HASH(0x8677e2c)", "Made with Sodipodi", "Ann Other", "x.svg"])
def test_descriptions_that_say_nothing_are_left_out(said: str) -> None:
    assert description_of(metadata(author="Ann Other", description=said), "Red Fox", "en") == []


def test_a_description_is_kept_as_prose() -> None:
    (text,) = description_of(metadata(description="A fox &amp; a hare."), "Red Fox", "it")
    assert (text.kind, text.text, text.lang) == ("description", "A fox & a hare.", "it")


def test_categories_are_folders() -> None:
    assert category_of("recreation/big_games/x.svg") == "recreation, big games"
    assert category_of("unsorted/x.svg") == ""


def test_a_folder_becomes_drawings_and_counts(tmp_path: Path) -> None:
    root = tmp_path / "usr/share/openclipart/svg"
    files = {
        "animals/red_fox_ann_other_01.svg": svg(title=""),
        "animals/wolf.svg": svg(title="Wolf", tags=()),
        "icons/70a001.svg": svg(title=""),
        "shapes/stars/star.svg": svg(),
        "broken.svg": b"<svg>",
    }
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    (root / "animals/link.svg").symlink_to(root / "animals/wolf.svg")
    dropped = Counter[str]()
    fox, wolf = openclipart_drawings(tmp_path, dropped)
    assert dropped == {"no title": 1, "generated star": 1, "unreadable svg": 1}
    assert (fox.id, fox.titles, fox.attribution) == (
        "openclipart/animals/red_fox_ann_other_01",
        ["red fox"],
        "Ann Other",
    )
    assert [(text.kind, text.text) for text in wolf.texts] == [
        ("title", "Wolf"),
        ("description", "A fox in the snow"),
        ("category", "animals"),
    ]
    assert isinstance(fox.picture, Vector)
    assert fox.picture.trim
    assert fox.license == "CC-PDDC"
