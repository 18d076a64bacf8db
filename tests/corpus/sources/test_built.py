"""Laws of corpora as sources: the records that were written come back."""

from pathlib import Path

import fsspec
import pytest
from tests.corpus.records import records
from tests.corpus.sources.reading import everything

from manyview.corpus import Corpus, write_corpus
from manyview.corpus.sources.built import CorpusConfig, CorpusSource
from manyview.errors import UsageError


def test_records_come_back_as_images_and_views(tmp_path: Path) -> None:
    splits = {"train": records(50), "test": records(9, "held")}
    write_corpus(tmp_path / "c", splits, name="c", max_shard_bytes=6_000)
    found = everything(CorpusSource(CorpusConfig(path=str(tmp_path / "c"))))
    read = {record.id: record for split in splits for record in Corpus.open(tmp_path / "c").records(split)}
    assert sorted(found.column("id")) == sorted(read)
    for row in found.images:
        record = read[row["id"]]
        assert (row["bytes"], row["group"], row["license"]) == (record.image, record.group, record.license)
        texts = [view for view in found.views if view["id"] == row["id"]]
        said = [(view["kind"], view["text"], view["lang"], view["weight"]) for view in texts]
        assert said == [(text.kind, text.text, text.lang, text.weight) for text in record.texts]
        assert all(view["origin"].startswith("data/t" if "/" in view["origin"] else "t") for view in texts)


def test_splits_prefixes_and_other_file_systems(tmp_path: Path) -> None:
    write_corpus(tmp_path / "c", {"train": records(5), "test": records(3, "held")}, name="c")
    memory = fsspec.filesystem("memory")
    for file in (tmp_path / "c").rglob("*.*"):
        memory.pipe(f"/built/{file.relative_to(tmp_path / 'c').as_posix()}", file.read_bytes())
    for path in (str(tmp_path / "c"), "memory://built"):
        found = everything(CorpusSource(CorpusConfig(path=path, splits=("test",), prefix="old/")))
        assert sorted(found.column("id")) == [f"old/held/{number}" for number in range(3)]
        assert {group[:4] for group in found.column("group")} == {"old/"}
        with pytest.raises(UsageError, match=r"no split 'val', only (train, test|test, train)"):
            CorpusSource(CorpusConfig(path=path, splits=("val",))).parts()
