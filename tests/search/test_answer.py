from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from tests.search.conftest import ColorEncoder, color_records, mixed_records

from manyview.corpus import Corpus
from manyview.errors import UsageError
from manyview.search import Index, answer


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "run" / "model").mkdir(parents=True)
    return tmp_path / "run"


def trained_on(run: Path, *corpora: Corpus) -> None:
    names = {str(corpus.folder): 1.0 for corpus in corpora}
    (run / "config.yaml").write_text(yaml.safe_dump({"corpus": names}))


def test_a_run_on_pictures_and_a_glossary_is_searched_in_its_pictures(
    run: Path, make_corpus: Callable[..., Corpus]
) -> None:
    pictures = make_corpus("pictures", train=color_records("train"))
    glossary = make_corpus("glossary", train=[replace(record, image=None) for record in color_records("words")])
    trained_on(run, glossary, pictures)
    found = answer(lambda folder: ColorEncoder(), run, text="red", top=100)
    assert {hit.id for hit in found.hits} == {record.id for record in pictures.records("train")}
    trained_on(run, glossary)
    found = answer(lambda folder: ColorEncoder(), run, text="red", top=100)
    assert {hit.id for hit in found.hits} == {record.id for record in glossary.records("train")}


def test_a_run_on_several_corpora_of_pictures_asks_which_one(run: Path, make_corpus: Callable[..., Corpus]) -> None:
    corpora = [make_corpus(name, train=color_records(name)) for name in ("a", "b")]
    trained_on(run, *corpora)
    with pytest.raises(UsageError, match=f"several corpora: name one with --corpus, of {corpora[0].folder}, "):
        answer(lambda folder: ColorEncoder(), run, text="red")
    found = answer(lambda folder: ColorEncoder(), run, text="red", corpus=str(corpora[1].folder))
    assert found.hits[0].id == "b/red"


def test_a_table_marks_the_view_that_is_most_like_the_query(run: Path, mixed: Corpus) -> None:
    trained_on(run, mixed)
    found = answer(lambda folder: ColorEncoder(), run, text="red", top=5, weights={"title": 2.0})
    table = found.table()
    views = [str(column.header) for column in table.columns][2:-2]
    assert set(views) == {name for hit in found.hits for name in hit.views}
    for row, hit in enumerate(found.hits):
        cells = {column.header: list(column.cells)[row] for column in table.columns}
        bold = {name for name in views if "bold" in str(cells[name].style)}
        assert bold == {name for name, score in hit.views.items() if score == max(hit.views.values())}
        assert {name for name in views if str(cells[name])} == hit.views.keys()
    assert found.as_json()["weights"] == {"image": 1.0, "tags": 1.0, "title": 2.0, "caption": 1.0}


def test_records_of_nothing_but_pictures_are_searched_by_them(run: Path, make_corpus: Callable[..., Corpus]) -> None:
    bare = [replace(record, texts=()) for record in mixed_records() if record.image]
    trained_on(run, make_corpus("bare", train=bare))
    found = answer(lambda folder: ColorEncoder(), run, text="red")
    assert all(hit.score == pytest.approx(hit.views["image"], abs=1e-6) for hit in found.hits)


def test_an_index_of_another_model_is_refused(run: Path, mixed: Corpus, tmp_path: Path) -> None:
    model = ColorEncoder()
    (run / "model" / "model.safetensors").write_bytes(b"first weights")
    index = Index.build(model, mixed, tmp_path / "index", model_folder=run / "model")
    assert answer(lambda folder: model, index.folder, text="red").model == run / "model"
    (run / "model" / "model.safetensors").write_bytes(b"other weights")
    with pytest.raises(UsageError, match=f"{index.folder} was built with another model"):
        answer(lambda folder: model, index.folder, text="red")
    Index.build(model, mixed, tmp_path / "nameless")
    with pytest.raises(UsageError, match="does not say which model it was built with"):
        answer(lambda folder: model, tmp_path / "nameless", text="red")
