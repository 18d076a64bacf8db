"""Addresses: one spelling per URL, and which of them are nobody's business on this machine's network."""

from __future__ import annotations

import re
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from yarl import URL

from manyview.corpus.fetch import reasons
from manyview.corpus.fetch.reasons import FetchFailure

__all__ = ["canonical", "filed", "is_public", "origin_of", "target_of"]

MAX_CHARS = 4096
_HOST = re.compile(r"[0-9a-z_.-]*[0-9a-z_][0-9a-z_.-]*|[0-9a-f:.]+")
_NAT64 = IPv6Network("64:ff9b::/96")


def canonical(text: str) -> URL:
    """The URL without fragment, host in lower case and IDNA, path and query percent-encoded.

    Raises FetchFailure for what cannot be asked for over HTTP.
    """
    text = text.strip()
    if len(text) > MAX_CHARS:
        raise FetchFailure(reasons.URL_TOO_LONG)
    try:
        url = URL(text).with_fragment(None)
        host = url.raw_host or ""
    except ValueError:
        raise FetchFailure(reasons.URL_NO_ADDRESS) from None
    if url.scheme not in {"http", "https"}:
        raise FetchFailure(reasons.URL_NOT_HTTP if url.scheme else reasons.URL_NO_ADDRESS)
    if not _HOST.fullmatch(host) or not url.port:
        raise FetchFailure(reasons.URL_NO_ADDRESS)
    if url.user is not None or url.password is not None:
        raise FetchFailure(reasons.URL_CREDENTIALS)
    if len(str(url)) > MAX_CHARS:
        raise FetchFailure(reasons.URL_TOO_LONG)
    return url if str(url) != str(url.origin()) else url.with_path("/")


def filed(text: str) -> tuple[str, URL | FetchFailure]:
    """What a URL is filed under, and the URL or why it is none.

    The key is the canonical spelling or, where there is none, the text itself, a digest of it if it is long.
    """
    try:
        url = canonical(text)
    except FetchFailure as failure:
        text = text.strip().encode("utf-8", "replace").decode("utf-8") or "(empty)"
        return (text if len(text) <= MAX_CHARS else f"{text[:64]}…{sha256(text.encode()).hexdigest()}"), failure
    return str(url), url


def origin_of(url: URL) -> str:
    """Scheme, host and port: what one robots.txt speaks for."""
    host = url.raw_host or ""
    return f"{url.scheme}://{f'[{host}]' if ':' in host else host}:{url.port}"


def target_of(url: URL) -> str:
    """Path and query, as a request line and a robots.txt write them."""
    return url.raw_path_qs or "/"


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet, also when wrapped in IPv6."""
    return all(part.is_global and not part.is_multicast for part in _unwrapped(address.partition("%")[0]))


def _unwrapped(address: str) -> list[IPv4Address | IPv6Address]:
    ip = ip_address(address)
    if isinstance(ip, IPv4Address):
        return [ip]
    if ip.ipv4_mapped:
        return [ip.ipv4_mapped]
    if ip in _NAT64:
        return [IPv4Address(int(ip) & 0xFFFFFFFF)]
    if ip.sixtofour:
        return [ip, ip.sixtofour]
    return [ip, *(ip.teredo or ())]
