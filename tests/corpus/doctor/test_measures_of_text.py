"""Laws of the small measures: tokens, scripts, quantiles, tallies, samples, numbers as words."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyview.corpus.doctor.extremes import Extremes
from manyview.corpus.doctor.quantiles import add_values, quantiles, share_above
from manyview.corpus.doctor.sample import sample_rows
from manyview.corpus.doctor.scripts import script_of
from manyview.corpus.doctor.spoken import percent, readable_bytes
from manyview.corpus.doctor.tally import OTHERS, Tally
from manyview.corpus.doctor.tokens import count_tokens, estimated_tokens, tokenizer_file
from manyview.errors import DataError, UsageError

VALUES = st.lists(st.integers(-50, 50), min_size=1, max_size=60)


@given(VALUES)
def test_quantiles_are_nearest_ranks_of_the_sorted_values(values: list[int]) -> None:
    from collections import Counter

    counts = Counter[int]()
    add_values(counts, np.array(values))
    found = quantiles(counts)
    ordered = sorted(values)
    assert found is not None
    for percentage, value in ((5, found.p5), (25, found.p25), (50, found.median), (95, found.p95), (99, found.p99)):
        assert value == ordered[math.ceil(percentage * len(ordered) / 100) - 1]
    assert (found.least, found.most) == (ordered[0], ordered[-1])
    assert share_above(counts, 3) == sum(value > 3 for value in values) / len(values)


def test_nothing_has_no_quantiles() -> None:
    assert quantiles({}) is None


@given(st.lists(st.sampled_from("abcdefgh"), max_size=60), st.integers(1, 9))
def test_a_tally_never_loses_a_count(names: list[str], most: int) -> None:
    tally = Tally(most)
    for name in names:
        tally.add(name)
    assert tally.counts.total() == len(names)
    assert len(tally.counts) <= most + 1
    assert sum(times for _, times in tally.shares(2)) == len(names)
    if len(set(names)) > 2:
        assert tally.shares(2)[-1][0] == OTHERS


@given(st.integers(0, 400), st.integers(1, 300), st.integers(0, 3))
def test_a_sample_is_ascending_and_depends_on_the_seed_alone(total: int, size: int, seed: int) -> None:
    rows = sample_rows(total, size, seed)
    assert rows.tolist() == sorted(set(rows.tolist()))
    assert all(0 <= row < total for row in rows)
    assert (rows == sample_rows(total, size, seed)).all()
    if total <= size:
        assert len(rows) == total


def test_every_row_is_sampled_by_some_seed_about_equally_often() -> None:
    times = np.zeros(1000)
    for seed in range(400):
        times[sample_rows(1000, 200, seed)] += 1
    assert times.min() > 40
    assert times.max() < 130


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 12)), max_size=40), st.integers(1, 5))
def test_extremes_keep_the_greatest_value_of_each_row(entries: list[tuple[int, int]], most: int) -> None:
    extremes = Extremes(most)
    for start in range(0, len(entries), 7):
        part = entries[start : start + 7]
        extremes.add(np.array([value for value, _ in part]), np.array([row for _, row in part]))
    best = {row: max(value for value, other in entries if other == row) for _, row in entries}
    assert extremes.ranked() == sorted(best.items(), key=lambda entry: (-entry[1], entry[0]))[:most]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 2),
        ("two words", 4),
        ("well, well!", 6),
        ("红色的鞋", 6),
        ("a 红 b", 5),
        ("東京タワー at night", 9),
    ],
)
def test_the_estimate_counts_words_marks_and_single_characters(text: str, tokens: int) -> None:
    assert estimated_tokens([text]) == [tokens]


def test_a_tokenizer_counts_its_own_tokens_whatever_length_it_would_cut(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "a": 1}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.enable_truncation(2)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    count = count_tokens(tokenizer_file(tmp_path))
    assert count(["a a a a", "", "b"]) == [4, 0, 1]


def test_what_is_no_tokenizer_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no tokenizer at"):
        tokenizer_file(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(DataError, match=r"is not a tokenizer\.json"):
        count_tokens(tmp_path / "tokenizer.json")


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("red shoes", "Latin"),
        ("ярко-красный", "Cyrillic"),
        ("红色的鞋", "Han"),
        ("赤い靴", "Japanese"),
        ("빨간 신발", "Hangul"),
        ("حذاء أحمر", "Arabic"),
        ("2024 - 17", "no letters"),
        ("๑๒ รองเท้า", "Thai"),
        ("ჩექმა", "other"),
        ("Straße für €5", "Latin"),
    ],
)
def test_the_script_is_that_of_most_letters(text: str, script: str) -> None:
    assert script_of(text) == script


@given(st.floats(0, 1))
def test_no_share_is_called_all_or_nothing_unless_it_is(share: float) -> None:
    assert (percent(share) == "0 %") == (share == 0)
    assert (percent(share) == "100 %") == (100 * share == 100)


@pytest.mark.parametrize(
    ("size", "words"), [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (2.5e9, "2.5 GB"), (5e15, "5,000 TB")]
)
def test_sizes_have_three_digits(size: float, words: str) -> None:
    assert readable_bytes(size) == words
