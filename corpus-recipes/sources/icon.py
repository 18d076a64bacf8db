"""Icon: one monochrome drawing of an icon set."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from drawing import Drawing, Vector
from wording import distinct, spoken, tag_texts

from manyview.corpus import Text

INK = b"#222222"
STYLE_WORDS = {
    "outline",
    "outlined",
    "filled",
    "fill",
    "bold",
    "thin",
    "light",
    "duotone",
    "off",
    "alt",
    "variant",
}
LEAST_TAGS = 2
MARKERS = re.compile(r"\*\w+\*|dhis2:.*")


@dataclass(frozen=True)
class IconFamily:
    """What all icons of a set have in common."""

    key: str
    license: str
    attribution: str


def icon_drawing(
    family: IconFamily,
    name: str,
    svg: bytes,
    *,
    title: str,
    tags: Sequence[str] = (),
    categories: Sequence[str] = (),
    style: str = "",
) -> Drawing:
    """Black on white; icons whose titles differ only in words of style or number are one concept."""
    spoken_title = spoken(title)
    spoken_tags = [spoken(tag).casefold() for tag in tags if not MARKERS.fullmatch(tag)]
    category = ", ".join(distinct(category.strip().casefold() for category in categories))
    return Drawing(
        id="/".join(part for part in ("icons", family.key, style, name) if part),
        group=f"icons/{concept(spoken_title)}",
        picture=Vector(svg.replace(b"currentColor", INK)),
        texts=(
            Text("title", spoken_title, "en"),
            *tag_texts(distinct(spoken_tags, but_not=[spoken_title]), "en"),
            *([Text("category", category, "en")] if category else []),
        ),
        source="icons",
        license=family.license,
        attribution=family.attribution,
    )


def concept(title: str) -> str:
    """Words of the title without style, numbers and plural s: `Bells outline 2` -> `bell`."""
    words = [word for word in title.casefold().split() if word not in STYLE_WORDS and not word.isdigit()]
    singular = [word[:-1] if len(word) > 3 and word.endswith("s") and word[-2] != "s" else word for word in words]
    return " ".join(singular) or title.casefold()


def base_icons(source: str, icons: Iterable[Drawing], dropped: Counter[str]) -> Iterator[Drawing]:
    """Icons with tags whose name does not extend another's: not "calendar plus" where there is a "calendar"."""
    first: dict[str, Drawing] = {}
    for icon in icons:
        if icon.group in first:
            dropped["second icon of a concept"] += 1
        else:
            first[icon.group] = icon
    names = {icon.titles[0].casefold() for icon in first.values()}
    for icon in first.values():
        words = icon.titles[0].casefold().split()
        if any(" ".join(words[:count]) in names for count in range(1, len(words))):
            dropped["variation of another icon"] += 1
        elif sum(text.kind == "tags" for text in icon.texts) < LEAST_TAGS:
            dropped["too few tags"] += 1
        else:
            yield replace(icon, source=source, group=f"{source}/{icon.group}")
