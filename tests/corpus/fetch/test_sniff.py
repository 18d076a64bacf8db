"""Laws of sniffing: Pillow's files are known, others are not."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from manyview.corpus.fetch.sniff import image_type, looks_like_page


@pytest.mark.parametrize(
    ("format", "lossless"),
    [*((name, False) for name in ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF")), ("WEBP", True)],
)
def test_formats_are_known_by_their_bytes(format: str, lossless: bool) -> None:
    buffer = BytesIO()
    Image.new("RGB", (3, 3)).save(buffer, format, **({"lossless": True} if lossless else {}))
    assert image_type(buffer.getvalue()) == f"image/{format.lower()}"


@pytest.mark.parametrize("format", ["ICO", "TGA", "PCX"])
def test_other_formats_are_not(format: str) -> None:
    buffer = BytesIO()
    Image.new("RGB", (16, 16)).save(buffer, format)
    assert image_type(buffer.getvalue()) is None


@pytest.mark.parametrize(
    "head", [b"", b"RIFF....WAVE", b"GIF88a", b"\x89PNG", b"\xff\xd8", b"<html>", b"<svg/>", b"BMW of 1970"]
)
def test_beginnings_that_only_resemble_are_not(head: bytes) -> None:
    assert image_type(head) is None


@pytest.mark.parametrize(
    "head", [b"<!DOCTYPE html>", b"\n <HTML lang=en>", b"\xef\xbb\xbf<head>", b"<?xml version='1.0'?>\n<html>"]
)
def test_pages_are_known(head: bytes) -> None:
    assert looks_like_page(head)


@pytest.mark.parametrize("head", [b"", b"GIF89a<html>", b"<svg xmlns='x'/>", b"<?xml version='1.0'?><svg/>", b"{}"])
def test_other_texts_are_no_pages(head: bytes) -> None:
    assert not looks_like_page(head)
