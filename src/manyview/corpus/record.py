"""Record: one item of a corpus."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Text:
    """One thing said about an image.

    `kind` is a free name (`title`, `tags`, `caption`, `category`, ...); one entry per tag, the most
    important first. `lang` is a BCP-47 code, empty when unknown.
    """

    kind: str
    text: str
    lang: str = ""
    weight: float = 1.0


@dataclass(frozen=True)
class Record:
    """An encoded image and everything said about it; `image` is None for a record of texts only.

    Records of one `group` show the same concept and must stay on one side of every split.
    `license` is an SPDX expression, `attribution` names the author or vendor.
    """

    id: str
    group: str
    image: bytes | None
    texts: tuple[Text, ...]
    source: str = ""
    license: str = ""
    attribution: str = ""


@cache
def language_code(lang: str) -> str:
    """A BCP-47 code in one spelling, for comparisons: "en-us" of en_US, "" of und (no language stated)."""
    code = lang.strip().replace("_", "-").casefold()
    return "" if code == "und" else code


@cache
def base_language(lang: str) -> str:
    """A language without its region and script, "zh" of zh-Hans; private codes ("x-klingon") stay whole."""
    code = language_code(lang)
    first = code.partition("-")[0]
    return first if len(first) > 1 else code
