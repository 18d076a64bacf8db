"""Laws of archives: an image that a crawl archive holds is taken from it, whatever leads to it, and nobody is asked."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.corpus.builder.shop import built, everything, picture
from tests.corpus.fetch.site import serving
from tests.corpus.web.test_warc import record

from manyview.corpus import Record
from manyview.corpus.builder import BuildConfig
from manyview.errors import UsageError

HOST = "http://gone.example"
OCTETS = "binary/octet-stream"


def page(number: int, markup: str, host: str = HOST) -> bytes:
    said = f"A wooden chair beside the window number {number}"
    body = f"<html lang=en><title>Chairs of the year {number}</title><main>{markup.replace('ALT', said)}</main>"
    return record(f"{host}/page{number}", body.encode())


def jpeg(number: int) -> bytes:
    return picture(number, side=200)


def revisit(url: str, original: str | None) -> bytes:
    refers = (
        f"WARC-Refers-To-Target-URI: {original}\r\nWARC-Refers-To-Date: 2020-01-01T00:00:00Z\r\n" if original else ""
    )
    http = "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n"
    return (
        f"WARC/1.1\r\nWARC-Type: revisit\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2020-01-02T00:00:00Z\r\n"
        "WARC-Record-ID: <urn:uuid:12345678-1234-1234-1234-123456789013>\r\n"
        "WARC-Profile: http://netpreserve.org/warc/1.1/revisit/identical-payload-digest\r\n"
        f"{refers}Content-Type: application/http; msgtype=response\r\nContent-Length: {len(http)}\r\n\r\n{http}\r\n\r\n"
    ).encode()


def moved(url: str, target: str) -> bytes:
    return record(url, b"", status="302 Found", headers=f"Location: {target}\r\n")


def config(*files: Path, **more: Any) -> BuildConfig:
    sources = [{"type": "warc", "path": str(file)} for file in files]
    return BuildConfig.model_validate({"sources": sources, "split": {"shares": {"train": 1}}, **more})


def written(file: Path, records: Iterable[bytes]) -> Path:
    file.write_bytes(b"".join(records))
    return file


def alts(splits: dict[str, dict[str, Record]]) -> dict[bytes, str]:
    """The alternative text of each image."""
    records = everything(splits).values()
    return {one.image: text.text for one in records for text in one.texts if text.kind == "alt"}


def expected(numbers: Sequence[int]) -> dict[bytes, str]:
    return {jpeg(number): f"A wooden chair beside the window number {number}" for number in numbers}


def test_no_server_is_asked_for_what_the_archive_holds(tmp_path: Path) -> None:
    with serving() as site:
        host = site.url("")
        pages = [page(n, f"<img src=/p{n}.jpg alt='ALT'>", host) for n in range(3)]
        records = [*pages, *(record(f"{host}/p{n}.jpg", jpeg(n), "image/jpeg") for n in range(3))]
        rules = {"user_agent": "testbot/1.0 (+https://test.example)", "allow_private": True, "delay_s": 0}
        for fetch in (None, rules):
            report, splits = built(
                config(written(tmp_path / "a.warc", records), fetch=fetch), tmp_path / f"{bool(fetch)}"
            )
            assert alts(splits) == expected(range(3))
            assert set(report.reasons) <= {"text: said twice of the image"}
        assert not site.asked


@pytest.mark.parametrize("turn", ["pages first", "images first"])
def test_the_image_may_be_in_another_archive_and_source(tmp_path: Path, turn: str) -> None:
    files = [
        written(tmp_path / "a.warc", (page(n, f"<img src=/p{n}.jpg alt='ALT'>") for n in range(3))),
        written(tmp_path / "b.warc", (record(f"{HOST}/p{n}.jpg", jpeg(n), OCTETS) for n in range(3))),
    ]
    _, splits = built(config(*(files if turn == "pages first" else files[::-1])), tmp_path / "out")
    assert alts(splits) == expected(range(3))


WAYS = {
    "a redirection": ("/p0.jpg", [moved(f"{HOST}/p0.jpg", "/real.jpg")]),
    "two redirections": ("/p0.jpg", [moved(f"{HOST}/p0.jpg", "/q.jpg"), moved(f"{HOST}/q.jpg", f"{HOST}/real.jpg")]),
    "a revisit": ("/p0.jpg", [revisit(f"{HOST}/p0.jpg", f"{HOST}/real.jpg")]),
    "a redirection to a revisit": (
        "/p0.jpg",
        [moved(f"{HOST}/p0.jpg", "/q.jpg"), revisit(f"{HOST}/q.jpg", f"<{HOST}/real.jpg>")],
    ),
    "a loop beside the way": (
        "/p0.jpg",
        [moved(f"{HOST}/p0.jpg", "/q.jpg"), moved(f"{HOST}/q.jpg", "/p0.jpg"), moved(f"{HOST}/q.jpg", "/real.jpg")],
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_leads_to_an_image_is_followed_inside_the_archive(tmp_path: Path, way: str) -> None:
    source, records = WAYS[way]
    image = record(f"{HOST}/real.jpg", jpeg(0), "image/jpeg")
    data = [page(0, f"<img src={source} alt='ALT'>"), *records, image]
    _, splits = built(config(written(tmp_path / "a.warc", data)), tmp_path / "out")
    assert alts(splits) == expected([0])


MARKUP = {
    "srcset": "<img src=/small.jpg srcset='/p0-400.jpg 400w, /p0-800.jpg 800w, /p0-3000.jpg 3000w' alt='ALT'>",
    "picture": "<picture><source srcset='/p0-800.jpg 800w, /p0-400.jpg 400w'><img src=/p0.jpg alt='ALT'></picture>",
    "late set": "<img src='data:image/gif;base64,AAAA' data-srcset='/p0-400.jpg 400w, /p0-800.jpg 800w' alt='ALT'>",
    "late source": "<img src=/p0.jpg data-src=/p0-800.jpg alt='ALT'>",
}
OFFERED = {"srcset": "/p0-400.jpg", "picture": "/p0-800.jpg", "late set": "/p0-400.jpg", "late source": "/p0.jpg"}
BEST = {"picture": "/p0.jpg"}  # of the others /p0-800.jpg


@pytest.mark.parametrize("name", MARKUP)
def test_of_the_images_that_a_page_offers_the_archived_one_is_taken(tmp_path: Path, name: str) -> None:
    data = [page(0, MARKUP[name]), record(HOST + OFFERED[name], jpeg(0), "image/jpeg")]
    _, splits = built(config(written(tmp_path / "a.warc", data)), tmp_path / "out")
    assert alts(splits) == expected([0])
    best = [*data, record(HOST + BEST.get(name, "/p0-800.jpg"), jpeg(1), "image/jpeg")]
    _, splits = built(config(written(tmp_path / "a.warc", best)), tmp_path / "best")
    assert list(alts(splits)) == [jpeg(1)]


def test_what_the_archive_does_not_hold_is_counted_or_fetched(tmp_path: Path) -> None:
    data = [page(n, f"<img src=/p{n}.jpg alt='ALT'>") for n in range(4)]
    data += [record(f"{HOST}/p0.jpg", jpeg(0), "image/jpeg"), record(f"{HOST}/p1.jpg", jpeg(1)[:300], "image/jpeg")]
    data += [revisit(f"{HOST}/p2.jpg", f"{HOST}/elsewhere.jpg"), revisit(f"{HOST}/p3.jpg", None)]
    report, splits = built(config(written(tmp_path / "a.warc", data)), tmp_path / "out")
    assert alts(splits) == expected([0])
    assert report.reasons["image: in no archive, and fetch.user_agent is not set"] == 2
    assert report.reasons["image: left out where an archive holds it"] == 1
    assert report.reasons["archive: revisit that names no original"] == 1
    assert report.reasons["archive: revisit of what is not in its file"] == 1
    nothing = written(tmp_path / "b.warc", data[:4])
    with pytest.raises(UsageError, match=r"4 images are named by URL: say who fetches them"):
        built(config(nothing), tmp_path / "b")


def test_archives_are_not_looked_into_where_that_is_not_wanted(tmp_path: Path) -> None:
    data = [page(0, "<img src=/p0.jpg alt='ALT'>"), record(f"{HOST}/p0.jpg", jpeg(0), "image/jpeg")]
    source = {"type": "warc", "path": str(written(tmp_path / "a.warc", data)), "archived_images": False}
    with pytest.raises(UsageError, match="say who fetches them"):
        built(BuildConfig.model_validate({"sources": [source]}), tmp_path / "out")


def test_images_of_one_page_stay_on_one_side_of_the_split(tmp_path: Path) -> None:
    pages = [page(n, "".join(f"<img src=/p{n}-{i}.jpg alt='ALT and {i}'>" for i in range(3))) for n in range(20)]
    images = [record(f"{HOST}/p{n}-{i}.jpg", jpeg(3 * n + i), "image/jpeg") for n in range(20) for i in range(3)]
    halves = {"shares": {"train": 0.5, "test": 0.5}}
    _, splits = built(config(written(tmp_path / "a.warc", [*pages, *images]), split=halves), tmp_path / "out")
    sides = [{id.rpartition("-")[0] for id in records} for records in splits.values()]
    assert len(sides) == 2 and not sides[0] & sides[1]
    assert sum(map(len, splits.values())) == 60
