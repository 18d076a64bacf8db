"""How a record becomes queries: the named kinds of text somebody could type to find it.

A query kind is named `PART[+PART…][.LANG]`: `title`, `tags`, `title+tags`, `title.zh`; PART is any kind of text.
Tags and objects are joined by ", ". `all` takes of title, caption, tags and description whatever is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from manyview.corpus.record import Text, base_language, language_code
from manyview.errors import UsageError

QUERY_KINDS = ("title", "caption", "tags", "description", "title+tags", "all")
FOREIGN_QUERY_KINDS = ("title", "tags", "all")
LISTS = ("tags", "objects")
ALL = "all"
ALL_PARTS = ("title", "caption", "tags", "description")
DEFAULT_LANG = "en"


@dataclass(frozen=True)
class QueryKind:
    """Which texts of a record make a query.

    `parts` are text kinds in the order in which they are joined. With `complete` a record that lacks
    one of them has no query of this kind. An empty `lang` means the default language or none stated.
    """

    name: str
    parts: tuple[str, ...]
    lang: str = ""
    complete: bool = True

    @classmethod
    def parse(cls, name: str) -> QueryKind:
        body, _, lang = name.partition(".")
        parts = tuple(part.strip() for part in body.split("+"))
        if not all(parts) or (name.endswith(".") and not lang):
            raise UsageError(f"query kind {name!r} is not PART[+PART][.LANG], such as title+tags or title.zh")
        if parts == (ALL,):
            return cls(name, ALL_PARTS, lang, complete=False)
        return cls(name, parts, lang)


def query_kinds(names: Sequence[str] = QUERY_KINDS, languages: Sequence[str] = ()) -> list[QueryKind]:
    """The named kinds, then title, tags and all in each further language."""
    foreign = [f"{name}.{lang}" for lang in languages for name in FOREIGN_QUERY_KINDS]
    return [QueryKind.parse(name) for name in dict.fromkeys([*names, *foreign])]


def kinds_present(texts: Iterable[Text], default_lang: str = DEFAULT_LANG) -> list[QueryKind]:
    """Every kind that texts can be asked in: QUERY_KINDS and all others there are, in each language there is.

    Kinds in the default language or none stated come first, under their plain names. Regions and scripts count as their
    language: zh-Hans as zh.
    """
    kinds: dict[str, dict[str, None]] = {"": {}}
    for text in texts:
        lang = "" if _speaks(text.lang, "", default_lang) else base_language(text.lang)
        kinds.setdefault(lang, {})[text.kind] = None
    found: dict[str, QueryKind] = {}
    for lang in ("", *sorted(kinds.keys() - {""})):
        suffix = f".{lang}" if lang else ""
        wanted = [QueryKind.parse(name + suffix) for name in QUERY_KINDS]
        others = sorted(kinds[lang].keys() - {*QUERY_KINDS, ""})
        for kind in [*wanted, *(QueryKind(name + suffix, (name,), lang) for name in others)]:
            found.setdefault(kind.name, kind)
    return list(found.values())


def query_texts(texts: Sequence[Text], kind: QueryKind, default_lang: str = DEFAULT_LANG) -> tuple[str, ...]:
    """The queries of one record: empty when it lacks the texts, several when it has several captions.

    Only a kind of one part can give several; joined kinds take the first text of each part.
    """
    found = [_joined(texts_of(texts, part, kind.lang, default_lang), part) for part in kind.parts]
    present = [part for part in found if part]
    if not present or (kind.complete and len(present) < len(kind.parts)):
        return ()
    if len(kind.parts) == 1:
        return present[0]
    return (". ".join(part[0].rstrip(".。") for part in present),)


def texts_of(texts: Sequence[Text], kind: str, lang: str = "", default_lang: str = DEFAULT_LANG) -> tuple[str, ...]:
    """The distinct texts of one kind in one language; an empty `lang` is the default one or none stated."""
    mine = (text.text.strip() for text in texts if text.kind == kind and _speaks(text.lang, lang, default_lang))
    return tuple(dict.fromkeys(text for text in mine if text))


def _joined(texts: tuple[str, ...], kind: str) -> tuple[str, ...]:
    return (", ".join(texts),) if kind in LISTS and texts else texts


@cache
def _speaks(lang: str, wanted: str, default_lang: str) -> bool:
    spoken, asked = language_code(lang), language_code(wanted or default_lang)
    return (not spoken and not wanted) or spoken == asked or spoken.startswith(asked + "-")
