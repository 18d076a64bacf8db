"""Laws of columns that nobody named: a log is read by its heading in any language of shops, and a given name holds."""

from pathlib import Path
from typing import Any

import pytest
from tests.corpus.clicks.logs import built

from manyview.corpus.builder.settings import build_config
from manyview.corpus.clicks import ClickLog, complete_log
from manyview.errors import UsageError

LOOSE: dict[str, Any] = {"min_clicks": 1, "min_query_clicks": 1, "min_query_users": 1}
HEADINGS = {
    "en": "Search Term,Product ID,Impressions,Clicks",
    "zh": "搜索词,商品,曝光量,点击",
    "ja": "検索キーワード,商品番号,表示回数,クリック数",
    "ko": "검색어,상품번호,노출수,클릭수",
    "de": "Suchbegriff,Artikelnummer,Impressionen,Klicks",
    "fr": "Requête,Code article,Affichages,Clics",
    "ru": "Запрос,Артикул,Показы,Клики",
    "as the defaults": "query,id,impressions,clicks",
}


@pytest.mark.parametrize("language", HEADINGS)
def test_a_logs_heading_is_understood(language: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(f"{HEADINGS[language]}\nred shoes,1,9,4\n", encoding="utf-8")
    views, report = built(ClickLog(path=str(tmp_path / "log.csv"), **LOOSE), tmp_path)
    assert [(view["text"], view["id"]) for view in views] == [("red shoes", "1")] and not report.skipped
    names = HEADINGS[language].split(",")
    (tmp_path / "t.csv").write_text("id,title\n1,a\n")
    log = f"clicks=[{{path: {tmp_path / 'log.csv'}}}]"
    (said,) = build_config([str(tmp_path / "t.csv"), log], None).clicks
    assert list(said.columns.values()) == names


def test_a_name_that_is_given_holds(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("搜索词,商品,曝光量,点击\na,1,9,4\n", encoding="utf-8")
    with pytest.raises(UsageError, match="no column 'words'"):
        built(ClickLog(path=str(tmp_path / "log.csv"), query="words"), tmp_path)
    log = complete_log(ClickLog(path=str(tmp_path / "log.csv"), impressions=None, clicks=None))
    assert log.columns == {"query": "搜索词", "id": "商品"}


def test_the_default_name_goes_before_all_others(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("search_term,query,sku,id,impressions,clicks\na,b,1,2,9,4\n")
    assert complete_log(ClickLog(path=str(tmp_path / "log.csv"))).columns == ClickLog(path="log.csv").columns


def test_users_and_times_are_taken_only_where_they_are_named(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("查询词,商品,曝光,点击,用户,时间\na,1,9,4,u,20240131\n", encoding="utf-8")
    log = complete_log(ClickLog(path=str(tmp_path / "log.csv")))
    assert log.user is None and log.time is None
