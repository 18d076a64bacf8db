"""Laws of charsets: what the bytes are wins over what is said of them."""

import pytest

from manyview.corpus.web.charset import page_text

TEXTS = {
    "gb18030": "红色女士皮鞋，头层牛皮制成，鞋底柔软防滑",
    "big5": "紅色女士皮鞋，頭層牛皮製成，鞋底柔軟防滑",
    "shift_jis": "職人が一つずつ手作りした湯呑みです。電子レンジでも使えます。",
    "euc-jp": "職人が一つずつ手作りした湯呑みです。電子レンジでも使えます。",
    "iso-2022-jp": "職人が一つずつ手作りした湯呑みです。",
    "euc-kr": "새 다리는 자전거 길과 보행자 길을 함께 갖추었다",
    "windows-1251": "Самовар изготовлен в Туле в девятнадцатом веке",
    "windows-1252": "Größe, Maß und Überzug: schön für Äpfel",
    "windows-1256": "تضم المكتبة أكثر من مئة ألف كتاب وهي مفتوحة للجميع",
    "utf-8": "naïve café – 红色 – أحذية",
}


@pytest.mark.parametrize("encoding", TEXTS)
def test_a_declared_charset_is_read(encoding: str) -> None:
    page = f'<html><head><meta charset="{encoding}"></head><p>{TEXTS[encoding]}</p>'
    assert page_text(page.encode(encoding)) == page
    bare = f"<p>{TEXTS[encoding]}</p>"
    assert page_text(bare.encode(encoding), encoding) == bare


@pytest.mark.parametrize("declared", ["iso-8859-1", "windows-1252", "gbk", "no-such-charset", "utf-16", ""])
def test_utf_8_is_utf_8_whatever_the_server_says(declared: str) -> None:
    assert page_text(TEXTS["utf-8"].encode(), declared) == TEXTS["utf-8"]


def test_one_broken_byte_does_not_change_the_charset() -> None:
    data = (TEXTS["utf-8"] * 20).encode()
    assert page_text(data[:-1], "iso-8859-1").startswith(TEXTS["utf-8"])


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_known_with_and_without_its_mark(encoding: str) -> None:
    page = "<html><title>Wide characters</title><p>Street in the fog – early</p>"
    assert page_text(page.encode(encoding)) == page
    assert page_text(("\ufeff" + page).encode(encoding)) == page


def test_nuls_are_gone_and_any_bytes_give_a_text() -> None:
    assert page_text(b"a\0b") == "ab"
    for data in (b"", b"\xff" * 100, bytes(range(256)) * 4, b"\xff\xfe", b"\x1b$B"):
        assert "\0" not in page_text(data, "utf-8")
