"""Laws of reading the game's objects and tiles."""

import json
from pathlib import Path

import pytest
from drawing import Sprite
from PIL import Image
from sources.cdda import first_sprite, read_tiles, texts_of
from sources.cdda_objects import GameObject, read_objects


def write(file: Path, content: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content), encoding="utf-8")


def test_objects_inherit_what_they_do_not_say(tmp_path: Path) -> None:
    write(
        tmp_path / "items/a.json",
        [
            {
                "type": "ARMOR",
                "abstract": "base",
                "material": "leather",
                "flags": ["WARM_ALL", "A", "B", "C", "D"],
            },
            {
                "type": "ARMOR",
                "id": "coat",
                "copy-from": "base",
                "name": {"str": "coat"},
                "description": "Warm.",
            },
            {
                "type": "ARMOR",
                "id": ["long_coat", "cape"],
                "copy-from": "coat",
                "name": {"str_sp": "long coat"},
            },
            {"type": "recipe", "id": "coat", "name": "not an object"},
            {"type": "terrain", "id": "t_nameless"},
        ],
    )
    write(tmp_path / "obsolete/b.json", {"type": "terrain", "id": "t_old", "name": "old thing"})
    objects = read_objects(tmp_path)
    assert set(objects) == {"coat", "long_coat", "cape"}
    assert objects["coat"] == GameObject("coat", "Warm.", ("leather", "warm all", "a", "b", "c"), "armor")
    assert objects["cape"] == GameObject("long coat", "Warm.", ("leather", "warm all", "a", "b", "c"), "armor")


def test_a_circle_of_inheritance_ends(tmp_path: Path) -> None:
    write(
        tmp_path / "a.json",
        [
            {"type": "TOOL", "id": "egg", "copy-from": "hen", "name": "egg"},
            {"type": "TOOL", "id": "hen", "copy-from": "egg", "description": "first"},
        ],
    )
    assert {key: (thing.name, thing.description) for key, thing in read_objects(tmp_path).items()} == {
        "egg": ("egg", "first"),
        "hen": ("egg", "first"),
    }


def test_texts_are_in_the_languages_that_translate_them() -> None:
    thing = GameObject("coat", "A <color_red>warm</color>  coat.", ("wool", "Coat"), "armor")
    translations = {
        "de": {"coat": "Mantel", thing.description: "Ein warmer Mantel."},
        "ja": {"coat": "コート"},
        "fr": {},
    }
    assert [(text.kind, text.lang, text.text) for text in texts_of(thing, translations)] == [
        ("title", "en", "coat"),
        ("tags", "en", "wool"),
        ("description", "en", "A warm coat."),
        ("category", "en", "armor"),
        ("title", "de", "Mantel"),
        ("description", "de", "Ein warmer Mantel."),
        ("title", "ja", "コート"),
    ]


@pytest.mark.parametrize(
    ("foreground", "number"),
    [
        (7, 7),
        ([3, 4], 3),
        ([{"weight": 2, "sprite": 5}, {"weight": 1, "sprite": 6}], 5),
        ([{"weight": 2, "sprite": [8, 9]}], 8),
        ([], None),
        (None, None),
        (-1, None),
    ],
)
def test_a_tile_shows_its_first_sprite(foreground: object, number: int | None) -> None:
    assert first_sprite(foreground) == number


def test_sprites_are_numbered_through_the_sheets(tmp_path: Path) -> None:
    Image.new("RGBA", (65, 32)).save(tmp_path / "small.png")
    Image.new("RGBA", (40, 120)).save(tmp_path / "tall.png")
    Image.new("RGBA", (16, 16)).save(tmp_path / "fallback.png")
    config = {
        "tile_info": [{"width": 16, "height": 16}],
        "tiles-new": [
            {"file": "small.png", "tiles": [{"id": "a", "fg": 0}, {"id": ["b", "c"], "fg": [5, 1]}]},
            {"file": "tall.png", "sprite_width": 20, "sprite_height": 60, "tiles": [{"id": "d", "fg": 11}]},
            {"file": "fallback.png", "tiles": [{"id": "e", "fg": 12}]},
        ],
    }
    write(tmp_path / "tile_config.json", config)
    small, tall = tmp_path / "small.png", tmp_path / "tall.png"
    assert list(read_tiles(tmp_path)) == [
        ("a", Sprite(small, (0, 0, 16, 16))),
        ("b", Sprite(small, (16, 16, 32, 32))),
        ("c", Sprite(small, (16, 16, 32, 32))),
        ("d", Sprite(tall, (20, 60, 40, 120))),
    ]
