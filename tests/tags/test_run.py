"""Laws of a tagging run."""

import random
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.tags.levels import Levels, flat, plugged

from manyview.corpus.sources.contract import VIEWS
from manyview.errors import UsageError
from manyview.tags import SelectionConfig, TagConfig, tag
from manyview.tags.plugins import load_tagger, tagger_names
from manyview.tags.run import run
from manyview.tags.tagger import Habits


class Stop(Exception):
    """Comes from outside, as a signal does."""


def texts(file: Path) -> dict[str, list[str]]:
    said: dict[str, list[str]] = {}
    for row in pq.read_table(file).to_pylist():
        said.setdefault(row["id"], []).append(row["text"])
    return said


def test_tags_are_views_the_most_important_first(tmp_path: Path) -> None:
    with plugged(Levels()) as tagger:
        report = tag([("a", flat(100)), ("b", flat(20))], TagConfig(tagger=tagger), tmp_path / "out.parquet", "cpu")
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.schema.equals(VIEWS)
    rows = table.to_pylist()
    assert [(row["id"], row["text"]) for row in rows] == [
        ("a", "level 10"),
        ("a", "half"),
        ("b", "level 2"),
        ("b", "half"),
    ]
    assert {(row["kind"], row["lang"]) for row in rows} == {("tags", "en")}
    assert [row["weight"] for row in rows] == pytest.approx([0.9, 0.6, 0.9, 0.6])
    assert [row["origin"] for row in rows] == ["levels-1:000", "levels-1:001"] * 2
    assert (report.images, report.tagged, report.views, report.looked_at, report.left_out) == (2, 2, 4, 2, {})


def test_a_template_makes_one_text_an_image(tmp_path: Path) -> None:
    select = SelectionConfig(template="The picture contains {tags}.")
    with plugged(Levels()) as tagger:
        config = TagConfig(tagger=tagger, select=select, kind="objects", lang="de")
        tag([("a", flat(100))], config, tmp_path / "out.parquet", "cpu")
    (row,) = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert (row["kind"], row["text"], row["lang"]) == ("objects", "The picture contains level 10, half.", "de")
    assert row["weight"] == 1


def test_every_image_is_counted_once_whatever_becomes_of_it(tmp_path: Path) -> None:
    noise = random.Random(0).randbytes(400)
    images = [
        ("good", flat(100)),
        ("none", b""),
        ("noise", noise),
        ("cut", flat(7, (400, 400), "JPEG")[:900]),
        ("cut png", flat(7, (400, 400))[:300]),
        ("dot", flat(7, (1, 1))),
        ("thread", flat(7, (3000, 20))),
        ("vast", flat(7, (900, 900))),
        ("text", b"<html>not found</html>"),
    ]
    with plugged(Levels()) as tagger:
        config = TagConfig(tagger=tagger, max_pixels=500_000, batch_size=2)
        report = tag(images, config, tmp_path / "out.parquet", "cpu")
    assert report.left_out == {
        "image: no bytes": 1,
        "image: no known format": 2,
        "image: too many pixels": 1,
        "image: too narrow": 1,
        "image: too small": 1,
        "image: truncated": 2,
    }
    assert report.images == len(images) == report.tagged + sum(report.left_out.values())
    assert set(texts(tmp_path / "out.parquet")) == {"good"}


def test_what_is_not_sure_enough_is_counted(tmp_path: Path) -> None:
    with plugged(Levels()) as tagger:
        config = TagConfig(tagger=tagger, select=SelectionConfig(threshold=0.95))
        report = tag([("a", flat(9))], config, tmp_path / "out.parquet", "cpu")
    assert (report.tagged, report.left_out) == (0, {"nothing found in it": 1})
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 0


def test_a_run_that_was_stopped_looks_only_at_what_it_has_not_seen(tmp_path: Path) -> None:
    images = [(str(level), flat(level)) for level in range(40)]
    calls = iter(range(100))

    def stop_at_the_fourth() -> None:
        if next(calls) == 3:
            raise Stop

    with plugged(Levels(stop_at_the_fourth)) as tagger, pytest.raises(Stop):
        tag(images, TagConfig(tagger=tagger, batch_size=4), tmp_path / "out.parquet", "cpu")
    assert not (tmp_path / "out.parquet").exists(), "half a table has its name"
    again = Levels()
    with plugged(again) as tagger:
        report = tag(images, TagConfig(tagger=tagger, batch_size=4), tmp_path / "out.parquet", "cpu")
    assert sorted(again.shown) == list(range(12, 40))
    assert (report.images, report.tagged, report.looked_at) == (40, 40, 28)
    whole = Levels()
    with plugged(whole) as tagger:
        tag(images, TagConfig(tagger=tagger, batch_size=7), tmp_path / "whole.parquet", "cpu")
    assert (tmp_path / "whole.parquet").read_bytes() == (tmp_path / "out.parquet").read_bytes()


def test_another_selection_shows_the_tagger_nothing(tmp_path: Path) -> None:
    images = [(str(level), flat(level)) for level in range(5)]
    with plugged(Levels()) as tagger:
        tag(images, TagConfig(tagger=tagger), tmp_path / "out.parquet", "cpu")
    again = Levels()
    with plugged(again) as tagger:
        config = TagConfig(tagger=tagger, select=SelectionConfig(threshold=0.8))
        report = tag(images, config, tmp_path / "out.parquet", "cpu")
    assert again.shown == [] and report.looked_at == 0
    assert texts(tmp_path / "out.parquet") == {str(level): ["level 0"] for level in range(5)}


def test_another_version_of_the_tagger_or_of_the_image_is_looked_at_afresh(tmp_path: Path) -> None:
    for change in ("nothing", "version", "size"):
        levels = Levels()
        levels.version = "levels-2" if change == "version" else "levels-1"
        with plugged(levels) as tagger:
            config = TagConfig(tagger=tagger, max_side_px=20 if change == "size" else 1600)
            tag([("a", flat(9))], config, tmp_path / "out.parquet", "cpu")
        assert levels.shown == [9], change


def test_one_image_under_many_ids_is_looked_at_once_a_batch(tmp_path: Path) -> None:
    levels = Levels()
    with plugged(levels) as tagger:
        images = [(str(copy), flat(30)) for copy in range(10)]
        tag(images, TagConfig(tagger=tagger, batch_size=10), tmp_path / "out.parquet", "cpu")
    assert levels.shown == [30]
    assert len(texts(tmp_path / "out.parquet")) == 10


def test_no_more_is_read_ahead_than_a_few_batches(tmp_path: Path) -> None:
    read = 0
    seen: list[int] = []

    def images() -> object:
        nonlocal read
        for level in range(60):
            read += 1
            yield str(level), flat(level)

    levels = Levels(lambda: seen.append(read))
    with plugged(levels) as tagger:
        tag(images(), TagConfig(tagger=tagger, batch_size=5), tmp_path / "out.parquet", "cpu")  # type: ignore[arg-type]
    assert [ahead - 5 * batch for batch, ahead in enumerate(seen)][:9] == [15] * 9


def test_large_images_are_shown_smaller_and_upright(tmp_path: Path) -> None:
    sizes: list[tuple[int, int]] = []

    class Sizes(Levels):
        def __call__(self, images):  # type: ignore[no-untyped-def]
            sizes.extend(image.size for image in images)
            return super().__call__(images)

    with plugged(Sizes()) as tagger:
        config = TagConfig(tagger=tagger, max_side_px=100)
        tag([("a", flat(9, (400, 200))), ("b", flat(9, (60, 30)))], config, tmp_path / "out.parquet", "cpu")
    assert sizes == [(100, 50), (60, 30)]


def test_the_command_reads_a_config_and_overrides(tmp_path: Path) -> None:
    (tmp_path / "images" / "deeper").mkdir(parents=True)
    (tmp_path / "images" / "deeper" / "b.png").write_bytes(flat(50))
    (tmp_path / "images" / "a.png").write_bytes(flat(250))
    (tmp_path / "config.yaml").write_text("tagger: {name: levels}\nselect: {threshold: 0.8}\n")
    with plugged(Levels()):
        report = run(tmp_path / "images", tmp_path / "out.parquet", tmp_path / "config.yaml", ["kind=seen"], "cpu")
    assert texts(tmp_path / "out.parquet") == {"a.png": ["level 25"], "deeper/b.png": ["level 5"]}
    assert report.as_json()["tagged"] == 2


def test_a_tagger_that_is_not_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(flat(5))
    with pytest.raises(UsageError, match="no tagger named 'detr', allowed: classifier, described, detection, "):
        run(tmp_path, tmp_path / "out.parquet", None, ["tagger.name=detr"], "cpu")
    assert "ocr" in tagger_names()


def test_a_folder_is_no_name_for_the_output(tmp_path: Path) -> None:
    with (
        plugged(Levels()) as tagger,
        pytest.raises(UsageError, match="is a folder, allowed: the name of a Parquet file"),
    ):
        tag([], TagConfig(tagger=tagger), tmp_path, "cpu")


def test_plug_ins_of_other_packages_are_found_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint, EntryPoints

    from manyview.tags.config import TaggerConfig

    there = EntryPoints([EntryPoint("mine", "tests.tags.test_run:load_mine", "manyview.taggers")])
    monkeypatch.setattr("manyview.tags.plugins.entry_points", lambda group: there.select(group=group))
    assert "mine" in tagger_names()
    assert load_tagger(TaggerConfig(name="mine"), "cpu").habits == Habits(kind="mine")


def load_mine(config: object, device: str) -> Levels:
    """A plug-in of another package."""
    tagger = Levels()
    tagger.habits = Habits(kind="mine")
    return tagger
