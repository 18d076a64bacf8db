"""Address: where the image of an element really lies, whatever loads it late."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

__all__ = [
    "absolute",
    "background_address",
    "best_of_srcset",
    "image_address",
    "image_addresses",
    "is_stand_in",
    "path_of",
]

_LATE = (
    "data-src",
    "data-original",
    "data-lazy-src",
    "data-lazy",
    "data-actualsrc",
    "data-original-src",
    "data-img-src",
    "data-echo",
    "data-hi-res-src",
    "data-full-url",
    "lazy-src",
    "ng-src",
)
_LATE_IF_IMAGE = ("data-url", "data-image")  # often the address of a page or a number
_LATE_SETS = ("data-srcset", "data-lazy-srcset", "srcset")
_LATE_NAMES = frozenset(_LATE + _LATE_IF_IMAGE + _LATE_SETS)
_WIDEST = 1600
_STAND_IN = re.compile(
    r"(?:^|[/_.-])(?:blank|spacer|placeholder|lazy(?:load)?|loading|transparent|grey|1x1|pixel|clear|loader)"
    r"[^/]*\.(?:gif|png|svg|jpe?g|webp)$",
    re.IGNORECASE,
)
_IMAGE = re.compile(r"[^/?#]\.(?:jpe?g|png|webp|gif|avif|bmp|tiff?)(?:[?#]|$)", re.IGNORECASE)
_LONGEST_HIDDEN = 2_000
_BACKGROUND = re.compile(r"""background(?:-image)?\s*:[^;]*?url\(\s*(['"]?)([^'")]+)\1\s*\)""", re.IGNORECASE)
_CANDIDATE = re.compile(r"\s*(\S*[^\s,])(?:\s+([\d.]+)([wxh])(?:\s+[\d.]+h)?)?\s*(?:,|$)")
_PLAIN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_./-]*")
_BREAKS = re.compile(r"[\t\r\n]")
_SAFE = "/:?#[]@!$&'()*+,;=%~"


def image_address(attributes: Mapping[str, str], sources: str = "") -> str:
    """The best address an `img` names, relative as written; empty when it names none.

    `sources` is the srcset of its `picture`. An attribute of a late loader wins over `src`; a set wins over
    both; when all is a data: URI, that is what comes back. Where `src` stands for another image, any data attribute
    that holds the address of an image will do.
    """
    plain = attributes.get("src", "").strip()
    if sources or not _LATE_NAMES.isdisjoint(attributes):
        for written in (sources, *(attributes.get(name, "") for name in _LATE_SETS)):
            if written and (best := best_of_srcset(written)):
                return best
        late = next(_late(attributes), "")
        if late:
            return late
    if _names(plain) and not (any(map(_is_data, attributes)) and _STAND_IN.search(plain)):
        return plain
    return _hidden(attributes) or plain


def background_address(style: str) -> str:
    """The address of the image that a style puts behind an element; empty when there is none or more than one."""
    found = _BACKGROUND.search(style)
    address = found[2].strip() if found else ""
    return address if _names(address) and style.lower().count("url(") == 1 else ""


def _late(attributes: Mapping[str, str]) -> Iterator[str]:
    """What late loaders would load."""
    for name in _LATE:
        if name in attributes and _names(address := attributes[name].strip()):
            yield address
    for name in _LATE_IF_IMAGE:
        if name in attributes and _IMAGE.search(address := attributes[name].strip()) and _names(address):
            yield address


def _hidden(attributes: Mapping[str, str]) -> str:
    """The address of an image in an attribute of which nothing is known but that it is data."""
    values = (value.strip() for name, value in attributes.items() if _is_data(name) and len(value) < _LONGEST_HIDDEN)
    return next((value for value in values if _is_image_address(value)), "")


def _is_image_address(value: str) -> bool:
    named = _IMAGE.search(value) and _names(value) and not _STAND_IN.search(value)
    return bool(named) and len(value.split()) == 1


def _is_data(attribute: str) -> bool:
    return attribute.startswith("data-")


def is_stand_in(address: str) -> bool:
    """Whether it is shown only until the image is loaded, by its name."""
    return _STAND_IN.search(address) is not None


def image_addresses(attributes: Mapping[str, str], sources: str = "") -> list[str]:
    """All addresses at which the image of an element may be found, as written: those of sets first, the best first."""
    if not sources and _LATE_NAMES.isdisjoint(attributes):
        return [image_address(attributes)]
    sets = (sources, *(attributes.get(name, "") for name in _LATE_SETS))
    found = [address for written in sets if written for address in _ranked(written)]
    plain = attributes.get("src", "").strip()
    return list(dict.fromkeys([*found, *_late(attributes), *([plain] if _names(plain) else [])]))


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
    """Whether it may be an address: neither inline nor a template that a script would fill in."""
    if not address or address[:5].lower().startswith(("data:", "about", "blob:", "#", "javas")):
        return False
    return not ("{" in address or "<%" in address)


def _number(text: str) -> float:
    try:
        return float(text or 1)
    except ValueError:
        return 1.0
