"""Laws of turning names into words, and of what emoji are called."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sources import emoji_texts, icon
from sources.emoji import characters_by_name
from sources.emoji_texts import EmojiTexts, concept, has_skin_tone, read_emoji_texts
from sources.iconify import IconSet, character, read_icon_set
from sources.phosphor import entries
from wording import distinct, repaired, sentence, spoken

WOMAN_RUNNING = "\U0001f3c3\u200d\u2640"
FRANCE = "\U0001f1eb\U0001f1f7"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fire_truck-02", "fire truck"),
        ("ChargesSuspendues", "Charges Suspendues"),
        ("ISOStandard", "ISO Standard"),
        ("arrow3-4-1", "arrow"),
        ("dog house", "dog house"),
        ("France - Touraine", "France - Touraine"),
        ("Tom &amp; Jerry", "Tom & Jerry"),
        ("42", "42"),
        ("Blue Man 207", "Blue Man"),
    ],
)
def test_spoken_names(name: str, words: str) -> None:
    assert spoken(name) == words


@given(st.text(max_size=30))
def test_spoken_names_have_no_separators_left_and_no_outer_space(name: str) -> None:
    words = spoken(name)
    assert "_" not in words
    assert words == " ".join(words.split())


def test_prose_loses_entities_line_breaks_and_broken_encodings() -> None:
    assert sentence(" A\n  cat &amp; a\tdog ") == "A cat & a dog"
    assert repaired("LÃ©zard") == "Lézard"
    assert repaired("Lézard") == "Lézard"
    assert repaired("Ale\x9a") == "Ale"


def test_distinct_words_keep_their_order_and_exclude_what_is_said_elsewhere() -> None:
    assert distinct(["Cat", " dog", "cat", "", "DOG ", "bird"], but_not=["Bird"]) == ["Cat", "dog"]


@pytest.mark.parametrize(
    ("char", "name", "same_as"),
    [
        (WOMAN_RUNNING, "woman running", "person running"),
        (WOMAN_RUNNING, "woman running facing right", "man running"),
        ("x", "family: man, woman, boy", "family: woman, girl"),
        ("x", "man", "woman"),
        ("x", "man: red hair", "person: red hair"),
        ("x", "kiss: woman, man", "kiss"),
    ],
)
def test_variants_of_people_are_one_concept(char: str, name: str, same_as: str) -> None:
    said, base = (EmojiTexts(names={"en": title}, group="people & body") for title in (name, same_as))
    assert concept(char, said) == concept("y", base)


def test_other_characters_are_their_own_concept() -> None:
    one, other = (concept(char, EmojiTexts(names={"en": "woman’s hat"})) for char in "👒🎩")
    assert one != other
    assert concept(FRANCE, EmojiTexts(names={"en": "flag: France"})) == "1f1eb-1f1f7"


def test_skin_tones_are_recognized_but_not_their_swatches() -> None:
    assert has_skin_tone("\U0001f44b\U0001f3fd")
    assert not has_skin_tone("\U0001f44b")
    assert not has_skin_tone("\U0001f3fd")


@pytest.fixture
def annotated(tmp_path: Path) -> dict[str, EmojiTexts]:
    """Two characters, three languages of which one is not asked for, as CLDR and emojibase lay them out."""

    def write(path: str, content: object) -> None:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content), encoding="utf-8")

    names = {"en": ("dog", ["dog", "pet", "Pet"]), "zh": ("狗", ["宠物"]), "nds": ("Hund", [])}
    for lang, (name, keywords) in names.items():
        annotations = {"🐕\ufe0f": {"tts": [name], "default": keywords}}
        write(f"a/{lang}/annotations.json", {"annotations": {"annotations": annotations}})
    derived = {"annotationsDerived": {"annotations": {"🦺": {"default": ["safety"]}}}}
    write("b/en/annotations.json", derived)
    write(
        "e/en/messages.json",
        {
            "groups": [{"order": 3, "message": "animals & nature"}],
            "subgroups": [{"order": 7, "key": "animal-mammal"}],
        },
    )
    write("e/en/data.json", [{"hexcode": "1F415", "group": 3, "subgroup": 7}, {"hexcode": "1F1E6"}])
    codes = {"emojibase": {"1F415": ["dog_2", "good_boy"]}, "github": {"1F415": "pet"}, "iamcal": {}}
    for kind, content in codes.items():
        write(f"e/en/shortcodes/{kind}.json", content)
    return read_emoji_texts([tmp_path / "a", tmp_path / "b"], tmp_path / "e")


def test_emoji_say_title_and_tags_by_language_and_their_category(annotated: dict[str, EmojiTexts]) -> None:
    said = [(text.kind, text.text, text.lang) for text in annotated["🐕"].texts()]
    assert said == [
        ("title", "dog", "en"),
        ("tags", "pet", "en"),
        ("tags", "good boy", "en"),
        ("title", "狗", "zh"),
        ("tags", "宠物", "zh"),
        ("category", "animals & nature, animal mammal", "en"),
    ]


def test_characters_without_an_english_name_are_left_out(annotated: dict[str, EmojiTexts]) -> None:
    assert set(annotated) == {"🐕"}


def test_icons_without_a_table_are_found_by_names_of_other_sets() -> None:
    said = {
        "🐻": EmojiTexts(names={"en": "bear"}),
        FRANCE: EmojiTexts(names={"en": "flag: France"}),
        "\U0001f1e6\U0001f1fd": EmojiTexts(names={"en": "flag: Åland Islands"}),
        "🎎": EmojiTexts(names={"en": "Japanese dolls"}, shortcodes=["dolls"]),
    }
    table = IconSet(svgs={}, aliases={"bear": ["bear-face"]}, characters={"bear": "🐻"})
    by_name = characters_by_name([table], said)
    wanted = {
        "bearface": "🐻",
        "flagfrance": FRANCE,
        "flagalandislands": "\U0001f1e6\U0001f1fd",
        "dolls": "🎎",
    }
    assert {name: by_name[name] for name in wanted} == wanted


def test_icon_sets_become_whole_svg_files(tmp_path: Path) -> None:
    icons = {
        "width": 32,
        "icons": {
            "sun": {"body": '<path fill="currentColor"/>', "height": 24, "left": -2},
            "old": {"body": "<g/>", "hidden": True},
        },
        "aliases": {"day": {"parent": "sun"}, "sunset": {"parent": "sun", "vFlip": True}},
    }
    (tmp_path / "icons.json").write_text(json.dumps(icons), encoding="utf-8")
    (tmp_path / "chars.json").write_text(json.dumps({"2600-fe0f": "sun", "1f31e": "sun"}), encoding="utf-8")
    found = read_icon_set(tmp_path)
    assert set(found.svgs) == {"sun"}
    assert b'viewBox="-2 0 32 24" width="32" height="24"' in found.svgs["sun"]
    assert b"currentColor" not in found.svgs["sun"]
    assert found.names_of("sun") == ["sun", "day"]
    assert found.characters == {"sun": "☀"}
    assert character("1f1eb-1f1f7") == FRANCE


def test_icons_that_differ_in_style_number_or_plural_are_one_concept() -> None:
    titles = ["bell", "Bell outline", "bells filled", "bell 2"]
    assert {icon.concept(title) for title in titles} == {"bell"}
    assert icon.concept("glass") == "glass"
    assert icon.concept("outline") == "outline"


def test_an_icon_says_clean_tags_and_its_categories() -> None:
    family = icon.IconFamily("set", "MIT", "someone")
    drawing = icon.icon_drawing(
        family,
        "a-b",
        b"<svg stroke='currentColor'/>",
        title="arrow-up",
        tags=["*new*", "dhis2:x", "go-up", "Arrow up", "Go Up"],
        categories=["Arrows", " arrows"],
        style="bold",
    )
    assert drawing.id == "icons/set/bold/a-b"
    assert [(text.kind, text.text) for text in drawing.texts] == [
        ("title", "arrow up"),
        ("tags", "go up"),
        ("category", "arrows"),
    ]


def test_the_javascript_table_of_phosphor_is_read() -> None:
    module = """
    var t = x, e = /* @__PURE__ */ ((i) => (i.NATURE = "nature", i.MAP = "maps & travel", i))(e || {});
    const n = [
      { name: "acorn", categories: [e.NATURE, e.MAP], figma_category: a.X, tags: ["*new*", "nut"] },
      { name: "leaf", categories: [e.NATURE], tags: [] }];
    """
    assert list(entries(module)) == [
        ("acorn", ["nature", "maps & travel"], ["*new*", "nut"]),
        ("leaf", ["nature"], []),
    ]


def test_thirteen_languages_are_asked_for() -> None:
    assert len(set(emoji_texts.LANGUAGES)) == 13
    assert emoji_texts.LANGUAGES[:2] == ("en", "zh")
