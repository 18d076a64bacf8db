"""Folder: the pages of a folder, and which of their images lie in it."""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from manyview.corpus.location import locate
from manyview.corpus.web.address import absolute

__all__ = ["FolderImages", "saved_from"]

_SAVED = re.compile(r"<!--\s*(?:saved from url=\(\d+\)|Mirrored from |Page saved .*?url:\s*)\s*(\S+?)\s", re.IGNORECASE)
_SCHEME = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|//)", re.IGNORECASE)


def saved_from(markup: str) -> str:
    """The address that a browser or mirror noted when it saved the page; empty if none did."""
    found = _SAVED.search(markup[:4096])
    if not found:
        return ""
    return absolute("", found[1] if "://" in found[1] else f"http://{found[1]}")


class FolderImages:
    """Names the images of one page: a file below the root by its path there, anything else by its URL.

    A path is never followed out of the root, neither by ".." nor by a link.
    """

    def __init__(self, root: str, page: str, base_url: str) -> None:
        self._root, self._page, self._base_url = root, page, base_url
        self.paths = dict[str, str]()

    def __call__(self, base: str, address: str) -> str:
        """The image's id, "" if the address leads nowhere."""
        if not _SCHEME.match(address) and (name := self._inside(address)):
            path = _file_below(self._root, name)
            if path:
                self.paths[name] = path
                return name
        own = base or (absolute(self._base_url, self._page) if self._base_url else "")
        return absolute(own, address) if own or _SCHEME.match(address) else ""

    def _inside(self, address: str) -> str:
        """The path below the root that a relative address means, "" if it leads out."""
        try:
            written = unquote(urlsplit(address).path, errors="strict")
        except (ValueError, UnicodeDecodeError):
            return ""
        if not written or "\0" in written or "\\" in written:
            return ""
        folder = "" if written.startswith("/") else posixpath.dirname(self._page)
        name = posixpath.normpath(posixpath.join(folder, written.lstrip("/")))
        return "" if name.startswith("..") or name in (".", "/") else name


@lru_cache(maxsize=10_000)
def _file_below(root: str, name: str) -> str:
    """The path of a file below the root, "" if there is none or a link leads out."""
    try:
        location = locate(root) / name
        if not location.is_file():
            return ""
        if isinstance(location, Path) and not location.resolve().is_relative_to(Path(root).resolve()):
            return ""
    except (OSError, ValueError):
        return ""
    return str(location)
