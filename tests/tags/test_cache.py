"""Laws of the cache."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manyview.errors import DataError, ManyviewError
from manyview.tags.cache import TagCache
from manyview.tags.tagger import Detection

SHARES = st.floats(0, 1, allow_subnormal=False)
DETECTIONS = st.lists(
    st.builds(
        Detection,
        label=st.text(min_size=1, max_size=8).filter(lambda text: text.isprintable()),
        score=SHARES,
        area=SHARES,
        box=st.none() | st.tuples(SHARES, SHARES, SHARES, SHARES),
        attributes=st.lists(st.sampled_from(["red", "绿色"]), max_size=2).map(tuple),
    ),
    max_size=4,
)


@settings(max_examples=30)
@given(st.dictionaries(st.integers(-(2**63), 2**63 - 1), DETECTIONS, max_size=6))
def test_what_was_put_comes_back(findings: dict[int, list[Detection]]) -> None:
    with TagCache(Path(":memory:")) as cache:
        cache.put("a", findings)
        assert cache.get("a", [*findings, 7]) == findings | ({7: findings[7]} if 7 in findings else {})
        assert cache.get("b", list(findings)) == {}


def test_more_can_be_asked_for_than_a_query_holds(tmp_path: Path) -> None:
    findings = {of: [Detection(str(of), 0.5)] for of in range(1300)}
    with TagCache(tmp_path / "cache") as cache:
        cache.put("a", findings)
        assert cache.get("a", list(findings)) == findings


def test_what_was_put_outlives_a_killed_process(tmp_path: Path) -> None:
    file = tmp_path / "cache"
    code = f"""
from pathlib import Path
from manyview.tags.cache import TagCache
from manyview.tags.tagger import Detection
cache = TagCache(Path({str(file)!r}))
for of in range(10**9):
    cache.put("a", {{2 * of: [Detection("x", 0.5)], 2 * of + 1: []}})
    print(of, flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=os.environ)
    assert process.stdout is not None
    said = [int(process.stdout.readline()) for _ in range(20)]
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    with TagCache(file) as cache:
        there = cache.get("a", range(2 * (said[-1] + 50)))
    assert set(there) >= set(range(2 * said[-1] + 2))
    assert all((of ^ 1) in there for of in there), "half of a put was kept"


def test_two_may_share_a_file(tmp_path: Path) -> None:
    with TagCache(tmp_path / "cache") as one, TagCache(tmp_path / "cache") as other:
        one.put("a", {1: []})
        other.put("a", {2: []})
        assert one.get("a", [1, 2]) == other.get("a", [1, 2]) == {1: [], 2: []}


def test_a_file_that_is_no_cache_is_said(tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(b"not a data base at all" * 100)
    with pytest.raises(DataError, match="is damaged or no tag cache"):
        TagCache(tmp_path / "cache")


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ManyviewError, match="cannot"):
        TagCache(tmp_path / "file" / "cache")
