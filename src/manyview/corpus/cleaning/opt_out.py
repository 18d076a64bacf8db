"""Opt-out: images that somebody does not want in a corpus, by lists in text files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from manyview.corpus.location import locate
from manyview.errors import UsageError

__all__ = ["OptOut", "normalized_url"]

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_DOMAIN = re.compile(r"[\w-]+(\.[\w-]+)*")
_KINDS = ("id", "url", "domain", "sha256")


@dataclass(frozen=True)
class OptOut:
    """Who has opted out: ids of images, addresses, domains with all below them, SHA-256 of files in hexadecimal."""

    ids: frozenset[str] = frozenset()
    urls: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    hashes: frozenset[str] = frozenset()

    @classmethod
    def read(cls, paths: Iterable[str]) -> OptOut:
        """From text files, one entry a line: `id:`, `url:`, `domain:` or `sha256:` and a value; # begins a comment.

        Without a word before it, an entry with :// is an address, 64 hexadecimal digits are a hash, *.example.org
        is a domain, and anything else is an id. Raises UsageError.
        """
        found: dict[str, set[str]] = {kind: set() for kind in _KINDS}
        for path in paths:
            for number, line in enumerate(_lines(path), 1):
                entry = line.split(" #")[0].strip()
                if entry and not entry.startswith("#"):
                    kind, value = _entry(entry, f"{path}, line {number}")
                    found[kind].add(value)
        return cls(*(frozenset(found[kind]) for kind in _KINDS))

    def reason(self, id: str | None = None, url: str | None = None, sha256: str | None = None) -> str | None:
        """Why an image has to stay out, None if it need not."""
        if id is not None and id in self.ids:
            return "opt-out: id"
        if sha256 is not None and sha256.lower() in self.hashes:
            return "opt-out: content"
        if not url or not (self.urls or self.domains):
            return None
        if normalized_url(url) in self.urls:
            return "opt-out: url"
        return "opt-out: domain" if any(domain in self.domains for domain in _domains_above(url)) else None


def normalized_url(url: str) -> str:
    """Without scheme, fragment and default port, the host in lower case: http and https are one address."""
    try:
        parts = urlsplit(url.strip())
        port = f":{parts.port}" if parts.port not in (None, 80, 443) else ""
    except ValueError:  # no address at all
        return url.strip()
    query = f"?{parts.query}" if parts.query else ""
    return f"{_host(parts.hostname or '')}{port}{parts.path or '/'}{query}"


def _domains_above(url: str) -> Iterator[str]:
    """a.b.c, b.c, c."""
    try:
        host = _host(urlsplit(url.strip()).hostname or "")
    except ValueError:
        return
    while host:
        yield host
        host = host.partition(".")[2]


def _host(name: str) -> str:
    """In lower case and, for other scripts, as the network spells it."""
    name = name.lower().strip(".")
    if name.isascii():
        return name
    try:
        return name.encode("idna").decode()
    except UnicodeError:
        return name


def _lines(path: str) -> list[str]:
    try:
        return locate(path).read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise UsageError(f"cannot read the opt-out list {path}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"the opt-out list {path} is not UTF-8 text (byte {error.start})") from None


def _entry(entry: str, where: str) -> tuple[str, str]:
    word, colon, rest = entry.partition(":")
    kind, value = (word, rest.strip()) if colon and word in _KINDS else (_guess(entry), entry)
    if kind == "sha256" and not _SHA256.fullmatch(value):
        raise UsageError(f"{where}: {value!r} is no SHA-256, which is 64 hexadecimal digits")
    if kind == "sha256":
        return kind, value.lower()
    if kind == "url":
        return kind, normalized_url(value)
    if kind == "domain":
        value = _host(value.removeprefix("*"))
        if not _DOMAIN.fullmatch(value):
            raise UsageError(f"{where}: {value!r} is no domain such as example.org")
    return kind, value


def _guess(entry: str) -> str:
    if "://" in entry:
        return "url"
    if entry.startswith("*."):
        return "domain"
    return "sha256" if _SHA256.fullmatch(entry) else "id"
