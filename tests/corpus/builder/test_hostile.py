"""Laws of building from what nobody would wish for: the build ends, and nothing vanishes uncounted."""

import base64
import errno
import io
import os
import re
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from tests.corpus.builder.shop import build_command, built, config, content, everything, picture, products, run_build
from tests.corpus.builder.shop import write_table as write_products
from tests.corpus.hostile import COUNT, Hostile, hostile_images

from manyview import cli
from manyview.config import save_config
from manyview.corpus import Corpus
from manyview.corpus.builder import BuildConfig, BuildReport
from manyview.corpus.doctor import diagnose
from manyview.data import BatchSource, ImageView, TextView, ViewsConfig, iterate
from manyview.errors import ManyviewError, UsageError

HUGE = 10_000_000
PEAK_BYTES = 1 << 30
LIMITED = """
import resource, sys
from manyview import cli
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
cli.main()
"""
MEASURED = """
import atexit, pathlib, resource
from manyview import cli
def peaks():
    own = pathlib.Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]
    print(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
atexit.register(peaks)
cli.main()
"""


@pytest.fixture(scope="module")
def hostile() -> list[Hostile]:
    return hostile_images()


def of(*sources: Mapping[str, Any], **more: Any) -> BuildConfig:
    """A build of these sources with small shards."""
    shards = {"max_bytes": 200_000, "row_group_bytes": 50_000}
    return BuildConfig.model_validate({"sources": sources, "shards": shards, **more})


def folder_of(images: Iterable[Hostile], folder: Path) -> dict[str, Any]:
    """The images as files, each with a sidecar."""
    folder.mkdir()
    for image in images:
        (folder / image.name).write_bytes(image.data)
        (folder / f"{image.name}.txt").write_text(f"said about {image.name}")
    return {"type": "folder", "path": str(folder), "views": {"caption": "txt"}}


def table_of(rows: list[dict[str, Any]], file: Path, **mapping: Any) -> dict[str, Any]:
    """The rows as Parquet, and the source of its columns id, image and title."""
    pq.write_table(pa.Table.from_pylist(rows), file)
    return {
        "type": "table",
        "path": str(file),
        "id": "id",
        "image": "image",
        "views": {"title": "title"},
        **mapping,
    }


def add(archive: tarfile.TarFile, name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = "") -> None:
    """A member."""
    member = tarfile.TarInfo(name)
    member.size, member.type, member.linkname = len(data), kind, link
    archive.addfile(member, io.BytesIO(data))


def left_out(report: BuildReport, *begins: str) -> int:
    """How many things were left out for reasons that begin so."""
    return sum(count for reason, count in report.reasons.items() if reason.startswith(begins))


def texts_counted(report: BuildReport) -> int:
    """Texts that stay and those that do not."""
    return sum(report.texts.values()) + left_out(report, "text:", "view:")


def check_usable(folder: Path, records: int) -> None:
    """All of a corpus can be read, decoded for training and examined."""
    corpus = Corpus.open(folder)
    corpus.verify()
    assert sum(corpus.splits.values()) == records
    views = ViewsConfig(images={"image": ImageView(size=32)}, texts={"text": TextView(kinds=("caption", "title"))})

    def tokenize(texts: Any, max_tokens: int) -> dict[str, torch.Tensor]:
        return {"ids": torch.zeros(len(texts), max_tokens, dtype=torch.int64)}

    for split, count in corpus.splits.items():
        source = BatchSource([corpus], split, views, tokenize, size=32, batch_size=min(count, 10), seed=0)
        for batch in iterate(source, 0, -(-count // 10), workers=0):
            assert batch.problems == []
            assert all(bool(there.all()) for there in batch.present.values())
    diagnosis = diagnose(str(folder))
    assert diagnosis.examination.records == records
    assert "</html>" in diagnosis.page()


def check_reasons(report: BuildReport, given: Iterable[Hostile]) -> None:
    """Each image that is left out was left out for a reason that it may have."""
    allowed = [image.reasons for image in given if image.reasons]
    counted = Counter({why: count for why, count in report.reasons.items() if why.startswith("image:")})
    assert counted.total() == len(allowed)
    for reason, count in counted.items():
        assert count <= sum(reason in reasons for reasons in allowed)


def test_a_folder_of_hostile_images_with_sidecars(tmp_path: Path, hostile: list[Hostile]) -> None:
    report, splits = built(of(folder_of(hostile, tmp_path / "in")), tmp_path / "out")
    found = everything(splits)
    assert {id: record.image for id, record in found.items()} == {
        image.name: image.data for image in hostile if not image.reasons
    }
    assert all(record.texts[0].text == f"said about {id}" for id, record in found.items())
    check_reasons(report, hostile)
    assert len(found) + left_out(report, "image:") == COUNT
    assert texts_counted(report) == COUNT
    check_usable(tmp_path / "out", len(found))


def test_a_tar_of_hostile_images_links_and_one_that_ends_too_soon(tmp_path: Path, hostile: list[Hostile]) -> None:
    with tarfile.open(tmp_path / "whole.tar", "w") as archive:
        for number, image in enumerate(hostile):
            add(archive, f"{number:04d}.{image.name.rpartition('.')[2]}", image.data)
            add(archive, f"{number:04d}.txt", f"said about {image.name}".encode())
        for number, kind in enumerate((tarfile.SYMTYPE, tarfile.LNKTYPE)):
            add(archive, f"link-{number}.jpg", kind=kind, link="/etc/passwd")
        add(archive, "../outside.jpg", picture(1))
        add(archive, "/etc/outside.jpg", picture(2))
        add(archive, "pipe.jpg", kind=tarfile.FIFOTYPE)
        add(archive, "silent.txt", b"said about nothing")
    with tarfile.open(tmp_path / "cut.tar", "w") as archive:
        for number in range(3):
            add(archive, f"cut-{number}.txt", f"said about {number}".encode())
            add(archive, f"cut-{number}.jpg", picture(number + 10))
    data = (tmp_path / "cut.tar").read_bytes()
    (tmp_path / "cut.tar").write_bytes(data[: data.rindex(b"\xff\xd8\xff") + 50])
    (tmp_path / "none.tar").touch()
    tars = {"type": "webdataset", "path": str(tmp_path / "*.tar"), "views": {"caption": "txt"}}
    report, splits = built(of(tars), tmp_path / "out")
    found = {record.image for record in everything(splits).values()}
    assert found == {*(image.data for image in hostile if not image.reasons), picture(10), picture(11)}
    check_reasons(report, hostile)
    tar = {reason: count for reason, count in report.reasons.items() if reason.startswith("tar:")}
    assert tar == {
        "tar: link": 2,
        "tar: name that leads out of the archive": 2,
        "tar: neither file nor folder": 1,
        "tar: truncated": 1,
    }
    assert texts_counted(report) == COUNT + 1 + 3
    check_usable(tmp_path / "out", len(found))


def test_a_table_of_paths_bytes_and_base64(tmp_path: Path, hostile: list[Hostile]) -> None:
    (tmp_path / "files").mkdir()
    columns: list[dict[str, Any]] = []
    for number, image in enumerate(hostile):
        row = dict.fromkeys(("path", "bytes", "base64"))
        form = ("path", "bytes", "base64")[number % 3]
        (tmp_path / "files" / image.name).write_bytes(image.data)
        row[form] = {"path": image.name, "bytes": image.data, "base64": base64.b64encode(image.data).decode()}[form]
        columns.append({**row, "id": image.name, "title": f"said about {image.name}"})
    sources = []
    for form in ("path", "bytes", "base64"):
        rows = [
            {"id": row["id"], "image": row[form], "title": row["title"]} for row in columns if row[form] is not None
        ]
        about = {"image": {"column": "image", "as": form}, "root": str(tmp_path / "files")}
        sources.append(table_of(rows, tmp_path / f"{form}.parquet", **about))
    report, splits = built(of(*sources), tmp_path / "out")
    found = everything(splits)
    assert set(found) == {image.name for image in hostile if not image.reasons}
    assert all(record.image == image.data for image in hostile if (record := found.get(image.name)))
    empty = [row for row in columns if row["bytes"] == b"" or row["base64"] == ""]  # a cell without an image
    assert len(found) + left_out(report, "image:") == COUNT - len(empty)
    assert texts_counted(report) == COUNT
    check_usable(tmp_path / "out", len(found))


def test_paths_that_lead_nowhere_or_to_what_is_no_file(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "folder.jpg").mkdir(parents=True)
    (root / "good.jpg").write_bytes(picture(0))
    (root / "zero.jpg").touch()
    os.mkfifo(root / "pipe.jpg")
    (root / "loop.jpg").symlink_to("loop.jpg")
    (root / "dangling.jpg").symlink_to("nowhere")
    (tmp_path / "outside.jpg").write_bytes(picture(1))
    inside = ["good.jpg", "zero.jpg", "folder.jpg", "pipe.jpg", "loop.jpg", "dangling.jpg", "good.jpg/inner.jpg"]
    inside += ["none.jpg", "x." * 150, "x." * 2500, "two\nlines.jpg", "../outside.jpg", "~/x.jpg", "/dev/zero"]
    anywhere = ["/dev/zero", "/dev/urandom", "/proc/self/mem", "outside.jpg", "nosuch://a.jpg", "memory://none.jpg"]
    tables = []
    for name, paths, about in (("in", inside, {"root": str(root)}), ("any", anywhere, {})):
        rows = [{"id": f"{name}{number}", "image": path, "title": path[:9]} for number, path in enumerate(paths)]
        tables.append(table_of(rows, tmp_path / f"{name}.parquet", **about))
    report, splits = built(of(*tables), tmp_path / "out")
    assert set(everything(splits)) == {"in0", "any3"}
    assert report.skipped["any"] == {"image: cannot be read": 3, "image: empty": 1, "image: no such file": 1}
    assert report.skipped["in"] == {
        "image: path that is not allowed": 4,
        "image: cannot be read": 5,
        "image: no such file": 3,
        "image: empty": 1,
    }


def test_a_folder_of_links_pipes_and_names_that_are_no_text(tmp_path: Path) -> None:
    place = tmp_path / "ä 漢 [x] {b,c} *? 'q' \\ #%41"
    (place / "sub ü.jpg").mkdir(parents=True)
    names = ["one two.jpg", "漢字 😀.jpg", "sub ü.jpg/x[1].jpg"]
    for number, name in enumerate(names):
        (place / name).write_bytes(picture(number))
        (place / name).with_suffix(".txt").write_text(f"said of {number}")
    os.mkfifo(place / "pipe.jpg")
    os.mkfifo(place / "one two.json")
    (place / "loop.jpg").symlink_to("loop.jpg")
    (place / "loop.txt").symlink_to("loop.txt")
    (place / "up").symlink_to("..")
    (place / "dangling.jpg").symlink_to("nowhere")
    Path(os.fsdecode(os.fsencode(place) + b"/\xff\xfe.jpg")).write_bytes(picture(9))
    source = {"type": "folder", "path": str(place), "views": {"caption": "txt"}}
    report, splits = built(of(source), place / "out")
    assert set(everything(splits)) == set(names)
    assert report.reasons == {
        "image: cannot be read": 2,
        "image: no such file": 1,
        "image: name that is not UTF-8": 1,
    }
    check_usable(place / "out", 3)


def test_texts_that_are_broken_huge_or_nothing(tmp_path: Path) -> None:
    texts = [
        b"fine",
        b"bro\xffken",
        b"\xed\xa0\x80",
        b"word " * (HUGE // 5),
        b"a" * HUGE,
        b"\x00\x01\x7f",
        "\u202e\u200b".encode(),
    ]
    texts += [b"tab\tbell\x07 null\x00 end", "e\u0301 \U0001f600".encode(), b"NaN", b"", b"  ", b"nan", None]
    empty = {None, b"", b"  ", b"nan", b"NaN"}
    raw = pa.array(texts, pa.binary())
    title = pa.Array.from_buffers(pa.string(), len(raw), raw.buffers())  # strings to Arrow, which does not look
    ids = [str(number) for number in range(len(texts))]
    table = pa.table({"id": ids, "image": [picture(number) for number in range(len(texts))], "title": title})
    pq.write_table(table, tmp_path / "rows.parquet")
    source = {
        **table_of([{"id": "x", "image": b"x", "title": "x"}], tmp_path / "none.parquet"),
        "path": str(tmp_path / "rows.parquet"),
    }
    report, splits = built(of(source, min_texts=0), tmp_path / "out")
    found = everything(splits)
    assert set(found) == set(ids)
    said = {id: record.texts[0].text for id, record in found.items() if record.texts}
    assert said == {"0": "fine", "7": "tab bell null end", "8": "\u00e9 \U0001f600"}
    assert texts_counted(report) == sum(text not in empty for text in texts)
    assert diagnose(str(tmp_path / "out")).examination.records == len(texts)


def test_numbers_where_texts_are_expected(tmp_path: Path) -> None:
    nan = float("nan")
    rows = {
        "id": [1.0, nan, 3.0, 4.5, 5.0],
        "image": [picture(number) for number in range(5)],
        "title": [nan, 1.5, 2.0, nan, float("inf")],
        "worth": ["1", "x", None, "nan", "-1"],
        "tags": [["a", None, "b"], [], None, ["nan"], ["c"]],
        "family": [nan, 1.0, nan, 2.0, 2.0],
    }
    pq.write_table(pa.table(rows), tmp_path / "rows.parquet")
    views = {"title": "title", "tags": {"column": "tags", "weight": {"column": "worth"}}}
    source = {"type": "table", "path": str(tmp_path / "rows.parquet"), "id": "id", "image": "image", "group": "family"}
    report, splits = built(of({**source, "views": views}, min_texts=0), tmp_path / "out")
    found = everything(splits)
    assert {id: record.group for id, record in found.items()} == {"1": "1", "3": "3", "4.5": "2", "5": "2"}
    assert {id: [text.text for text in record.texts] for id, record in found.items()} == {
        "1": ["a", "b"],
        "3": ["2"],
        "4.5": [],
        "5": [],
    }
    assert report.reasons == {
        "id: empty": 1,
        "text: not a text or number": 1,
        "weight: not a number of at least 0": 1,
    }


def test_absurd_ids_stay_as_they_are(tmp_path: Path) -> None:
    good = ["a/b/c", "a\nb", "..", "../../x", "é" * 1000, "x" * 4096, "dup", "\u202e", "a\x00b", "'; --", "😀", "=1+1"]
    bad = ["x" * 4097, "", " ", "NaN", None]
    rows = [
        {"id": id, "image": picture(number), "title": f"t{number}"} for number, id in enumerate([*good, *bad, "dup"])
    ]
    report, splits = built(of(table_of(rows, tmp_path / "rows.parquet")), tmp_path / "out")
    assert set(everything(splits)) == set(good)
    assert report.reasons == {
        "id: empty": 4,
        "id: longer than 4096 bytes": 1,
        "image: another one has its id": 1,
        "text: its id has another image in its own source or several sources": 1,
    }
    check_usable(tmp_path / "out", len(good))


def test_one_image_in_three_sources_is_one_record_and_the_others_are_counted(tmp_path: Path) -> None:
    image = Hostile("a.jpg", picture(0))
    with tarfile.open(tmp_path / "b.tar", "w") as archive:
        add(archive, "k.jpg", image.data)
        add(archive, "k.txt", b"said in a tar")
    rows = [
        {"id": "x", "image": image.data, "title": "said in a table"},
        {"id": "y", "image": picture(1), "title": "other"},
    ]
    tar = {"type": "webdataset", "path": str(tmp_path / "b.tar"), "views": {"caption": "txt"}}
    sources = [folder_of([image], tmp_path / "a"), tar, table_of(rows, tmp_path / "c.parquet")]
    report, splits = built(of(*sources), tmp_path / "out")
    found = everything(splits)
    assert [text.text for text in found["a.jpg"].texts] == ["said about a.jpg", "said in a tar", "said in a table"]
    assert set(found) == {"a.jpg", "y"}
    assert report.reasons == {"image: the same bytes as one that is kept": 2}


def test_where_equal_ids_are_the_same_the_first_source_has_the_image_and_both_the_texts(tmp_path: Path) -> None:
    sources = [
        table_of([{"id": "x", "image": picture(number), "title": name}], tmp_path / f"{name}.parquet")
        for number, name in enumerate(("first", "second"))
    ]
    report, splits = built(of(*sources, equal_ids="same"), tmp_path / "out")
    (record,) = everything(splits).values()
    assert record.image == picture(0)
    assert [text.text for text in record.texts] == ["first", "second"]
    assert report.reasons == {"image: another one has its id": 1}


def test_images_of_which_nothing_is_said_stay_when_none_is_needed(tmp_path: Path) -> None:
    rows = [{"id": f"{number}", "image": picture(number), "title": None} for number in range(3)]
    source = {**table_of(rows, tmp_path / "rows.parquet"), "views": {}}
    _, splits = built(of(source, min_texts=0), tmp_path / "out")
    assert [record.texts for record in everything(splits).values()] == [()] * 3
    assert diagnose(str(tmp_path / "out")).examination.records == 3


def test_adding_nothing_new_changes_no_shard(tmp_path: Path) -> None:
    source = table_of([{"id": "x", "image": picture(0), "title": "t"}], tmp_path / "rows.parquet")
    built(of(source), tmp_path / "out")
    before = content(tmp_path / "out")
    report, _ = built(of(source), tmp_path / "out", mode="append")
    after = content(tmp_path / "out")
    assert {name for name in before | after if before.get(name) != after.get(name)} == {"manifest.json"}
    assert report.reasons == {"image: in the corpus already": 1, "text: no new image has its id": 1}


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (
            {"id": ["a"], "image": ["x"], "titel": ["y"]},
            "has no column 'title', did you mean 'titel'? it has id, image, titel",
        ),
        ({"id": ["a"], "picture": ["x"], "title": ["y"]}, "has no column 'image'; it has id, picture, title"),
        (
            {"id": pa.array([], pa.string()), "image": pa.array([], pa.string()), "title": pa.array([], pa.string())},
            "look whether a source is empty",
        ),
    ],
)
def test_missing_columns_are_named_and_empty_tables_told(tmp_path: Path, rows: Any, sentence: str) -> None:
    source = table_of([{"id": "x"}], tmp_path / "rows.parquet")
    pq.write_table(pa.table(rows), tmp_path / "rows.parquet")
    with pytest.raises(UsageError, match=re.escape(sentence)):
        built(of(source), tmp_path / "out")


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "rows.parquet", "rows.tar", "rows.jpg", "none"])
def test_empty_files_and_folders_are_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).touch()
    kind = {"rows.tar": "webdataset", "rows.jpg": "folder", "none": "folder"}.get(name, "table")
    with pytest.raises(ManyviewError, match=r"no rows|no samples|no image can be used: image: empty|no file at"):
        built(of({"type": kind, "path": str(tmp_path / "in")}), tmp_path / "out")


def test_clicks_on_images_that_nobody_gave(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("query,id,impressions,clicks\n" + "cat,x,10,5\ndog,nowhere,10,6\n" * 10)
    clicks = [{"path": str(tmp_path / "log.csv")}]
    texts = {**table_of([{"id": "x", "title": "t"}], tmp_path / "texts.parquet"), "image": None}
    with pytest.raises(UsageError, match="say which column names them"):
        built(of(texts, clicks=clicks), tmp_path / "out")
    images = table_of([{"id": "x", "image": picture(0), "title": "t"}], tmp_path / "images.parquet")
    report, splits = built(of(images, clicks=clicks), tmp_path / "out")
    assert [text.text for text in everything(splits)["x"].texts] == ["t", "cat"]
    assert report.reasons == {"text: there is no image of its id": 1}


def test_nothing_but_the_work_of_a_build_is_removed_from_the_folder_for_work(tmp_path: Path) -> None:
    source = table_of([{"id": "x", "image": picture(0), "title": "t"}], tmp_path / "rows.parquet")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    built(of(source), tmp_path / "out", work=tmp_path / "mine")
    assert [file.name for file in (tmp_path / "mine").iterdir()] == ["letter.txt"]


def test_a_replacement_that_fails_leaves_the_corpus_as_it_was(tmp_path: Path) -> None:
    source = table_of([{"id": "x", "image": picture(0), "title": "t"}], tmp_path / "rows.parquet")
    built(of(source), tmp_path / "out")
    before = content(tmp_path / "out")
    itself = {"type": "corpus", "path": str(tmp_path / "out")}
    nothing = table_of([{"id": "x", "image": b"no image", "title": "t"}], tmp_path / "nothing.parquet")
    missing = {**source, "path": str(tmp_path / "missing.parquet")}
    for wrong, sentence in ((itself, "which --overwrite removes"), (nothing, "not an image"), (missing, "no file at")):
        with pytest.raises(ManyviewError, match=sentence):
            built(of(wrong), tmp_path / "out", mode="overwrite")
        assert {name: data for name, data in content(tmp_path / "out").items() if name in before} == before
        Corpus.open(tmp_path / "out").verify()
    built(of(source), tmp_path / "out", mode="overwrite", keep_work=True)
    built(of(source), tmp_path / "out", mode="overwrite")
    assert content(tmp_path / "out") == before


def test_a_disk_that_refuses_is_one_sentence_and_the_build_goes_on_when_it_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_products(tmp_path / "rows.parquet", products(12))
    told = config(tmp_path / "rows.parquet")
    built(told, tmp_path / "whole")
    left = 0

    def refuse(handle: int) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", refuse)
    for times in range(100):
        left = times
        try:
            built(told, tmp_path / "out")
            break
        except ManyviewError as error:
            assert str(error) == f"cannot write the corpus to {tmp_path / 'out'}: No space left on device"
        with pytest.raises(UsageError, match="not written to its end"):
            Corpus.open(tmp_path / "out")
        assert not list((tmp_path / "out").rglob("*.partial"))
    assert times > 3
    assert content(tmp_path / "out") == content(tmp_path / "whole")


@pytest.mark.slow
def test_files_that_may_not_grow_are_one_sentence(tmp_path: Path) -> None:
    write_products(tmp_path / "rows.parquet", [{**row, "note": None} for row in products(60)])
    save_config(config(tmp_path / "rows.parquet"), tmp_path / "build.yaml")
    built(config(tmp_path / "rows.parquet"), tmp_path / "whole")
    wanted = build_command(tmp_path / "build.yaml", tmp_path / "out")[3:]
    for limit in (0, 1_000, 4_000, 8_000, 16_000):
        command = [sys.executable, "-c", LIMITED, str(limit), *wanted]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
        assert done.stderr.strip().splitlines()[-1].startswith("error: cannot write the corpus"), done.stderr
    run_build(tmp_path / "build.yaml", tmp_path / "out")
    assert content(tmp_path / "out") == content(tmp_path / "whole")


@pytest.mark.slow
def test_hostile_input_takes_bounded_memory(tmp_path: Path, hostile: list[Hostile]) -> None:
    image = folder_of(hostile, tmp_path / "in")
    rows = [{"id": f"{number}", "image": picture(number), "title": "w" * HUGE} for number in range(16)]
    huge = table_of(rows, tmp_path / "rows.parquet")
    save_config(of(image, huge), tmp_path / "build.yaml")
    command = [sys.executable, "-c", MEASURED, *build_command(tmp_path / "build.yaml", tmp_path / "out")[3:]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    peaks_kb = [int(peak) for peak in done.stdout.splitlines()[-1].split()]
    assert max(peaks_kb) << 10 < PEAK_BYTES


SOURCE = "sources: [{type: table, path: rows.parquet, id: id, image: image, views: {title: title}}]\n"


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (SOURCE + "split: {shares: {train: 0.5}}\n", "shares must sum to 1, got 0.5"),
        (SOURCE + "split: {shares: {a/b: 1}}\n", "split.shares"),
        (SOURCE + "split: {shares: {}}\n", "shares must sum to 1"),
        (SOURCE + "split: {shares: {train: .nan, test: 1}}\n", "split.shares.train"),
        (SOURCE + "split: {share: {train: 1}}\n", "unknown key 'split.share': did you mean 'split.shares'?"),
        (SOURCE + "min_texts: -1\n", "min_texts"),
        (SOURCE + "min_texts: many\n", "min_texts"),
        (SOURCE + "images: {format: TIFF}\n", "images.format"),
        (SOURCE + "clean: {opt_out: [nowhere.txt]}\n", "nowhere.txt"),
        (SOURCE + "clicks: [{path: nowhere.csv}]\n", "nowhere.csv"),
        (SOURCE + "sources: []\n", "sources"),
        (SOURCE.replace("table,", "tabel,"), "tabel"),
        (SOURCE.replace("type: table, ", ""), "type"),
        (SOURCE.replace("id: id", "id: ident"), "has no column 'ident'"),
        (SOURCE.replace("{title: title}", "{ti/tle: title}"), "ti/tle"),
        (SOURCE.replace("{title: title}", "{title: []}"), "title"),
        (SOURCE.replace("rows.parquet", "'nosuch://rows.parquet'"), "nosuch"),
        (SOURCE.replace("rows.parquet", "nowhere.parquet"), "no file at nowhere.parquet"),
        ("sources: 7\n", "sources"),
        ("sources: [7]\n", "sources"),
        ("- a list\n", "build.yaml"),
        ("a: [\n", "build.yaml"),
        ("a: \x00\n", "build.yaml"),
        (b"name: \xff\xfe\n", "build.yaml"),
        ("", "at least one source"),
    ],
)
def test_mistakes_in_a_config_are_one_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    written: str | bytes,
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    table_of([{"id": "x", "image": picture(0), "title": "t"}], tmp_path / "rows.parquet")
    Path("build.yaml").write_bytes(written if isinstance(written, bytes) else written.encode())
    monkeypatch.setattr(sys, "argv", ["manyview", "build", "-c", "build.yaml", "--out", "out"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    last = capsys.readouterr().err.splitlines()[-1]
    assert (stop.value.code, last.startswith("error: "), sentence in last) == (2, True, True), last
    assert not (tmp_path / "out" / "manifest.json").exists()
