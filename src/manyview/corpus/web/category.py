"""Category: the page's place in its site, by the breadcrumbs it shows."""

from __future__ import annotations

import re

from manyview.corpus.web.answers import Answers
from manyview.corpus.web.outline import Outline

__all__ = ["breadcrumbs", "joined_trail"]

_TRAIL = re.compile(r"bread-?_?crumb", re.IGNORECASE)
_SEPARATORS = re.compile(r"\s*(?:[›»>→⟩❯▸|]|::|(?<=\s)[/\\·](?=\s)|\s-\s)\s*")
_EDGES = " \t>›»/\\|→:·•-–—⟩❯▸,"
_HOME = frozenset(
    of.casefold()
    for of in (
        *("Home", "Homepage", "Home page", "Front page", "Index", "Start", "Startseite", "Hauptseite", "Accueil"),
        *("Inicio", "Início", "Página inicial", "Portada", "Strona główna", "Ana sayfa", "Anasayfa", "Hem", "Hjem"),
        *("Etusivu", "Главная", "Головна", "首页", "主页", "首頁", "ホーム", "トップ", "トップページ", "홈"),
        *("الرئيسية", "الصفحة الرئيسية", "ראשי", "דף הבית", "होम", "หน้าแรก", "Αρχική", "خانه"),
    )
)
_PREFIX = re.compile(
    r"^(?:you are here|you're here|sie sind hier|sie befinden sich hier|vous êtes ici|usted está aquí|estás en|"
    r"当前位置|您的位置|您现在的位置|現在位置|أنت هنا|вы здесь)\s*[:：]?\s*",
    re.IGNORECASE,
)
_MOST_STEPS, _LONGEST_STEP = 10, 80


def breadcrumbs(outline: Outline) -> tuple[str, ...]:
    """The steps of the page's breadcrumbs: microdata first, then RDFa, then what is named so; () without any."""
    for element in outline.saying(_may_say_trail):
        steps = _steps(outline, element)
        if len(steps) > 1 or (steps and len(outline.text(element)) < _LONGEST_STEP):
            return steps
    return ()


def joined_trail(steps: tuple[str, ...], title: str, headings: tuple[str, ...] = ()) -> str:
    """ "Shoes > Men": without the home page in front and the page itself at the end."""
    kept = [" ".join(step.split()).strip(_EDGES) for step in steps]
    kept = [step for step in kept if step and len(step) <= _LONGEST_STEP][:_MOST_STEPS]
    if kept and kept[0].casefold() in _HOME:
        kept = kept[1:]
    itself = {of.casefold() for of in (title, *headings) if of}
    if kept and kept[-1].casefold() in itself:
        kept = kept[:-1]
    return " > ".join(dict.fromkeys(kept))


@Answers
def _may_say_trail(raw: str) -> bool:
    return "rumb" in raw or "RUMB" in raw


def _steps(outline: Outline, element: int) -> tuple[str, ...]:
    attributes = outline.attributes(element)
    named = (attributes.get(name, "") for name in ("class", "id", "itemtype", "typeof", "aria-label", "role"))
    if outline.tags[element] in ("body", "html", "a", "link", "meta") or not _TRAIL.search(" ".join(named)):
        return ()
    inner = range(element + 1, min(outline.lasts[element], element + 400))
    for wanted in (_is_name, _is_item):
        if found := [text for one in inner if wanted(outline, one) and (text := outline.text(one).strip(_EDGES))]:
            return tuple(found)
    links = [one for one in inner if outline.tags[one] == "a"]
    if links:
        tail = outline.between(outline.ends[links[-1]], outline.ends[element]).strip(_EDGES)
        return tuple(filter(None, (*(outline.text(link).strip(_EDGES) for link in links), tail)))
    said = _PREFIX.sub("", outline.text(element))
    return tuple(step for step in _SEPARATORS.split(said) if step)


def _is_name(outline: Outline, element: int) -> bool:
    return "name" in (outline.get(element, "itemprop"), outline.get(element, "property"))


def _is_item(outline: Outline, element: int) -> bool:
    return outline.tags[element] in ("li", "dd")
