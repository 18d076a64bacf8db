"""Laws of samples: which members of a tar are one, against tarfile, WebDataset's rule and the definition."""

import io
import re
import tarfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.corpus.sources.reading import everything

from manyview.corpus.sources.mapping import ImageMapping
from manyview.corpus.sources.samples import IMAGE_SUFFIXES, TEXT_SUFFIXES, split_name
from manyview.corpus.sources.webdataset import WebDatasetConfig, WebDatasetSource
from manyview.errors import UsageError

WEBDATASET = re.compile(r"^((?:.*/|)[^.]+)[.]([^/]*)$")  # base_plus_ext of webdataset/tariterators.py, as documented
PIECES = st.lists(st.sampled_from(["a", "v2", "05", "jpg", "PNG", "txt", "json", "seg", "", "é"]), max_size=5)
PATHS = st.builds(lambda folder, pieces: folder + ".".join(pieces), st.sampled_from(["", "d.e/", "./"]), PIECES)


@given(PATHS)
def test_a_suffix_is_the_longest_known_end(name: str) -> None:
    _, key, suffix = split_name(name, {"seg.png", "05.txt"})
    last = name.rpartition("/")[2].lower()
    if not last.partition(".")[0] or not last.partition(".")[2]:
        assert suffix == ""
        return
    rest = last.partition(".")[2]
    ends = [rest[start:] for start in range(len(rest)) if start == 0 or rest[start - 1] == "."]
    named = [end for end in ends if end in {"seg.png", "05.txt"}]
    assert suffix == (named[0] if named else rest.rpartition(".")[2])
    assert name.startswith(key) and name.lower().endswith(suffix)
    between = name[len(key) : len(name) - len(suffix)].lower()
    assert between == "." or (between[1:-1] in IMAGE_SUFFIXES and suffix in TEXT_SUFFIXES)


@given(PATHS)
def test_names_with_one_point_are_split_as_webdataset_splits_them(name: str) -> None:
    found = WEBDATASET.match(name)
    if found and found[2] and "." not in found[2] and not name.startswith("./."):
        assert split_name(name)[1:] == (found[1], found[2].lower())
    if found and found[2]:  # with points: where the mapping names the suffix
        assert split_name(name, {found[2].lower()})[1:] == (found[1], found[2].lower())


@pytest.mark.parametrize(
    ("name", "key", "suffix"),
    [
        ("IMG_2023.05.01_cup.jpg", "IMG_2023.05.01_cup", "jpg"),
        ("d.e/img.v2.seg.png", "d.e/img.v2.seg", "png"),
        ("x.jpg.txt", "x", "txt"),
        ("x.v1.jpg.json", "x.v1", "json"),
        ("x.tar.gz", "x.tar", "gz"),
        ("İ.V2.JPG", "İ.V2", "jpg"),
        (".hidden", "", ""),
        ("ends.", "ends", ""),
        ("none", "none", ""),
    ],
)
def test_names_with_points(name: str, key: str, suffix: str) -> None:
    assert split_name(name)[1:] == (key, suffix)


KINDS = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE)
NAMES = [f"{key}.{suffix}" for key in ("a", "b", "a.v2", "d/a", "../a") for suffix in ("jpg", "png", "txt", "npy")]
MEMBERS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from((*KINDS[:2], *KINDS[:2], *KINDS))), min_size=1, max_size=14
)
FORMATS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)


def packed(members: list[tuple[str, bytes]], form: int) -> bytes:
    """A tar whose files hold their own number, images as bytes and texts as letters."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for number, (name, kind) in enumerate(members):
            about = tarfile.TarInfo(name)
            about.type, about.linkname = kind, "a.jpg" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
            data = f"no {number}".encode() if about.isreg() else b""
            about.size = len(data)
            archive.addfile(about, io.BytesIO(data))
    return buffer.getvalue()


@settings(max_examples=150, deadline=None)
@given(MEMBERS, st.sampled_from(FORMATS))
def test_pairs_are_those_of_tarfile_or_counted(
    tmp_path_factory: pytest.TempPathFactory, members: list[tuple[str, bytes]], form: int
) -> None:
    path = tmp_path_factory.mktemp("t") / "t.tar"
    path.write_bytes(packed([*members, ("z.jpg", KINDS[0]), ("z.txt", KINDS[0])], form))
    held = defaultdict[str, list[tuple[str, bytes]]](list)
    with tarfile.open(path) as archive:
        for member in archive:
            if member.isreg() and ".." not in member.name and not member.name.endswith(".npy"):
                key, _, suffix = member.name.rpartition(".")
                held[key].append((suffix, archive.extractfile(member).read()))  # type: ignore[union-attr]
    images, texts = pairs_of(path)
    for key, found in held.items():
        suffixes = Counter(suffix for suffix, _ in found)
        ours_images = [data for of, data in images if of == key]
        ours_texts = [data for of, data, _ in texts if of == key]
        if max(suffixes.values()) == 1:
            first = next((data for suffix, data in found if suffix != "txt"), None)
            assert ours_images[:1] == ([first] if first is not None else [])  # a build keeps the first of a key
            assert ours_texts == [data for suffix, data in found if suffix == "txt"]
        for of, text, image in texts:
            if of == key and image is not None:
                begin, end = sorted((found.index(("txt", text)), [data for _, data in found].index(image)))
                between = [suffix for suffix, _ in found[begin + 1 : end]]
                assert found[begin][0] not in between and found[end][0] not in between


def pairs_of(
    path: Path, config: WebDatasetConfig | None = None
) -> tuple[list[tuple[str, bytes]], list[tuple[str, bytes, bytes | None]]]:
    """Images by key, and texts by key with the image of their row."""
    config = config or WebDatasetConfig(path=str(path), id="__key__", views={"caption": "txt"})  # type: ignore[arg-type]
    images, texts = [], []
    data = path.read_bytes()
    for part in WebDatasetSource(config).parts():
        for batch in part.read():
            own = [(row["id"], data[row["offset"] : row["offset"] + row["length"]]) for row in batch.images.to_pylist()]
            images += own
            assert batch.beside is not None
            for view, row in zip(batch.views.to_pylist(), batch.beside.to_pylist(), strict=True):
                texts.append((view["id"], view["text"].encode(), None if row is None else own[row][1]))
    return images, texts


def written(path: Path, files: dict[str, bytes] | list[tuple[str, bytes]]) -> WebDatasetConfig:
    with tarfile.open(path, "w") as archive:
        for name, data in files.items() if isinstance(files, dict) else files:
            about = tarfile.TarInfo(name)
            about.size = len(data)
            archive.addfile(about, io.BytesIO(data))
    return WebDatasetConfig(path=str(path), id="__key__", views={"caption": "txt"})


def test_a_mask_between_image_and_text_parts_no_sample(tmp_path: Path) -> None:
    files = {"a.v1.jpg": b"1", "a.v1.seg.png": b"mask", "a.v1.txt": b"one", "a.v2.jpg": b"2", "a.v2.txt": b"two"}
    written(tmp_path / "t.tar", files)
    images, texts = pairs_of(tmp_path / "t.tar")
    assert [(text, image) for _, text, image in texts] == [(b"one", b"1"), (b"two", b"2")]
    assert ("a.v1.seg", b"mask") in images


def test_of_a_sample_with_a_name_twice_nothing_is_guessed(tmp_path: Path) -> None:
    files = [("0.jpg", b"A"), ("0.jpg", b"B"), ("0.txt", b"a"), ("0.txt", b"b"), ("1.jpg", b"C"), ("1.txt", b"c")]
    found = everything(WebDatasetSource(written(tmp_path / "t.tar", files)))
    assert found.texts() == [("1", "caption", "c")]
    assert found.skipped["tar: sample with a name twice"] == 1


def test_suffixes_that_are_not_read_are_named_with_their_counts(tmp_path: Path) -> None:
    files = {f"{n}.{suffix}": b"x" for n in range(3) for suffix in ("jpg", "txt", "npy", "seg.pyd")}
    found = everything(WebDatasetSource(written(tmp_path / "t.tar", files)))
    assert found.skipped == {
        "tar: suffix .npy, neither image nor text": 3,
        "tar: suffix .pyd, neither image nor text": 3,
    }
    many = {f"0.x{n}": b"x" for n in range(50)}
    counted = everything(WebDatasetSource(written(tmp_path / "t.tar", {**many, "0.jpg": b"x", "0.txt": b"y"}))).skipped
    assert len(counted) == 21 and sum(counted.values()) == 50
    with pytest.raises(UsageError, match=r"holds no samples: .*; tar: suffix .heic, neither image nor text \(1\)"):
        WebDatasetSource(written(tmp_path / "t.tar", {"0.heic": b"x"})).parts()


def test_a_text_suffix_of_ones_own_is_read_when_the_mapping_names_it(tmp_path: Path) -> None:
    told: dict[str, Any] = {"caption": "en.txt", "title": "name"}
    files = {"0.jpg": b"x", "0.en.txt": b"a cup", "0.de.txt": b"eine Tasse", "0.name": b"Cup"}
    written(tmp_path / "t.tar", files)
    found = everything(WebDatasetSource(WebDatasetConfig(path=str(tmp_path / "t.tar"), id="__key__", views=told)))
    assert found.texts() == [("0", "caption", "a cup"), ("0", "title", "Cup")]


FORMS = {
    "one of each": (["input.jpg", "output.txt"], "input.jpg", ["output.txt"]),
    "two languages": (["jpg", "de.txt", "en.txt"], None, ["de.txt", "en.txt"]),
    "one more text": (["jpg", "txt", "en.txt"], None, ["txt", "en.txt"]),
    "an image of a name": (["image.png", "txt"], "image.png", ["txt"]),
    "WebDataset's simple names": (["jpg", "txt"], None, ["txt"]),
    "a mask": (["jpg", "txt", "seg.png"], None, ["txt"]),
    "versions": (["v1.jpg", "v1.txt"], None, ["txt"]),
}


@pytest.mark.parametrize("form", FORMS)
def test_suffixes_with_points_are_guessed_where_webdatasets_rule_pairs_what_ours_would_not(
    tmp_path: Path, form: str
) -> None:
    suffixes, image, texts = FORMS[form]
    files = {f"{n:04d}.{suffix}": f"{n} {suffix}".encode() for n in range(5) for suffix in suffixes}
    written(tmp_path / "t.tar", files)
    config = WebDatasetSource(WebDatasetConfig(path=str(tmp_path / "t.tar"))).completed()
    assert config.image == (None if image is None else ImageMapping(column=image))
    assert config.views is not None and sorted(view.column for view in config.views["caption"]) == sorted(texts)
    _, said = pairs_of(tmp_path / "t.tar", config)
    picture = next(suffix for suffix in suffixes if suffix.endswith(("jpg", "png")))
    expected = {(f"{n} {text}", f"{n} {picture}") for n in range(5) for text in suffixes if text.endswith("txt")}
    assert {(text.decode(), (of or b"").decode()) for _, text, of in said} == expected


def test_a_text_without_its_image_is_paired_with_no_other(tmp_path: Path) -> None:
    files = [f"IMG_2023.{day:02d}.{suffix}" for day in range(1, 30) for suffix in ("jpg", "txt")]
    kept = [name for name in files if name not in ("IMG_2023.03.txt", "IMG_2023.04.jpg", "IMG_2023.05.txt")]
    written(tmp_path / "t.tar", {name: name.encode() for name in kept})
    config = WebDatasetSource(WebDatasetConfig(path=str(tmp_path / "t.tar"))).completed()
    _, said = pairs_of(tmp_path / "t.tar", config)
    assert {(text, image) for _, text, image in said if image} == {
        (name.encode(), name.replace("txt", "jpg").encode())
        for name in kept
        if name.endswith("txt") and name.replace("txt", "jpg") in kept
    }
    assert len([1 for _, _, image in said if image is None]) == 1
