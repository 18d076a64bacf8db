"""Connection: one request at a time, to addresses that may be connected to, with every failure named."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from yarl import URL

from manyview.corpus.fetch import reasons
from manyview.corpus.fetch.address import is_public
from manyview.corpus.fetch.reasons import FetchFailure
from manyview.corpus.fetch.rules import FetchRules
from manyview.errors import ManyviewError

__all__ = ["answer", "open_session"]

_KEEP_ALIVE_S = 5.0
_OURS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT, errno.EROFS})
_TLS_ERRORS = (ssl.SSLError, ssl.CertificateError, aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch)
_BROKEN_OFF = (aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError, ConnectionResetError, BrokenPipeError)
_NAME_SERVER = frozenset({socket.EAI_AGAIN, socket.EAI_FAIL})


class PrivateAddressError(OSError):
    """A name or address led into a private network."""


def open_session(rules: FetchRules) -> aiohttp.ClientSession:
    """A session without cookies, proxies or limits of its own; needs a running event loop."""
    connector = aiohttp.TCPConnector(
        limit=0, keepalive_timeout=_KEEP_ALIVE_S, socket_factory=None if rules.allow_private else _public_socket
    )
    timeout = aiohttp.ClientTimeout(
        total=rules.total_timeout_s, connect=rules.connect_timeout_s, sock_connect=rules.connect_timeout_s
    )
    headers = {
        "User-Agent": rules.user_agent,
        "Accept": "image/jpeg,image/png,image/webp,image/gif,*/*;q=0.1",
        "Accept-Encoding": "identity",
    }
    return aiohttp.ClientSession(
        connector=connector, timeout=timeout, headers=headers, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
    )


@asynccontextmanager
async def answer(session: aiohttp.ClientSession, url: URL) -> AsyncIterator[aiohttp.ClientResponse]:
    """The answer to a GET, its body not read yet; whatever goes wrong in between becomes a FetchFailure."""
    try:
        async with session.get(url, allow_redirects=False) as response:
            yield response
    except (aiohttp.ClientError, OSError, ValueError) as error:
        if getattr(error, "errno", None) in _OURS:
            raise ManyviewError(f"fetching stopped: {error.strerror}") from None  # type: ignore[union-attr]
        raise FetchFailure(_reason(error)) from error


def _public_socket(address_info: tuple[Any, ...]) -> socket.socket:
    """Looks at the very address that will be connected to: no name can change its meaning in between."""
    family, kind, protocol, _, address = address_info
    if not is_public(address[0]):
        raise PrivateAddressError(reasons.HOST_PRIVATE)
    return socket.socket(family=family, type=kind, proto=protocol)


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError) and not isinstance(error, _TLS_ERRORS):
        return _connecting(error.os_error)
    by_class: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
        (_TLS_ERRORS, reasons.CONNECTION_TLS),
        (aiohttp.ConnectionTimeoutError, reasons.CONNECTION_TIMED_OUT),
        (asyncio.TimeoutError, reasons.ANSWER_TIMED_OUT),
        (_BROKEN_OFF, reasons.CONNECTION_BROKE_OFF),
        (aiohttp.ClientResponseError, reasons.ANSWER_NOT_HTTP),
        (ValueError, reasons.URL_NO_ADDRESS),  # also aiohttp.InvalidURL and names that IDNA refuses
    )
    return next((reason for kinds, reason in by_class if isinstance(error, kinds)), reasons.CONNECTION_FAILED)


def _connecting(error: OSError) -> str:
    if isinstance(error, PrivateAddressError):
        return reasons.HOST_PRIVATE
    if isinstance(error, socket.gaierror):
        return reasons.HOST_NO_NAME_SERVER if error.errno in _NAME_SERVER else reasons.HOST_UNKNOWN
    if isinstance(error, ConnectionRefusedError) or error.errno == errno.ECONNREFUSED:
        return reasons.CONNECTION_REFUSED
    return reasons.CONNECTION_BROKE_OFF if isinstance(error, _BROKEN_OFF) else reasons.CONNECTION_FAILED
