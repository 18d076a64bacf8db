"""JSON arrays: the elements of large arrays, and the values of a text of several, one at a time."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import IO, Any

__all__ = ["array_elements", "json_values"]

CHUNK = 1 << 20
MAX_VALUE = 64 << 20  # characters of one element, or of one value that is no array
NUMBER = re.compile(r"[-+.0-9eE]*")
SPACE = re.compile(r"[\s]*")


def array_elements(stream: IO[bytes]) -> Iterator[tuple[str, Any]]:
    """(key, element) for each element of each array of the outermost object, in order.

    (key, value) for values that are no arrays. Raises ValueError where the text is not such an object.
    """
    text = _Text(stream)
    text.expect("{")
    if text.peek() == "}":
        return
    while True:
        key = text.value()
        if not isinstance(key, str):
            raise ValueError("a key that is no text")
        text.expect(":")
        if text.peek() == "[":
            yield from ((key, element) for _, element in _elements(text))
        else:
            yield key, text.value()
        if text.peek() != ",":
            text.expect("}")
            return
        text.expect(",")


def json_values(stream: IO[bytes]) -> Iterator[tuple[int, Any]]:
    """(characters, value) for each element if the text is one array, else for each value of several in a row.

    Raises ValueError where the text is neither.
    """
    text = _Text(stream)
    if text.peek() != "[":
        while text.peek():
            yield text.sized_value()
        return
    yield from _elements(text)
    if text.peek():
        raise ValueError(f"expected the end but got {text.peek()}")


def _elements(text: _Text) -> Iterator[tuple[int, Any]]:
    text.expect("[")
    if text.peek() == "]":
        text.expect("]")
        return
    while True:
        yield text.sized_value()
        if text.peek() != ",":
            text.expect("]")
            return
        text.expect(",")


class _Text:
    """A stream of JSON of which no more is held than the value at hand."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self.scan = json.JSONDecoder().raw_decode
        self.text, self.at = "", 0

    def peek(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            self.at = SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]
            if self.at < len(self.text) or not self._more():
                return self.text[self.at : self.at + 1]

    def expect(self, mark: str) -> None:
        """Step over a character that must be there."""
        if self.peek() != mark:
            raise ValueError(f"expected {mark} but got {self.peek() or 'the end'}")
        self.at += 1

    def value(self) -> Any:
        """The next value whole."""
        return self.sized_value()[1]

    def sized_value(self) -> tuple[int, Any]:
        """The characters of the next value, and the value whole."""
        self.peek()
        while True:
            try:
                value, end = self.scan(self.text, self.at)
            except ValueError:
                if len(self.text) - self.at > MAX_VALUE or not self._more():
                    raise
                continue
            if NUMBER.fullmatch(self.text, end) and self._more():  # a number may go on
                continue
            size, self.at = end - self.at, end
            return size, value

    def _more(self) -> bool:
        """Twice as much of the text, so that a large value is not scanned again for every chunk."""
        data = self.stream.read(max(CHUNK, len(self.text) - self.at))
        self.text = self.text[self.at :] + self.decoder.decode(data, final=not data)
        self.at = 0
        return bool(data)
