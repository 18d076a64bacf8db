"""Laws of crawl archives: damage costs the record it hits, sizes are bounded, nothing is lost without a count."""

import base64
import gzip
import pickle
import tracemalloc
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from manyview.corpus.sources.contract import IMAGES, VIEWS, Batch
from manyview.corpus.web import WarcConfig, WarcSource, WebRules, page_of
from manyview.errors import UsageError

GIF = b"GIF89a\x01\x00\x01\x00"
COLORS = ("red", "green", "blue", "brown", "white")


def record(
    url: str,
    body: bytes,
    content_type: str = "text/html; charset=utf-8",
    status: str = "200 OK",
    headers: str = "",
    length: int | None = None,
) -> bytes:
    """One response as a crawler writes it; `length` lies about it."""
    http = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\n{headers}\r\n".encode() + body
    size = len(http) if length is None else length
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2020-01-01T00:00:00Z\r\n"
        "WARC-Record-ID: <urn:uuid:12345678-1234-1234-1234-123456789012>\r\n"
        f"Content-Type: application/http; msgtype=response\r\nContent-Length: {size}\r\n\r\n"
    )
    return head.encode() + http + b"\r\n\r\n"


def page(number: int) -> bytes:
    """A page about one picture."""
    color = COLORS[number % 5]
    return (
        f"<html lang=en><title>Kite {color} {number}</title>"
        f"<img src=/k{number}.jpg alt='A {color} kite number {number}'>"
    ).encode()


def url(number: int) -> str:
    return f"https://a.example/{number}.html"


PAGES = [record(url(number), page(number)) for number in range(6)]
ZIPPED = [gzip.compress(one, mtime=0) for one in PAGES]


def read(folder: Path, data: bytes, **settings: object) -> list[Batch]:
    """All batches of an archive with these bytes."""
    file = folder / "crawl.warc.gz"
    file.write_bytes(data)
    (part,) = WarcSource(WarcConfig(path=str(file), **settings)).parts()  # type: ignore[arg-type]
    return list(part.read())


def ids(found: Sequence[Batch]) -> list[str]:
    return [name for batch in found for name in batch.images["id"].to_pylist()]


def skipped(found: Sequence[Batch]) -> Counter[str]:
    return sum((batch.skipped for batch in found), Counter[str]())


def images(*numbers: int) -> list[str]:
    return [f"https://a.example/k{number}.jpg" for number in numbers]


@pytest.mark.parametrize(
    "data",
    [b"".join(PAGES), b"".join(ZIPPED), gzip.compress(b"".join(PAGES))],
    ids=["plain", "gzip by record", "gzip of all"],
)
def test_every_page_is_read_however_it_is_packed(tmp_path: Path, data: bytes) -> None:
    found = read(tmp_path, data)
    assert ids(found) == images(*range(6))
    assert not skipped(found)
    for batch in found:
        assert batch.images.schema == IMAGES
        assert batch.views.schema == VIEWS


def test_views_tell_what_is_said_and_where(tmp_path: Path) -> None:
    (batch,) = read(tmp_path, ZIPPED[0])
    rows = batch.views.to_pylist()
    assert {(row["kind"], row["text"], row["lang"]) for row in rows} == {
        ("alt", "A red kite number 0", "en"),
        ("title", "Kite red 0", "en"),
    }
    assert {page_of(row["origin"]) for row in rows} == {"crawl.warc.gz:0"}
    assert {row["weight"] for row in rows} == {1.0}
    (image,) = batch.images.to_pylist()
    assert image["url"] == image["id"] == images(0)[0]
    assert image["group"] == url(0)
    assert image["bytes"] is image["path"] is None


def test_a_truncated_archive_gives_all_before_the_cut_and_a_count(tmp_path: Path) -> None:
    data = b"".join(ZIPPED)
    for cut in range(1, len(ZIPPED[-1]) // 2, 7):  # cut further, gzip gives no byte of the record back
        found = read(tmp_path, data[:-cut])
        assert ids(found)[:5] == images(*range(5))
        assert len(ids(found)) + skipped(found).total() == 6


@pytest.mark.parametrize("hit", range(6))
def test_a_damaged_member_costs_itself_alone(tmp_path: Path, hit: int) -> None:
    broken = bytearray(ZIPPED[hit])
    broken[30:60] = b"\xff" * 30
    found = read(tmp_path, b"".join([*ZIPPED[:hit], bytes(broken), *ZIPPED[hit + 1 :]]))
    assert ids(found) == images(*(number for number in range(6) if number != hit))
    assert skipped(found)["archive: damaged or truncated"] >= 1


@pytest.mark.parametrize("lie", [10, 60, 100_000, 10**15])
def test_a_wrong_content_length_costs_its_record_alone(tmp_path: Path, lie: int) -> None:
    found = read(tmp_path, PAGES[0] + record(url(9), page(9), length=lie) + PAGES[1] + PAGES[2])
    assert [name for name in ids(found) if name in images(0, 1, 2)] == images(0, 1, 2)
    assert skipped(found)


@pytest.mark.parametrize("data", [b"", b"no archive at all\n" * 100, b"\x1f\x8b\x08" * 3000, b"WARC/1.0\r\n" * 3000])
def test_what_is_no_archive_ends(tmp_path: Path, data: bytes) -> None:
    found = read(tmp_path, data)
    assert ids(found) == []
    assert bool(skipped(found)) == bool(data)


def test_what_is_no_page_is_counted(tmp_path: Path) -> None:
    data = [
        record(url(1), b"%PDF", "application/pdf"),
        record(url(2), page(2), status="404 Not Found"),
        record(url(3), page(3), headers="Content-Encoding: br\r\n"),
        record(url(4), page(4), headers="X: " + "a" * 100_000 + "\r\n"),
        record(url(5), b"\x28\xb5\x2f\xfd", headers="Content-Encoding: zstd\r\n"),
        PAGES[0],
    ]
    found = read(tmp_path, b"".join(data))
    assert ids(found) == images(3, 0)
    assert skipped(found) == {
        "response: neither page nor image": 1,
        "response: status is not 200": 1,
        "page: HTTP headers cannot be read": 1,
        "page: packed in a way that cannot be read": 1,
    }


@pytest.mark.parametrize(
    ("headers", "pack"),
    [
        ("Content-Encoding: gzip\r\n", gzip.compress),
        ("Content-Encoding: deflate\r\n", zlib.compress),
        ("Content-Encoding: gzip\r\n", bytes),
        ("Transfer-Encoding: chunked\r\n", lambda body: b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)),
        ("Transfer-Encoding: chunked\r\n", bytes),
        ("Content-Encoding: x\r\nContent-Encoding: identity\r\n", bytes),
    ],
    ids=["gzip", "deflate", "gzip that is none", "chunked", "chunked that is not", "unknown"],
)
def test_a_packed_body_is_unpacked_or_counted(tmp_path: Path, headers: str, pack: object) -> None:
    found = read(tmp_path, record(url(0), pack(page(0)), headers=headers) + PAGES[1])  # type: ignore[operator]
    assert ids(found)[-1:] == images(1)
    assert ids(found)[:1] == images(0) or skipped(found)


def test_a_huge_record_is_counted_and_never_held(tmp_path: Path) -> None:
    file = tmp_path / "crawl.warc.gz"
    bomb = gzip.compress(b"<p>" + b"a" * 30_000_000)
    huge = record(url(8), b"<p>" + b"a" * 30_000_000)
    file.write_bytes(
        gzip.compress(huge) + gzip.compress(record(url(7), bomb, headers="Content-Encoding: gzip\r\n")) + ZIPPED[0]
    )
    del huge
    rules = WebRules(max_page_bytes=1 << 20)
    (part,) = WarcSource(WarcConfig(path=str(file), rules=rules)).parts()
    tracemalloc.start()
    found = list(part.read())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert ids(found) == images(0)
    assert skipped(found) == {"page: too many bytes": 2}
    assert peak < 40 << 20


def test_images_of_the_archive_come_with_their_bytes(tmp_path: Path) -> None:
    data = [PAGES[0], record(images(0)[0], GIF, "image/gif"), record("https://a.example/logo.png", GIF, "image/png")]
    found = read(tmp_path, b"".join(data))
    assert [row["bytes"] for batch in found for row in batch.images.to_pylist()] == [None, GIF]
    assert ids(found) == images(0, 0)
    assert skipped(found) == {"image: icon": 1}
    without = read(tmp_path, b"".join(data), archived_images=False)
    assert ids(without) == images(0)
    small = read(tmp_path, b"".join(data), max_image_bytes=5)
    assert skipped(small)["image: too many bytes"] == 2


def test_an_image_on_many_pages_is_one_image_with_many_views(tmp_path: Path) -> None:
    body = "<html lang=en><title>Page {0}</title><img src=/k7.jpg alt='The same kite on page {0}'>"
    data = b"".join(record(url(number), body.format(number).encode()) for number in range(5))
    found = read(tmp_path, data)
    assert set(ids(found)) == {"https://a.example/k7.jpg"}
    assert sum(batch.views.num_rows for batch in found) == 10


def test_boilerplate_on_many_pages_is_dropped_and_counted(tmp_path: Path) -> None:
    body = "<html lang=en><title>Kite shop</title><img src=/k{0}.jpg alt='Buy this wonderful kite now'>"
    data = b"".join(record(url(number), body.format(number).encode()) for number in range(30))
    found = read(tmp_path, data)
    alts = [row for batch in found for row in batch.views.to_pylist() if row["kind"] == "alt"]
    assert len(alts) == WebRules().max_pages_per_text
    assert skipped(found)["text: on too many pages"] == 40


def test_parts_can_be_pickled_and_read_twice(tmp_path: Path) -> None:
    (tmp_path / "crawl.warc.gz").write_bytes(b"".join(ZIPPED))
    (part,) = WarcSource(WarcConfig(path=str(tmp_path))).parts()
    again = pickle.loads(pickle.dumps(part))
    assert (again.name, again.version) == (part.name, part.version)
    for one, other in zip(part.read(), again.read(), strict=True):
        assert one.images.equals(other.images)
        assert one.views.equals(other.views)


def test_parts_are_the_archives_in_order_and_their_version_follows_their_content(tmp_path: Path) -> None:
    for name in ("b.warc", "a.warc.gz", "c.txt", "deep/d.warc.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(PAGES[0])
    parts = WarcSource(WarcConfig(path=str(tmp_path))).parts()
    assert [part.name for part in parts] == ["a.warc.gz", "b.warc", "deep/d.warc.gz"]
    (tmp_path / "b.warc").write_bytes(PAGES[0] * 2)
    later = WarcSource(WarcConfig(path=str(tmp_path))).parts()
    assert [one.version == other.version for one, other in zip(parts, later, strict=True)] == [True, False, True]
    assert len(WarcSource(WarcConfig(path=str(tmp_path / "*.warc*"))).parts()) == 2


def test_a_file_on_another_file_system_is_read_alike(tmp_path: Path) -> None:
    from upath import UPath

    place = UPath("memory://crawls/one/crawl.warc.gz")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(b"".join(ZIPPED))
    (part,) = WarcSource(WarcConfig(path="memory://crawls/one")).parts()
    assert part.name == "crawl.warc.gz"
    assert ids(list(part.read())) == ids(read(tmp_path, b"".join(ZIPPED)))


def test_no_archive_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file at"):
        WarcSource(WarcConfig(path=str(tmp_path))).parts()


JPEG = b"\xff\xd8\xff\xe0" + bytes(300)


@pytest.mark.parametrize(
    "content_type", ["binary/octet-stream", "application/octet-stream", "text/plain", "text/html", "image/jpg", ""]
)
def test_an_image_is_known_by_its_bytes_whatever_its_type_is_called(tmp_path: Path, content_type: str) -> None:
    found = read(tmp_path, PAGES[0] + record(images(0)[0], JPEG, content_type) + PAGES[1])
    assert [row["bytes"] for batch in found for row in batch.images.to_pylist()] == [None, JPEG, None]
    assert not skipped(found)


def test_packed_bytes_of_an_unknown_type_are_looked_into(tmp_path: Path) -> None:
    octets, gzipped = "application/octet-stream", "Content-Encoding: gzip\r\n"
    data = [
        record(images(0)[0], gzip.compress(JPEG), octets, headers=gzipped),
        record(
            images(1)[0], b"%x\r\n%s\r\n0\r\n\r\n" % (len(JPEG), JPEG), octets, headers="Transfer-Encoding: chunked\r\n"
        ),
        record(images(2)[0], gzip.compress(b"PK no image"), octets, headers=gzipped),
        record(images(3)[0], gzip.compress(b"body {}"), "text/css", headers=gzipped),
        record(images(4)[0], b"PK no image", octets),
    ]
    found = read(tmp_path, b"".join(data))
    assert [row["bytes"] for batch in found for row in batch.images.to_pylist()] == [JPEG, JPEG]
    assert skipped(found) == {"response: neither page nor image": 3}


@pytest.mark.parametrize("transfer", ["", "Content-Transfer-Encoding: base64\r\n"])
def test_of_several_parts_the_first_page_or_image_counts(tmp_path: Path, transfer: str) -> None:
    content = base64.encodebytes(page(0)) if transfer else page(0)
    body = (
        b"preamble\r\n--cut\r\nContent-Type: text/css\r\n\r\np {}\r\n--cut\r\nContent-Type: text/html\r\n"
        + transfer.encode()
        + b"\r\n"
        + content
        + b"\r\n--cut--\r\n"
    )
    image = b"--x\r\nContent-Type: image/jpeg\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    image += base64.encodebytes(JPEG) + b"--x--"
    data = [
        record(url(0), body, 'multipart/related; boundary="cut"'),
        record(images(7)[0], image, "multipart/x-mixed-replace; boundary=x"),
        record(url(1), b"--y\r\n\r\n--y--", "multipart/mixed; boundary=y"),
        record(url(2), b"no boundary", "multipart/mixed"),
    ]
    found = read(tmp_path, b"".join(data))
    assert ids(found) == images(0, 7)
    assert skipped(found) == {"response: neither page nor image": 2}


@pytest.mark.parametrize("encoding", ["none", "ISO-8859-1", "binary", "identity"])
def test_codings_that_are_none_lose_no_page(tmp_path: Path, encoding: str) -> None:
    found = read(tmp_path, record(url(0), page(0), headers=f"Content-Encoding: {encoding}\r\n"))
    assert ids(found) == images(0) and not skipped(found)


@pytest.mark.parametrize(
    ("charset", "declared"),
    [
        ("gb18030", "gb2312"),
        ("shift_jis", "Shift_JIS"),
        ("utf-16", ""),
        ("utf-8-sig", "iso-8859-1"),
        ("cp1251", "windows-1251"),
    ],
)
def test_texts_are_read_in_the_charset_they_are_written_in(tmp_path: Path, charset: str, declared: str) -> None:
    said = {"cp1251": "деревянный стул у окна", "shift_jis": "窓辺の木製の椅子です"}.get(charset, "窗边的木椅子")
    body = f"<html><title>{said}</title><img src=/k0.jpg alt='{said}'>".encode(charset)
    found = read(tmp_path, record(url(0), body, f"text/html; charset={declared}" if declared else "text/html"))
    assert {row["text"] for batch in found for row in batch.views.to_pylist() if row["kind"] == "alt"} == {said}
