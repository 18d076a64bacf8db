"""Laws of record retrieval: ranks are those of encode_record, controls are what they say, keys are today's and mrr."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from manyview import DualEncoder
from manyview.corpus import Corpus, Record, Text
from manyview.distributed import ALONE
from manyview.errors import UsageError
from manyview.evaluate import (
    RecordResults,
    comparison,
    encode_split,
    evaluate,
    evaluate_records,
    figures,
    mean_comparison,
    with_records,
)
from manyview.model import ModelConfig, RecordConfig, TextTowerConfig

from .conftest import ColorModel, number_in, picture, thing

Build = Callable[..., Corpus]
WORDS = ["red", "dog", "tree", "house", "night", "sea", "bird", "fish", "sun", "car"]


def described(number: int) -> Record:
    texts = (
        Text("title", f"{WORDS[number % 10]} {WORDS[number // 10]} title{number}", "en"),
        Text("title", f"titel{number}", "de"),
        Text("tags", WORDS[number // 10], "en"),
        Text("tags", f"tag{number}", "en"),
        Text("tags", f"title{number}", "en"),
        Text("note", f"{WORDS[(number + 3) % 10]} note{number}", "en"),
    )
    return Record(f"id-{number:03}", f"g-{number}", picture(number), texts, "colors")


def small(record: RecordConfig = RecordConfig()) -> DualEncoder:  # noqa: B008
    torch.manual_seed(0)
    text = TextTowerConfig(options={"buckets": 2000, "width": 16})
    return DualEncoder(ModelConfig(embed_dim=24, text=text, record=record)).eval()


def ranks_by_loops(queries: torch.Tensor, keys: torch.Tensor) -> list[int]:
    scores = (queries @ keys.T).double().numpy()
    return [int(np.sum(row >= row[i] - 1e-6)) - 1 for i, row in enumerate(scores)]


@pytest.mark.parametrize("weights", [{}, {"title": 2.0, "image": 0.5, "note": 0.0}])
def test_ranks_are_those_of_the_vectors_of_records_without_the_kind_that_asks(
    corpus_of: Build, weights: dict[str, float]
) -> None:
    records = [described(number) for number in range(40)]
    config = RecordConfig(weights=weights, templates={"tags": "The picture contains {text}."}, langs=("en",))
    model = small(config)
    cells = evaluate_records(model, corpus_of(test=records)).cells
    for kind, query in (("title", 0), ("note", -1)):
        rest = [replace(r, texts=tuple(t for t in r.texts if t.kind != kind)) for r in records]
        queries = model.encode_text([record.texts[query].text for record in records])
        expected = {
            "record": model.encode_record(rest),
            "text": model.encode_record(rest, weights | {"image": 0.0}),
            "image": model.encode_image([record.image for record in records]),
        }
        for answer, keys in expected.items():
            cell = cells["colors", kind, answer]
            ranks = dict(zip(cell.names, cell.ranks.tolist(), strict=True))
            assert [ranks[r.texts[query].text] for r in records] == ranks_by_loops(queries, keys), (kind, answer)


def test_words_find_what_shares_them_and_nothing_by_new_words(corpus_of: Build) -> None:
    records = [described(number) for number in range(60)]
    results = evaluate_records(small(), corpus_of(test=records)).to_dict()["colors"]
    assert results["tags"]["bm25"]["r1"] == 100.0
    assert results["tags"]["bm25+record"]["mrr"] > results["tags"]["record"]["mrr"]
    new = results["tags, new words"]
    assert (new["bm25"]["r10"], new["bm25"]["median_rank"]) == (0.0, 60.0)
    assert new["bm25"]["queries"] == 60


def test_a_model_that_knows_finds_every_record_and_a_constant_one_none(corpus_of: Build) -> None:
    corpus = corpus_of(test=[thing(number, tags=[f"tag {number}"]) for number in range(40)])
    knowing = evaluate_records(ColorModel(number_in), corpus).to_dict()["colors"]
    assert {kind: of["record"]["r1"] for kind, of in knowing.items()} == dict.fromkeys(knowing, 100.0)
    assert {of["record"]["mrr"] for of in knowing.values()} == {1.0}
    constant = evaluate_records(ColorModel(lambda text: "same"), corpus, kinds=["title"]).to_dict()["colors"]["title"]
    assert constant["text"]["r10"] == 0.0


def test_records_have_the_keys_of_pictures_and_mrr(corpus_of: Build) -> None:
    corpus = corpus_of(test=[thing(number, tags=[f"tag {number}"]) for number in range(20)])
    model = ColorModel(number_in, noise=2.0)
    pictures, records = evaluate(model, corpus).to_dict(), evaluate_records(model, corpus).to_dict()
    both = with_records(pictures, records)
    assert {source: kinds for source, kinds in both.items() if source != "records"} == pictures
    for answers in both["records"]["colors"].values():
        assert set(answers) == {"record", "text", "image", "bm25", "bm25+record"}
        for measured in answers.values():
            assert set(measured) == {*pictures["colors"]["title"]["t2i"], "mrr"}
    cell = evaluate_records(model, corpus).cells["colors", "title", "record"]
    assert records["colors"]["title"]["record"]["mrr"] == pytest.approx(np.mean(1 / (1 + cell.ranks)))


def test_a_source_called_records_keeps_its_pictures() -> None:
    assert with_records({"records": {"title": {}}}, {"records": {"tags": {}}}) == {
        "records": {"title": {}, "records": {"tags": {}}}
    }


def test_pictures_that_are_encoded_already_are_not_encoded_again(corpus_of: Build) -> None:
    records = [thing(n, group=f"g{n // 2}", tags=[f"tag {n}"]) for n in range(40)]
    corpus = corpus_of(test=records)
    model = ColorModel(number_in, noise=2.0)
    encoded = encode_split(model, corpus)
    seen = model.seen_images
    among = evaluate_records(model, corpus, encoded=encoded).to_dict()
    assert model.seen_images == seen
    assert among == evaluate_records(model, corpus).to_dict()
    assert model.seen_images == seen + 20  # one a concept


def test_two_models_are_compared_over_the_same_queries_whatever_languages_they_were_trained_in(
    corpus_of: Build,
) -> None:
    records = [thing(n, tags=[f"tag {n}"], source="a" if n < 30 else "b") for n in range(60)]
    corpus = corpus_of(test=records)
    worse = evaluate_records(ColorModel(number_in, noise=6.0), corpus, record=RecordConfig(langs=("en",)))
    better = evaluate_records(ColorModel(number_in, noise=1.0), corpus, record=RecordConfig(langs=("zh",)))
    before, after = worse.to_dict(), better.to_dict()
    for row in comparison([worse], [better]):
        cells = [tree[row["source"]][row["query_kind"]][row["direction"]]["r10"] for tree in (before, after)]
        assert [row["baseline"], row["candidate"]] == pytest.approx(cells)
        assert row["difference"] == pytest.approx(cells[1] - cells[0])
    means = {(row["query_kind"], row["direction"]) for row in mean_comparison([worse], [better])}
    assert ("tags", "record") in means


def test_a_split_of_one_kind_of_text_has_no_record_task_and_says_so(corpus_of: Build) -> None:
    records = [replace(thing(n), texts=thing(n).texts[:1]) for n in range(20)]
    corpus = corpus_of(test=records)
    found = evaluate_records(ColorModel(number_in), corpus)
    assert found.to_dict() == {}
    assert found.no_task == ("no record task: the texts of the split are of one kind (title), the one that asks")
    assert evaluate(ColorModel(number_in), corpus).to_dict()["colors"]["title"]["t2i"]["r1"] == 100.0


def test_records_of_one_title_stand_for_one_and_the_sentence_says_why_nothing_is_asked(corpus_of: Build) -> None:
    texts = [(Text("title", "thing", "en"), Text("tags", f"tag {n}", "en")) for n in range(20)]
    corpus = corpus_of(test=[replace(thing(n), texts=texts[n]) for n in range(20)])
    found = evaluate_records(ColorModel(lambda text: text), corpus)
    assert found.no_task == (
        "no record task: no source has 10 queries of one kind, the most are 1 (records with one title, or of one "
        "group, count once)"
    )


def test_without_controls_the_records_alone_answer_and_alike(corpus_of: Build) -> None:
    corpus = corpus_of(test=[thing(number, tags=[f"tag {number}"]) for number in range(20)])
    model = ColorModel(number_in, noise=3.0)
    whole, alone = (evaluate_records(model, corpus, controls=controls) for controls in (True, False))
    assert {answer for _, _, answer in alone.cells} == {"record"}
    for key, cell in alone.cells.items():
        assert cell.ranks.tolist() == whole.cells[key].ranks.tolist()


def test_records_without_a_picture_stand_among_records_and_not_among_pictures(corpus_of: Build) -> None:
    records = [thing(n, tags=[f"tag {n}"]) for n in range(30)]
    records = [replace(r, image=None) if n % 3 == 0 else r for n, r in enumerate(records)]
    corpus, model = corpus_of(test=records), ColorModel(number_in)
    pictures = evaluate(model, corpus).to_dict()["colors"]["title"]
    assert (pictures["t2i"]["gallery"], pictures["t2i"]["r1"], pictures["i2t"]["r1"]) == (20, 100.0, 100.0)
    whole = evaluate_records(model, corpus)
    title = whole.to_dict()["colors"]["title"]
    assert (title["record"]["gallery"], title["record"]["r1"], title["text"]["r1"]) == (30, 100.0, 100.0)
    found = dict(zip(whole.cells["colors", "title", "image"].names, title_ranks(whole, "image"), strict=True))
    assert {n for n in range(30) if found[f"thing {n}"] == 29} == set(range(0, 30, 3))
    again = evaluate_records(model, corpus, encoded=encode_split(model, corpus)).to_dict()
    assert again == whole.to_dict()


def title_ranks(results: RecordResults, answer: str) -> list[int]:
    return results.cells["colors", "title", answer].ranks.tolist()


def test_a_split_without_any_picture_has_no_picture_task_but_record_tasks(corpus_of: Build) -> None:
    corpus = corpus_of(test=[replace(thing(n, tags=[f"tag {n}"]), image=None) for n in range(20)])
    with pytest.raises(UsageError, match="no record of the split 'test' has a picture"):
        evaluate(ColorModel(number_in), corpus)
    assert evaluate_records(ColorModel(number_in), corpus).to_dict()["colors"]["tags"]["record"]["r1"] == 100.0
    found = figures(ColorModel(number_in), {"one": corpus}, "test", ALONE, "records")
    assert found["colors/records/tags/r10"] == 100.0
    assert not any(name in found for name in ("colors/title/r10", "colors/all/r10"))
