from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from manyview.corpus import Corpus, Text
from manyview.errors import UsageError
from manyview.evaluate import comparison, encode_split, evaluate, mean_comparison, rank_split, results_tree
from manyview.evaluate.queries import QUERY_KINDS

from .conftest import ColorModel, number_in, thing

Build = Callable[..., Corpus]


def test_a_model_that_knows_finds_everything_and_a_constant_one_nothing(corpus_of: Build) -> None:
    corpus = corpus_of(test=[thing(number) for number in range(40)])
    knowing = evaluate(ColorModel(number_in), corpus).to_dict()
    assert set(knowing) == {"colors"}
    assert set(knowing["colors"]) == {"title", "all", "title.zh", "all.zh"}
    for kind in knowing["colors"].values():
        for measures in kind.values():
            assert (measures["r1"], measures["r5"], measures["r10"]) == (100.0, 100.0, 100.0)
            assert (measures["median_rank"], measures["queries"], measures["gallery"]) == (1.0, 40, 40)
            assert (measures["r10_low"], measures["r10_high"]) == (100.0, 100.0)
            assert measures["chance_r10"] == pytest.approx(25.0)
    constant = evaluate(ColorModel(lambda text: "same"), corpus, kinds=["title"], languages=[]).to_dict()
    assert constant["colors"]["title"]["i2t"]["r10"] == 0.0


def test_recalls_of_a_noisy_model_equal_those_by_loops_in_both_directions(corpus_of: Build) -> None:
    records = [thing(number) for number in range(60)]
    corpus = corpus_of(test=records)
    model = ColorModel(number_in, noise=2.0)
    cells = evaluate(model, corpus, kinds=["title"], languages=[]).cells
    texts = model.encode_text([record.texts[0].text for record in records]).numpy()
    images = model.encode_image([record.image for record in records]).numpy()
    scores = texts @ images.T
    for direction, matrix in (("t2i", scores), ("i2t", scores.T)):
        cell = cells["colors", "title", direction]
        names = [r.texts[0].text for r in records] if direction == "t2i" else [r.id for r in records]
        expected = {name: int(np.sum(matrix[row] > matrix[row, row])) for row, name in enumerate(names)}
        assert dict(zip(cell.names, cell.ranks.tolist(), strict=True)) == expected
        assert 0 < np.mean(cell.ranks) < 59


@pytest.mark.parametrize(
    ("kind", "lang", "name"),
    [
        ("caption", "de", "caption.de"),
        ("caption", "zh-Hans", "caption.zh"),
        ("query", "", "query"),
        ("note", "th", "note.th"),
    ],
)
def test_several_texts_an_image_are_asked_each_in_any_language_and_of_any_kind(
    corpus_of: Build, kind: str, lang: str, name: str
) -> None:
    """By loops: a text is found at the best rank of the images of any record that carries it."""
    said = [[f"text {number} {i}" for i in range(5)] + [f"shared {number // 10}"] for number in range(40)]
    records = [
        replace(thing(number), texts=tuple(Text(kind, text, lang) for text in said[number])) for number in range(40)
    ]
    model = ColorModel(lambda text: number_in(text.rsplit(maxsplit=1)[0] if text.startswith("text") else text), noise=2)
    results = evaluate(model, corpus_of(test=records))
    distinct = list(dict.fromkeys(text for texts in said for text in texts))
    scores = model.encode_text(distinct).numpy() @ model.encode_image([record.image for record in records]).numpy().T
    asked = results.cells["colors", name, "t2i"]
    assert asked.gallery == 40
    right = [[number for number in range(40) if text in said[number]] for text in distinct]
    expected = {
        text: min(int(np.sum(scores[row] > scores[row, image])) for image in right[row])
        for row, text in enumerate(distinct)
    }
    assert dict(zip(asked.names, asked.ranks.tolist(), strict=True)) == expected
    back = results.cells["colors", name, "i2t"]
    expected = {
        record.id: min(
            int(np.sum(scores[:, number] > scores[row, number])) for row in range(len(distinct)) if number in right[row]
        )
        for number, record in enumerate(records)
    }
    assert dict(zip(back.names, back.ranks.tolist(), strict=True)) == expected


def test_what_is_asked_by_default_and_what_else_there_is_do_not_change_one_another(corpus_of: Build) -> None:
    """The cells of kinds and languages named one by one are those among all others."""
    records = [thing(number, tags=[f"tag {number % 7}"]) for number in range(40)]
    records = [replace(r, texts=(*r.texts, Text("note", f"n {i}", "de"))) for i, r in enumerate(records)]
    corpus, model = corpus_of(test=records), ColorModel(number_in, noise=2.0)
    named = evaluate(model, corpus, kinds=QUERY_KINDS, languages=["zh"]).to_dict()["colors"]
    everything = evaluate(model, corpus).to_dict()["colors"]
    assert {"note.de", "title+tags", "title.zh"} <= everything.keys()
    assert everything | named == everything


def test_images_and_texts_are_encoded_once(corpus_of: Build) -> None:
    corpus = corpus_of(test=[thing(number, group=f"g{number // 2}", tags=["a"]) for number in range(30)])
    model = ColorModel(lambda text: text)
    evaluate(model, corpus, batch_size=2)
    assert model.seen_images == 30
    assert len(model.seen_texts) == len(set(model.seen_texts))


def test_any_image_of_a_concept_is_right_in_the_gallery_of_every_image(corpus_of: Build) -> None:
    records = [thing(number, group=f"group-{number // 3}") for number in range(45)]
    one_title = [
        replace(record, texts=(Text("title", f"concept {number // 3}"),)) for number, record in enumerate(records)
    ]
    third_of_each = ColorModel(lambda text: 3 * number_in(text) + 2)
    tree = evaluate(third_of_each, corpus_of(test=one_title), kinds=["title"], languages=[]).to_dict()
    every = tree["colors, every image"]["title"]
    assert (every["t2i"]["queries"], every["t2i"]["gallery"], every["t2i"]["r1"]) == (15, 45, 100.0)
    assert (every["i2t"]["queries"], every["i2t"]["gallery"]) == (45, 15)
    assert tree["colors"]["title"]["t2i"]["gallery"] == 15
    assert tree["colors"]["title"]["t2i"]["r1"] < 100.0


def test_sources_are_judged_apart_and_small_ones_left_out(corpus_of: Build) -> None:
    records = [thing(number, source="big" if number < 20 else "small") for number in range(25)]
    results = evaluate(ColorModel(number_in), corpus_of(test=records), kinds=["title"], languages=[])
    assert {key[0] for key in results.cells} == {"big"}
    assert results.left_out == {("small", "title", "t2i"): 5, ("small", "title", "i2t"): 5}
    assert results.cells["big", "title", "t2i"].gallery == 20


def test_a_split_without_such_texts_is_refused_with_what_it_has(corpus_of: Build) -> None:
    corpus = corpus_of(test=[thing(number) for number in range(20)])
    with pytest.raises(UsageError, match=r"no text of the kinds \['caption'\].*'title': \['en', 'zh'\]"):
        evaluate(ColorModel(number_in), corpus, kinds=["caption"], languages=[])
    with pytest.raises(UsageError, match=r"no source has 21 held-out queries.*the most are 20"):
        evaluate(ColorModel(number_in), corpus, min_queries=21)


def test_several_seeds_are_averaged(corpus_of: Build) -> None:
    corpus = corpus_of(test=[thing(number) for number in range(60)])
    seeds = [evaluate(ColorModel(number_in, noise=3.0, seed=seed), corpus) for seed in range(3)]
    together = results_tree(seeds)["colors"]["title"]["t2i"]
    alone = [one.to_dict()["colors"]["title"]["t2i"] for one in seeds]
    for name in ("r1", "r5", "r10"):
        assert together[name] == pytest.approx(np.mean([one[name] for one in alone]))
    assert together["r10_low"] < together["r10"] < together["r10_high"]
    assert together["queries"] == 60


def test_a_comparison_has_the_recalls_of_both_and_their_difference(corpus_of: Build) -> None:
    corpus = corpus_of(test=[thing(number) for number in range(80)])
    worse = [evaluate(ColorModel(number_in, noise=5.0, seed=seed), corpus) for seed in range(2)]
    better = [evaluate(ColorModel(number_in, noise=1.5, seed=seed), corpus) for seed in range(2)]
    before, after = results_tree(worse), results_tree(better)
    rows = comparison(worse, better)
    assert {(row["query_kind"], row["direction"]) for row in rows} == {
        (kind, direction) for kind in before["colors"] for direction in ("t2i", "i2t")
    }
    for row in rows:
        baseline = before["colors"][row["query_kind"]][row["direction"]]["r10"]
        candidate = after["colors"][row["query_kind"]][row["direction"]]["r10"]
        assert (row["baseline"], row["candidate"]) == pytest.approx((baseline, candidate))
        assert row["difference"] == pytest.approx(candidate - baseline)
        assert row["low"] > 0
        assert row["relative"] == pytest.approx(100 * (candidate / baseline - 1))
    same = comparison(worse, worse)
    assert all(row["low"] == row["high"] == 0.0 for row in same)


def test_the_mean_of_sources_counts_each_source_once(corpus_of: Build) -> None:
    records = [thing(number, source="big" if number < 60 else "small") for number in range(80)]
    corpus = corpus_of(test=records)
    worse, better = (evaluate(ColorModel(number_in, noise=noise), corpus) for noise in (5.0, 2.0))
    single = comparison([worse], [better])
    for row in mean_comparison([worse], [better]):
        parts = [
            one for one in single if (one["query_kind"], one["direction"]) == (row["query_kind"], row["direction"])
        ]
        assert len(parts) == 2
        for name in ("baseline", "candidate", "difference"):
            assert row[name] == pytest.approx(np.mean([one[name] for one in parts]))
        widths = [one["high"] - one["low"] for one in parts]
        assert row["high"] - row["low"] == pytest.approx(np.hypot(*widths) / 2, rel=0.25)


def test_a_kind_that_one_source_has_alone_has_no_mean(corpus_of: Build) -> None:
    records = [
        thing(number, source="plain" if number < 20 else "tagged", tags=[] if number < 20 else [f"tag {number}"])
        for number in range(40)
    ]
    results = [evaluate(ColorModel(number_in), corpus_of(test=records))]
    kinds = {row["query_kind"] for row in mean_comparison(results, results)}
    assert {"title", "all"} <= kinds
    assert {"tags", "title+tags"} <= {kind for _, kind, _ in results[0].cells}
    assert not {"tags", "title+tags"} & kinds


def test_results_over_different_queries_are_not_compared(corpus_of: Build) -> None:
    corpus = corpus_of(test=[thing(number) for number in range(20)], other=[thing(number) for number in range(20, 40)])
    one, other = (evaluate(ColorModel(number_in), corpus, split) for split in ("test", "other"))
    with pytest.raises(UsageError, match="different queries"):
        comparison([one], [other])
    with pytest.raises(UsageError, match="no retrieval results"):
        comparison([], [])


def test_cells_do_not_depend_on_which_other_kinds_are_asked(corpus_of: Build) -> None:
    corpus = corpus_of(test=[thing(number) for number in range(30)])
    model = ColorModel(number_in, noise=3.0)
    alone = evaluate(model, corpus, kinds=["title"], languages=[]).to_dict()["colors"]["title"]
    among = rank_split(encode_split(model, corpus)).to_dict()["colors"]["title"]
    assert alone == among
