"""Laws of tars of samples: what tarfile and the json module give, wherever the tar lies and however it is packed."""

import gzip
import io
import json
import lzma
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.corpus.sources.reading import everything

from manyview.corpus.sources import webdataset as module
from manyview.corpus.sources.webdataset import WebDatasetConfig, WebDatasetSource
from manyview.errors import UsageError

File = tuple[str, bytes]
KEYS = st.text("abc/é_", min_size=1, max_size=8).filter(lambda key: not key.startswith("/") and not key.endswith("/"))


def packed(files: list[File], form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for name, data in files:
            about = tarfile.TarInfo(name)
            about.size = len(data)
            archive.addfile(about, io.BytesIO(data))
    return buffer.getvalue()


def crawled(number: int) -> list[File]:
    """A sample as img2dataset writes it."""
    key = f"{number:09d}"
    said = {"caption": f"Caption – {number}", "url": f"https://x.org/{number}.jpg", "key": key, "status": "success"}
    said |= {"error_message": None, "width": 256, "exif": "{}", "punsafe": number / 7, "alt": ["one", "two"]}
    return [
        (f"{key}.jpg", bytes([number]) * (500 + 97 * number)),
        (f"{key}.json", json.dumps(said).encode()),
        (f"{key}.txt", said["caption"].encode()),
    ]


def image_bytes(row: dict[str, Any]) -> bytes:
    if row["bytes"] is not None:
        return bytes(row["bytes"])
    with Path(row["path"]).open("rb") as file:
        file.seek(row["offset"])
        return file.read(row["length"])


@pytest.fixture
def crawl(tmp_path: Path) -> Path:
    """Two shards with their lists and counts beside them."""
    for shard in range(2):
        files = [file for number in range(shard * 10, shard * 10 + 10) for file in crawled(number)]
        (tmp_path / f"{shard:05d}.tar").write_bytes(packed(files, tarfile.USTAR_FORMAT))
        (tmp_path / f"{shard:05d}_stats.json").write_text("{}")
    return tmp_path


def test_a_crawl_of_img2dataset_needs_no_mapping(crawl: Path) -> None:
    for path in (str(crawl), str(crawl / "*.tar"), str(crawl / "{00000..00001}.tar")):
        found = everything(WebDatasetSource(WebDatasetConfig(path=path)))
        assert found.column("id") == [f"{number:09d}" for number in range(20)]
        assert [image_bytes(row) for row in found.images] == [crawled(number)[0][1] for number in range(20)]
        said = {
            (f"{number:09d}", "caption", text) for number in range(20) for text in (f"Caption – {number}", "one", "two")
        }
        assert set(found.texts()) == said and len(found.views) == len(said)
        assert not found.skipped


def test_fields_of_the_sidecar_are_columns(crawl: Path) -> None:
    views = {"alt": "alt", "caption": {"column": "txt", "weight": {"column": "json.punsafe"}}}
    found = everything(WebDatasetSource(WebDatasetConfig(path=str(crawl), id="url", attribution="status", views=views)))
    assert found.images[3]["id"] == "https://x.org/3.jpg" and found.images[3]["attribution"] == "success"
    by_id = [view for view in found.views if view["id"] == "https://x.org/7.jpg"]
    assert [(view["kind"], view["text"], view["weight"]) for view in by_id] == [
        ("alt", "one", 1.0),
        ("alt", "two", 1.0),
        ("caption", "Caption – 7", 1.0),
    ]
    assert by_id[0]["origin"] == "00000.tar/000000007:alt"


def test_streamed_and_compressed_tars_say_the_same_with_bytes(crawl: Path) -> None:
    near = everything(WebDatasetSource(WebDatasetConfig(path=str(crawl / "00000.tar"))))
    data = (crawl / "00000.tar").read_bytes()
    fsspec.filesystem("memory").pipe("/crawl/00000.tar", data)
    (crawl / "far").mkdir()
    (crawl / "far" / "00000.tar.gz").write_bytes(gzip.compress(data))
    (crawl / "far" / "00000.tar.xz").write_bytes(lzma.compress(data))
    (crawl / "far" / "00000.tar.zst").write_bytes(pa.compress(data, "zstd", asbytes=True))
    (crawl / "far" / "00000.tgz").write_bytes(gzip.compress(data))
    paths = ["memory://crawl/00000.tar", *(str(file) for file in sorted((crawl / "far").iterdir()))]
    for path in paths:
        far = everything(WebDatasetSource(WebDatasetConfig(path=path)))
        assert far.texts() == near.texts() and not far.skipped
        assert [row["bytes"] for row in far.images] == [image_bytes(row) for row in near.images]
        assert {row["path"] for row in far.images} == {None}


@settings(max_examples=60)
@given(
    st.lists(st.tuples(KEYS, st.binary(max_size=900), st.text(max_size=9)), max_size=6, unique_by=lambda one: one[0])
)
def test_samples_are_what_tarfile_holds(tmp_path_factory: pytest.TempPathFactory, samples: list[Any]) -> None:
    files = [
        file
        for key, data, text in samples
        for file in ((f"{key}.png", data), (f"{key}.txt", text.encode("utf-8", "replace")))
    ]
    path = tmp_path_factory.mktemp("t") / "t.tar"
    path.write_bytes(packed([*files, ("last.txt", b"ends")]))
    found = everything(WebDatasetSource(WebDatasetConfig(path=str(path), id="__key__", views={"caption": "txt"})))
    expected: dict[str, dict[str, bytes]] = {}
    with tarfile.open(path) as archive:
        for member in archive:
            key, _, suffix = member.name.rpartition(".")
            expected.setdefault(key, {})[suffix] = archive.extractfile(member).read()  # type: ignore[union-attr]
    images = {row["id"]: image_bytes(row) for row in found.images}
    named = {key: key.strip() for key in expected}
    assert images == {named[key]: one["png"] for key, one in expected.items() if "png" in one}


def test_a_sample_of_several_suffixes_with_dots_is_one() -> None:
    members = [("a/b.left.png", b"L"), ("a/b.right.png", b"R"), ("a/b.txt", b"both")]
    fsspec.filesystem("memory").pipe("/dots/t.tar", packed(members))
    config = WebDatasetConfig(path="memory://dots/t.tar", image="right.png", views={"caption": "txt"}, id="__key__")
    found = everything(WebDatasetSource(config))
    assert [(row["id"], row["bytes"]) for row in found.images] == [("a/b", b"R")]
    assert found.texts() == [("a/b", "caption", "both")]


def hostile() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        link = tarfile.TarInfo("000.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        for name, data in (
            ("000.txt", b"its image is a link"),
            ("../001.jpg", b"x"),
            ("no-suffix", b"x"),
            ("._002.jpg", b"mac"),
            ("003.jpg", b"one"),
            ("003.png", b"two"),
            ("003.json", b"[not json"),
            ("003.txt", b"\xff\xfe"),
            ("004.jpg", b""),
            ("005.JPG", b"upper"),
            ("005.txt", b"\xef\xbb\xbfbom"),
            ("006.txt", b"x" * (2 << 20)),
        ):
            about = tarfile.TarInfo(name)
            about.size = len(data)
            archive.addfile(about, io.BytesIO(data))
    return buffer.getvalue()


def test_hostile_members_are_refused_and_counted(tmp_path: Path) -> None:
    (tmp_path / "t.tar").write_bytes(hostile())
    found = everything(WebDatasetSource(WebDatasetConfig(path=str(tmp_path))))
    assert found.texts() == [("t.tar/000", "caption", "its image is a link"), ("t.tar/005", "caption", "bom")]
    assert found.column("id") == ["t.tar/003", "t.tar/004", "t.tar/005"]
    assert found.skipped == Counter(
        {
            "tar: link": 1,
            "tar: name that leads out of the archive": 1,
            "tar: name without a suffix": 2,
            "tar: second image of a sample": 1,
            "sidecar: not JSON": 1,
            "text: not UTF-8": 1,
            "text: longer than 1 MB": 1,
            "row: neither image nor text": 1,
        }
    )


@pytest.mark.parametrize("packing", [bytes, gzip.compress])
def test_a_cut_tar_gives_what_came_before_the_cut(packing: Any, crawl: Path) -> None:
    data = (crawl / "00000.tar").read_bytes()
    path = crawl / ("cut.tar" if packing is bytes else "cut.tar.gz")
    path.write_bytes(packing(data[: len(data) // 2]))
    found = everything(WebDatasetSource(WebDatasetConfig(path=str(path), id="key", views={"caption": "txt"})))
    whole = everything(
        WebDatasetSource(WebDatasetConfig(path=str(crawl / "00000.tar"), id="key", views={"caption": "txt"}))
    )
    assert 0 < len(found.images) < 10
    assert found.column("id") == whole.column("id")[: len(found.images)]
    assert found.skipped["tar: truncated"] == 1


def test_a_broken_compression_is_counted(crawl: Path) -> None:
    data = gzip.compress((crawl / "00000.tar").read_bytes())
    (crawl / "z.tar.gz").write_bytes(data[: len(data) // 2])
    found = everything(WebDatasetSource(WebDatasetConfig(path=(str(crawl / "0*.tar"), str(crawl / "z.tar.gz")))))
    assert len(found.images) >= 20 and found.skipped["file: damaged"] == 1


def test_batches_are_bounded_and_change_nothing(crawl: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from manyview.corpus.sources import table_rows

    config = WebDatasetConfig(path=str(crawl))
    whole = everything(WebDatasetSource(config))
    monkeypatch.setattr(table_rows, "MAX_BLOCK_ROWS", 3)
    small = everything(WebDatasetSource(config))
    assert small.images == whole.images and sorted(small.texts()) == sorted(whole.texts())
    assert max(len(batch.images) for part in WebDatasetSource(config).parts() for batch in part.read()) == 3


def test_an_image_too_large_to_stream_is_counted(crawl: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_STREAMED_BYTES", 1000)
    (crawl / "s.tar.gz").write_bytes(gzip.compress((crawl / "00000.tar").read_bytes()))
    found = everything(WebDatasetSource(WebDatasetConfig(path=str(crawl / "s.tar.gz"))))
    assert len(found.images) == 6 and found.skipped == Counter({"image: larger than 256 MB": 4})


def test_what_is_no_tar_of_samples_is_said(tmp_path: Path) -> None:
    (tmp_path / "t.tar").write_bytes(b"")
    with pytest.raises(UsageError, match="holds no samples"):
        WebDatasetSource(WebDatasetConfig(path=str(tmp_path))).parts()
    (tmp_path / "t.tar").write_bytes(packed(crawled(1)))
    with pytest.raises(UsageError, match=r"no column 'tittle'; it has .*, __key__, txt, jpg"):
        WebDatasetSource(WebDatasetConfig(path=str(tmp_path), views={"title": "tittle"})).parts()
