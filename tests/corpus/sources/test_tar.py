"""Laws of walking tars: what Python's tarfile gives, whatever its format, and no more than is safe."""

import io
import tarfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manyview.corpus.sources.tar import LocalArchive, Member, StreamedArchive, members

FORMATS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)
SAFE = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0/"), min_size=1, max_size=40)
NAMES = st.lists(SAFE.filter(lambda part: part not in {".", ".."}), min_size=1, max_size=8).map("/".join)
CONTENTS = st.lists(st.tuples(NAMES, st.binary(max_size=1500)), max_size=6)


def packed(files: list[tuple[str, bytes]], form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for name, data in files:
            about = tarfile.TarInfo(name)
            about.size = len(data)
            archive.addfile(about, io.BytesIO(data))
    return buffer.getvalue()


def walked(data: bytes) -> tuple[list[tuple[str, bytes]], Counter[str]]:
    """What a stream gives, content taken as one goes."""
    skipped = Counter[str]()
    archive = StreamedArchive(io.BytesIO(data))
    found = [(one.name, archive.take(one.offset, one.length)) for one in members(archive, skipped)]
    return found, +skipped


def mapped(data: bytes, folder: Path) -> tuple[list[Member], Counter[str]]:
    skipped = Counter[str]()
    (folder / "a.tar").write_bytes(data)
    with (folder / "a.tar").open("rb") as file:
        return list(members(LocalArchive(file), skipped)), +skipped


@settings(max_examples=150)
@given(CONTENTS, st.sampled_from(FORMATS))
def test_members_are_those_of_tarfile(files: list[tuple[str, bytes]], form: int) -> None:
    try:
        data = packed(files, form)
    except ValueError:  # ustar cannot hold the name
        return
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        expected = [(one.name, archive.extractfile(one).read()) for one in archive]  # type: ignore[union-attr]
    assert walked(data) == (expected, Counter())


@pytest.mark.parametrize("form", FORMATS)
def test_places_in_a_local_tar_hold_the_members_bytes(form: int, tmp_path: Path) -> None:
    files = [(f"{'d' * 60}/{'n' * 80}{number}.jpg", bytes([number]) * number * 300) for number in range(9)]
    data = packed(files, form)
    found, skipped = mapped(data, tmp_path)
    assert [(one.name, data[one.offset : one.offset + one.length]) for one in found] == files
    assert not skipped


@given(st.binary(min_size=1, max_size=3000), st.integers(0, 4000))
def test_a_cut_tar_gives_a_prefix_of_its_members(content: bytes, cut: int) -> None:
    files = [("a.jpg", content), ("b.jpg", content[::-1])]
    data = packed(files)[:cut]
    found, skipped = walked(data)
    whole = [one for one in found if one in files]
    assert whole == files[: len(whole)]
    if len(whole) < len(found):  # the last was cut short, and that is said
        assert skipped == Counter({"tar: truncated": 1})
    assert sum(skipped.values()) <= 1


def test_a_cut_local_tar_gives_whole_members_only(tmp_path: Path) -> None:
    data = packed([("a.jpg", b"a" * 600), ("b.jpg", b"b" * 600)])
    found, skipped = mapped(data[: 512 + 1024 + 512 + 599], tmp_path)
    assert [one.name for one in found] == ["a.jpg"]
    assert skipped == Counter({"tar: truncated": 1})


@given(st.binary(max_size=5000))
def test_any_bytes_end_without_an_error(data: bytes) -> None:
    walked(data)


@given(st.integers(0, 511), st.integers(0, 255))
def test_a_changed_header_is_noticed(place: int, value: int) -> None:
    data = bytearray(packed([("a.jpg", b"x"), ("b.jpg", b"y")], tarfile.USTAR_FORMAT))
    before, data[place] = data[place], value
    found, skipped = walked(bytes(data))
    if value == before or 148 <= place < 156:
        return
    assert not found and sum(skipped.values()) == 1


def test_what_is_no_plain_file_inside_is_refused_and_counted() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, kind in (
            ("link.jpg", tarfile.SYMTYPE),
            ("hard.jpg", tarfile.LNKTYPE),
            ("device.jpg", tarfile.CHRTYPE),
            ("pipe.jpg", tarfile.FIFOTYPE),
            ("folder", tarfile.DIRTYPE),
            ("../up.jpg", tarfile.REGTYPE),
            ("a/../../up.jpg", tarfile.REGTYPE),
            ("/etc/passwd.jpg", tarfile.REGTYPE),
            ("fine.jpg", tarfile.REGTYPE),
        ):
            about = tarfile.TarInfo(name)
            about.type, about.linkname = kind, "/etc/passwd"
            archive.addfile(about)
    found, skipped = walked(buffer.getvalue())
    assert found == [("fine.jpg", b"")]
    assert skipped == Counter(
        {"tar: link": 2, "tar: neither file nor folder": 2, "tar: name that leads out of the archive": 3}
    )


def test_global_and_own_pax_headers_are_obeyed() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "über"}) as archive:
        about = tarfile.TarInfo("plain.jpg")
        about.pax_headers = {"path": "another/ß.jpg"}
        about.size = 3
        archive.addfile(about, io.BytesIO(b"abc"))
    assert walked(buffer.getvalue()) == ([("another/ß.jpg", b"abc")], Counter())


def test_a_size_beyond_octal_is_read() -> None:
    about = tarfile.TarInfo("huge.jpg")
    about.size = 9 << 30
    data = about.tobuf(tarfile.GNU_FORMAT)
    skipped = Counter[str]()
    (only,) = list(members(StreamedArchive(io.BytesIO(data)), skipped))
    assert only.length == 9 << 30
    assert +skipped == Counter({"tar: truncated": 1})


def test_a_name_longer_than_any_is_damage_and_not_memory() -> None:
    about = tarfile.TarInfo("././@LongLink")
    about.type, about.size = b"L", 1 << 40
    assert walked(about.tobuf(tarfile.GNU_FORMAT)) == ([], Counter({"tar: damaged header": 1}))


def test_a_sparse_file_is_refused_and_what_follows_is_found() -> None:
    about = tarfile.TarInfo("sparse.jpg")
    about.type, about.size = b"S", 700
    header = bytearray(about.tobuf(tarfile.GNU_FORMAT))
    header[482] = 1
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    data = bytes(header) + bytes(512) + b"s" * 700 + bytes(324) + packed([("after.jpg", b"z")])
    assert walked(data) == ([("after.jpg", b"z")], Counter({"tar: sparse file": 1}))
