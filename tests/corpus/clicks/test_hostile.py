"""Logs as they come: broken rows are counted by reason and cost nothing else."""

import datetime
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.corpus.clicks.logs import built

from manyview.corpus.clicks import ClickLog
from manyview.errors import UsageError

GOOD = [("red shoes", "1", 10, 4), ("blue lamp", "2", 9, 5)]
HEADER = "query,id,impressions,clicks"
LOOSE: dict[str, Any] = {"min_clicks": 1, "min_query_clicks": 1}


def csv_text() -> str:
    return "\n".join([HEADER, *(",".join(map(str, row)) for row in GOOD), ""])


def texts(folder: Path, file: Path, **settings: Any) -> tuple[list[tuple[str, str]], dict[str, int]]:
    log = ClickLog(path=str(file), **(LOOSE | settings))
    views, report = built(log, folder)
    return [(view["text"], view["id"]) for view in views], dict(report.skipped)


BOTH = [("red shoes", "1"), ("blue lamp", "2")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b",1,5,1", "row: no query"),
        (b"red shoes,,5,1", "row: no image id"),
        (b"red shoes,1,,1", "row: no impressions"),
        (b"red shoes,1,5,", "row: no clicks"),
        (b"red shoes,1,nan,1", "row: impressions is no whole number"),
        (b"red shoes,1,inf,1", "row: impressions is no whole number"),
        (b"red shoes,1,1e99,1", "row: impressions is no whole number"),
        (b"red shoes,1,many,1", "row: impressions is no whole number"),
        (b"red shoes,1,5,-1", "row: clicks is no whole number"),
        (b"red shoes,1,5,0.5", "row: clicks is no whole number"),
        (b"red shoes,1,5,9", "row: more clicks than impressions"),
        (b"red sh\xff\xfees,1,5,1", "row: query is not UTF-8"),
        (b"red shoes,\xc3,5,1", "row: image id is not UTF-8"),
        (b"red shoes,1,5", "row: wrong number of columns"),
        (b"red shoes,1,5,1,1", "row: wrong number of columns"),
        (b" \x07\t ,1,5,1", "row: query is empty"),
        ("\u200b\ufeff,1,5,1".encode(), "row: query is empty"),
        (b"a" * 201 + b",1,5,1", "row: query is too long"),
        ("鞋".encode() * 201 + b",1,5,1", "row: query is too long"),
        (b"red shoes," + b"1" * 8193 + b",5,1", "row: image id is too long"),
        (b" a" * 5_000_000 + b",1,5,1", "row: query is too long"),
    ],
)
def test_a_bad_row_of_a_csv_is_counted_and_the_others_stay(tmp_path: Path, line: bytes, reason: str) -> None:
    file = tmp_path / "log.csv"
    file.write_bytes(csv_text().encode() + line + b"\n")
    assert texts(tmp_path, file) == (BOTH, {reason: 1})


def test_numbers_may_be_written_in_any_way_that_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    file.write_text(f"{HEADER}\nred shoes,1, 1e1 ,+4.0\nblue lamp,2,9.,5\n", encoding="utf-8")
    assert texts(tmp_path, file) == (BOTH, {})


def as_tsv(file: Path) -> Path:
    file = file.with_suffix(".tsv")
    lines = csv_text().replace(",", "\t").splitlines()
    file.write_text("\n".join([*lines, 'lamp 5" high\t3\t4\t3', ""]), encoding="utf-8")
    return file


def as_jsonl(file: Path) -> Path:
    names = HEADER.split(",")
    rows = [json.dumps(dict(zip(names, row, strict=True))) for row in [*GOOD, ('lamp 5" high', 3, 4, 3)]]
    broken = ["{", "[1]", "null", '{"query": "\\ud800", "id": "1", "impressions": 1, "clicks": 1}']
    file = file.with_suffix(".jsonl.gz")
    file.write_bytes(gzip.compress("\n".join([*rows, "", *broken]).encode() + b"\n" + b"x" * (17 << 20)))
    return file


@pytest.mark.parametrize(
    ("write", "skipped"), [(as_tsv, {}), (as_jsonl, {"row: not a JSON object": 4, "row: query is not UTF-8": 1})]
)
def test_tabs_and_json_lines_are_read_like_commas(
    tmp_path: Path, write: Callable[[Path], Path], skipped: dict[str, int]
) -> None:
    file = write(tmp_path / "log")
    assert texts(tmp_path, file) == ([*BOTH, ('lamp 5" high', "3")], skipped)


def test_a_query_in_quotes_may_hold_commas_and_line_breaks(tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    file.write_text(f'{HEADER}\n"red,\nshoes",1,4,2\n', encoding="utf-8-sig")
    assert texts(tmp_path, file) == ([("red, shoes", "1")], {})


def test_a_parquet_file_may_hold_nulls_numbers_as_ids_and_texts_that_are_not_utf8(tmp_path: Path) -> None:
    raw = pa.array([b"red shoes", b"\xff\xfe", None, b"red shoes", b"red shoes"], pa.binary())
    query = pa.StringArray.from_buffers(5, *raw.buffers()[1:3], raw.buffers()[0])
    columns = {
        "query": query,
        "id": pa.array([7.0, 7.0, 7.0, float("nan"), 7.0]),
        "impressions": pa.array([3.0, 3.0, 3.0, 3.0, float("nan")]),
        "clicks": pa.array([2, 1, 1, 1, 1], pa.uint8()),
    }
    pq.write_table(pa.table(columns), tmp_path / "log.parquet")
    reasons = ["row: impressions is no whole number", "row: no image id", "row: no query", "row: query is not UTF-8"]
    assert texts(tmp_path, tmp_path / "log.parquet") == ([("red shoes", "7")], dict.fromkeys(reasons, 1))


def test_files_that_are_damaged_are_counted(tmp_path: Path) -> None:
    good = pa.table({name: [row[i] for row in GOOD] for i, name in enumerate(HEADER.split(","))})
    for name in ("good", "torn", "cut"):
        pq.write_table(good, tmp_path / f"{name}.parquet", compression="none", use_dictionary=False)
    whole = (tmp_path / "torn.parquet").read_bytes()
    (tmp_path / "torn.parquet").write_bytes(whole[:4] + b"\xff" * 60 + whole[64:])
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    found, skipped = texts(tmp_path, tmp_path / "*.parquet")
    assert found == BOTH
    assert skipped == {"file: cannot be opened": 1, "file: unreadable from some row on": 1}


@pytest.mark.parametrize("content", [b"", HEADER.encode() + b"\n"])
def test_an_empty_log_gives_no_views(tmp_path: Path, content: bytes) -> None:
    for suffix in ("csv", "tsv", "jsonl"):
        (tmp_path / f"log.{suffix}").write_bytes(b"" if suffix != "csv" else content)
    assert texts(tmp_path, tmp_path / "log.*") == ([], {})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"path": "none/*.csv"}, "none/\\*.csv is no file of a click log"),
        ({"query": "q"}, "no column 'q' but query, id, impressions, clicks: name its column of query$"),
        ({"user": "who"}, "no column 'who' .* name its column of user, or set user to null"),
        ({"format": "jsonl"}, None),
    ],
)
def test_what_the_user_can_put_right_is_said(tmp_path: Path, settings: dict[str, Any], message: str | None) -> None:
    file = tmp_path / "log.csv"
    file.write_text(csv_text(), encoding="utf-8")
    log = ClickLog(**({"path": str(file)} | settings))
    if message is None:
        assert built(log, tmp_path)[1].skipped == {"row: not a JSON object": 3}
    else:
        with pytest.raises(UsageError, match=message):
            built(log, tmp_path)


def test_a_suffix_that_says_nothing_needs_the_format(tmp_path: Path) -> None:
    file = tmp_path / "log.txt"
    file.write_text(csv_text(), encoding="utf-8")
    with pytest.raises(UsageError, match="none of the suffixes"):
        texts(tmp_path, file)
    assert texts(tmp_path, file, format="csv") == (BOTH, {})


def test_a_column_of_lists_is_refused(tmp_path: Path) -> None:
    columns = {"query": [["a"]], "id": ["1"], "impressions": [1], "clicks": [1]}
    pq.write_table(pa.table(columns), tmp_path / "log.parquet")
    with pytest.raises(UsageError, match=r"'query' of .* holds list"):
        texts(tmp_path, tmp_path / "log.parquet")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"clicks": None}, "impressions without clicks"),
        ({"half_life_days": 3.0}, "needs the column of time"),
        ({"impressions": None, "clicks": None, "position": "p"}, "cannot be corrected"),
        ({"query": "id"}, "two parts"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ClickLog(path="log.csv", **settings)


MOMENT = datetime.datetime(2024, 5, 6, 7, 8, 9, tzinfo=datetime.UTC)
SECONDS = int(MOMENT.timestamp())


@pytest.mark.parametrize(
    "times",
    [
        pa.array([SECONDS, SECONDS + 86_400, None]),
        pa.array([SECONDS * 1000, (SECONDS + 86_400) * 1000, -1]),
        pa.array([SECONDS * 1e9, (SECONDS + 86_400) * 1e9, float("nan")]),
        pa.array([MOMENT, MOMENT + datetime.timedelta(days=1), None], pa.timestamp("us", "Asia/Tokyo")),
        pa.array([MOMENT.replace(tzinfo=None), datetime.datetime(2024, 5, 7, 7, 8, 9), None], pa.timestamp("ms")),
        pa.array(["2024-05-06T07:08:09Z", "2024-05-07 09:08:09+02:00", "2024-13-45"]),
        pa.array(["2024-05-06 07:08:09", str(SECONDS + 86_400), "yesterday"]),
        pa.array([datetime.date(2024, 5, 6), datetime.date(2024, 5, 7), None]),
    ],
)
def test_times_are_read_however_they_are_written(tmp_path: Path, times: pa.Array) -> None:
    columns = {
        "query": ["a", "b", "c"],
        "id": ["1", "2", "3"],
        "impressions": [8] * 3,
        "clicks": [4] * 3,
        "time": times,
    }
    pq.write_table(pa.table(columns), tmp_path / "log.parquet")
    settings = LOOSE | {"time": "time", "half_life_days": 1.0, "prior_clicks": 1.0}
    views, report = built(ClickLog(path=str(tmp_path / "log.parquet"), **settings), tmp_path)
    assert report.skipped == {"row: time is missing or cannot be read": 1}
    for view, worth in zip(views, (0.5, 1.0), strict=True):  # a click rate of 1/2 is average
        assert view["weight"] == pytest.approx((4 * worth + 1) / (8 * worth + 2))


@pytest.mark.parametrize("nothing", ["nan", "None", "null", "N/A", "<NA>", r"\N"])
def test_a_word_for_nothing_is_no_query_no_id_and_no_user(nothing: str, tmp_path: Path) -> None:
    rows = [f"{nothing},1,9,4,u", f"red shoes,{nothing},9,4,u", f"red shoes,1,9,4,{nothing}", "red shoes,1,9,4,u"]
    (tmp_path / "log.csv").write_text("\n".join([f"{HEADER},user", *rows]))
    found, skipped = texts(tmp_path, tmp_path / "log.csv", user="user", min_query_users=1)
    assert found == [("red shoes", "1")] and skipped == {"row: no query": 1, "row: no image id": 1}
    (tmp_path / "two").mkdir()
    assert texts(tmp_path / "two", tmp_path / "log.csv", user="user", min_query_users=2)[0] == []  # nobody is no user


def test_numbers_that_pandas_made_floats_are_the_same_ids_and_users(tmp_path: Path) -> None:
    columns = {"query": ["red shoes"] * 2, "impressions": [9, 9], "clicks": [4, 4]}
    whole = {"id": pa.array([7, 7]), "user": pa.array([1, 1])}
    gaps = {"id": pa.array([7.0, None]), "user": pa.array([1.0, None])}
    (tmp_path / "logs").mkdir()
    for name, more in (("a", whole), ("b", gaps)):
        pq.write_table(pa.table({**columns, **more}), tmp_path / "logs" / f"{name}.parquet")
    (tmp_path / "logs" / "c.csv").write_text("query,id,impressions,clicks,user\nred shoes,7.0,9,4,1.0\n")
    found, skipped = texts(tmp_path, tmp_path / "logs", user="user", min_query_users=1)
    assert found == [("red shoes", "7")] and skipped == {"row: no image id": 1}


@pytest.mark.parametrize(
    ("encoding", "setting"), [("utf-8-sig", {}), ("utf-16", {}), ("gb18030", {"encoding": "gb18030"})]
)
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_log_is_read_in_its_encoding_and_with_its_delimiter(
    encoding: str, setting: dict[str, str], mark: str, tmp_path: Path
) -> None:
    lines = [mark.join(HEADER.split(",")), mark.join(["红色的鞋子", "1", "9", "4"])]
    (tmp_path / "log.csv").write_bytes("\r\n".join([*lines, ""]).encode(encoding))
    assert texts(tmp_path, tmp_path / "log.csv", **setting) == ([("红色的鞋子", "1")], {})


def test_a_log_in_another_encoding_is_refused_with_the_one_it_looks_like(tmp_path: Path) -> None:
    rows = "".join(f"红色的运动鞋 新款,{number},9,4\n" for number in range(9))
    (tmp_path / "log.csv").write_bytes(f"{HEADER}\n{rows}".encode("gb18030"))
    with pytest.raises(UsageError, match=r"not utf-8 in 9 of its first 10 lines.*encoding=gb18030"):
        texts(tmp_path, tmp_path / "log.csv")
