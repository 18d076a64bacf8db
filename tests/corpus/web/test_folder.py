"""Laws of folders of pages: files below the folder by path, never one outside it, the rest by URL."""

import pickle
from pathlib import Path
from typing import Any

import pytest

from manyview.corpus.web import PagesConfig, PagesSource
from manyview.errors import UsageError

IMG = "<img src='{}' alt='A red kite over dunes'>"


def rows(folder: Path, **settings: str) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """The images of a folder and what was skipped."""
    images, skipped = list[dict[str, Any]](), dict[str, int]()
    for part in PagesSource(PagesConfig(path=str(folder), **settings)).parts():  # type: ignore[arg-type]
        for batch in part.read():
            images.extend(batch.images.to_pylist())
            skipped.update(batch.skipped)
    return images, skipped


def write(folder: Path, **pages: str) -> None:
    for name, body in pages.items():
        (folder / f"{name}.html").write_text(f"<html lang=en><title>Kites</title>{body}", encoding="utf-8")


@pytest.mark.parametrize(
    "src", ["img/kite.jpg", "./img/kite.jpg", "/img/kite.jpg", "sub/../img/kite.jpg", "img/kite.jpg?v=1#x"]
)
def test_an_image_in_the_folder_is_its_path_there(tmp_path: Path, src: str) -> None:
    (tmp_path / "img").mkdir()
    (tmp_path / "img" / "kite.jpg").write_bytes(b"x")
    write(tmp_path, page=IMG.format(src))
    (image,), _ = rows(tmp_path)
    assert image["id"] == "img/kite.jpg"
    assert image["path"] == str(tmp_path / "img" / "kite.jpg")
    assert image["url"] is None
    assert image["group"] == "page.html"


def test_a_page_in_a_folder_below_finds_its_images(tmp_path: Path) -> None:
    (tmp_path / "img").mkdir()
    (tmp_path / "img" / "kite 1.jpg").write_bytes(b"x")
    (tmp_path / "deep").mkdir()
    write(tmp_path / "deep", page=IMG.format("../img/kite%201.jpg"))
    (image,), _ = rows(tmp_path)
    assert image["id"] == "img/kite 1.jpg"


@pytest.mark.parametrize(
    "src",
    [
        "../secret.jpg",
        "/../secret.jpg",
        "a/../../secret.jpg",
        "%2e%2e/secret.jpg",
        "link.jpg",
        "way/secret.jpg",
        "..\\secret.jpg",
        "file:///etc/hostname",
    ],
)
def test_no_address_leads_out_of_the_folder(tmp_path: Path, src: str) -> None:
    (tmp_path / "secret.jpg").write_bytes(b"x")
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (folder / "way").symlink_to(tmp_path, target_is_directory=True)
    write(folder, page=IMG.format(src))
    images, skipped = rows(folder)
    assert images == []
    assert skipped == {"image: no usable address": 1}


def test_images_elsewhere_are_urls(tmp_path: Path) -> None:
    write(
        tmp_path,
        a=IMG.format("https://cdn.example/a.jpg"),
        b="<link rel=canonical href='https://site.example/x/b.html'>" + IMG.format("b.jpg"),
        c="<base href='https://base.example/'>" + IMG.format("c.jpg"),
        d=IMG.format("d.jpg"),
    )
    saved = "<!-- saved from url=(0026)https://saved.example/p/ -->\n<title>Kites</title>" + IMG.format("e.jpg")
    (tmp_path / "e.html").write_text(saved, encoding="utf-8")
    images, skipped = rows(tmp_path)
    assert [image["url"] for image in images] == [
        "https://cdn.example/a.jpg",
        "https://site.example/x/b.jpg",
        "https://base.example/c.jpg",
        "https://saved.example/p/e.jpg",
    ]
    assert skipped == {"image: no usable address": 1}


def test_the_address_of_the_folder_is_the_base_of_what_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    write(tmp_path / "sub", a=IMG.format("../a.jpg"))
    (image,), _ = rows(tmp_path, base_url="https://site.example/docs/")
    assert image["url"] == "https://site.example/docs/a.jpg"


def test_parts_hold_some_pages_each_and_their_version_follows_any_of_them(tmp_path: Path) -> None:
    for number in range(450):
        write(tmp_path, **{f"p{number:03}": ""})
    config = PagesConfig(path=str(tmp_path))
    parts = PagesSource(config).parts()
    assert [len(part.files) for part in parts] == [200, 200, 50]
    assert len({part.name for part in parts}) == 3
    assert pickle.loads(pickle.dumps(parts[0])).version == parts[0].version
    write(tmp_path, p250="changed")
    later = PagesSource(config).parts()
    assert [one.version == other.version for one, other in zip(parts, later, strict=True)] == [True, False, True]


def test_a_page_too_large_or_gone_is_counted(tmp_path: Path) -> None:
    write(tmp_path, a="", b="", c=IMG.format("https://cdn.example/a.jpg"))
    (tmp_path / "a.html").write_bytes(b"x" * 5000)
    config = PagesConfig.model_validate({"path": str(tmp_path), "rules": {"max_page_bytes": 2000}})
    (part,) = PagesSource(config).parts()
    (tmp_path / "b.html").unlink()
    (batch,) = part.read()
    assert batch.skipped == {"page: too many bytes": 1, "page: cannot be read": 1}
    assert batch.images.num_rows == 1


def test_one_file_is_a_folder_of_one_page(tmp_path: Path) -> None:
    write(tmp_path, a=IMG.format("https://cdn.example/a.jpg"), b=IMG.format("https://cdn.example/b.jpg"))
    images, _ = rows(tmp_path / "b.html")
    assert [image["id"] for image in images] == ["https://cdn.example/b.jpg"]


def test_each_image_can_be_its_own_group(tmp_path: Path) -> None:
    write(tmp_path, a=IMG.format("https://cdn.example/a.jpg"))
    (image,), _ = rows(tmp_path, group="image")
    assert image["group"] is None


def test_what_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        PagesSource(PagesConfig(path=str(tmp_path / "nothing"))).parts()
    with pytest.raises(UsageError, match="no file at"):
        PagesSource(PagesConfig(path=str(tmp_path))).parts()


def test_a_page_that_is_a_link_out_of_the_folder_is_none_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    (tmp_path / "secret.html").write_text("<img src=a.jpg alt='A red kite'>")
    (folder / "link.html").symlink_to(tmp_path / "secret.html")
    with pytest.raises(UsageError, match="lead out of it"):
        PagesSource(PagesConfig(path=str(folder))).parts()
    (folder / "own.html").write_text("<img src=a.jpg alt='A red kite'>")
    (part,) = PagesSource(PagesConfig(path=str(folder))).parts()
    assert [file.name for file in part.files] == ["own.html"]
