"""Encoding: whether a text file is in the encoding that was named, and which one it seems to be in."""

from __future__ import annotations

import codecs
from collections import Counter
from itertools import islice

from manyview.corpus.sources.damage import until_damage
from manyview.corpus.sources.files import open_stream
from manyview.corpus.sources.lines import BOMS
from manyview.errors import UsageError

__all__ = ["check_encoding", "likely_encoding"]

SAMPLE_BYTES = 1 << 18
SAMPLE_LINES = 10_000
WIDE = ("utf-16", "utf-32")  # of which bytes do not show where lines end
ZIP = b"PK\x03\x04"
COMMON = ("gb18030", "big5", "cp932", "cp949", "cp1252", "cp1251")
WIDER = {"shift_jis": "cp932", "gb2312": "gb18030", "gbk": "gb18030", "euc_kr": "cp949", "iso8859-1": "cp1252"}


def check_encoding(path: str, encoding: str, setting: str) -> None:
    """Raise UsageError for a file whose beginning is not in the encoding; `setting` shows where a user sets `ENCODING`.

    A byte order mark is believed before `encoding`. One line that is broken is damage; it is another encoding when the
    first line is broken, or several are and they are most of those with characters beyond ASCII.
    """
    lines = _first_lines(path)
    head = lines[0] if lines else b""
    if head.startswith(ZIP):
        raise UsageError(f"{path} is no text but a zip archive, as Excel writes: save it as CSV in UTF-8")
    if any(head.startswith(mark) for mark, _ in BOMS) or codecs.lookup(encoding).name.startswith(WIDE):
        return
    beyond_ascii = [line for line in lines if not line.isascii() or b"\0" in line]
    broken = [line for line in beyond_ascii if not _is_in(line, encoding)]
    if not broken or (broken[0] is not head and (len(broken) == 1 or 2 * len(broken) <= len(beyond_ascii))):
        return
    likely = likely_encoding(b"".join(broken))
    others = ", ".join(name for name in COMMON if name != likely)
    seen = f"it looks like {likely}, else try {others}" if likely else f"try {others}"
    raise UsageError(
        f"{path} is not {encoding} in {len(broken)} of its first {len(lines)} lines; {seen}: "
        f"name its encoding, as in {setting.replace('ENCODING', likely or COMMON[0])}"
    )


def likely_encoding(data: bytes) -> str:
    """The encoding that bytes look like, empty when they do not show it."""
    from resiliparse.parse.encoding import detect_encoding  # noqa: PLC0415  only for what is not as it was named

    if b"\0" in data:
        even, odd = data[0::2].count(0), data[1::2].count(0)
        return "utf-16-le" if odd > even else "utf-16-be"
    name = str(detect_encoding(data) or "utf-8")
    name = WIDER.get(name, name)
    return name if name != "utf-8" and _is_in(data, name) else ""


def _first_lines(path: str) -> list[bytes]:
    """Whole lines from the beginning of the file."""
    lines, size = list[bytes](), 0
    with open_stream(path) as stream:
        read = iter(lambda: stream.readline(SAMPLE_BYTES), b"")
        for line in islice(until_damage(read, path, Counter()), SAMPLE_LINES):
            size += len(line)
            if size > SAMPLE_BYTES or (len(line) == SAMPLE_BYTES and not line.endswith(b"\n")):
                break
            lines.append(line)
    return lines


def _is_in(line: bytes, encoding: str) -> bool:
    try:
        text = codecs.decode(line, encoding)
    except UnicodeDecodeError:
        return False
    return "\0" not in text
