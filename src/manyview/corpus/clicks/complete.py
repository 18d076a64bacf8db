"""Complete: the columns of a click log by their usual names, where nobody has named them."""

from __future__ import annotations

import pyarrow as pa

from manyview.corpus.clicks.log import ClickLog
from manyview.corpus.clicks.reading import column_names
from manyview.corpus.sources.column_names import IDS, IMAGES, KINDS, first_named

__all__ = ["complete_log"]

IMPRESSIONS = (
    "impressions impression views shown 曝光 曝光量 曝光次数 展示 展示量 展示次数 表示回数 インプレッション 노출 "
    "노출수 impressionen einblendungen affichages impresiones impressões показы gösterim مرات_الظهور การแสดงผล"
)
CLICKS = (
    "clicks click 点击 点击量 点击数 点击次数 點擊 點擊數 クリック クリック数 클릭 클릭수 klicks clics cliques clic "
    "клики tıklama tıklamalar النقرات คลิก nhấp kliknięcia klikken"
)
ITEMS = (
    "item",
    "product",
    "商品",
    "产品",
    "產品",
    "상품",
    "artikel",
    "produkt",
    "producto",
    "produto",
    "prodotto",
    "товар",
)
SEARCHES = (
    "search",
    "keyword",
    "keywords",
    "搜索",
    "关键词",
    "關鍵字",
    "検索",
    "검색",
    "suche",
    "recherche",
    "búsqueda",
    "поиск",
)
NAMES = {
    "query": (*KINDS["query"], *SEARCHES),
    "id": (*IDS, *ITEMS, *IMAGES),
    "impressions": tuple(IMPRESSIONS.split()),
    "clicks": tuple(CLICKS.split()),
}


def complete_log(log: ClickLog) -> ClickLog:
    """The log with those columns found in its first file that are neither named nor called as the defaults.

    Times, users and positions change what is believed of a log, and are only taken where they are named.
    """
    open_roles = [role for role in NAMES if role not in log.model_fields_set]
    try:
        names = column_names(log) if open_roles else []
    except (pa.ArrowInvalid, OSError, EOFError):
        return log  # reading will count it
    changes = dict[str, str]()
    for role in open_roles:
        taken = {*changes.values(), *(getattr(log, other) for other in log.columns if other != role)}
        found = [name for name in first_named(NAMES[role], names) if name not in taken]
        if getattr(log, role) not in names and found:
            changes[role] = found[0]
    given = {name: getattr(log, name) for name in log.model_fields_set}
    return ClickLog.model_validate({**given, **changes}) if changes else log
