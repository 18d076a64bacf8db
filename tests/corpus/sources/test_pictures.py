"""Laws of image cells: each form ends in the column that finds it, and no path leads where it must not."""

import base64
from collections import Counter
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyview.corpus.sources.mapping import ImageForm
from manyview.corpus.sources.pictures import Places, decoded_base64, pictures

HERE = Places("/data/shop")
PICTURE = bytes(range(256)) * 3


def found(
    values: list[Any], form: ImageForm = "auto", places: Places = HERE, kind: Any = None
) -> tuple[Any, Counter[str]]:
    columns, skipped = pictures(pa.array(values, kind), form, places)
    cells = [
        {name: cell for name in columns if (cell := columns[name][row].as_py()) is not None}
        for row in range(len(values))
    ]
    return cells, skipped


def test_auto_sees_the_form_of_each_value() -> None:
    written = base64.b64encode(PICTURE).decode()
    values = [
        "a b.jpg",
        "/abs/b.png",
        "s3://bucket/c.jpg",
        "HTTPS://x.org/d.jpg",
        f"data:image/png;base64,{written}",
        written,
    ]
    assert found([*values, None, ""]) == (
        [
            {"path": "/data/shop/a b.jpg"},
            {"path": "/abs/b.png"},
            {"path": "s3://bucket/c.jpg"},
            {"url": "HTTPS://x.org/d.jpg"},
            {"bytes": PICTURE},
            {"bytes": PICTURE},
            {},
            {},
        ],
        Counter(),
    )


@given(
    st.binary(min_size=1, max_size=200),
    st.sampled_from([base64.b64encode, base64.urlsafe_b64encode, base64.encodebytes]),
)
def test_base64_is_read_in_every_dress(data: bytes, encode: Any) -> None:
    written = encode(data).decode()
    assert decoded_base64(written) == decoded_base64(written.rstrip("=\n")) == data


@pytest.mark.parametrize("bad", ["a", "ab$d", "ä" * 8, "====", "abc\0d"])
def test_what_is_no_base64_is_counted(bad: str) -> None:
    assert found([bad], "base64") == ([{}], Counter({"image: not base64": 1}))


def test_bytes_are_passed_as_they_are() -> None:
    for kind in (pa.binary(), pa.large_binary(), pa.binary_view()):
        assert found([PICTURE, b"", None], kind=kind) == ([{"bytes": PICTURE}, {}, {}], Counter())


def test_the_huggingface_layout_prefers_bytes() -> None:
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    values = [
        {"bytes": PICTURE, "path": "name.jpg"},
        {"bytes": None, "path": "name.jpg"},
        None,
        {"bytes": None, "path": None},
    ]
    assert found(values, kind=kind) == ([{"bytes": PICTURE}, {"path": "/data/shop/name.jpg"}, {}, {}], Counter())


def test_a_list_of_one_image_is_an_image_and_of_several_is_counted() -> None:
    cells, skipped = found([["a.jpg"], [], None, ["b.jpg", "c.jpg"], ["d.jpg"]])
    assert cells == [{"path": "/data/shop/a.jpg"}, {}, {}, {}, {"path": "/data/shop/d.jpg"}]
    assert skipped == Counter({"image: several in one cell": 1})


def test_slices_see_their_own_rows() -> None:
    column = pa.array([["x.jpg"], ["y.jpg", "z.jpg"], ["a.jpg"]]).slice(2)
    assert pictures(column, "auto", HERE)[0]["path"].to_pylist() == ["/data/shop/a.jpg"]


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("a.jpg", "/srv/a.jpg"),
        ("b/../a.jpg", "/srv/a.jpg"),
        ("/srv/x/a.jpg", "/srv/x/a.jpg"),
        ("../a.jpg", None),
        ("b/../../etc/passwd", None),
        ("/etc/passwd", None),
        ("/srv/../etc/passwd", None),
        ("/srvless/a.jpg", None),
        ("//srv/a.jpg", None),
        ("file:///srv/a.jpg", None),
        ("s3://bucket/a.jpg", None),
        (".", None),
        ("a\0.jpg", None),
    ],
)
def test_with_a_root_no_path_leads_out_of_it(path: str, leads_to: str | None) -> None:
    for root in ("/srv", "/srv/", "/srv/b/.."):
        assert Places("/elsewhere", root).find(path) == leads_to


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("a.jpg", "s3://bucket/t/a.jpg"),
        ("s3://other/a.jpg", "s3://other/a.jpg"),
        ("/etc/passwd", None),
        ("file:///etc/passwd", None),
        ("simplecache::file:///etc/passwd", None),
        ("memory://x", None),
    ],
)
def test_a_table_from_the_network_names_no_file_of_this_machine(path: str, leads_to: str | None) -> None:
    assert Places("s3://bucket/t").find(path) == leads_to


def test_a_root_on_another_file_system_holds_too() -> None:
    places = Places("/here", "s3://bucket/images")
    assert places.find("a/b.jpg") == "s3://bucket/images/a/b.jpg"
    assert places.find("s3://bucket/images/../secret") is None
    assert places.find("s3://bucket/imagesecret") is None
    assert places.find("/etc/passwd") is None


@pytest.mark.parametrize(
    ("value", "form", "reason"),
    [
        ("ftp://x/a.jpg", "url", "image: not an http address"),
        ("a.jpg", "bytes", "image: text instead of bytes"),
        ("x" * 5000 + ".jpg", "path", "image: path that is not allowed"),
    ],
)
def test_what_a_cell_does_not_hold_is_counted(value: str, form: ImageForm, reason: str) -> None:
    assert found([value], form) == ([{}], Counter({reason: 1}))
