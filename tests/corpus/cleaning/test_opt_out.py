"""Laws of opt-out lists."""

from pathlib import Path

import pytest

from manyview.corpus.cleaning.opt_out import OptOut, normalized_url
from manyview.errors import UsageError

HASH = "ab" * 32
LIST = f"""# what nobody may take
id: 12:34
photo.example.jpg
https://Example.com/a.jpg#top
url: http://shop.example/b?x=1  # of theirs
domain: artist.example
*.münchen.example

sha256:{HASH.upper()}
{"cd" * 32}
"""


@pytest.fixture
def opt_out(tmp_path: Path) -> OptOut:
    (tmp_path / "list.txt").write_text(LIST, encoding="utf-8-sig")
    return OptOut.read([str(tmp_path / "list.txt")])


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"id": "12:34"}, "opt-out: id"),
        ({"id": "photo.example.jpg"}, "opt-out: id"),
        ({"id": "12:345"}, None),
        ({"sha256": HASH}, "opt-out: content"),
        ({"sha256": "CD" * 32}, "opt-out: content"),
        ({"sha256": "00" * 32}, None),
        ({"url": "http://example.com:80/a.jpg"}, "opt-out: url"),
        ({"url": "https://example.com/a.jpg?"}, "opt-out: url"),
        ({"url": "https://example.com/A.jpg"}, None),
        ({"url": "https://shop.example/b?x=1"}, "opt-out: url"),
        ({"url": "https://shop.example/b?x=2"}, None),
        ({"url": "https://artist.example/any"}, "opt-out: domain"),
        ({"url": "https://CDN.img.Artist.Example./any"}, "opt-out: domain"),
        ({"url": "https://notartist.example/any"}, None),
        ({"url": "https://artist.example.com/any"}, None),
        ({"url": "https://user:secret@artist.example:8080/any"}, "opt-out: domain"),
        ({"url": "https://www.xn--mnchen-3ya.example/"}, "opt-out: domain"),
        ({"url": "https://www.münchen.example/"}, "opt-out: domain"),
        ({"url": "http://[broken"}, None),
        ({"url": ""}, None),
        ({}, None),
    ],
)
def test_who_is_on_the_list_stays_out(opt_out: OptOut, asked: dict[str, str], reason: str | None) -> None:
    assert opt_out.reason(**asked) == reason


def test_no_list_keeps_nothing_out() -> None:
    assert OptOut.read([]).reason("a", "https://a.example/", HASH) is None


def test_normal_addresses_stay_as_they_are_normalized() -> None:
    for url in ("https://A.example:443/x?y#z", "http://a.example", "a/b.jpg"):
        assert normalized_url(f"https://{normalized_url(url)}") == normalized_url(url) or "://" not in url


@pytest.mark.parametrize(
    ("line", "message"),
    [("sha256: 123", "line 2: '123' is no SHA-256"), ("domain: a b", "line 2: 'a b' is no domain")],
)
def test_wrong_lines_are_named(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "list.txt").write_text(f"\n{line}\n")
    with pytest.raises(UsageError, match=message):
        OptOut.read([str(tmp_path / "list.txt")])


def test_lists_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    with pytest.raises(UsageError, match=r"latin\.txt is not UTF-8 text"):
        OptOut.read([str(tmp_path / "latin.txt")])
    with pytest.raises(UsageError, match="cannot read the opt-out list"):
        OptOut.read([str(tmp_path / "none.txt")])
