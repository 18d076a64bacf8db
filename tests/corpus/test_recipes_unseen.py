"""Laws of the corpora that no model was trained on."""

from collections import Counter
from pathlib import Path

import pytest
from drawing import Drawing, Vector
from PIL import Image
from sources import tuxpaint
from sources.icon import base_icons
from wording import tag_texts

from manyview.corpus import Text


def icon(title: str, *tags: str, group: str = "") -> Drawing:
    return Drawing(
        id=f"icons/set/{title}",
        group=f"icons/{group or title.casefold()}",
        picture=Vector(b""),
        texts=(Text("title", title, "en"), *tag_texts(tags, "en")),
        source="icons",
        license="MIT",
        attribution="someone",
    )


def test_an_icon_that_varies_another_is_left_out() -> None:
    dropped = Counter[str]()
    icons = [icon("Calendar", "day", "date"), icon("calendar plus", "add", "day"), icon("paper plane", "send", "fly")]
    icons += [icon("bell", "ring"), icon("Calendar 2", "month", "day", group="calendar")]
    kept = list(base_icons("set", icons, dropped))
    assert [drawing.titles[0] for drawing in kept] == ["Calendar", "paper plane"]
    assert {drawing.source for drawing in kept} == {"set"}
    assert dropped == {"variation of another icon": 1, "too few tags": 1, "second icon of a concept": 1}


@pytest.mark.parametrize(
    ("name", "sentence", "title", "tags"),
    [
        ("animals/marsupials/kangaroo", "A red kangaroo.", "red kangaroo", ["marsupials", "animals"]),
        ("food/fruit/cartoon/cherries2", "Some cherries.", "cherries", ["fruit", "food"]),
        ("household/camera", "A camera.  Say Cheese!", "camera", ["household"]),
        (
            "seasonal/christmas/bright_star",
            "The star that is on top of every christmas tree in town.",
            "bright star",
            ["christmas", "seasonal", "every"],
        ),
    ],
)
def test_a_stamp_has_a_title_and_tags_in_other_words(
    tmp_path: Path, name: str, sentence: str, title: str, tags: list[str]
) -> None:
    file = tmp_path / tuxpaint.FOLDER / f"{name}.txt"
    file.parent.mkdir(parents=True)
    file.write_text(f"{sentence}\nde.utf8=Etwas.\n", encoding="utf-8")
    Image.new("RGB", (4, 4)).save(file.with_suffix(".png"))
    (stamp,) = tuxpaint.drawings(tmp_path, Counter())
    told = [(text.kind, text.text) for text in stamp.texts if text.lang == "en"]
    assert told[:2] == [("caption", sentence), ("title", title)]
    assert [text for kind, text in told if kind == "tags"] == tags
    assert Text("caption", "Etwas.", "de") in stamp.texts
