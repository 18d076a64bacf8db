"""What benchmarks/clicks.py measures manyview against: the same views by group-by and merge in pandas."""

from pathlib import Path

import pandas as pd

_PRIOR, _TOP, _MIN_CLICKS = 2.0, 10, 2


def at_once(folder: Path) -> int:
    log = pd.read_parquet(folder / "log")
    counts, written = sums(log)
    del log
    return beside_images(folder, views_of(counts, written))


def file_by_file(folder: Path) -> int:
    parts = [sums(pd.read_parquet(file)) for file in sorted((folder / "log").iterdir())]
    counts = pd.concat([counts for counts, _ in parts]).groupby(["query", "id", "position"], as_index=False).sum()
    written = pd.concat([written for _, written in parts]).groupby(["query", "surface"], as_index=False).sum()
    del parts
    return beside_images(folder, views_of(counts, written))


def sums(log: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Counts by query, image and position; and by query and how it was written."""
    codes, uniques = pd.factorize(log["query"])
    raw = pd.Series(uniques)
    tidy = raw.str.normalize("NFC").str.replace(r"\s+", " ", regex=True).str.strip()
    key = tidy.str.normalize("NFKC").str.casefold()
    log["query"], log["surface"] = key.astype("category").array[codes], tidy.astype("category").array[codes]
    grouped = log.groupby(["query", "id", "position"], observed=True, as_index=False)
    counts = grouped[["impressions", "clicks"]].sum()
    written = log.groupby(["query", "surface"], observed=True, as_index=False)["impressions"].sum()
    counts["query"] = counts["query"].astype(str)
    return counts, written.astype({"query": str, "surface": str})


def views_of(counts: pd.DataFrame, written: pd.DataFrame) -> pd.DataFrame:
    totals = counts.groupby("position")[["impressions", "clicks"]].sum()
    mean = totals["clicks"].sum() / totals["impressions"].sum()
    rate = (totals["clicks"] + 10 * mean) / (totals["impressions"] + 10)
    rate *= totals["clicks"].sum() / (rate * totals["impressions"]).sum()
    counts["expected"] = counts["impressions"] * counts["position"].map(rate)
    pairs = counts.groupby(["query", "id"], as_index=False)[["impressions", "clicks", "expected"]].sum()
    of_query = pairs.groupby("query")["clicks"].transform("sum")
    images = (pairs["clicks"] > 0).groupby(pairs["query"]).transform("sum")
    pairs = pairs[(of_query >= 3) & (images <= 1000) & (pairs["clicks"] >= _MIN_CLICKS)].copy()
    rho = (pairs["clicks"] + _PRIOR) / (pairs["expected"] + _PRIOR)
    pairs["weight"] = (rho / (1 + rho)).astype("float32")
    best = written.sort_values(["query", "impressions", "surface"], ascending=[True, False, True])
    pairs["text"] = pairs["query"].map(best.drop_duplicates("query").set_index("query")["surface"])
    pairs = pairs.sort_values(["id", "weight", "text"], ascending=[True, False, True])
    return pairs.groupby("id").head(_TOP)[["id", "text", "weight"]]


def beside_images(folder: Path, views: pd.DataFrame) -> int:
    lists = views.groupby("id").agg(text=("text", list), weight=("weight", list)).reset_index()
    images = pd.read_parquet(folder / "images.parquet").merge(lists, on="id", how="left").sort_values("id")
    images.to_parquet(folder / "pandas.parquet", compression="zstd")
    return int(images["text"].str.len().sum())
