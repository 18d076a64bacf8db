"""Client: gets one image, over redirects, asking at every hop whether it may."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import aiohttp
from yarl import URL

from manyview.corpus.fetch import reasons
from manyview.corpus.fetch.address import canonical
from manyview.corpus.fetch.clock import Clock
from manyview.corpus.fetch.connection import answer
from manyview.corpus.fetch.gatekeeper import REDIRECTS, Gatekeeper
from manyview.corpus.fetch.host import Hosts
from manyview.corpus.fetch.opt_out import opted_out
from manyview.corpus.fetch.pause import retry_after_s
from manyview.corpus.fetch.reasons import FetchFailure, is_temporary, status_reason
from manyview.corpus.fetch.rules import FetchRules
from manyview.corpus.fetch.sniff import SNIFFED_BYTES, image_type, looks_like_page

__all__ = ["Client", "Image"]

_IN_MEMORY_BYTES = 1 << 20  # the rest of a larger image waits on the disk
_DRAINED_BYTES = 64 << 10  # a short answer is read to its end, so that the connection can be used again


@dataclass(frozen=True)
class Image:
    """An encoded image as it was sent; whoever takes it closes the body."""

    body: IO[bytes]
    media_type: str


class Client:
    """Asks for images by the rules; `folder` takes the large ones while they arrive."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        hosts: Hosts,
        gatekeeper: Gatekeeper,
        rules: FetchRules,
        clock: Clock,
        folder: Path,
    ) -> None:
        self._session, self._hosts, self._gatekeeper = session, hosts, gatekeeper
        self._rules, self._clock, self._folder = rules, clock, folder

    async def image(self, url: URL) -> Image:
        """The image at a URL. Raises FetchFailure."""
        for _ in range(self._rules.max_redirects + 1):
            got = await self._hop(url)
            if isinstance(got, Image):
                return got
            url = got
        raise FetchFailure(reasons.REDIRECT_TOO_MANY)

    async def _hop(self, url: URL) -> Image | URL:
        """The image, or where else it is."""
        name = url.raw_host or ""
        own = name in self._rules.own_hosts
        async with self._hosts.using(name) as host:
            if not own:
                await self._gatekeeper.check(url, host)
            async with host.turn(), answer(self._session, url) as response:
                if not own:
                    self._heed_opt_out(response)
                if response.status == 200:
                    return await self._take(response)
                await _drain(response)
                if response.status in REDIRECTS:
                    return _target(response)
                raise self._refusal(response)

    def _heed_opt_out(self, response: aiohttp.ClientResponse) -> None:
        headers = response.headers
        tags = headers.getall("X-Robots-Tag", [])
        reason = opted_out(tags, headers.get("TDM-Reservation"), self._rules.token, self._rules.opt_out)
        if reason:
            raise FetchFailure(reason)

    def _refusal(self, response: aiohttp.ClientResponse) -> FetchFailure:
        reason = status_reason(response.status)
        if not is_temporary(reason):
            return FetchFailure(reason)
        pause_s = retry_after_s(response.headers.get("Retry-After"), self._clock.since_1970_s())
        return FetchFailure(reason, retry_after_s=pause_s)

    async def _take(self, response: aiohttp.ClientResponse) -> Image:
        if (response.content_length or 0) > self._rules.max_bytes:
            raise FetchFailure(reasons.IMAGE_TOO_LARGE)
        body = tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES, dir=str(self._folder))  # noqa: SIM115  the caller closes
        try:
            return Image(body, await self._receive(response, body))
        except BaseException:
            body.close()
            raise

    async def _receive(self, response: aiohttp.ClientResponse, body: IO[bytes]) -> str:
        """Write the body as far as it is an image of allowed size, and return its media type."""
        head, length, media_type = b"", 0, ""
        async for chunk in response.content.iter_any():
            length += len(chunk)
            if length > self._rules.max_bytes:
                raise FetchFailure(reasons.IMAGE_TOO_LARGE)
            if not media_type:
                head += chunk
                media_type = _media_type(head) if len(head) >= SNIFFED_BYTES else ""
            body.write(chunk)
        return media_type or _media_type(head)


async def _drain(response: aiohttp.ClientResponse) -> None:
    if response.content_length is not None and response.content_length <= _DRAINED_BYTES:
        await response.read()


def _media_type(head: bytes) -> str:
    if not head:
        raise FetchFailure(reasons.IMAGE_EMPTY)
    if (media_type := image_type(head)) is None:
        raise FetchFailure(reasons.IMAGE_WEB_PAGE if looks_like_page(head) else reasons.IMAGE_NOT_ONE)
    return media_type


def _target(response: aiohttp.ClientResponse) -> URL:
    location = response.headers.get("Location", "").strip()
    if not location:
        raise FetchFailure(reasons.REDIRECT_NOWHERE)
    try:
        return canonical(str(response.url.join(URL(location))))
    except ValueError:
        raise FetchFailure(reasons.URL_NO_ADDRESS) from None
