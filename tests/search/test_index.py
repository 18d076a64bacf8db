import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.search.conftest import ColorEncoder, mixed_records, record_vector, records

from manyview.corpus import Corpus, Text
from manyview.errors import DataError, ManyviewError, UsageError
from manyview.search import Encoder, Index, run_index
from manyview.search.thumbnail import thumbnail

MakeCorpus = Callable[..., Corpus]


def test_an_index_holds_the_features_and_the_facts_of_every_record(
    model: Encoder, make_corpus: MakeCorpus, tmp_path: Path
) -> None:
    corpus = make_corpus()
    index = Index.build(model, corpus, tmp_path / "index")
    expected = np.stack([record_vector(model, record) for _, record in records(corpus)])
    assert index.features == pytest.approx(expected, abs=1e-6)
    assert isinstance(index.features, np.memmap)
    assert len(index) == sum(corpus.splits.values())
    for i, (split, record) in enumerate(records(corpus)):
        hit = index.search(expected[i], top=len(index))[0]
        assert hit.id.split("/")[1] == record.id.split("/")[1]
        assert hit.score == pytest.approx(1, abs=1e-6)
        assert (hit.source, hit.license, hit.attribution) == (
            record.source,
            record.license,
            record.attribution,
        )
        assert hit.thumbnail == thumbnail(record.image)
        assert dict(hit.titles) == {"en": f"a {record.group} picture", "zh": f"一张{record.group}图片"}
        assert hit.texts == (("tags", "", record.group),)
        assert split in corpus.splits


def test_search_is_the_loop_over_all_records(index: Index, model: Encoder, make_corpus: MakeCorpus) -> None:
    corpus = records(make_corpus("again"))
    query = model.encode_text(["red"])[0]
    scores = [float(record_vector(model, record) @ query) for _, record in corpus]
    order = sorted(range(len(scores)), key=lambda i: (-round(scores[i], 6), i))
    for top in (1, 5, len(scores), len(scores) + 7):
        hits = index.search(query, top)
        assert [hit.id for hit in hits] == [corpus[i][1].id for i in order[:top]]
        assert [hit.split for hit in hits] == [corpus[i][0] for i in order[:top]]
        assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
        assert [hit.score for hit in hits] == pytest.approx([scores[i] for i in order[:top]], abs=1e-6)


def test_a_record_of_texts_only_is_indexed_without_a_thumbnail_and_one_of_nothing_is_left_out_and_counted(
    model: Encoder, make_corpus: MakeCorpus, tmp_path: Path
) -> None:
    pictured = next(make_corpus().records("train"))
    texts_only = replace(pictured, id="texts", image=None)
    nothing = replace(pictured, id="nothing", image=None, texts=(Text("title", " "),))
    corpus = make_corpus("texts", test=[pictured, texts_only, nothing])
    index = Index.build(model, corpus, tmp_path / "index")
    assert index.card.skipped == {"neither a picture nor a text": 1}
    hits = {hit.id: hit for hit in index.search(model.encode_text(["red"])[0])}
    assert hits.keys() == {pictured.id, "texts"}
    assert hits["texts"].thumbnail == b""
    assert hits["texts"].views.keys() == {"title", "tags"}
    assert [hit.id for hit in index.search(model.encode_text(["red"])[0], by="image")] == [pictured.id]


def test_an_index_of_texts_only_has_no_picture_to_rank_by(
    model: Encoder, make_corpus: MakeCorpus, tmp_path: Path
) -> None:
    corpus = make_corpus("glossary", test=[replace(record, image=None) for record in mixed_records() if record.texts])
    index = Index.build(model, corpus, tmp_path / "index")
    assert "image" not in index.views
    assert len(index.search(model.encode_text(["red"])[0], 200)) == len(index) > 0
    with pytest.raises(UsageError, match="no record here has a view 'image', allowed: record, tags, title, caption"):
        index.search(model.encode_text(["red"])[0], by="image")


def test_many_records_keep_their_facts_across_row_groups(
    model: Encoder, make_corpus: MakeCorpus, tmp_path: Path
) -> None:
    one = next(make_corpus().records("train"))
    many = [replace(one, id=str(i)) for i in range(300)]
    index = Index.build(model, make_corpus("many", train=many), tmp_path / "many-index")
    assert pq.ParquetFile(index.folder / "metadata.parquet").num_row_groups > 1
    hits = index.search(model.encode_image([one.image])[0], top=300)
    expected = [record.id for record in make_corpus("same", train=many).records("train")]
    assert [hit.id for hit in hits] == expected


def test_only_the_named_splits_are_indexed(model: Encoder, make_corpus: MakeCorpus, tmp_path: Path) -> None:
    index = Index.build(model, make_corpus(), tmp_path / "index", ["test"])
    assert index.card.splits == {"test": 6}
    assert {hit.split for hit in index.search(model.encode_text(["red"])[0], 100)} == {"test"}
    with pytest.raises(UsageError, match=r"no split 'dev', allowed: train, test"):
        Index.build(model, make_corpus("b"), tmp_path / "other", ["dev"])


def test_progress_counts_to_the_number_of_records(model: Encoder, make_corpus: MakeCorpus, tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    Index.build(model, make_corpus(), tmp_path / "index", progress=lambda seen, total: heard.append((seen, total)))
    assert heard == sorted(heard)
    assert heard[-1] == (12, 12)


def test_undecodable_pictures_are_counted_and_many_are_an_error(
    model: Encoder, make_corpus: MakeCorpus, tmp_path: Path
) -> None:
    good = [record for _, record in records(make_corpus())]
    broken = replace(good[0], id="broken", image=good[0].image[:40])
    index = Index.build(model, make_corpus("few", train=[*good, broken]), tmp_path / "index")
    assert index.card.skipped == {"cannot be decoded": 1}
    assert len(index) == len(good)
    with pytest.raises(DataError, match="3 of 15 pictures"):
        Index.build(
            model,
            make_corpus("bad", train=[*good, *(replace(broken, id=str(i)) for i in range(3))]),
            tmp_path / "no",
        )
    assert not (tmp_path / "no").exists()


def test_a_build_that_fails_leaves_the_old_index_and_no_rubbish(
    index: Index, model: Encoder, make_corpus: MakeCorpus, tmp_path: Path
) -> None:
    class Diverged(ColorEncoder):
        def encode_image(self, images: Sequence[Any]) -> Any:
            return super().encode_image(images) * np.nan

    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(ManyviewError, match="not finite rows of length 1"):
        Index.build(Diverged(), Corpus.open(tmp_path / "corpus"), index.folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert len(Index.open(index.folder)) == len(index)


def test_a_new_build_takes_the_place_of_the_old_one(index: Index, model: Encoder, make_corpus: MakeCorpus) -> None:
    smaller = Index.build(model, make_corpus("small"), index.folder, ["train"])
    assert (len(index), len(smaller), len(Index.open(index.folder))) == (12, 6, 6)


def test_a_folder_that_is_no_index_is_neither_opened_nor_overwritten(
    model: Encoder, make_corpus: MakeCorpus, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="no index at"):
        Index.open(mine)
    with pytest.raises(UsageError, match="is not an index"):
        Index.build(model, make_corpus(), mine)
    assert (mine / "thesis.txt").read_text() == "years of work"


def spoil_card(folder: Path) -> None:
    (folder / "index.json").write_text("{")


def spoil_count(folder: Path) -> None:
    card = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps({**card, "rows": 3}))


def spoil_features(folder: Path) -> None:
    content = (folder / "features.npy").read_bytes()
    (folder / "features.npy").write_bytes(content[:-8])


def spoil_metadata(folder: Path) -> None:
    (folder / "metadata.parquet").write_bytes(b"PAR1")


def spoil_rows(folder: Path) -> None:
    (folder / "rows.npy").unlink()


def spoil_view(folder: Path) -> None:
    np.save(folder / "view-1.npy", np.ones((2, 4), np.float32))


def first_format(folder: Path) -> None:
    """What index.json said before records were indexed."""
    (folder / "index.json").write_text(json.dumps({"format": 1, "rows": 12, "dim": 4, "splits": {"test": 12}}))


@pytest.mark.parametrize(
    "spoil", [spoil_card, spoil_count, spoil_features, spoil_metadata, spoil_rows, spoil_view, first_format]
)
def test_a_damaged_index_is_a_data_error_that_names_the_file(
    index: Index, model: Encoder, spoil: Callable[[Path], None]
) -> None:
    spoil(index.folder)
    with pytest.raises(DataError, match=rf"{index.folder}/[\w.-]+ .*build the index again"):
        Index.open(index.folder).search(model.encode_text(["red"])[0])


@pytest.mark.parametrize(("query", "top", "said"), [(np.ones(3), 1, "another model"), (np.ones(4), 0, "top is 0")])
def test_a_query_that_does_not_fit_is_refused(index: Index, query: np.ndarray, top: int, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        index.search(query, top)


def test_a_run_keeps_its_index_until_model_corpus_or_splits_change(
    model: Encoder, make_corpus: MakeCorpus, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    (run / "model").mkdir(parents=True)
    (run / "model" / "model.safetensors").write_bytes(b"first weights")
    corpus = make_corpus()

    def made(corpus: Corpus, splits: list[str] | None = None) -> int:
        return (run_index(run, model, corpus, splits).folder / "index.json").stat().st_mtime_ns

    first = made(corpus)
    moved = (tmp_path / "corpus").rename(tmp_path / "elsewhere")
    assert made(Corpus.open(moved)) == first
    (run / "model" / "model.safetensors").write_bytes(b"other weights")
    second = made(Corpus.open(moved))
    assert second != first
    third = made(Corpus.open(moved), ["test"])
    assert third != second
    changed = [replace(record, source="elsewhere") for _, record in records(Corpus.open(moved))]
    fourth = made(make_corpus("changed", test=changed))
    assert fourth != third
    for spoil in (spoil_card, spoil_metadata, spoil_rows, spoil_view, first_format):
        spoil(run / "index")
        with pytest.warns(UserWarning, match=rf"{run}/index/.*: the index is built again"):
            fifth = made(make_corpus(spoil.__name__, test=changed))
        assert fifth != fourth
        fourth = fifth


def test_the_folder_of_a_model_keeps_an_index_like_a_run(
    model: Encoder, make_corpus: MakeCorpus, tmp_path: Path
) -> None:
    folder, corpus = tmp_path / "model", make_corpus()
    folder.mkdir()
    made = []
    for weights in (b"first", b"first", b"other"):
        (folder / "model.safetensors").write_bytes(weights)
        index = run_index(folder, model, corpus)
        assert Path(index.card.model.path) == folder.resolve()
        made.append((index.folder / "index.json").stat().st_mtime_ns)
    assert made[0] == made[1] != made[2]
