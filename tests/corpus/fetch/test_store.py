"""Laws of the store: what is filed is found, whole, whatever happened meanwhile."""

from __future__ import annotations

import pickle
import random
from io import BytesIO
from pathlib import Path

import pytest
from tests.corpus.fetch.site import image

from manyview.corpus.fetch import Failed, Fetched, FetchStore
from manyview.corpus.fetch.store import segment_path
from manyview.corpus.fetch.writer import StoreWriter
from manyview.errors import DataError, UsageError


def fill(folder: Path, numbers: range, **sizes: int) -> dict[str, bytes]:
    images = {f"http://a.example/{number}": image(number, 50 + 7 * number) for number in numbers}
    with StoreWriter(folder, **sizes) as writer:
        for url, data in images.items():
            writer.add(url, BytesIO(data), "image/png")
    return images


def contents(folder: Path, urls: list[str]) -> dict[str, bytes | None]:
    store = FetchStore(folder)
    found = {url: store.find(url) for url in urls}
    store.close()
    return {url: one.read() if isinstance(one, Fetched) else None for url, one in found.items()}


@pytest.mark.parametrize("sizes", [{}, {"segment_bytes": 200}, {"segment_bytes": 1, "sync_bytes": 1}])
def test_what_is_filed_is_found_over_any_number_of_segments(sizes: dict[str, int], tmp_path: Path) -> None:
    images = fill(tmp_path, range(20), **sizes) | fill(tmp_path, range(20, 30), **sizes)
    assert contents(tmp_path, list(images)) == images
    assert len(list(tmp_path.glob("segment-*.bin"))) == (1 if not sizes else len(list(tmp_path.glob("segment-*"))))


def test_a_pointer_names_place_digest_and_kind(tmp_path: Path) -> None:
    from hashlib import sha256

    images = fill(tmp_path, range(3))
    store = FetchStore(tmp_path)
    for url, data in images.items():
        found = store.find(f" {url}#top ")
        assert isinstance(found, Fetched)
        assert found.path.read_bytes()[found.offset : found.offset + found.length] == data
        assert (found.url, found.sha256, found.media_type) == (url, sha256(data).hexdigest(), "image/png")


def test_an_unknown_url_is_none_and_a_failure_says_why(tmp_path: Path) -> None:
    with StoreWriter(tmp_path) as writer:
        writer.fail("http://a.example/", "http status 503")
        writer.fail("http://b.example/", "http status 404")
    store = FetchStore(tmp_path)
    assert store.find("http://c.example/") is None
    assert store.find("http://a.example") == Failed("http://a.example/", "http status 503", True)
    assert list(store.failures("permanent")) == [Failed("http://b.example/", "http status 404", False)]
    assert [failed.url for failed in store.failures()] == ["http://a.example/", "http://b.example/"]
    assert store.counts() == {"http status 404": 1, "http status 503": 1}


def test_failures_come_in_order_over_pages(tmp_path: Path) -> None:
    urls = [f"http://a.example/{number}" for number in range(2500)]
    with StoreWriter(tmp_path) as writer:
        for url in random.Random(0).sample(urls, len(urls)):
            writer.fail(url, "connection: refused")
    assert [failed.url for failed in FetchStore(tmp_path).failures("temporary")] == sorted(urls)


def test_a_store_can_be_pickled_after_use(tmp_path: Path) -> None:
    images = fill(tmp_path, range(2))
    store = FetchStore(tmp_path)
    before = [store.find(url) for url in images]
    assert [pickle.loads(pickle.dumps(store)).find(url) for url in images] == before


def test_a_reader_sees_what_is_filed_meanwhile(tmp_path: Path) -> None:
    with StoreWriter(tmp_path) as writer:
        store = FetchStore(tmp_path)
        assert store.find("http://a.example/") is None
        writer.add("http://a.example/", BytesIO(image(1)), "image/png")
        found = store.find("http://a.example/")
        assert isinstance(found, Fetched) and found.read() == image(1)
        store.close()


def test_a_closed_store_lies_in_files_that_any_disk_can_serve(tmp_path: Path) -> None:
    fill(tmp_path, range(2))
    assert {file.name for file in tmp_path.iterdir()} == {"index.sqlite", "lock.sqlite", "segment-000000.bin"}


def test_two_fetches_cannot_write_at_once(tmp_path: Path) -> None:
    with StoreWriter(tmp_path), pytest.raises(UsageError, match="being written by another fetch"):
        StoreWriter(tmp_path).__enter__()
    fill(tmp_path, range(1))


def test_a_folder_without_a_store_is_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no fetched images"):
        FetchStore(tmp_path / "none").find("http://a.example/")
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot hold fetched images"):
        StoreWriter(tmp_path / "file").__enter__()


def test_a_broken_index_is_damaged_data(tmp_path: Path) -> None:
    (tmp_path / "index.sqlite").write_bytes(b"rubbish" * 1000)
    with pytest.raises(DataError, match="cannot be opened"):
        FetchStore(tmp_path).find("http://a.example/")
    with pytest.raises(DataError, match="cannot be opened"):
        StoreWriter(tmp_path).__enter__()


def test_bytes_that_no_row_points_to_are_dropped(tmp_path: Path) -> None:
    images = fill(tmp_path, range(3))
    with segment_path(tmp_path, 0).open("ab") as file:
        file.write(b"half an ima")
    images |= fill(tmp_path, range(3, 5))
    assert contents(tmp_path, list(images)) == images
    assert segment_path(tmp_path, 0).stat().st_size == sum(map(len, images.values()))


def _crashed(folder: Path) -> dict[str, bytes]:
    """A store whose last three images were filed but never forced to the disk: two segments, no last sync."""
    images = fill(folder, range(3))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StoreWriter, "_sync", lambda self: self._file.flush())
        images |= fill(folder, range(3, 6), segment_bytes=sum(map(len, images.values())) + 80)
    assert segment_path(folder, 1).exists()
    return images


def test_after_a_crash_that_lost_nothing_nothing_is_lost(tmp_path: Path) -> None:
    images = _crashed(tmp_path)
    images |= fill(tmp_path, range(6, 8))
    assert contents(tmp_path, list(images)) == images


@pytest.mark.parametrize("damage", ["zeros", "short", "missing"])
def test_after_a_power_cut_no_half_image_is_found(damage: str, tmp_path: Path) -> None:
    images = _crashed(tmp_path)
    last = segment_path(tmp_path, 1)
    data = last.read_bytes()
    if damage == "missing":
        last.unlink()
    else:
        last.write_bytes(data[:-1] if damage == "short" else data[:-9] + bytes(9))
    images |= fill(tmp_path, range(6, 8))
    found = contents(tmp_path, list(images))
    lost = [url for url, data in found.items() if data is None]
    assert lost and set(lost) <= {f"http://a.example/{number}" for number in range(3, 6)}
    assert {url: data for url, data in found.items() if data is not None} == {
        url: data for url, data in images.items() if url not in lost
    }


def test_a_segment_that_lost_what_was_safe_is_named(tmp_path: Path) -> None:
    fill(tmp_path, range(3))
    segment_path(tmp_path, 0).write_bytes(b"")
    with pytest.raises(DataError, match=r"segment-000000.bin has lost bytes"):
        fill(tmp_path, range(3, 4))


def test_an_answer_replaces_the_one_before(tmp_path: Path) -> None:
    with StoreWriter(tmp_path) as writer:
        writer.fail("http://a.example/", "http status 503")
        assert writer.last("http://a.example/") == (writer.run, True)
        writer.add("http://a.example/", BytesIO(image(1)), "image/png")
        assert writer.last("http://a.example/") == (writer.run, None)
    assert FetchStore(tmp_path).counts() == {"fetched": 1}


def test_only_the_failures_of_this_run_are_forgotten(tmp_path: Path) -> None:
    with StoreWriter(tmp_path) as writer:
        writer.fail("http://a.example/", "http status 503")
    with StoreWriter(tmp_path) as writer:
        writer.fail("http://b.example/", "http status 404")
        writer.add("http://c.example/", BytesIO(image(1)), "image/png")
        writer.forget_failures_of_this_run()
    assert FetchStore(tmp_path).counts() == {"fetched": 1, "http status 503": 1}
