"""Laws of HTTP bodies: what was packed comes back, whatever the headers say of it, and nothing explodes."""

import gzip
import itertools
import zlib

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyview.corpus.web.http_body import unpacked

MOST = 1 << 20
BODY = b"<html><p>a wooden chair beside the window</p></html>" * 40


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


def chunked(body: bytes, size: int = 700, after: bytes = b"", line: bytes = b"\r\n") -> bytes:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x%s%s%s%s" % (len(one), after, line, one, line) for one in pieces) + b"0" + line + line


def members(body: bytes) -> bytes:
    return b"".join(gzip.compress(body[start : start + 300]) for start in range(0, len(body), 300))


PACKED = {
    "gzip": gzip.compress,
    "x-gzip": members,
    "deflate": zlib.compress,
    "Deflate": raw_deflate,
    "br": lambda body: pa.compress(body, "brotli", asbytes=True),
    "zstd": lambda body: pa.compress(body, "zstd", asbytes=True),
    "gzip, zstd": lambda body: pa.compress(gzip.compress(body), "zstd", asbytes=True),
}
IGNORED = ["", "identity", "none", "None", "ISO-8859-1", "utf-8", "binary", "8bit", "aws-chunked", "x, y", ","]


@pytest.mark.parametrize("encoding", PACKED)
def test_every_coding_is_undone_and_one_that_was_undone_is_left(encoding: str) -> None:
    packed = PACKED[encoding](BODY)
    assert unpacked(packed, "", encoding, MOST) == BODY
    assert unpacked(chunked(packed), "chunked", encoding, MOST) == BODY
    assert unpacked(packed, f"{encoding}, chunked", "", MOST) == BODY
    assert unpacked(BODY, "", encoding, MOST) == BODY


@pytest.mark.parametrize("encoding", IGNORED)
def test_what_browsers_do_not_know_is_ignored(encoding: str) -> None:
    assert unpacked(BODY, "", encoding, MOST) == BODY
    assert unpacked(gzip.compress(BODY), "", encoding, MOST) == BODY


@given(st.binary(max_size=3000).filter(lambda body: not body.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd"))))
def test_any_body_comes_back_from_any_coding(body: bytes) -> None:
    for encoding in ("gzip", "br", "zstd", "deflate"):
        assert unpacked(PACKED[encoding](body), "", encoding, MOST) == body or not body
    assert unpacked(body, "", "none", MOST) == body


@pytest.mark.parametrize(("after", "line"), list(itertools.product([b"", b";name=value", b"  "], [b"\r\n", b"\n"])))
def test_chunks_are_joined_as_browsers_join_them(after: bytes, line: bytes) -> None:
    body = chunked(BODY, after=after, line=line)
    assert unpacked(body, "chunked", "", MOST) == BODY
    assert unpacked(body + b"after the last chunk", "Chunked", "", MOST) == BODY
    assert unpacked(BODY, "chunked", "", MOST) == BODY
    cut = unpacked(body[:-200], "chunked", "", MOST)
    assert cut is not None and len(cut) > 1000 and BODY.startswith(cut)


def test_of_a_cut_body_the_beginning_comes() -> None:
    noise = bytes(range(256)) * 20 + BODY
    cut = unpacked(gzip.compress(noise)[:-40], "", "gzip", MOST)
    assert cut and noise.startswith(cut)
    assert unpacked(gzip.compress(noise) + b"junk", "", "gzip", MOST) == noise
    assert unpacked(b"\x1f\x8b\x08 no gzip at all", "", "gzip", MOST) is None
    assert unpacked(b"\x28\xb5\x2f\xfd", "", "zstd", MOST) is None


@pytest.mark.parametrize("encoding", PACKED)
def test_nothing_is_unpacked_beyond_its_limit(encoding: str) -> None:
    content = unpacked(PACKED[encoding](bytes(5_000_000)), "", encoding, 10_000)
    assert content is not None and len(content) == 10_001


def test_packings_of_packings_end() -> None:
    body = BODY
    for _ in range(30):
        body = gzip.compress(body)
    assert unpacked(body, "gzip", ",".join(["gzip"] * 1000), MOST) is None
