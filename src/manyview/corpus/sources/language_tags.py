"""Language tags: what columns say of the language of texts, as BCP-47 codes."""

from __future__ import annotations

import re
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["language_tag", "language_tags"]

TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*|[xi](-[A-Za-z0-9]{1,8})+", re.IGNORECASE)
UNKNOWN = frozenset({"und", "unk", "mis", "mul", "zxx", "xx"})  # ISO 639's codes for no language, and common others
LANGUAGES = """
af afr afrikaans; sq sqi alb albanian shqip; am amh amharic; ar ara arabic العربية; hy hye arm armenian; az aze
azerbaijani azərbaycanca; eu eus baq basque euskara; be bel belarusian беларуская; bn ben bengali bangla বাংলা;
bs bos bosnian bosanski; bg bul bulgarian български; my mya bur burmese; ca cat catalan català; zh zho chi cmn
chinese mandarin 中文 汉语 漢語 华语; hr hrv croatian hrvatski; cs ces cze czech čeština; da dan danish dansk;
nl nld dut dutch nederlands; en eng english; eo epo esperanto; et est estonian eesti; fi fin finnish suomi; fr
fra fre french français; gl glg galician galego; ka kat geo georgian ქართული; de deu ger german deutsch; el ell
gre greek ελληνικά; gu guj gujarati; he heb iw hebrew עברית; hi hin hindi हिन्दी हिंदी; hu hun hungarian magyar;
is isl ice icelandic íslenska; id ind in indonesian; ga gle irish gaeilge; it ita italian italiano; ja jpn
japanese 日本語 日语 日語; kn kan kannada; kk kaz kazakh қазақ; km khm khmer; ko kor korean 한국어 韩语 韓語; ky
kir kyrgyz; lo lao; la lat latin; lv lav latvian latviešu; lt lit lithuanian lietuvių; mk mkd mac macedonian
македонски; ms msa may malay melayu; ml mal malayalam; mt mlt maltese; mr mar marathi मराठी; mn mon mongolian
монгол; ne nep nepali; no nor norwegian norsk; nb nob bokmål; nn nno nynorsk; fa fas per persian farsi فارسی; pl
pol polish polski; pt por portuguese português; pa pan punjabi; ro ron rum romanian română; ru rus russian
русский; sr srp serbian српски srpski; si sin sinhala; sk slk slo slovak slovenčina; sl slv slovenian slovene
slovenščina; so som somali; es spa spanish español castellano; sw swa swahili kiswahili; sv swe swedish svenska;
tl tgl tagalog filipino; ta tam tamil தமிழ்; te tel telugu తెలుగు; th tha thai ไทย; tr tur turkish türkçe; uk
ukr ukrainian українська; ur urd urdu اردو; uz uzb uzbek; vi vie vietnamese; cy cym wel welsh cymraeg; yi yid
yiddish; yo yor yoruba; zu zul zulu
"""
CODES = {name: words[0] for words in map(str.split, LANGUAGES.split(";")) for name in words}


def language_tags(texts: pa.Array) -> pa.Array:
    """The BCP-47 code that each text names, "" for one that names no language and for null."""
    coded = pc.fill_null(texts, "").dictionary_encode()
    names = [language_tag(name) for name in coded.dictionary.to_pylist()]
    return pa.array(names, pa.string()).take(coded.indices)


@lru_cache(1 << 12)
def language_tag(name: str) -> str:
    """Of a code with any case, of two or three letters, with region and script or not, or of a language's own name."""
    tag = name.strip().replace("_", "-")
    primary, mark, rest = tag.partition("-")
    if code := CODES.get(tag.casefold()) or (CODES.get(primary.casefold()) if TAG.fullmatch(tag) else None):
        return f"{code}-{_subtags(rest)}" if mark and tag.casefold() not in CODES else code
    is_tag = TAG.fullmatch(tag) is not None and primary.casefold() not in UNKNOWN
    return f"{primary.lower()}{mark}{_subtags(rest)}" if is_tag else ""


def _subtags(rest: str) -> str:
    """Scripts as Hans, regions as US, others in lower case."""
    shapes = {2: str.upper, 4: str.title}
    return "-".join(shapes.get(len(part), str.lower)(part) for part in rest.split("-"))
