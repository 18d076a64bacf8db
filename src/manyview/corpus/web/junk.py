"""Junk: images of a page that show nothing, by what their elements and addresses say."""

from __future__ import annotations

import re
from collections.abc import Mapping

from manyview.corpus.web.address import path_of
from manyview.corpus.web.answers import Answers
from manyview.corpus.web.filters import WebRules
from manyview.corpus.web.outline import Outline

__all__ = ["chrome", "junk_reason"]

_SPACER = re.compile(
    r"(?:^|[_-])(?:spacer|blank|transparent|transp|clear|shim|1x1|dot_clear|empty|placeholder|loading|loader)"
    r"(?:[_-]?\d*)\.\w+$",
    re.IGNORECASE,
)
_TRACKER = re.compile(
    r"/(?:pixel|beacon|track(?:er|ing)?|counter|count|stat|b/ss|tr)(?:[/.?]|$)|doubleclick\.|google-analytics|"
    r"scorecardresearch|quantserve|facebook\.com/tr\b|hm\.baidu\.com|piwik|matomo\.php|cnzz\b(?<=\bcnzz)"
)
_SUSPECT = frozenset(  # every address of a spacer or an icon has one of these; fast, for most have none
    (
        *("spacer", "blank", "trans", "clear", "shim", "1x1", "empty", "placeholder", "load"),
        *("ico", "sprite", "emoji", "smil", "avatar", "logo", "captcha", "bullet", "btn", "caret", "chevron"),
        *("rating", "qr", "flags", ".cur"),
    )
)
_ICON = re.compile(
    r"(?:^|[_-])(?:icons?|ico|favicon|sprites?|emojis?|smil(?:ey|ies)|gravatar|avatar|logos?|captcha|bullet|btn|"
    r"caret|chevron|star-?rating|qr-?code)(?:[_-]?(?:\d+(?:x\d+)?|small|white|dark|black|header|footer))*\.\w+$|"
    r"^(?:icon|btn|ico|sprite|emoji)[_-]",
    re.IGNORECASE,
)
_ICON_CLASS = re.compile(
    r"(?:^|\s)(?:icon|emoji|wp-smiley|avatar|gravatar|logo|site-logo|custom-logo|smiley|sprite|flag)(?:$|\s)", re.I
)
_ICON_FOLDER = re.compile(r"/(?:icons?|emoji|smilies|smileys|flags|sprites?|favicons?|avatars?)/", re.IGNORECASE)
_CHROME_TAGS = ("nav", "footer", "button", "select", "menu")
_CHROME = re.compile(
    r"(?:^|[\s_-])(?:nav(?:bar|header|footer|igation)?|footer|breadcrumbs?|menu|social|share|logo|cookies?|toolbar)"
    r"(?:$|[\s_-])",
    re.IGNORECASE,
)
_NEVER_CHROME = frozenset(("a", "body", "html", "main", "article"))
_NAMED = re.compile(r'(?:^|\s)(?:class|id)="([^"]*)"')
_SIZED = frozenset(("width", "height", "style"))
_STYLE = re.compile(r"(?:^|[;\s])(width|height)\s*:\s*(\d+(?:\.\d+)?)px", re.IGNORECASE)
_NUMBER = re.compile(r"\s*(\d{1,6}(?:\.\d+)?)\s*(?:px)?\s*$")


def junk_reason(address: str, attributes: Mapping[str, str], rules: WebRules) -> str | None:
    """Why an image is left out before anybody fetches it, None if it may be worth it."""
    width, height = declared_size(attributes)
    lowered = address.lower()
    if (width is not None and width <= 3) or (height is not None and height <= 3) or _TRACKER.search(lowered):
        return "image: tracking pixel"
    path = path_of(lowered)
    name = path.rpartition("/")[2]
    if name.endswith((".svg", ".svgz")):
        return "image: SVG drawing"
    if any(part in path for part in _SUSPECT):
        if _SPACER.search(name):
            return "image: spacer"
        if name.endswith((".ico", ".cur")) or _ICON.search(name) or _ICON_FOLDER.search(path):
            return "image: icon"
    if "class" in attributes and _ICON_CLASS.search(attributes["class"]):
        return "image: icon"
    return rules.reject_size(width, height)


def declared_size(attributes: Mapping[str, str]) -> tuple[float | None, float | None]:
    """Width and height in pixels as written; percentages and the like are None."""
    if _SIZED.isdisjoint(attributes):
        return None, None
    styled = dict(_STYLE.findall(attributes["style"])) if "style" in attributes else {}
    width, height = (_pixels(styled.get(name) or attributes.get(name)) for name in ("width", "height"))
    return width, height


def _pixels(said: str | None) -> float | None:
    found = _NUMBER.match(said) if said else None
    return float(found[1]) if found else None


def chrome(outline: Outline) -> list[int]:
    """The elements that are menus and bars of the site rather than of the page."""
    return outline.marked(_CHROME_TAGS, _says_chrome, _NEVER_CHROME)


@Answers
def _says_chrome(raw: str) -> bool:
    return any(_CHROME.search(said) for said in _NAMED.findall(raw))
