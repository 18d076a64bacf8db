"""Laws of batches: a pure function of (seed, step), by any number of workers, missing things masked."""

import pickle
from collections import Counter
from dataclasses import replace

import pytest
import torch
from tests.data.conftest import RECORDS, picture, record

from manyview.config import load_config
from manyview.corpus import Corpus, Record, Shard, Text, write_corpus
from manyview.corpus import corpus as corpus_module
from manyview.corpus.fingerprint import text_identity
from manyview.data import BatchSource, ImageView, TextView, ViewsConfig, iterate
from manyview.data.contact_sheet import render_sheet, sheet_rows
from manyview.errors import DataError, UsageError
from manyview.model.ngrams import NgramTokenizer

VIEWS = ViewsConfig(
    images={"image": ImageView(augment="none"), "image.2": ImageView(augment="official")},
    texts={
        "title": TextView(kinds=("title",)),
        "tags": TextView(kinds=("tags",), langs=("en",)),
        "description": TextView(kinds=("description",)),
    },
)


def source(corpus: Corpus, views: ViewsConfig = VIEWS, **other) -> BatchSource:
    settings = {"size": 16, "batch_size": 8, "seed": 0, "window": 2, **other}
    return BatchSource([corpus], "train", views, NgramTokenizer(1_000), **settings)


def equal(a, b):
    assert (a.ids, a.texts, a.epoch, a.problems) == (b.ids, b.texts, b.epoch, b.problems)
    for name in VIEWS.images:
        torch.testing.assert_close(a.images[name], b.images[name], atol=0, rtol=0)
    for name in VIEWS.names:
        torch.testing.assert_close(a.present[name], b.present[name])
        torch.testing.assert_close(a.identities[name], b.identities[name])


@pytest.mark.parametrize(("workers", "exponent"), [(0, 1.0), (1, 0.5), (3, 1.0)])
def test_batches_do_not_depend_on_workers_or_on_where_one_starts(corpus, workers, exponent):
    whole = [source(corpus, source_exponent=exponent)[step] for step in range(7)]
    batches = iterate(source(corpus, source_exponent=exponent), 2, 7, workers)
    for step, batch in zip(range(2, 7), batches, strict=True):
        equal(batch, whole[step])


def views_by_record(batches: BatchSource, epoch: int) -> dict[str, tuple[str | None, ...]]:
    """The texts of each record in an epoch of the 40 records."""
    steps = [batches[step] for step in range(5 * epoch, 5 * epoch + 5)]
    return {
        name: tuple(batch.texts[view][i] for view in batch.texts) for batch in steps for i, name in enumerate(batch.ids)
    }


def test_renderings_come_again_after_so_many_epochs_and_with_every_seed(corpus):
    views = VIEWS.model_copy(update={"renderings": 3})
    drawn = [views_by_record(source(corpus, views), epoch) for epoch in range(5)]
    assert drawn[0] == drawn[3]
    assert drawn[1] == drawn[4]
    assert drawn[0] != drawn[1] != drawn[2] != drawn[0]
    other = source(corpus, views, seed=1)
    assert other[0].ids != source(corpus, views)[0].ids
    assert views_by_record(other, 1) == drawn[1]
    assert views_by_record(source(corpus), 3) != views_by_record(source(corpus), 0), "without, each epoch draws anew"


def test_renderings_of_a_block_are_what_its_records_show(corpus):
    batches = source(corpus, VIEWS.model_copy(update={"renderings": 2}))
    shown = {text for epoch in range(2) for texts in views_by_record(batches, epoch).values() for text in texts if text}
    assert {text for block in range(len(batches.blocks)) for text, _ in batches.renderings(block)} == shown


@pytest.mark.parametrize("exponent", [1.0, 0.5])
def test_a_source_of_batches_travels_to_other_processes_without_what_it_has_read(corpus, exponent):
    batches = source(corpus, source_exponent=exponent)
    unread = len(pickle.dumps(batches))
    batch = batches[3]
    sent = pickle.dumps(batches)
    assert len(sent) < unread + 1000 < 10_000  # a block is much more
    equal(pickle.loads(sent)[3], batch)


def test_every_record_comes_once_an_epoch(corpus):
    ids = [name for step in range(5) for name in source(corpus)[step].ids]
    assert sorted(ids) == sorted(f"record/{i}" for i in range(40))


def test_a_record_looks_the_same_wherever_it_stands_in_its_epoch(corpus):
    def by_id(batch_size):
        batches = [source(corpus, batch_size=batch_size)[step] for step in range(40 // batch_size)]
        return {name: (b.images["image.2"][i], b.texts["tags"][i]) for b in batches for i, name in enumerate(b.ids)}

    small, large = by_id(4), by_id(20)
    for name, (image, tags) in small.items():
        torch.testing.assert_close(image, large[name][0], atol=0, rtol=0)
        assert tags == large[name][1]


@pytest.mark.parametrize(("exponent", "rare"), [(0.0, 4), (0.5, 3)])
def test_a_rare_source_has_its_share_of_every_batch(corpus, exponent, rare):
    """5 of the 40 records are of the rare source: 4 of 8 when sources count alike, 3 by the root of their size."""
    batches = source(corpus, source_exponent=exponent)
    for step in range(6):
        assert sum(int(name.split("/")[1]) % 8 == 0 for name in batches[step].ids) == rare


def test_another_seed_or_epoch_is_another_look(corpus):
    first = {name: source(corpus)[0].images["image.2"][i] for i, name in enumerate(source(corpus)[0].ids)}
    for other in (source(corpus, seed=1), source(corpus)):
        steps = range(5, 10) if other is not None else ()
        for step in steps:
            batch = other[step]
            for i, name in enumerate(batch.ids):
                if name in first:
                    assert (batch.images["image.2"][i] != first[name]).any()


def test_absent_texts_are_masked_and_not_tokenized(corpus):
    batch = source(corpus, batch_size=40)[0]
    for i, name in enumerate(batch.ids):
        number = int(name.split("/")[1])
        assert batch.present["tags"][i] == (number % 5 != 0)
        assert batch.present["description"][i] == (number % 3 == 0)
    for view, of in batch.tokens.items():
        assert len(of["lengths"]) == batch.present[view].sum()


def test_identities_are_of_the_image_and_of_the_text(corpus):
    batch = source(corpus, batch_size=40)[0]
    assert len(set(batch.identities["image"].tolist())) == 40
    torch.testing.assert_close(batch.identities["image"], batch.identities["image.2"])
    titles = [text_identity(text) for text in batch.texts["title"]]
    assert batch.identities["title"].tolist() == titles


def test_only_weighted_views_have_weights_those_of_their_texts(tmp_path):
    weights = {f"query {i} of {j}": 0.5 + i + 10 * j for i in range(3) for j in range(10)}
    records = [
        Record(
            f"r/{j}",
            f"r/{j}",
            picture(j),
            tuple(Text("query", q, "en", w) for q, w in weights.items() if q.endswith(f"of {j}")),
        )
        for j in range(9)
    ]
    records.append(Record("r/9", "r/9", picture(9), (Text("title", "no query", "en"),)))
    write_corpus(tmp_path / "weighed", {"train": records}, name="weighed")
    plain = {"title": TextView(kinds=("query", "title")), "query": TextView(kinds=("query",))}
    views = ViewsConfig(texts=plain | {"query": TextView(kinds=("query",), weighted=True)})
    made = [
        source(Corpus.open(tmp_path / "weighed"), views, batch_size=10, rank=rank, world_size=3)[0] for rank in range(3)
    ]
    assert {text for batch in made for text in batch.texts["query"]} - {None} <= set(weights)
    for batch in made:  # the last of three is padded
        assert set(batch.weights) == {"query"}
        assert batch.weights["query"].dtype == torch.float32
        assert batch.weights["query"].tolist() == [weights.get(text, 0.0) for text in batch.texts["query"]]
        assert batch.weights["query"].gt(0).tolist() == batch.present["query"].tolist()
    unweighted = source(Corpus.open(tmp_path / "weighed"), ViewsConfig(texts=plain), batch_size=10)
    assert unweighted[0].weights == {}


def test_a_broken_image_is_absent_and_named(broken):
    batch = source(broken, batch_size=40)[0]
    gone = batch.ids.index("record/7")
    assert [name for name, _ in batch.problems] == ["record/7"]
    assert not batch.present["image"][gone]
    assert batch.present["image"].sum() == 39
    assert batch.present["title"][gone]


def test_texts_that_no_record_has_are_refused(corpus):
    views = ViewsConfig(texts={"query": TextView(kinds=("query", "clicks"))})
    with pytest.raises(
        UsageError, match=r"'query' draws from .*: it has .*title \(en 40, zh 40\).*texts.query.kinds"
    ) as told:
        source(corpus, views)
    setting = "views.texts.query.kinds=[tags, title, description]"
    assert setting in str(told.value)
    view = load_config(ViewsConfig, None, [setting.removeprefix("views.")], views)  # and it does what it says
    assert any(source(corpus, view)[0].present["query"])


def test_kinds_are_checked_without_opening_a_shard(corpus, monkeypatch):
    """And in a corpus whose manifest counts nothing by reading texts, never images, and no more than it takes."""
    read: list[tuple[str, ...]] = []
    genuine = corpus_module._read
    monkeypatch.setattr(
        "manyview.corpus.corpus._read", lambda *args: read.append((str(args[0]), *args[1])) or genuine(*args)
    )
    unknown = ViewsConfig(texts={"query": TextView(kinds=("query",))})
    source(corpus)
    with pytest.raises(UsageError, match="draws from"):
        source(corpus, unknown)
    assert not read
    splits = {
        split: [Shard(**shard.model_dump(include={"file", "records", "bytes", "sha256"})) for shard in shards]
        for split, shards in corpus.manifest.splits.items()
    }
    plain = Corpus(corpus.folder, corpus.manifest.model_copy(update={"splits": splits}))
    source(plain)
    assert len(read) == 1
    read.clear()
    with pytest.raises(UsageError, match="draws from"):
        source(plain, unknown)
    assert [columns for _, *columns in read] == [["texts"]] * len(splits["train"])


@pytest.mark.parametrize("langs", [("de",), {"en": 0, "zh": 0}, {"de": 1, "*": 0}])
def test_languages_that_no_record_has_are_refused_with_those_there_are(corpus, langs):
    views = ViewsConfig(texts={"title": TextView(kinds=("title",))}, langs=langs)
    with pytest.raises(UsageError, match=r"'title' draws from the languages .*title \(en 40, zh 40\).* views.langs"):
        source(corpus, views)


@pytest.mark.parametrize("langs", [("zh",), {"en": 3, "zh": 1, "": 1}, {"fr": 1}, {"fr": 1, "*": 1}])
def test_texts_read_for_their_language_are_those_of_all_texts(corpus, langs):
    """What the reader leaves out is what no view would have drawn."""
    both = TextView(kinds={"title": 1, "title+tags": 1, "description": 1})
    views = ViewsConfig(texts={"title": TextView(kinds=("title",)), "both": both}, langs=langs)
    by_language = source(corpus, views)
    everything = source(corpus, views)
    everything._reader._langs = None
    for step in range(5):
        assert by_language[step].texts == everything[step].texts


def test_a_batch_larger_than_the_split_is_refused(corpus):
    with pytest.raises(UsageError, match="40 records, fewer than batch_size=41"):
        source(corpus, batch_size=41)


def test_a_damaged_shard_is_named(corpus, tmp_path):
    folder = tmp_path / "copy"
    (folder / "data").mkdir(parents=True)
    for file in corpus.folder.rglob("*.*"):
        (folder / file.relative_to(corpus.folder)).write_bytes(file.read_bytes())
    damaged = next((folder / "data").glob("*.parquet"))
    content = bytearray(damaged.read_bytes())
    content[len(content) // 8 : len(content) // 2] = bytes(len(content) // 2 - len(content) // 8)
    damaged.write_bytes(content)
    with pytest.raises(DataError, match=damaged.name):
        batches = source(Corpus.open(folder))
        for step in range(5):
            batches[step]


def test_the_contact_sheet_shows_every_record_and_escapes_it(broken):
    batch = source(broken, batch_size=40)[0]
    html = render_sheet(list(sheet_rows(batch)), title="<b>", about="about")
    assert html.count("data:image/webp") == 2 * 39
    assert "&lt;b&gt;" in html
    assert all(name in html for name in batch.ids)
    assert "http" not in html


@pytest.mark.parametrize("size", [2, 3, 4])
def test_the_parts_of_processes_are_the_whole_batch_and_padding_is_absent(corpus, size):
    whole = source(corpus)[3]
    parts = [source(corpus, rank=rank, world_size=size)[3] for rank in range(size)]
    assert [name for part in parts for name in part.ids] == whole.ids
    for view in VIEWS.names:
        assert len({len(part.present[view]) for part in parts}) == 1
        together = torch.cat([part.present[view] for part in parts])
        torch.testing.assert_close(together[:8], whole.present[view])
        assert not together[8:].any()
    for view in VIEWS.images:
        torch.testing.assert_close(torch.cat([part.images[view] for part in parts])[:8], whole.images[view])
    for view in VIEWS.texts:
        assert [text for part in parts for text in part.texts[view]][:8] == whole.texts[view]
        assert sum(len(part.tokens[view]["lengths"]) for part in parts) == len(whole.tokens[view]["lengths"])


@pytest.mark.parametrize(
    ("weights", "exponent", "of_first"), [((1, 1), 1.0, 4), ((3, 1), 1.0, 6), ((1, 50), 1.0, 1), ((1, 1), 0.0, 4)]
)
def test_corpora_are_mixed_by_their_weights(corpus, broken, weights, exponent, of_first):
    """8 records a batch, at least one of each corpus."""
    batches = BatchSource(
        [corpus, only_some(broken)],
        *("train", VIEWS, NgramTokenizer(1_000)),
        size=16,
        batch_size=8,
        seed=0,
        weights=weights,
        source_exponent=exponent,
    )
    for step in range(5):
        first = sum(not name.startswith("other/") for name in batches[step].ids)
        assert first == of_first


def only_some(corpus):
    """The records of a corpus under other names."""
    from dataclasses import replace

    from manyview.corpus import write_corpus

    folder = corpus.folder.with_name("other")
    records = [replace(record, id=f"other/{i}") for i, record in enumerate(corpus.records("train"))]
    if not folder.exists():
        write_corpus(folder, {"train": records}, name="other")
    return Corpus.open(folder)


def test_a_remote_corpus_gives_the_same_batches(corpus):
    import fsspec

    memory = fsspec.filesystem("memory")
    for file in corpus.folder.rglob("*.*"):
        memory.pipe(f"/remote/{file.relative_to(corpus.folder).as_posix()}", file.read_bytes())
    remote = Corpus.open("memory://remote")
    assert remote.splits == corpus.splits
    for step in range(5):
        equal(source(remote)[step], source(corpus)[step])
    remote.verify()


@pytest.mark.parametrize("address", ["memory://nowhere", "nothing://bucket/corpus"])
def test_an_address_without_a_corpus_is_a_sentence(address):
    with pytest.raises(UsageError, match=address.split(":")[0]):
        Corpus.open(address)


def test_memory_is_bounded_by_the_window(corpus):
    batches = source(corpus)
    for step in range(10):
        batches[step]
        assert len(batches._reader._kept) <= 3  # window=2, and one that a batch may still be in


def test_with_lanes_a_process_opens_only_its_own_blocks_and_still_sees_every_record(corpus):
    blocks = len(corpus.blocks("train"))
    assert blocks >= 8
    opened, seen = [], []
    for rank in range(2):
        batches = source(corpus, lanes=4, rank=rank, world_size=2)
        seen.append([name for step in range(40) for name in batches[step].ids])
        opened.append({block for step in range(40) for block in batches.places(step).block.tolist()})
    assert not opened[0] & opened[1]
    assert len(opened[0] | opened[1]) == blocks
    assert len(set(seen[0]) | set(seen[1])) == RECORDS
    together = Counter(seen[0] + seen[1])
    assert max(together.values()) - min(together.values()) <= 3  # 8 epochs; lanes differ by a few records


def test_lanes_are_the_same_batches_for_any_number_of_processes(corpus):
    whole = source(corpus, lanes=4)[5]
    parts = [source(corpus, lanes=4, rank=rank, world_size=4)[5] for rank in range(4)]
    assert [name for part in parts for name in part.ids] == whole.ids


@pytest.fixture(scope="module")
def glossary(tmp_path_factory):
    """60 records of texts only, some without tags."""
    records = [replace(record(i), id=f"word/{i}", image=None) for i in range(100, 160)]
    folder = tmp_path_factory.mktemp("glossary") / "c"
    write_corpus(folder, {"train": records}, name="c", row_group_bytes=40_000)
    return Corpus.open(folder)


def mixed(corpora, weights, batch_size, **other):
    settings = {"size": 16, "seed": 0, "window": 2, "weights": weights, "batch_size": batch_size, **other}
    return BatchSource(corpora, "train", VIEWS, NgramTokenizer(1_000), **settings)


def looks(batch):
    """Of each record with an image: its pixels and texts, by its id."""
    shown = [name for name, there in zip(batch.ids, batch.present["image"].tolist(), strict=False) if there]
    pixels = zip(*(batch.images[view] for view in VIEWS.images), strict=True)
    texts = dict(zip(batch.ids, zip(*batch.texts.values(), strict=True), strict=False))
    return {name: ([of.tolist() for of in views], texts[name]) for name, views in zip(shown, pixels, strict=True)}


def test_pictures_look_the_same_whether_or_not_texts_come_along(corpus, glossary):
    """A record of texts only has texts, and no pixels are held for it; an epoch is one of the pictures."""
    alone = mixed([corpus], (1,), 8)
    together = mixed([corpus, glossary], (1, 2), 24)
    one, other = ({} for _ in range(2))
    for step in range(5):
        one |= looks(alone[step])
        batch = together[step]
        other |= looks(batch)
        assert batch.epoch == alone[step].epoch
        pictured = torch.tensor([not name.startswith("word/") for name in batch.ids])
        assert pictured.sum() == 8 and not batch.problems
        for view in VIEWS.images:
            assert torch.equal(batch.present[view], pictured)
            assert batch.images[view].shape == (8, 3, 16, 16)
        assert batch.present["title"].all()
        for view in VIEWS.texts:
            assert len(batch.tokens[view]["lengths"]) == batch.present[view].sum()
    assert one == other and len(one) == RECORDS


def test_rows_of_each_kind_are_dealt_out_to_all_processes(corpus, glossary):
    whole = mixed([corpus, glossary], (1, 2), 24)[2]
    for size in (2, 3, 5):
        parts = [mixed([corpus, glossary], (1, 2), 24, rank=rank, world_size=size)[2] for rank in range(size)]
        assert [name for part in parts for name in part.ids] == whole.ids
        for view in VIEWS.images:
            assert torch.equal(torch.cat([part.images[view] for part in parts]), whole.images[view])
            counts = [len(part.images[view]) for part in parts]
            assert max(counts) - min(counts) <= 1


def test_a_batch_without_any_image_is_one_of_texts(glossary):
    batch = mixed([glossary], (1,), 8)[0]
    assert batch.images["image"].shape == (0, 3, 16, 16)
    assert not batch.present["image"].any() and batch.present["title"].all()
    html = render_sheet(list(sheet_rows(batch)), title="t", about="a")
    assert "data:image" not in html and all(name in html for name in batch.ids)
