"""Laws of assembling a corpus from rendered drawings."""

import hashlib
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from assemble import Item, connect, split
from describe import describe, readme
from drawing import Drawing, Rendered, Vector
from hypothesis import given
from hypothesis import strategies as st
from lookalike import MAX_RELATIVE_DISTANCE, SIDE, lookalikes, thumbnail
from packages import Package, unpacked
from PIL import Image

from manyview.corpus import Text
from manyview.errors import DataError

SHARES = {"a": {"train": 0.6, "val": 0.1, "test": 0.3}, "b": {"train": 0.5, "val": 0.1, "test": 0.4}}


def noise(seed: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8))


def pair(number: int, group: str, title: str, picture: int, source: str = "a") -> tuple[Drawing, Rendered]:
    drawing = Drawing(
        id=f"{source}/{number:03d}",
        group=group,
        picture=Vector(b""),
        texts=(Text("title", title, "en"),),
        source=source,
        license="MIT",
        attribution="someone",
    )
    return drawing, Rendered(b"%d" % picture, picture, thumbnail(noise(picture)))


PAIRS = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 12), st.integers(0, 14), st.sampled_from("ab")), max_size=20
).map(lambda rows: [pair(n, f"g{g}", f"Title {t}", p, s) for n, (g, t, p, s) in enumerate(rows)])


@given(PAIRS)
def test_every_picture_is_kept_once_whatever_the_order(pairs: list[tuple[Drawing, Rendered]]) -> None:
    dropped = Counter[str]()
    items = connect(pairs, dropped)
    pictures = {image.pixels for _, image in pairs}
    assert len(items) == len(pictures) == len(pairs) - dropped.total()
    assert connect(pairs[::-1], Counter()) == items


@given(PAIRS)
def test_several_names_of_a_picture_stay_together(pairs: list[tuple[Drawing, Rendered]]) -> None:
    items = connect(pairs, Counter(), several_names_per_picture=True)
    assert len(items) == len({(image.pixels, drawing.titles[0]) for drawing, image in pairs})
    for one, other in combinations(items, 2):
        if one.record.image == other.record.image:
            assert one.component == other.component


@given(PAIRS, st.integers(0, 3))
def test_splits_share_no_group_and_no_title(pairs: list[tuple[Drawing, Rendered]], seed: int) -> None:
    items = connect(pairs, Counter())
    splits = split(items, SHARES, max_held_out=3, seed=seed)
    assert sorted(record.id for records in splits.values() for record in records) == sorted(
        item.record.id for item in items
    )
    for one, other in combinations(splits.values(), 2):
        assert not {record.group for record in one} & {record.group for record in other}
        assert not {record.texts for record in one} & {record.texts for record in other}


def test_a_flag_is_one_thing_in_all_sources() -> None:
    items = connect([pair(0, "x", "flag: Chad", 0), pair(1, "y", "chad", 1, "b")], Counter())
    assert items[0].component == items[1].component


def test_large_components_are_not_held_out() -> None:
    items = connect([pair(n, f"g{n // 5 if n < 50 else n}", f"t{n}", n) for n in range(100)], Counter())
    for seed in range(4):
        held_out = split(items, SHARES, max_held_out=4, seed=seed)["test"]
        assert held_out
        assert all(int(record.id.split("/")[1]) >= 50 for record in held_out)


def test_lookalikes_are_the_definition_by_loops() -> None:
    images = [noise(seed) for seed in range(4)]
    for seed in range(3):
        shifted = np.asarray(images[seed], dtype=int) + 8 * (seed + 1) ** 2
        images.append(Image.fromarray(shifted.clip(0, 255).astype(np.uint8)))
    flat = [np.frombuffer(thumbnail(image), dtype=np.uint8).astype(float) for image in images]
    expected = [
        (i, j)
        for i, j in combinations(range(len(flat)), 2)
        if np.sqrt(np.mean((flat[i] - flat[j]) ** 2))
        <= MAX_RELATIVE_DISTANCE * min(flat[i].std(), flat[j].std()) + 1e-12
    ]
    assert sorted(lookalikes([thumbnail(image) for image in images])) == expected
    assert (0, 4) in expected
    assert len(expected) < 3


def test_blank_thumbnails_are_alike_only_when_equal() -> None:
    white, gray = (Image.new("RGB", (SIDE, SIDE), color) for color in ("white", "gray"))
    assert list(lookalikes([thumbnail(white), thumbnail(gray), thumbnail(white)])) == [(0, 2)]


def test_the_description_counts_by_source_and_split() -> None:
    items = connect([pair(n, f"g{n // 2}", f"t{n}", n, "ab"[n % 2]) for n in range(20)], Counter())
    splits = split(items, SHARES, max_held_out=9, seed=0)
    package = Package("npm", "thing", "1.0", "00")
    about = describe(items, splits, {"all": Counter({"blank": 2})}, [package])
    assert about["images"] == 20
    assert about["concepts"] == about["components"] == 10
    assert about["sources"]["a"]["images"] == 10
    assert {name: sum(counts.values()) for name, counts in about["splits"].items()} == {
        name: len(records) for name, records in splits.items()
    }
    assert about["dropped"] == {"all": {"blank": 2}}
    text = readme("Things", "things.py", about | {"image_side_px": 9})
    assert "20 images of 9 x 9 pixels" in text
    assert "MIT (10)" in text


def test_archives_have_the_names_that_the_clients_give_them() -> None:
    assert Package("npm", "@mdi/svg", "7.4.47", "").archive == "mdi-svg-7.4.47.tgz"
    assert Package("debian", "openclipart-svg", "1:0.18-19", "").archive == "openclipart-svg_1%3a0.18-19_all.deb"


def test_an_archive_with_another_digest_is_refused(tmp_path: Path) -> None:
    package = Package("npm", "thing", "1.0", hashlib.sha256(b"good").hexdigest())
    (tmp_path / "archives").mkdir()
    (tmp_path / "archives" / package.archive).write_bytes(b"bad")
    with pytest.raises(DataError, match="delete it and try again"):
        unpacked(package, tmp_path)
    assert not (tmp_path / "unpacked").exists()


def test_items_carry_what_the_drawing_said() -> None:
    (item,) = connect([pair(7, "g", "t", 3)], Counter())
    assert isinstance(item, Item)
    assert (item.record.id, item.component, item.record.license) == ("a/007", "a/007", "MIT")
    assert item.record.texts == (Text("title", "t", "en"),)
