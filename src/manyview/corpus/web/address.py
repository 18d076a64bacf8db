"""Address: where the image of an element really lies, whatever loads it late."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

__all__ = ["absolute", "best_of_srcset", "image_address", "image_addresses", "path_of"]

_LATE = (
    "data-src",
    "data-original",
    "data-lazy-src",
    "data-lazy",
    "data-actualsrc",
    "data-original-src",
    "data-img-src",
    "data-echo",
    "data-url",
    "data-image",
    "data-hi-res-src",
    "data-full-url",
    "lazy-src",
    "ng-src",
)
_LATE_SETS = ("data-srcset", "data-lazy-srcset", "srcset")
_LATE_NAMES = frozenset(_LATE + _LATE_SETS)
_WIDEST = 1600
_STAND_IN = re.compile(
    r"(?:^|[/_.-])(?:blank|spacer|placeholder|lazy(?:load)?|loading|transparent|grey|1x1|pixel|clear|loader)"
    r"[^/]*\.(?:gif|png|svg|jpe?g|webp)$",
    re.IGNORECASE,
)
_CANDIDATE = re.compile(r"\s*(\S*[^\s,])(?:\s+([\d.]+)([wxh])(?:\s+[\d.]+h)?)?\s*(?:,|$)")
_PLAIN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_./-]*")
_BREAKS = re.compile(r"[\t\r\n]")
_SAFE = "/:?#[]@!$&'()*+,;=%~"


def image_address(attributes: Mapping[str, str], sources: str = "") -> str:
    """The best address an `img` names, relative as written; empty when it names none.

    `sources` is the srcset of its `picture`. An attribute of a late loader wins over `src`; a set wins over
    both; when all is a data: URI, that is what comes back.
    """
    if not sources and _LATE_NAMES.isdisjoint(attributes):
        return attributes.get("src", "").strip()
    late = next((found for name in _LATE if name in attributes and _names(found := attributes[name].strip())), "")
    for written in (sources, *(attributes.get(name, "") for name in _LATE_SETS)):
        if written and (best := best_of_srcset(written)):
            return best
    plain = attributes.get("src", "").strip()
    if late and (not plain or not _names(plain) or _STAND_IN.search(plain) or late != plain):
        return late
    return plain


def image_addresses(attributes: Mapping[str, str], sources: str = "") -> list[str]:
    """All addresses at which the image of an element may be found, as written: those of sets first, the best first."""
    if not sources and _LATE_NAMES.isdisjoint(attributes):
        return [image_address(attributes)]
    sets = (sources, *(attributes.get(name, "") for name in _LATE_SETS))
    found = [address for written in sets if written for address in _ranked(written)]
    single = (attributes.get(name, "").strip() for name in (*_LATE, "src"))
    return list(dict.fromkeys([*found, *(address for address in single if _names(address))]))


def best_of_srcset(written: str) -> str:
    """The widest image of a srcset up to 1600 px, else the narrowest above; a density counts as 400 px."""
    found = _measured(written)
    fitting = [of for of in found if of[0] <= _WIDEST]
    if fitting:
        return max(fitting, key=lambda of: of[0])[1]
    return min(found, key=lambda of: of[0])[1] if found else ""


def _ranked(written: str) -> list[str]:
    """The images of a srcset, the best first."""
    found = sorted(_measured(written), key=lambda of: (of[0] > _WIDEST, abs(of[0] - _WIDEST)))
    return [address for _, address in found]


def _measured(written: str) -> list[tuple[float, str]]:
    """The images of a srcset with their widths."""
    found = list[tuple[float, str]]()
    for address, number, unit in _CANDIDATE.findall(written[:20_000]):
        if _names(address) and not _STAND_IN.search(address):
            width = _number(number) * (1 if unit == "w" else 400)
            found.append((width, address))
    return found


def absolute(base: str, address: str) -> str:
    """The address as http(s) without fragment, spaces and letters outside ASCII escaped; empty when it is none."""
    if _PLAIN.fullmatch(address) and "//" not in address and "/." not in address and (folder := _folder(base)):
        return folder + address
    return _joined(base, address)


def path_of(address: str) -> str:
    """The path in a URL that `absolute` gave, or in whatever else names an image."""
    scheme, sign, rest = address.partition("://")
    if not sign or not scheme.isalpha():
        return urlsplit(address).path
    _, slash, path = rest.partition("#")[0].partition("?")[0].partition("/")
    return slash + path


@lru_cache(maxsize=100)
def _folder(base: str) -> str:
    """What a plain relative address is put behind."""
    return _joined(base, "x")[:-1]


def _joined(base: str, address: str) -> str:
    try:
        parts = urlsplit(urljoin(base, _BREAKS.sub("", address.strip())))
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return ""
        host = parts.netloc.lower() if parts.netloc.isascii() else parts.netloc.encode("idna").decode()
    except (ValueError, UnicodeError):
        return ""
    path = quote(parts.path or "/", safe=_SAFE)
    return urlunsplit((parts.scheme, host, path, quote(parts.query, safe=_SAFE), ""))


def _names(address: str) -> bool:
    return bool(address) and not address[:5].lower().startswith(("data:", "about", "#", "javas"))


def _number(text: str) -> float:
    try:
        return float(text or 1)
    except ValueError:
        return 1.0
