"""Laws of paths: every file that is meant, once, in one order, on any file system."""

import os
from collections.abc import Callable
from pathlib import Path

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyview.corpus.sources.files import expand_braces, find_files, open_stream, suffix_of
from manyview.errors import UsageError

NAMES = [
    "a.csv",
    "b.CSV.gz",
    "sub/c.tsv",
    "sub/d.csv",
    "sub/deeper/e.csv",
    "notes.md",
    "_tmp/f.csv",
    ".g.csv",
    "sub/_SUCCESS",
]


def here(folder: Path) -> str:
    for name in NAMES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return str(folder)


def in_memory(folder: Path) -> str:
    for name in NAMES:
        fsspec.filesystem("memory").pipe(f"/{folder.name}/{name}", name.encode())
    return f"memory://{folder.name}"


@pytest.fixture(params=[here, in_memory], ids=["local", "memory"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The same files here and elsewhere."""
    make: Callable[[Path], str] = request.param
    return make(tmp_path)


def names(path: str | list[str], root: str) -> list[str]:
    found = find_files(path, (".csv", ".tsv"))
    assert [file.path for file in found] == sorted({file.path for file in found})
    assert all(file.path.endswith(f"/{file.name}") for file in found)
    tail = root.rpartition("/")[2]
    return [file.path.partition(f"/{tail}/")[2] for file in found]


def test_folders_globs_and_lists_name_each_file_once(root: str) -> None:
    assert names(root, root) == ["a.csv", "b.CSV.gz", "sub/c.tsv", "sub/d.csv", "sub/deeper/e.csv"]
    assert names(f"{root}/*.csv", root) in (["a.csv"], [".g.csv", "a.csv"])
    assert names(f"{root}/sub/**/*.csv", root) == ["sub/d.csv", "sub/deeper/e.csv"]
    assert names(f"{root}/sub/{{c.tsv,d.csv}}", root) == ["sub/c.tsv", "sub/d.csv"]
    assert names([f"{root}/sub/d.csv", f"{root}/a.csv", f"{root}/a.csv", f"{root}/sub"], root) == [
        "a.csv",
        "sub/c.tsv",
        "sub/d.csv",
        "sub/deeper/e.csv",
    ]
    assert names(f"{root}/notes.md", root) == ["notes.md"]


def test_names_are_told_below_the_folder_that_all_share(root: str) -> None:
    assert [file.name for file in find_files([f"{root}/sub/d.csv", f"{root}/sub/deeper/e.csv"], (".csv",))] == [
        "d.csv",
        "deeper/e.csv",
    ]
    assert [file.name for file in find_files(f"{root}/sub/d.csv", (".csv",))] == ["d.csv"]


def test_what_names_no_file_is_said(root: str) -> None:
    for path in ("missing.csv", "*.parquet", "{x,y}.csv", "missing/"):
        with pytest.raises(UsageError, match="no file at"):
            find_files(f"{root}/{path}", (".csv",))
    with pytest.raises(UsageError, match="no file at"):
        find_files(root, (".tar",))


def test_relative_paths_come_out_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here(tmp_path)
    monkeypatch.chdir(tmp_path)
    (file,) = find_files("a.csv", (".csv",))
    assert file.path == os.fspath(tmp_path / "a.csv") and file.size == len("a.csv")


def test_content_is_the_same_from_anywhere(root: str) -> None:
    for file in find_files(f"{root}/sub", (".csv", ".tsv")):
        with open_stream(file.path) as stream:
            assert stream.read().decode() == f"sub/{file.name}"


@given(st.integers(0, 12), st.integers(0, 5), st.integers(1, 4))
def test_ranges_in_braces_are_written_out(first: int, more: int, width: int) -> None:
    last = first + more
    padded = [f"{number:0{width}d}" for number in range(first, last + 1)]
    pattern = f"x{{{first:0{width}d}..{last:0{width}d}}}.tar"
    if width > 1 and f"{first:0{width}d}".startswith("0"):
        assert expand_braces(pattern) == [f"x{number}.tar" for number in padded]
    assert expand_braces("x{0..2}.tar") == ["x0.tar", "x1.tar", "x2.tar"]
    assert expand_braces("{a,b}-{0..1}") == ["a-0", "a-1", "b-0", "b-1"]
    assert expand_braces("{plain}") == ["{plain}"]


@pytest.mark.parametrize(("path", "suffix"), [("A.CSV", ".csv"), ("x/a.tar.GZ", ".tar"), ("a.b.zst", ".b"), ("gz", "")])
def test_a_suffix_stands_before_the_compression(path: str, suffix: str) -> None:
    assert suffix_of(path) == suffix
