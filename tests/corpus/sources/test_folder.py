"""Laws of folders: every image once, with what lies beside it."""

import json
import shutil
from collections import Counter
from pathlib import Path

import fsspec
import pytest
from tests.corpus.sources.reading import everything

from manyview.corpus.sources import folder as module
from manyview.corpus.sources.folder import FolderConfig, FolderSource
from manyview.errors import UsageError


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Images with both kinds of sidecars, one without, and things that are no images."""
    for name in ("a.jpg", "sub [1]/b.PNG", "sub [1]/c.webp", "sub [1]/deep/d.jpeg", "e.gif"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "a.txt").write_text("\ufeffa caption", encoding="utf-8")
    (tmp_path / "sub [1]/b.PNG.txt").write_text("by full name")
    (tmp_path / "sub [1]/c.json").write_text(json.dumps({"title": "C", "keywords": ["x", "y"], "by": {"who": "me"}}))
    (tmp_path / "sub [1]/deep/d.txt").write_bytes(b"\xff")
    (tmp_path / "e.json").write_text("{")
    (tmp_path / "lonely.txt").write_text("of no image")
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / ".hidden.jpg").touch()
    (tmp_path / "a.jpg.gz").touch()
    return tmp_path


def test_sidecars_speak_for_their_images(photos: Path) -> None:
    found = everything(FolderSource(FolderConfig(path=str(photos))))
    names = ["a.jpg", "e.gif", "sub [1]/b.PNG", "sub [1]/c.webp", "sub [1]/deep/d.jpeg"]
    assert found.column("id") == names
    assert found.column("path") == [str(photos / name) for name in names]
    assert sorted(found.texts("id", "kind", "text", "origin")) == [
        ("a.jpg", "caption", "a caption", "a.jpg:txt"),
        ("sub [1]/b.PNG", "caption", "by full name", "sub [1]/b.PNG:txt"),
        ("sub [1]/c.webp", "tags", "x", "sub [1]/c.webp:keywords"),
        ("sub [1]/c.webp", "tags", "y", "sub [1]/c.webp:keywords"),
        ("sub [1]/c.webp", "title", "C", "sub [1]/c.webp:title"),
    ]
    assert found.skipped == Counter({"text: not UTF-8": 1, "sidecar: not JSON": 1})


def test_names_of_folders_are_categories_when_asked_or_alone(photos: Path) -> None:
    asked = FolderConfig(path=str(photos), views={"category": "folder", "caption": "txt"}, attribution="by.who")
    found = everything(FolderSource(asked))
    assert [text for text in found.texts() if text[1] == "category"] == [
        ("sub [1]/b.PNG", "category", "sub [1]"),
        ("sub [1]/c.webp", "category", "sub [1]"),
        ("sub [1]/deep/d.jpeg", "category", "deep"),
    ]
    assert found.column("attribution") == [None, None, None, "me", None]
    for sidecar in [*photos.rglob("*.txt"), *photos.rglob("*.json"), photos / "a.jpg", photos / "e.gif"]:
        sidecar.unlink()
    (photos / "other").mkdir()
    shutil.copy(photos / "sub [1]/b.PNG", photos / "other/b.png")
    alone = everything(FolderSource(FolderConfig(path=str(photos))))
    assert alone.texts("kind", "text") == [("category", name) for name in ("other", "sub [1]", "sub [1]", "deep")]


def test_a_glob_and_another_file_system_say_the_same(photos: Path) -> None:
    near = everything(FolderSource(FolderConfig(path=str(photos))))
    memory = fsspec.filesystem("memory")
    for file in photos.rglob("*"):
        if file.is_file():
            memory.pipe(f"/photos/{file.relative_to(photos).as_posix()}", file.read_bytes())
    far = everything(FolderSource(FolderConfig(path="memory://photos")))
    assert far.images == [row | {"path": row["path"].replace(str(photos), "memory:///photos")} for row in near.images]
    assert far.views == near.views and far.skipped == near.skipped
    assert everything(FolderSource(FolderConfig(path=str(photos / "*.jpg")))).texts() == [
        ("a.jpg", "caption", "a caption")
    ]


def test_parts_of_few_images_say_the_same_and_know_when_a_sidecar_changed(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = FolderSource(FolderConfig(path=str(photos)))
    whole = everything(source)
    monkeypatch.setattr(module, "PART_FILES", 2)
    pieces = everything(source)
    assert len(source.parts()) == 3
    assert pieces.images == whole.images and sorted(pieces.texts()) == sorted(whole.texts())
    before = [part.version for part in source.parts()]
    (photos / "sub [1]/c.json").write_text('{"title": "another"}')
    after = [part.version for part in source.parts()]
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, True]


def test_a_folder_without_images_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    with pytest.raises(UsageError, match="no file at"):
        FolderSource(FolderConfig(path=str(tmp_path))).parts()
