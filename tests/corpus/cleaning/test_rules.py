"""Laws of the rules together: rows in are rows out and reasons."""

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.corpus.cleaning.said import views

from manyview.config import load_config, save_config
from manyview.corpus.cleaning.rules import CleaningRules, clean_views
from manyview.corpus.sources.contract import VIEWS

RULES = CleaningRules()
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "", None]),
        st.sampled_from(["title", "", None]),
        st.one_of(st.none(), st.sampled_from(["a red car", "NaN", "", "红色的车", "..."]), st.text(max_size=5)),
        st.sampled_from([1.0, None, 0.0, -1.0, float("nan"), float("inf"), 0.5]),
        st.sampled_from(["", None, "en", "zh-Hans"]),
    ),
    max_size=12,
)


@given(ROWS, st.booleans())
def test_nothing_vanishes_uncounted(rows: list[tuple[object, ...]], only: bool) -> None:
    rules = load_config(
        CleaningRules, overrides=["languages.only=[zh]", "languages.keep_unknown=false"] if only else []
    )
    kept, reasons = clean_views(views(*rows), rules)
    assert kept.num_rows + reasons.total() == len(rows)
    assert kept.schema == VIEWS
    kept.validate(full=True)
    assert all(row["id"] and row["kind"] and row["text"] and row["weight"] > 0 for row in kept.to_pylist())
    assert clean_views(kept, rules) == (kept, {})


@given(ROWS, st.integers(1, 5))
def test_batches_change_nothing(rows: list[tuple[object, ...]], size: int) -> None:
    table = views(*rows)
    parts = [clean_views(table.slice(at, size), RULES)[0] for at in range(0, table.num_rows, size)]
    assert pa.concat_tables([VIEWS.empty_table(), *parts]).equals(clean_views(table, RULES)[0])


def test_each_row_tells_its_reason() -> None:
    table = views(
        ("a", "title", "  A red\u200b car "),
        (None, "title", "x"),
        ("a", "", "x"),
        ("a", "title", "x", float("nan")),
        ("a", "title", None),
        ("a", "title", "nan"),
    )
    kept, reasons = clean_views(table, RULES)
    assert kept["text"].to_pylist() == ["A red car"]
    assert reasons == {
        "view: no image id": 1,
        "view: no kind": 1,
        "view: weight is no positive number": 1,
        "text: missing": 1,
        "text: stands for no text": 1,
    }


def test_languages_are_told_where_the_source_does_not() -> None:
    table = views(
        ("a", "alt", "a red car parked on the street"), ("a", "alt", "eine Straße", 1.0, "en"), ("a", "alt", "42")
    )
    assert clean_views(table, RULES)[0]["lang"].to_pylist() == ["en", "en", ""]
    silent = load_config(CleaningRules, overrides=["languages.detect=false"])
    assert clean_views(table, silent)[0]["lang"].to_pylist() == ["", "en", ""]


def test_only_wanted_languages_stay() -> None:
    table = views(("a", "alt", "x", 1.0, "zh-Hant"), ("b", "alt", "x", 1.0, "en"), ("c", "alt", "42"))
    rules = load_config(CleaningRules, overrides=["languages.only=[zh]"])
    kept, reasons = clean_views(table, rules)
    assert kept["id"].to_pylist() == ["a", "c"]
    assert reasons == {"text: language not wanted": 1}
    rules = load_config(CleaningRules, overrides=["languages.only=[zh-Hans]", "languages.keep_unknown=false"])
    kept, reasons = clean_views(table, rules)
    assert kept.num_rows == 0
    assert reasons == {"text: language not wanted": 2, "text: language unknown": 1}


def test_the_entries_of_a_list_are_of_one_language() -> None:
    """So that training, which draws the tags of one language together, draws them all."""
    words = ["Apfel für die Küche", "rot", "Wohnen und Schenken", "Garten"]
    table = views(
        *(("a", "tags", word) for word in words), ("a", "title", "rot"), *(("b", "tags", w) for w in ("x", "y"))
    )
    kept, _ = clean_views(table, RULES)
    assert kept["lang"].to_pylist() == ["de"] * 4 + [""] * 3


@pytest.mark.parametrize("lang", ["en", "EN", "en-US", "en_US", " en"])
def test_a_wanted_language_is_one_however_it_is_written(lang: str) -> None:
    rules = load_config(CleaningRules, overrides=["languages.only=[en]"])
    kept, reasons = clean_views(views(("a", "alt", "x", 1.0, lang), ("b", "alt", "x", 1.0, "eno")), rules)
    assert kept["id"].to_pylist() == ["a"]
    assert reasons == {"text: language not wanted": 1}


def test_an_undetermined_language_is_an_unknown_one() -> None:
    table = views(("a", "alt", "a red car parked on the street", 1.0, "und"), ("a", "alt", "42", 1.0, "UND"))
    assert clean_views(table, RULES)[0]["lang"].to_pylist() == ["en", ""]


def test_broken_utf8_beside_the_text_is_counted() -> None:
    table = views(("a", "alt", "one"), ("b", "alt", "two"))
    broken = pa.array([b"a", b"\xff"], pa.binary())
    ids = pa.StringArray.from_buffers(2, *broken.buffers()[1:])
    kept, reasons = clean_views(table.set_column(0, "id", ids), RULES)
    assert kept["id"].to_pylist() == ["a"]
    assert reasons == {"view: broken UTF-8 in its id, kind, language or origin": 1}


def test_large_and_other_types_become_the_contract(tmp_path: Path) -> None:
    table = views(("a", "alt", "one boat"), ("b", "alt", "two boats"))
    large = pa.schema(
        [(field.name, pa.large_string() if field.type == pa.string() else pa.float64()) for field in VIEWS]
    )
    assert clean_views(table.cast(large), RULES)[0].schema == VIEWS


def test_rules_are_written_to_yaml_and_read_back(tmp_path: Path) -> None:
    rules = load_config(
        CleaningRules,
        overrides=["scores={table: scores.parquet, at_least: {alt: 0.25}}", "boilerplate=null", "opt_out=[a.txt]"],
    )
    save_config(rules, tmp_path / "rules.yaml")
    assert load_config(CleaningRules, tmp_path / "rules.yaml") == rules != RULES


@pytest.mark.parametrize("field", CleaningRules.model_fields)
def test_every_rule_says_what_it_is(field: str) -> None:
    assert CleaningRules.model_fields[field].description
