"""Laws of a build that filters by scores: it keeps what sorting and cutting keeps, whatever happens on the way."""

import itertools
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.corpus.builder.shop import (
    HERE,
    built,
    config,
    content,
    everything,
    picture,
    products,
    run_build,
    write_table,
)

from manyview.config import save_config
from manyview.corpus import Record
from manyview.corpus.builder import BuildConfig, build
from manyview.corpus.builder.scores import NO_SCORE
from manyview.corpus.cleaning.boilerplate import BOILERPLATE
from manyview.corpus.cleaning.score import TOO_LOW, UNSCORED
from manyview.errors import DataError, UsageError

Said = tuple[str, str, str]  # id, kind, text
COUNT = 40


def texts_of(rows: Sequence[Mapping[str, Any]]) -> list[Said]:
    """All that products say of their pictures."""
    said = [(row["sku"], "title", row["title"]) for row in rows]
    return said + [(row["sku"], "tags", tag) for row in rows for tag in row["tags"]]


def said_in(records: Mapping[str, Record]) -> set[Said]:
    """All that a corpus says."""
    return {(id, text.kind, text.text) for id, record in records.items() for text in record.texts}


def random_scores(texts: Sequence[Said], seed: int = 0, share: float = 1.0) -> dict[Said, float]:
    """Scores of some of the texts; some of them are equal."""
    rng = random.Random(seed)
    return {one: rng.randrange(30) / 32 for one in texts if rng.random() < share}


def write_scores(file: Path, scores: Mapping[Said, float], rows_of_a_group: int = 7) -> Path:
    """As a table with kinds, in many row groups."""
    names = ("id", "kind", "text")
    columns = {name: [said[place] for said in scores] for place, name in enumerate(names)}
    pq.write_table(pa.table({**columns, "score": list(scores.values())}), file, row_group_size=rows_of_a_group)
    return file


def kept_by_sorting(
    texts: Sequence[Said],
    scores: Mapping[Said, float],
    at_least: Mapping[str, float],
    best_share: Mapping[str, float],
    keep_unscored: bool,
) -> set[Said]:
    """The definition."""
    of_kind = defaultdict[str, list[float]](list)
    for said in set(texts):
        if said in scores:
            of_kind[said[1]].append(scores[said])
    lowest = dict(at_least)
    for kind, share in best_share.items():
        best = sorted(of_kind[kind], reverse=True)
        lowest[kind] = best[max(1, round(share * len(best))) - 1]
    return {
        said
        for said in texts
        if said[1] not in lowest or (scores[said] >= lowest[said[1]] if said in scores else keep_unscored)
    }


def filtered(table: Path | str, **rules: Any) -> dict[str, Any]:
    """The cleaning of a build that filters."""
    return {"scores": {"table": str(table), **rules}}


@pytest.fixture
def shop(tmp_path: Path) -> list[dict[str, Any]]:
    """Products in part-0.parquet, some of them again in part-1.parquet."""
    rows = products(COUNT)
    parts = rows, rows[::7]
    for number, some in enumerate(parts):
        write_table(tmp_path / f"part-{number}.parquet", [dict(row) for row in some])
    return [row for some in parts for row in some]


@pytest.mark.parametrize(
    ("at_least", "best_share"),
    [({"title": 0.5}, {"tags": 0.4}), ({}, {"title": 0.3}), ({"tags": 0.25}, {}), ({}, {"title": 0.01, "tags": 1})],
)
@pytest.mark.parametrize("keep_unscored", [True, False])
def test_a_build_keeps_what_sorting_keeps(
    tmp_path: Path,
    shop: list[dict[str, Any]],
    at_least: dict[str, float],
    best_share: dict[str, float],
    keep_unscored: bool,
) -> None:
    texts = texts_of(shop)
    scores = random_scores(texts, share=0.8)
    table = write_scores(tmp_path / "scores.parquet", scores)
    clean = filtered(table, at_least=at_least, best_share=best_share, keep_unscored=keep_unscored)
    report, splits = built(config(tmp_path / "part-*.parquet", clean=clean, min_texts=0), tmp_path / "out")
    expected = kept_by_sorting(texts, scores, at_least, best_share, keep_unscored)
    assert said_in(everything(splits)) == expected
    lost = [said for said in texts if said not in expected]
    assert report.reasons.get(TOO_LOW, 0) == sum(said in scores for said in lost)
    assert report.reasons.get(UNSCORED, 0) == sum(said not in scores for said in lost)
    assert report.shards > 2


def test_captions_that_speak_of_another_picture_go(tmp_path: Path) -> None:
    """Scores by definition take the place of a model that knows something."""
    rows = products(COUNT)
    wrong = random.Random(0).sample(range(COUNT), COUNT // 3)
    for number, other in zip(wrong, [*wrong[1:], wrong[0]], strict=True):
        rows[number]["title"] = f"Thing number {other}"
    write_table(tmp_path / "rows.parquet", rows)
    _, before = built(config(tmp_path / "rows.parquet"), tmp_path / "corpus")
    titles = [said for said in said_in(everything(before)) if said[1] == "title"]
    scores = {said: float(said[0] == f"p{said[2].split()[-1]}") for said in titles}
    table = write_scores(tmp_path / "scores.parquet", scores)
    again = {"sources": [{"type": "corpus", "path": str(tmp_path / "corpus")}]}
    for name, rules in {"bound": {"at_least": {"title": 0.5}}, "share": {"best_share": {"title": 0.67}}}.items():
        report, after = built(config(clean=filtered(table, **rules), **again), tmp_path / name)
        found = [said for said in said_in(everything(after)) if said[1] == "title"]
        assert all(scores[said] for said in found)
        assert len(found) == COUNT - len(wrong)
        assert report.reasons == {TOO_LOW: len(wrong)}


def test_a_picture_under_two_ids_keeps_the_scores_of_both(tmp_path: Path) -> None:
    rows = products(6)
    rows[4]["image"] = rows[1]["image"]
    rows[5]["image"] = picture(2, quality=70)
    write_table(tmp_path / "rows.parquet", [dict(row) for row in rows])
    scores = {("p1", "title", "Thing number 1"): 0.1, ("p4", "title", "Thing number 4"): 0.9}
    scores |= {("p2", "title", "Thing number 2"): 0.9, ("p5", "title", "Thing number 5"): 0.1}
    clean = filtered(write_scores(tmp_path / "scores.parquet", scores), at_least={"title": 0.5})
    merge = {**clean, "near_duplicates": {"action": "merge"}}
    _, splits = built(config(tmp_path / "rows.parquet", clean=merge), tmp_path / "out")
    found = everything(splits)
    assert {"p4", "p5"}.isdisjoint(found)
    titles = {id: [text.text for text in found[id].texts if text.kind == "title"] for id in ("p1", "p2")}
    assert titles == {"p1": ["Thing number 4"], "p2": ["Thing number 2"]}


def test_of_scores_for_one_text_the_last_counts_and_rows_that_are_none_are_counted(tmp_path: Path) -> None:
    write_table(tmp_path / "rows.parquet", products(4))
    (tmp_path / "scores").mkdir()
    told = [("p0", 0.1), ("p0", 0.9), ("p1", 0.9), ("p2", 0.9), (None, 0.1), ("p1", float("nan")), ("p2", None)]
    later = [("p1", 0.1), ("p3", 0.2), ("", 0.3)]
    for name, rows in {"a": told, "b": later}.items():
        columns = {"id": [id for id, _ in rows], "text": [f"thing  NUMBER {(id or 'p')[1:]}" for id, _ in rows]}
        table = pa.table({**columns, "score": pa.array([score for _, score in rows], pa.float64())})
        pq.write_table(table, tmp_path / "scores" / f"{name}.parquet", row_group_size=2)
    clean = filtered(tmp_path / "scores", at_least={"title": 0.5})
    report, splits = built(config(tmp_path / "rows.parquet", clean=clean), tmp_path / "out")
    titles = {text for id, kind, text in said_in(everything(splits)) if kind == "title"}
    assert titles == {"Thing number 0", "Thing number 2"}
    assert report.skipped == {"scores": {NO_SCORE: 4}, "all sources": {TOO_LOW: 2}}


def test_a_text_is_known_by_its_score_as_it_was_found_and_as_it_became(tmp_path: Path) -> None:
    rows = products(4)
    for row in rows:
        row["title"] = f" Salt &amp; pepper,\u200b no {row['sku']}"
    write_table(tmp_path / "rows.parquet", rows)
    scores = {(row["sku"], "title", row["title"]): 0.1 for row in rows[:2]}
    scores |= {(row["sku"], "title", f"Salt & pepper, no {row['sku']}"): 0.1 for row in rows[2:3]}
    clean = filtered(write_scores(tmp_path / "scores.parquet", scores), at_least={"title": 0.5})
    _, splits = built(config(tmp_path / "rows.parquet", clean=clean), tmp_path / "out")
    titles = [said for said in said_in(everything(splits)) if said[1] == "title"]
    assert titles == [("p3", "title", "Salt & pepper, no p3")]


def test_shares_are_of_what_boilerplate_leaves(tmp_path: Path) -> None:
    rows = products(COUNT)
    for row in rows[10:]:
        row["title"] = "Free delivery!"
    write_table(tmp_path / "rows.parquet", [dict(row) for row in rows])
    titles = [said for said in texts_of(rows) if said[1] == "title"]
    scores = {said: 1.0 if said[2] == "Free delivery!" else 1 / (2 + place) for place, said in enumerate(titles)}
    table = write_scores(tmp_path / "scores.parquet", scores)
    clean = {"boilerplate": {"min_images": 20}, **filtered(table, best_share={"title": 0.5})}
    report, splits = built(config(tmp_path / "rows.parquet", clean=clean), tmp_path / "out")
    found = {said for said in said_in(everything(splits)) if said[1] == "title"}
    assert found == set(titles[:5])
    assert report.reasons == {BOILERPLATE: 30, TOO_LOW: 5}


def test_shares_are_of_texts_each_once_an_image_however_many_sources_say_it(tmp_path: Path) -> None:
    rows = products(10)
    for number in range(10):
        write_table(tmp_path / f"part-{number}.parquet", [dict(row) for row in (rows[:1] if number else rows)])
    titles = [said for said in texts_of(rows) if said[1] == "title"]
    table = write_scores(tmp_path / "scores.parquet", {said: 1 / (1 + place) for place, said in enumerate(titles)})
    clean = filtered(table, best_share={"title": 0.5})
    _, splits = built(config(tmp_path / "part-*.parquet", clean=clean), tmp_path / "out")
    assert {said for said in said_in(everything(splits)) if said[1] == "title"} == set(titles[:5])


def test_what_is_added_has_a_share_of_its_own(tmp_path: Path) -> None:
    rows = products(2 * COUNT)
    scores = {said: int(said[0][1:]) / 100 for said in texts_of(rows) if said[1] == "title"}
    table = write_scores(tmp_path / "scores.parquet", scores)
    clean = filtered(table, best_share={"title": 0.5})
    for name, some in {"old": rows[:COUNT], "new": rows[COUNT // 2 :]}.items():
        write_table(tmp_path / f"{name}.parquet", [dict(row) for row in some])
    built(config(tmp_path / "old.parquet", clean=clean), tmp_path / "out")
    _, splits = built(config(tmp_path / "new.parquet", clean=clean), tmp_path / "out", mode="append")
    titles = {said for said in said_in(everything(splits)) if said[1] == "title"}
    parts = [
        {said: scores[said] for said in scores if first <= int(said[0][1:]) < first + COUNT} for first in (0, COUNT)
    ]
    assert titles == set().union(*(kept_by_sorting(list(of), of, {}, {"title": 0.5}, True) for of in parts))


def test_texts_that_no_table_names_are_as_those_without_scores(tmp_path: Path) -> None:
    """A shard without a single score is no exception."""
    rows = products(COUNT)
    write_table(tmp_path / "rows.parquet", [dict(row) for row in rows])
    table = write_scores(tmp_path / "scores.parquet", {("p3", "title", "Thing number 3"): 0.1})
    for keep in (True, False):
        clean = filtered(table, at_least={"title": 0.5}, keep_unscored=keep)
        _, splits = built(config(tmp_path / "rows.parquet", clean=clean), tmp_path / f"{keep}")
        titles = {said for said in said_in(everything(splits)) if said[1] == "title"}
        assert len(titles) == (COUNT - 1 if keep else 0)


class Killed(Exception):
    """What ends a build in the middle."""


@pytest.fixture
def told(tmp_path: Path, shop: list[dict[str, Any]]) -> BuildConfig:
    """A build by bounds and shares."""
    table = write_scores(tmp_path / "scores.parquet", random_scores(texts_of(shop)))
    return config(tmp_path / "part-*.parquet", clean=filtered(table, at_least={"title": 0.3}, best_share={"tags": 0.5}))


def killed_at(step: int, told: BuildConfig, out: Path) -> bool:
    """Whether a build had that many steps; if so it has been ended there."""
    steps = itertools.count()

    def progress(what: str, done: int, of: int) -> None:
        if next(steps) == step:
            raise Killed

    try:
        build(told, out, engine=HERE, progress=progress)
    except Killed:
        return True
    return False


def test_a_build_that_ends_at_every_step_is_continued_to_the_same_bytes(tmp_path: Path, told: BuildConfig) -> None:
    built(told, tmp_path / "whole")
    step = 0
    while killed_at(step, told, tmp_path / "out"):
        step += 1
    assert step > 8
    assert content(tmp_path / "out") == content(tmp_path / "whole")


def test_another_table_makes_another_plan(tmp_path: Path, shop: list[dict[str, Any]], told: BuildConfig) -> None:
    assert killed_at(9, told, tmp_path / "out")
    assert list((tmp_path / "out" / "data").iterdir())
    write_scores(tmp_path / "scores.parquet", random_scores(texts_of(shop), seed=1))
    built(told, tmp_path / "out")
    built(told, tmp_path / "fresh")
    assert content(tmp_path / "out") == content(tmp_path / "fresh")


@pytest.mark.slow
def test_processes_leave_the_bytes_that_one_process_leaves(tmp_path: Path, told: BuildConfig) -> None:
    built(told, tmp_path / "one")
    save_config(told, tmp_path / "build.yaml")
    run_build(tmp_path / "build.yaml", tmp_path / "several")
    assert content(tmp_path / "one") == content(tmp_path / "several")


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"id": ["p0"], "text": ["a"]}, "has no column 'score' but id, text: it is no table of scores"),
        ({"text": ["a"], "score": [0.1]}, "has no column 'id'"),
        ({"id": ["p0"], "text": ["a"], "score": ["high"]}, "the column 'score' of .* holds string, allowed: numbers"),
        ({"id": ["p0"], "text": [["a"]], "score": [1]}, "the column 'text' of .* holds list.* allowed: texts"),
        ({"id": ["x"], "text": ["Thing number 0"], "score": [1]}, "no score in .* is of an image of this build"),
        (
            {"id": ["p0"], "text": ["another"], "score": [1]},
            "'title', but no text of that kind in the build has a score",
        ),
        ({"id": ["p0"], "text": ["a"], "score": [None]}, "the column 'score' of .* holds null, allowed: numbers"),
    ],
)
def test_a_table_that_holds_no_scores_is_refused(tmp_path: Path, columns: dict[str, list[Any]], sentence: str) -> None:
    write_table(tmp_path / "rows.parquet", products(2))
    pq.write_table(pa.table(columns), tmp_path / "scores.parquet")
    clean = filtered(tmp_path / "scores.parquet", at_least={"title": 0.5})
    with pytest.raises(UsageError, match=sentence):
        build(config(tmp_path / "rows.parquet", clean=clean), tmp_path / "out", engine=HERE)


def test_a_table_that_is_not_there_or_broken_is_named(tmp_path: Path) -> None:
    write_table(tmp_path / "rows.parquet", products(2))
    table = tmp_path / "scores.parquet"
    told = config(tmp_path / "rows.parquet", clean=filtered(table, at_least={"title": 0.5}))
    with pytest.raises(UsageError, match=r"no file at .*scores\.parquet"):
        build(told, tmp_path / "out", engine=HERE)
    rng = np.random.default_rng(0)
    pq.write_table(pa.table({"id": ["p0"] * 9999, "text": ["a"] * 9999, "score": rng.random(9999)}), table)
    whole = table.read_bytes()
    for broken in (b"no table", whole[:4] + bytes(50_000) + whole[50_004:]):
        table.write_bytes(broken)
        with pytest.raises(DataError, match=r"scores\.parquet is damaged"):
            build(told, tmp_path / "out", engine=HERE)


def test_a_table_is_not_removed_before_it_is_read(tmp_path: Path) -> None:
    write_table(tmp_path / "rows.parquet", products(4))
    built(config(tmp_path / "rows.parquet"), tmp_path / "out")
    inside = write_scores(tmp_path / "out" / "data" / "scores.parquet", {("p0", "title", "Thing number 0"): 1.0})
    clean = filtered(inside, at_least={"title": 0.5})
    with pytest.raises(UsageError, match="--overwrite removes"):
        build(config(tmp_path / "rows.parquet", clean=clean), tmp_path / "out", engine=HERE, mode="overwrite")
