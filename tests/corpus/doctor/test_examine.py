"""Laws of the examination: every count is what a loop over the records counts."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.corpus.doctor.corpora import corpus_of, picture, record, sound

from manyview.corpus import Corpus, Record, Text
from manyview.corpus.doctor import Examination, Limits, examine
from manyview.corpus.doctor.false_negatives import share_with_twin
from manyview.corpus.doctor.findings import verdict
from manyview.corpus.doctor.measures import KindMeasures
from manyview.corpus.doctor.page import render_page
from manyview.corpus.fingerprint import normalized_text

TEXTS = st.lists(
    st.builds(
        Text,
        kind=st.sampled_from(["title", "tags", "caption", "query"]),
        text=st.sampled_from(["red", " RED", "blue  shoe", "Blue shoe", "", " ", "红鞋", "a b c"]),
        lang=st.sampled_from(["", "en", "zh"]),
    ),
    max_size=6,
)


def kinds_of(examination: Examination) -> dict[str, KindMeasures]:
    return {kind.name: kind for kind in examination.kinds}


def checks(examination: Examination) -> set[tuple[str, str]]:
    return {(finding.severity, finding.check) for finding in examination.findings}


def said(record: Record, kind: str) -> list[str]:
    """The texts of a kind, normalized, without empty ones."""
    return [text for entry in record.texts if entry.kind == kind and (text := normalized_text(entry.text))]


def view_of(record: Record, kind: str) -> object:
    """What a record says in a kind as a whole."""
    texts = said(record, kind)
    if not texts:
        return None
    return frozenset(texts) if kind == "tags" else texts[0]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(texts=st.lists(TEXTS, min_size=2, max_size=8))
def test_texts_are_counted_as_by_loops(tmp_path_factory: pytest.TempPathFactory, texts: list[list[Text]]) -> None:
    records = [record(number, own) for number, own in enumerate(texts)]
    corpus = corpus_of(
        tmp_path_factory.mktemp("corpus"), {"train": records[1:], "test": records[:1]}, row_group_bytes=3000
    )
    found = examine(corpus, Limits(batch_sizes=(2, 3)))
    kinds = kinds_of(found)
    assert set(kinds) == {entry.kind for own in texts for entry in own}
    for name, kind in kinds.items():
        entries = [said(one, name) for one in records]
        assert kind.records == sum(map(bool, entries))
        assert kind.texts == sum(map(len, entries))
        assert kind.empty == sum(entry.kind == name for own in texts for entry in own) - kind.texts
        assert kind.different == len({text for own in entries for text in own})
        assert sum(n for _, n in kind.languages) == kind.texts
        times = Counter(text for own in entries for text in set(own))
        expected = sorted(((n, text) for text, n in times.items() if n > 1), reverse=True)
        assert sorted(((one.records, normalized_text(one.text)) for one in kind.frequent), reverse=True) == expected
        both = set(entries[0]) & {text for own in entries[1:] for text in own}
        assert {split: shared for split, _, shared in kind.leaked}["test"] == len(both)
    for view in found.false_negatives:
        if view.view in kinds:
            contents = Counter(one for one in (view_of(record, view.view) for record in records[1:]) if one)
            ways = contents.total() * (contents.total() - 1)
            assert view.equal == pytest.approx(sum(n * (n - 1) for n in contents.values()) / max(1, ways))
            sizes = Counter({size: sum(n for n in contents.values() if n == size) for size in set(contents.values())})
            assert view.different == len(contents)
            for size, share in view.shares:
                assert share == pytest.approx(share_with_twin(sizes, len(records) - 1, size))
    sets = Counter(frozenset(entry.kind for entry in one.texts if normalized_text(entry.text)) for one in records)
    assert {frozenset(together.kinds): together.records for together in found.combinations} == sets
    assert found.textless == sets[frozenset()]


def test_a_sound_corpus_passes_every_check(tmp_path: Path) -> None:
    found = examine(corpus_of(tmp_path, {"train": sound(60), "test": sound(20, 60)}))
    assert not found.findings
    assert verdict(found) == "Fit to train on."
    assert [(split.name, split.records, split.groups, split.images) for split in found.splits] == [
        ("train", 60, 60, 60),
        ("test", 20, 20, 20),
    ]
    assert found.sources == (("made", 80),)
    assert found.licenses == (("CC0-1.0", 80),)
    assert found.images.formats == (("PNG", 80),)
    assert sum(n for _, n in found.images.sides) == sum(n for _, n in found.images.shapes) == 80


def test_a_group_in_two_splits_fails(tmp_path: Path) -> None:
    leaking = [record(30, group="g3"), record(31, group="g4"), record(32)]
    found = examine(corpus_of(tmp_path, {"train": sound(9), "test": leaking}))
    assert checks(found) == {("fail", "groups in several splits")}
    assert (found.repeats.groups_across, found.repeats.group_records_across) == (2, 4)
    shown = next(examples for examples in found.examples if "group in two splits" in examples.title)
    assert {example.id for example in shown.records} == {"r3", "r4", "r30", "r31"}
    assert found.failed


def test_an_image_in_two_splits_fails_under_other_names_too(tmp_path: Path) -> None:
    found = examine(corpus_of(tmp_path, {"train": sound(9), "val": [], "test": [record(40, image=picture(2))]}))
    assert ("fail", "images in several splits") in checks(found)
    assert ("warn", "an empty split") in checks(found)
    assert found.repeats.images_across == 1


def test_records_without_a_group_are_no_group(tmp_path: Path) -> None:
    found = examine(
        corpus_of(tmp_path, {"train": [record(1, group=""), record(2, group="")], "test": [record(3, group="")]})
    )
    assert not found.repeats.groups_across
    assert found.grouped == 0


def test_images_without_bytes_are_no_repeats_of_one_another(tmp_path: Path) -> None:
    empty = [record(number, image=b"") for number in (20, 21)]
    found = examine(corpus_of(tmp_path, {"train": [*sound(9), empty[0]], "test": empty[1:]}))
    assert (found.repeats.images, found.repeats.images_across) == (0, 0)
    assert found.images.broken == (("image: no bytes", 2),)


def test_repeated_images_are_counted_byte_for_byte(tmp_path: Path) -> None:
    records = [*sound(10), *(record(number, image=picture(0)) for number in range(10, 13))]
    found = examine(corpus_of(tmp_path, {"train": records}))
    assert found.repeats.images == 3
    assert ("warn", "repeated images") in checks(found)
    assert found.repeats.near == 0, "equal bytes are not near-duplicates besides"


def test_near_duplicates_are_other_bytes_of_the_same_picture(tmp_path: Path) -> None:
    again = [record(number + 50, image=picture(number, format="WEBP", quality=95)) for number in range(4)]
    found = examine(corpus_of(tmp_path, {"train": sound(12), "test": again}))
    assert found.repeats.images == 0
    assert found.repeats.near == found.repeats.near_across == 4
    assert ("warn", "near-duplicates") in checks(found)
    assert ("warn", "look-alikes in several splits") in checks(found)


def test_a_finder_of_near_duplicates_is_asked_but_colors_must_agree(tmp_path: Path) -> None:
    asked = []

    def all_near(hashes: np.ndarray, distance: int) -> np.ndarray:
        asked.append((hashes.dtype, len(hashes), distance))
        return np.zeros(len(hashes), np.int64)

    twin = record(99, image=picture(3, format="WEBP", quality=95))
    found = examine(corpus_of(tmp_path, {"train": [*sound(12), twin]}), Limits(near_distance=7), find_near=all_near)
    assert asked == [(np.dtype(np.int64), 13, 7)]
    assert found.repeats.near == 1
    assert "7 of 64 bits" in found.near_method


def test_broken_images_are_counted_by_reason_and_fail_beyond_the_limit(tmp_path: Path) -> None:
    broken = [b"", b"no image", picture(1)[:-60], picture(2, format="JPEG")[:400]]
    records = [*sound(96), *(record(200 + number, image=data) for number, data in enumerate(broken))]
    found = examine(corpus_of(tmp_path, {"train": records}), Limits(max_broken=0.04))
    assert ("warn", "undecodable images") in checks(found)
    assert dict(found.images.broken) == {"image: no bytes": 1, "image: not an image": 1, "image: truncated": 2}
    again = examine(Corpus.open(tmp_path), Limits(max_broken=0.039))
    assert ("fail", "undecodable images") in checks(again)


def test_sizes_beyond_the_limits_are_counted_by_loops(tmp_path: Path) -> None:
    sides = [(30, 30), (200, 30), (64, 64), (300, 70), (256, 64), (257, 64)]
    images = [_blank(width, height) for width, height in sides]
    records = [record(number, image=image) for number, image in enumerate(images)]
    found = examine(corpus_of(tmp_path, {"train": records})).images
    assert found.small == sum(min(side) < 64 for side in sides)
    assert found.strips == sum(max(side) > 4 * min(side) for side in sides)
    assert found.long_side is not None
    assert found.long_side.most == 300


def test_boilerplate_is_named_with_its_text_and_pictures(tmp_path: Path) -> None:
    records = [record(n, [Text("caption", "Image not available" if n % 2 else f"shoe {n}", "en")]) for n in range(60)]
    found = examine(corpus_of(tmp_path, {"train": records}))
    finding = next(finding for finding in found.findings if finding.check == "boilerplate")
    assert "Image not available" in finding.what
    assert "30 records" in finding.what
    assert any("most widespread caption" in examples.title for examples in found.examples)


def test_labels_may_repeat(tmp_path: Path) -> None:
    records = [record(n, [Text("category", "shoes", "en")]) for n in range(60)]
    assert not {check for _, check in checks(examine(corpus_of(tmp_path, {"train": records})))} & {"boilerplate"}


def test_kinds_that_belong_to_other_records_are_told_from_those_that_belong(tmp_path: Path) -> None:
    colors = ["red", "green", "blue", "black", "white", "yellow", "pink", "brown"]
    things = ["shoe", "hat", "coat", "bag", "sock", "belt", "ring"]
    titles = [f"{color} {thing}" for color in colors for thing in things for _ in range(3)]
    shuffled = np.random.default_rng(0).permutation(titles).tolist()
    for name, captions in (("right", titles), ("wrong", shuffled)):
        records = [
            record(number, [Text("title", title, "en"), Text("caption", f"a nice {caption} for you", "en")])
            for number, (title, caption) in enumerate(zip(titles, captions, strict=True))
        ]
        found = examine(corpus_of(tmp_path / name, {"train": records}))
        (agreement,) = found.agreements
        odd = [finding for finding in found.findings if finding.check == "kinds that disagree"]
        assert len(odd) == (name == "wrong")
        assert agreement.records == len(titles)
        assert (agreement.wins > 0.9) == (name == "right")


def test_a_caption_of_the_training_split_in_a_test_split_is_a_warning_of_the_test_split(tmp_path: Path) -> None:
    splits = {
        split: [record(n, [Text("caption", f"caption {n % 30}", "en")]) for n in numbers]
        for split, numbers in {"train": range(30), "val": range(30, 32), "test": range(90, 93)}.items()
    }
    found = [f for f in examine(corpus_of(tmp_path, splits)).findings if f.check == "texts in several splits"]
    assert [finding.what.split(" stand")[0] for finding in found] == [
        "100 % of the caption texts of val",
        "100 % of the caption texts of test",
    ]


def test_rare_kinds_missing_licenses_and_languages_are_notes(tmp_path: Path) -> None:
    records = [record(n, [Text("title", f"thing {n}"), *([Text("query", "q", "en")] * (n == 0))]) for n in range(150)]
    records[5] = record(5, license="")
    found = checks(examine(corpus_of(tmp_path, {"train": records, "test": sound(5, 200)})))
    assert found == {("note", "rare kinds"), ("note", "language unknown"), ("note", "license unknown")}


def test_texts_that_are_all_alike_are_not_fit_to_train_on(tmp_path: Path) -> None:
    same = [record(n, [Text("caption", "a photo", "en")]) for n in range(40)]
    found = examine(corpus_of(tmp_path / "same", {"train": same}))
    assert ("fail", "all alike") in checks(found)
    assert "Fit to train on" not in verdict(found)
    told_apart = [record(n, [Text("caption", "a photo", "en"), Text("title", f"thing {n}", "en")]) for n in range(40)]
    assert ("warn", "all alike") in checks(examine(corpus_of(tmp_path / "apart", {"train": told_apart})))
    labels = [record(n, [Text("category", "shoes", "en"), Text("title", f"thing {n}", "en")]) for n in range(40)]
    assert ("note", "all alike") in checks(examine(corpus_of(tmp_path / "labels", {"train": labels})))


def test_images_that_are_all_alike_are_not_fit_to_train_on(tmp_path: Path) -> None:
    same = [record(n, [Text("title", f"thing {n}", "en")], image=picture(0)) for n in range(40)]
    assert ("fail", "all alike") in checks(examine(corpus_of(tmp_path, {"train": same})))


def test_too_long_texts_are_a_warning_with_the_length_that_fits(tmp_path: Path) -> None:
    records = [record(n, [Text("context", f"{n} " + "word " * 120, "en")]) for n in range(30)]
    finding = next(
        finding
        for finding in examine(corpus_of(tmp_path, {"train": records})).findings
        if finding.check == "texts too long"
    )
    assert "views.texts.NAME.max_tokens=123" in finding.change


def test_rows_left_out_by_the_build_are_read_from_the_manifest(tmp_path: Path) -> None:
    from manyview.corpus import write_corpus

    write_corpus(
        tmp_path,
        {"train": sound(9)},
        name="made",
        about={"skipped": {"image: truncated": 3, "no id": 8, "nonsense": "many"}},
    )
    found = examine(Corpus.open(tmp_path))
    assert found.skipped == (("no id", 8), ("image: truncated", 3))
    assert ("warn", "rows left out") in checks(found)


def test_the_same_corpus_gives_the_same_examination_however_it_is_cut(tmp_path: Path) -> None:
    records = sound(70)
    one = examine(corpus_of(tmp_path / "one", {"train": records}))
    many = examine(corpus_of(tmp_path / "many", {"train": records}, max_shard_bytes=9000, row_group_bytes=2000))
    assert one.to_json() == examine(Corpus.open(tmp_path / "one")).to_json()
    assert (one.kinds, one.images, one.false_negatives, one.examples) == (
        many.kinds,
        many.images,
        many.false_negatives,
        many.examples,
    )


def test_json_there_and_back_is_the_same(tmp_path: Path) -> None:
    found = examine(corpus_of(tmp_path, {"train": [*sound(120), record(900, image=b"")], "test": []}))
    assert Examination.from_json(found.to_json()) == found


def _blank(width: int, height: int) -> bytes:
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (width % 256, height % 256, 9)).save(buffer, "PNG")
    return buffer.getvalue()


def test_records_of_texts_only_are_counted_and_are_no_broken_or_equal_images(tmp_path: Path) -> None:
    words = [replace(record(number), image=None, group="") for number in range(100, 130)]
    corpus = corpus_of(tmp_path / "mixed", {"train": [*sound(40), *words]})
    found, alone = examine(corpus), examine(corpus_of(tmp_path / "alone", {"train": sound(40)}))
    assert found.without_image == 30 and alone.without_image == 0
    assert (found.images.sampled, found.images.broken_count, found.repeats.images) == (40, 0, 0)
    assert found.splits[0].images == 40
    assert checks(found) == checks(alone)
    assert Examination.from_json(found.to_json()) == found
    assert "30 records have texts only" in render_page(found, {})
