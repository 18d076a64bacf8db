"""Laws of language tags: however a column names a language, texts get its BCP-47 code, or none."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.corpus.sources.reading import everything

from manyview.corpus.sources.language_tags import CODES, LANGUAGES, language_tag, language_tags
from manyview.corpus.sources.table import TableConfig, TableSource

NAMES = {
    "en": ["English", "eng", "EN", "en", "ENGLISH ", "english"],
    "en-US": ["EN-us", "en_US", "eng-US", "en-us"],
    "zh": ["Chinese", "zho", "chi", "zh", "中文", "ZH"],
    "zh-Hans": ["zh-hans", "zh_Hans", "ZHO-HANS"],
    "zh-Hant-TW": ["zh-hant-tw", "zh_Hant_TW"],
    "de": ["German", "Deutsch", "ger", "deu"],
    "th": ["ไทย", "Thai", "tha"],
    "gsw": ["gsw", "GSW"],
    "x-klingon": ["x-klingon"],
    "": ["", " ", "und", "unk", "unknown", "N/A", "Klingon", "english, french", "1", "en/de"],
}
PAIRS = [(name, tag) for tag, names in NAMES.items() for name in names]


@pytest.mark.parametrize(("name", "tag"), PAIRS)
def test_a_name_of_a_language_is_its_code(name: str, tag: str) -> None:
    assert language_tag(name) == tag


@given(st.text(max_size=12))
def test_a_tag_is_its_own_tag(name: str) -> None:
    assert language_tag(language_tag(name)) == language_tag(name)


def test_no_name_is_of_two_languages() -> None:
    assert len(CODES) == len(LANGUAGES.replace(";", " ").split())


@given(st.lists(st.one_of(st.none(), st.sampled_from([name for name, _ in PAIRS]))))
def test_a_column_is_named_cell_by_cell(names: list[str | None]) -> None:
    assert language_tags(pa.array(names, pa.string())).to_pylist() == [language_tag(name or "") for name in names]


def test_a_column_of_laion_is_read_as_codes(tmp_path: Path) -> None:
    rows = {
        "URL": ["http://a/1", "http://a/2", "http://a/3"],
        "TEXT": ["a", "b", "c"],
        "LANGUAGE": ["English", "nolang", None],
    }
    pq.write_table(pa.table(rows), tmp_path / "laion.parquet")
    found = everything(TableSource(TableConfig(path=str(tmp_path / "laion.parquet"))))
    assert found.texts("text", "lang") == [("a", "en"), ("b", ""), ("c", "")]
